"""The commands of `faro bench`: speed and relevance of search. They need no configuration."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import click
import yaml
from pydantic import TypeAdapter, ValidationError

from bench.knowledge import filling, relevance, speed
from bench.knowledge.filling import FillReport
from bench.knowledge.invented import World
from bench.knowledge.relevance import Answer
from bench.knowledge.speed import Latencies
from bot.api import Shell
from plugins.knowledge.cli.common import FAILURE, USER_ERROR, exit_with, progress

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """The figures of `faro bench search`. `filled`: None if the database existed already. `classes`: for each class of
    questions their number, and the latencies by engine."""

    rows: int
    filled: FillReport | None
    classes: Mapping[str, tuple[int, Mapping[str, Latencies]]]


@click.command("search")
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(1_000), help="How many links.")
@click.option("--queries", default=100, show_default=True, type=click.IntRange(1), help="Questions of each class.")
@click.option("--keep", type=click.Path(path_type=Path, dir_okay=False),
              help="Keep the database in this file; one that is there is measured as it is.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")
@click.pass_obj
def search_command(shell: Shell, rows: int, queries: int, keep: Path | None, as_json: bool) -> None:
    """Measure filing and searching, beside simpler ways on the same data."""
    measured = asyncio.run(_measure(shell, rows, queries, keep))
    if as_json:
        click.echo(json.dumps(_as_json(measured), indent=2))
    else:
        _print(measured)


async def _measure(shell: Shell, rows: int, queries: int, keep: Path | None) -> SpeedReport:
    world = World()
    async with shell.scratch(keep) as db, shell.scratch() as bare:
        reading = db.reading()
        filled = None
        with progress() as bars, tempfile.TemporaryDirectory(prefix="faro-") as folder:
            if not await reading.value("SELECT EXISTS (SELECT 1 FROM knowledge_entries)"):
                filled = await filling.fill(db, bare, world, rows, bars)
            rows = await reading.value("SELECT count(*) FROM knowledge_entries")
            scopes, query_classes = await speed.scopes(reading), await speed.query_classes(reading, world, queries)
            baselines = {"ORDER BY rank": speed.by_rank(reading), "LIKE": speed.by_like(reading)}
            if tantivy := await speed.by_tantivy(reading, Path(folder), bars):
                baselines["tantivy"] = tantivy
            await speed.warm_up(reading)
            classes = {}
            for query_class in bars.track(query_classes, description="asking"):
                times = {"Faro": await speed.measure_find(reading, scopes, query_class)}
                for name, search in baselines.items():
                    times[name] = await speed.measure(search, query_class)
                classes[query_class.name] = (len(query_class.questions), times)
    return SpeedReport(rows, filled, classes)


def _as_json(measured: SpeedReport) -> Mapping[str, object]:
    return {
        "rows": measured.rows,
        "filing": asdict(measured.filled) if measured.filled else None,
        "classes": {
            name: {"questions": questions, "ms": {way: asdict(latencies) for way, latencies in times.items()}}
            for name, (questions, times) in measured.classes.items()
        },
    }


def _print(measured: SpeedReport) -> None:
    from rich.console import Console  # only a person at a terminal needs it
    from rich.table import Table

    ways = list(next(iter(measured.classes.values()))[1])
    title = f"{measured.rows:,} links; milliseconds, p50 / p95 / max"
    table = Table("class", "questions", title=title, title_justify="left")
    table.caption = f"Others than Faro are asked {speed.SLOW} questions of each class at most."
    for way in ways:
        table.add_column(way, justify="right", no_wrap=True)
    for name, (questions, times) in measured.classes.items():
        table.add_row(name, str(questions), *(_times(times[way]) for way in ways))
    console = Console()
    console.print(table)
    if filled := measured.filled:
        console.print(
            f"Links a second: {filled.per_second:,.0f} filed in bulk, {filled.brought_per_second:,.0f} brought in from "
            f"a file, {filled.floor_per_second:,.0f} stored by SQLite alone. One by one: {_times(filled.one)} ms."
        )
        console.print(f"The database has {filled.bytes_each:,.0f} bytes for each link.")


def _times(times: Latencies) -> str:
    return " / ".join(
        f"{milliseconds:.1f}" if milliseconds >= 0.1 else f"{milliseconds:.2f}"
        for milliseconds in (times.p50, times.p95, times.worst)
    )


@click.command("relevance")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--resources", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="What is searched; else resources.yaml beside FILE.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")
@click.pass_obj
def relevance_command(shell: Shell, file: Path, resources: Path | None, as_json: bool) -> None:
    """Ask judged questions (YAML: q, want, lang, typo); exit code 1 if too little is found.

    Wanted are success@3 of 0.95 and recall@10 of 0.9.
    """
    questions = _read(file, relevance.QUESTIONS)
    resources_ = _read(resources or file.with_name("resources.yaml"), relevance.RESOURCES)
    if not questions or max(number for judged in questions for number in judged.want) > len(resources_):
        exit_with(USER_ERROR, f"{file}: there are no questions, or they want resources that are not in the list.")
    answers = asyncio.run(_answers(shell, resources_, questions))
    success = sum(answer.succeeds for answer in answers) / len(answers)
    recall = sum(answer.recall for answer in answers) / len(answers)
    if as_json:
        rows = [
            {"q": answer.judged.q, "lang": answer.judged.lang, "typo": answer.judged.typo,
             "want": answer.judged.want, "found": answer.results, "success": answer.succeeds, "recall": answer.recall}
            for answer in answers
        ]  # fmt: skip
        click.echo(json.dumps({"success@3": success, "recall@10": recall, "questions": rows}, ensure_ascii=False))
    else:
        for answer in answers:
            _print_answer(answer, resources_)
        click.echo(f"{len(answers)} questions: success@3 {success:.3f}, recall@10 {recall:.3f}")
    if success < relevance.SUCCESS or recall < relevance.RECALL:
        exit_with(FAILURE, f"Wanted are success@3 of {relevance.SUCCESS} and recall@10 of {relevance.RECALL}.")


async def _answers(
    shell: Shell, resources: Sequence[relevance.Resource], questions: Sequence[relevance.JudgedQuery]
) -> Sequence[Answer]:
    async with shell.scratch() as db:
        return await relevance.measure(db, resources, questions)


def _print_answer(answer: Answer, resources: Sequence[relevance.Resource]) -> None:
    judged = answer.judged
    sign = "ok  " if answer.succeeds and answer.recall == 1 else "part" if answer.succeeds else "FAIL"
    marks = "".join(f" [{mark}]" for mark in (judged.lang, "typo" if judged.typo else "") if mark)
    searched = "".join(f" (searched: {word})" for word in answer.corrected.values())
    click.echo(f"{sign} {judged.q}{marks}: success@3 {answer.succeeds:d}, recall@10 {answer.recall:.2f}{searched}")
    if sign == "ok  ":
        return
    for numbers in answer.results[: relevance.MOST]:
        wanted = "*" if any(number in judged.want for number in numbers) else " "
        click.echo(f"     {wanted} {numbers[0]}. {resources[numbers[0] - 1].title}")
    found_numbers = {number for numbers in answer.results for number in numbers}
    for number in judged.want:
        if number not in found_numbers:
            click.echo(f"     missing {number}. {resources[number - 1].title}")


def _read(file: Path, kind: TypeAdapter[Model]) -> Model:
    """Reads and validates a YAML file; ends the command if it is invalid."""
    try:
        return kind.validate_python(yaml.safe_load(file.read_text("utf-8")))
    except OSError as error:
        exit_with(USER_ERROR, f"{file}: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        exit_with(USER_ERROR, f"{file}: {error}")


COMMANDS = {"search": search_command, "relevance": relevance_command}
