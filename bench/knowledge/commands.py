"""`faro bench`: how quick the index is, and how well it finds. Needs no configuration."""

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
from bench.knowledge.filling import Filled
from bench.knowledge.invented import World
from bench.knowledge.relevance import Answer
from bench.knowledge.speed import Times
from bot.api import Shell
from plugins.knowledge.cli.common import TROUBLE, WRONG, end, progress

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Measured:
    """`filled` is None where the database was there already; `classes`: of each class of questions its number, and the
    times of each way that was measured."""

    rows: int
    filled: Filled | None
    classes: Mapping[str, tuple[int, Mapping[str, Times]]]


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


async def _measure(shell: Shell, rows: int, queries: int, keep: Path | None) -> Measured:
    world = World()
    async with shell.scratch(keep) as db, shell.scratch() as bare:
        reading = db.reading()
        filled = None
        with progress() as bars, tempfile.TemporaryDirectory(prefix="faro-") as folder:
            if not await reading.value("SELECT EXISTS (SELECT 1 FROM knowledge_entries)"):
                filled = await filling.fill(db, bare, world, rows, bars)
            rows = await reading.value("SELECT count(*) FROM knowledge_entries")
            sights, kinds = await speed.sights(reading), await speed.kinds(reading, world, queries)
            ways = {"ORDER BY rank": speed.by_rank(reading), "LIKE": speed.by_like(reading)}
            if tantivy := await speed.by_tantivy(reading, Path(folder), bars):
                ways["tantivy"] = tantivy
            await speed.warm(reading)
            classes = {}
            for kind in bars.track(kinds, description="asking"):
                times = {"Faro": await speed.found(reading, sights, kind)}
                for name, way in ways.items():
                    times[name] = await speed.timed(way, kind)
                classes[kind.name] = (len(kind.questions), times)
    return Measured(rows, filled, classes)


def _as_json(measured: Measured) -> Mapping[str, object]:
    return {
        "rows": measured.rows,
        "filing": asdict(measured.filled) if measured.filled else None,
        "classes": {
            name: {"questions": questions, "ms": {way: asdict(one) for way, one in times.items()}}
            for name, (questions, times) in measured.classes.items()
        },
    }


def _print(measured: Measured) -> None:
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


def _times(times: Times) -> str:
    return " / ".join(f"{one:.1f}" if one >= 0.1 else f"{one:.2f}" for one in (times.p50, times.p95, times.worst))


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
    known = _read(resources or file.with_name("resources.yaml"), relevance.RESOURCES)
    if not questions or max(place for one in questions for place in one.want) > len(known):
        end(WRONG, f"{file}: there are no questions, or they want resources that are not in the list.")
    answers = asyncio.run(_answers(shell, known, questions))
    success = sum(one.succeeds for one in answers) / len(answers)
    recall = sum(one.recall for one in answers) / len(answers)
    if as_json:
        told = [
            {"q": one.judged.q, "lang": one.judged.lang, "typo": one.judged.typo, "want": one.judged.want,
             "found": one.found, "success": one.succeeds, "recall": one.recall}
            for one in answers
        ]  # fmt: skip
        click.echo(json.dumps({"success@3": success, "recall@10": recall, "questions": told}, ensure_ascii=False))
    else:
        for one in answers:
            _tell(one, known)
        click.echo(f"{len(answers)} questions: success@3 {success:.3f}, recall@10 {recall:.3f}")
    if success < relevance.SUCCESS or recall < relevance.RECALL:
        end(TROUBLE, f"Wanted are success@3 of {relevance.SUCCESS} and recall@10 of {relevance.RECALL}.")


async def _answers(
    shell: Shell, known: Sequence[relevance.Resource], questions: Sequence[relevance.Judged]
) -> Sequence[Answer]:
    async with shell.scratch() as db:
        return await relevance.measure(db, known, questions)


def _tell(answer: Answer, known: Sequence[relevance.Resource]) -> None:
    judged = answer.judged
    sign = "ok  " if answer.succeeds and answer.recall == 1 else "part" if answer.succeeds else "FAIL"
    marks = "".join(f" [{mark}]" for mark in (judged.lang, "typo" if judged.typo else "") if mark)
    searched = "".join(f" (searched: {word})" for word in answer.corrected.values())
    click.echo(f"{sign} {judged.q}{marks}: success@3 {answer.succeeds:d}, recall@10 {answer.recall:.2f}{searched}")
    if sign == "ok  ":
        return
    for places in answer.found[: relevance.MOST]:
        wanted = "*" if any(place in judged.want for place in places) else " "
        click.echo(f"     {wanted} {places[0]}. {known[places[0] - 1].title}")
    found = {place for places in answer.found for place in places}
    for place in judged.want:
        if place not in found:
            click.echo(f"     missing {place}. {known[place - 1].title}")


def _read(file: Path, kind: TypeAdapter[Read]) -> Read:
    """Ends the command if the file is not what it should be."""
    try:
        return kind.validate_python(yaml.safe_load(file.read_text("utf-8")))
    except OSError as error:
        end(WRONG, f"{file}: {error.strerror}")
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        end(WRONG, f"{file}: {error}")


COMMANDS = {"search": search_command, "relevance": relevance_command}
