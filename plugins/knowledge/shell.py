"""`faro find`: the index asked from the shell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from bot.api import Hub, Offline, Shell, in_language
from plugins.knowledge import address, search
from plugins.knowledge.asking import read
from plugins.knowledge.results import Entry, load
from plugins.knowledge.rules import together
from plugins.knowledge.shelves import sight_of


@click.command("find")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("hub")
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON list, best first, instead of a table.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Most results to show.")
@click.pass_obj
def find(shell: Shell, config: Path, hub: str, words: Sequence[str], as_json: bool, limit: int) -> None:
    """Search the links a hub knows."""
    offline = shell.open(config)
    chosen = next((known for known in offline.hubs if known.id == hub), None)
    if chosen is None:
        known = ", ".join(known.id for known in offline.hubs)
        message = offline.translator.t("There is no hub '{hub}'; there are: {known}", hub=hub, known=known)
        raise click.BadParameter(message, param_hint="HUB")
    entries = asyncio.run(_search(offline, chosen, " ".join(words), limit))
    if as_json:
        found = [{"url": entry.url, "title": _title(entry, chosen), "score": score} for entry, score in entries]
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _table(offline, entries, chosen)


async def _search(offline: Offline, hub: Hub, words: str, limit: int) -> Sequence[tuple[Entry, float]]:
    async with offline.reading() as db:
        terms, seen = together([hub]), await sight_of(db, [hub])
        question = read(words, terms, hub.timezone)
        topics = [question.topic] if question.topic else ()
        found = await search.find(db, seen, question, topics, offline.now, terms=terms, limit=limit)
        hits = {hit.id: hit.score for hit in found.hits[:limit]}
        return [(entry, hits[entry.id]) for entry in await load(db, seen, list(hits))]


def _title(entry: Entry, hub: Hub) -> str:
    return in_language(dict(entry.title), *hub.languages) if entry.title else address.title(entry.url)


def _table(offline: Offline, entries: Sequence[tuple[Entry, float]], hub: Hub) -> None:
    from rich.console import Console  # only a person at a terminal needs it
    from rich.table import Table
    from rich.text import Text

    t = offline.translator.t
    if not entries:
        click.echo(t("Nothing found."))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(t("Number"), justify="right")
    table.add_column(t("Title"))
    table.add_column(t("Address"), overflow="fold")
    table.add_column(t("Score"), justify="right")
    for entry, score in entries:
        title, url = Text(_title(entry, hub)), Text(address.masked(entry.url))  # Text: no markup in what people wrote
        table.add_row(str(entry.number), title, url, f"{score:.3g}")
    Console().print(table)


COMMANDS = (find,)
