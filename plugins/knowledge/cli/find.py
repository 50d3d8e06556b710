"""`faro find`: searches the index from the shell."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from bot.api import Hub, Offline, Shell, SyncReader, Text, Translator, UserError, in_language
from plugins.knowledge.cli.common import USER_ERROR, exit_with, find_hub, hub_arguments
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import filters, topic_names
from plugins.knowledge.search.candidates import POOL
from plugins.knowledge.search.engine import SearchResult
from plugins.knowledge.search.query_parser import parse
from plugins.knowledge.store.access import Scope, scope_of
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls import display
from plugins.knowledge.views import answer_text, load
from plugins.knowledge.views.load import Entry

Scored = Sequence[tuple[Entry, float]]


@click.command("find")
@hub_arguments
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, best first, instead of a table.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Maximum number of results.")
@click.pass_obj
def find(shell: Shell, config: Path, hub: str, words: Sequence[str], as_json: bool, limit: int) -> None:
    """Search a hub's links, with words and filters as in !find."""
    offline = shell.open(config)
    chosen = find_hub(offline, hub)
    try:
        result, entries = asyncio.run(_search(offline, chosen, " ".join(words), limit))
    except UserError as error:
        exit_with(USER_ERROR, offline.translator.t(error.text))
    for sentence in _remarks(offline, config, chosen, " ".join(words), result, entries):
        click.echo(sentence, err=True)
    if as_json:
        click.echo(
            json.dumps([_as_json(entry, score, chosen) for entry, score in entries], ensure_ascii=False, indent=2)
        )
    else:
        _table(offline, entries, chosen)


async def _search(offline: Offline, hub: Hub, words: str, limit: int) -> tuple[SearchResult, Scored]:
    async with offline.reading() as db:
        thesaurus, scope = merged_thesaurus([hub]), await db.run(scope_of, [hub])
        question = parse(words, thesaurus, hub.timezone)
        topics = await db.run(_find_topics, hub, scope, question.topic, offline.translator) if question.topic else ()
        if question.hub and question.hub != hub.id:
            return SearchResult(question, (), {}), ()
        result, entries = await db.run(
            load.answer, scope, question, topics, offline.now, thesaurus=thesaurus, count=limit, most=max(limit, POOL)
        )
        scores = {hit.id: hit.score for hit in result.hits}
        return result, [(entry, scores[entry.id]) for entry in entries]


def _remarks(
    offline: Offline, config: Path, hub: Hub, words: str, result: SearchResult, entries: Scored
) -> Sequence[str]:
    """Says how the query was interpreted where that differs from what was typed, as `!find` does."""
    return answer_text.remark_sentences(
        offline.translator,
        merged_thesaurus([hub]),
        result,
        words,
        [entry for entry, _ in entries],
        find=lambda right: shlex.join(("faro", "find", str(config), hub.id, right)),
        escape_text=str,
    )


def _find_topics(db: SyncReader, hub: Hub, scope: Scope, name: str, t: Translator) -> Sequence[str]:
    """The topics a name may mean. An unknown name without a close match stands for itself, and matches nothing."""
    rules = Rules([hub])
    topics = topic_names.topics_called(db, [hub], rules, scope, name)
    if not topics and (close := topic_names.close_topic(db, [hub], rules, scope, name)):
        suggestion = filters.written("topic", close, t.language)
        raise UserError(
            Text("There is no topic “{topic}”. Did you mean {suggestion}?", topic=tidy(name, 40), suggestion=suggestion)
        )
    return topics or [name]


def _as_json(entry: Entry, score: float, hub: Hub) -> dict[str, object]:
    return {
        "number": entry.number,
        "url": entry.url,
        "title": _title(entry, hub),
        "score": score,
        "site": display.site(entry.url),
        "languages": entry.languages,
        "kind": entry.kind,
        "topics": entry.topics,
        "label": LABELS[entry.label],
        "recommended": entry.recommended,
        "pinned": entry.pinned,
        "votes": entry.votes,
        "shared_at": entry.shared_at,
        "shared_by": entry.shared_by,
        "note": entry.note,
        "description": entry.about,
    }


def _title(entry: Entry, hub: Hub) -> str:
    return in_language(dict(entry.title), *hub.languages) if entry.title else display.title(entry.url)


def _table(offline: Offline, entries: Scored, hub: Hub) -> None:
    from rich.console import Console  # slow to import; `--json` does not need it
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
        title, url = Text(_title(entry, hub)), Text(display.masked(entry.url))  # Text: no markup in what people wrote
        table.add_row(load.short_name(entry), title, url, f"{score:.3g}")
    Console().print(table)
