"""Entries follow what was said, and everything derived from them follows the entries, whatever happens in any order."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api import Reaction, Transaction
from bot.storage.database import SqliteDatabase, steps_in
from bot.testing.story import story
from plugins.knowledge import Knowledge
from plugins.knowledge.fetch.queue import enqueue
from plugins.knowledge.index import build_entry, update
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.index.rekey import rekey
from plugins.knowledge.index.typo_index import traceable, traces
from plugins.knowledge.maintenance import SLICE
from plugins.knowledge.store import access, history
from plugins.knowledge.store.access import Shelf, partition
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import edges_of, entry_with
from plugins.knowledge.store.resolve import Resolved, groups, resolve
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.urls.canonical import canonical
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import RULES, recommend, remove, say, urls
from tests.knowledge.test_plugin import ANA, LUIS
from tests.tiers import examples

PEOPLE = ("@ana:example.org", "@luis:example.org")
FIELDS = ("title", "note", "hidden", "own_hidden", "pinned", "topic", "label")
pages = st.integers(0, 4)
events = st.integers(0, 6)
people = st.sampled_from(PEOPLE)
steps = st.one_of(
    st.tuples(st.just("say"), events, pages, st.sampled_from(["gifts", "TLP:AMBER audit", "#tag volcano", ""])),
    st.tuples(st.just("remove"), events),
    st.tuples(st.just("recommend"), st.lists(pages, max_size=2, unique=True).map(tuple)),
    st.tuples(st.just("merge"), pages, pages),
    st.tuples(st.just("split"), st.integers(1, 8)),
    st.tuples(st.just("correct"), pages, st.sampled_from(FIELDS), st.booleans()),
    st.tuples(st.just("move"), pages, pages),
    st.tuples(st.just("vote"), pages, people),
    st.tuples(st.just("react"), events, people),
    st.tuples(st.just("redact"), st.integers(0, 24)),
    st.tuples(st.just("fetch"), pages),
    st.tuples(st.just("forget"), people),
    st.tuples(st.just("purge"), pages),
    st.tuples(st.just("rekey")),
    st.tuples(st.just("undo"), people),
)


@given(st.lists(steps, min_size=4, max_size=25))
@settings(deadline=None, max_examples=examples(60), suppress_health_check=list(HealthCheck))
def test_whatever_happens_all_tables_agree(history: list[tuple[Any, ...]]) -> None:  # Any: by kind of step
    asyncio.run(_live(history))


async def _live(history: list[tuple[Any, ...]]) -> None:  # Any: as above
    async with SqliteDatabase(None) as db:
        await db.migrate("knowledge", steps_in(SCHEMA))
        for number, step in enumerate(history):
            async with db.transaction() as tx:
                await _do(tx, number, *step)
                await _agree(tx)


async def _do(tx: Transaction, at: int, kind: str, *what: Any) -> None:  # Any: as above
    author = Author(PEOPLE[at % 2], at, f"$command{at}")
    match kind:
        case "say":
            event, page, words = what
            await say(tx, f"{words} {_url(page)}", event=f"${event}", sender=PEOPLE[event % 2], at=1000 + at)
        case "remove":
            await remove(tx, f"${what[0]}")
        case "recommend":
            await recommend(tx, hub(resources=[{"url": _url(page), "title": f"Guide {page}"} for page in what[0]]))
        case "forget":
            await tx.run(update.forget, RULES, what[0])
        case "redact":
            await tx.run(update.redact, RULES, "transparency", f"$command{what[0]}")
        case "react":
            room, (event, user) = "!transparency-members:example.org", what
            await tx.run(update.react, RULES, Reaction(room, author.event or "", user, at, f"${event}", "👍"))
        case "rekey":
            await tx.execute("UPDATE knowledge_pages SET key = 'old ' || id, version = 0 WHERE key IS NOT NULL")
            while await tx.run(rekey, RULES, 2):
                pass
        case "undo":
            shelves = [shelf.id for shelf in await tx.run(access.every_shelf)]
            for change in await tx.run(history.last_of, shelves, what[0], 1):
                await tx.run(update.undo, RULES, change.id)
        case _:
            await _change(tx, author, kind, *what)


async def _change(tx: Transaction, author: Author, kind: str, *what: Any) -> None:  # Any: as above
    if kind == "split":
        if page := await tx.value("SELECT id FROM knowledge_pages WHERE number = :number", number=what[0]):
            await tx.run(update.split, RULES, page, author)
        return
    entry = await _entry(tx, what[0])
    if entry is None:
        return
    match kind:
        case "merge":
            other = await _entry(tx, what[1])
            if other not in (None, entry):
                await tx.run(update.merge, RULES, entry, other, author)
        case "move":
            if await _entry(tx, what[1]) in (None, entry):
                url = _url(what[1])
                await tx.run(update.move, RULES, entry, url, canonical(url) or url, author)
        case "correct":
            field, on = what[1:]
            values = {"label": "2", "title": "volcano", "note": "volcano", "topic": "+-"[not on]}
            saying = NewStatement(field, values.get(field, str(int(on))), key="x" if field == "topic" else "")
            await tx.run(update.edit, RULES, entry, author, [saying])
        case "vote":
            await tx.run(update.vote, RULES, entry, Author(what[1], author.at, author.event))
        case "purge":
            await tx.run(update.purge, RULES, [entry])
        case _:
            await tx.run(enqueue, [hub(fetch="titles")], [entry], author.at)
            await tx.execute(
                """UPDATE knowledge_facts SET state = 'ok', tries = 1, due = NULL, description = 'about ' || url
                WHERE due IS NOT NULL"""
            )
            await tx.run(rebuild, RULES, {entry})


def _url(page: int) -> str:
    return f"https://example.org/{page}"


async def _entry(tx: Transaction, page: int) -> int | None:
    """The entry that has a page."""
    shelves = await tx.run(access.every_shelf)
    return await tx.run(entry_with, shelves[0].id, canonical(_url(page)) or "") if shelves else None


async def _agree(tx: Transaction) -> None:
    """What is derived is what the rows that count make, no more and no less."""
    await _agree_groups(tx)
    await _agree_entries(tx)
    await _agree_words(tx)
    await _agree_rows(tx)


async def _agree_groups(tx: Transaction) -> None:
    entry = {row["id"]: row["entry"] for row in await tx.rows("SELECT id, entry FROM knowledge_pages")}
    assert groups(entry, await tx.run(edges_of, entry)) == entry


async def _agree_entries(tx: Transaction) -> None:
    """Each entry, its topics and words are what `resolve` and `build` make of the rows that count."""
    shelves = {shelf.id: shelf for shelf in await tx.run(access.every_shelf)}
    shelf_of = {row["id"]: shelves[row["shelf"]] for row in await tx.rows("SELECT id, shelf FROM knowledge_pages")}
    parts = await tx.run(load, set(shelf_of))
    made = {
        lead: _built(shelf_of[lead], resolved)
        for lead, of_entry in parts.items()
        if (resolved := resolve(lead, of_entry))
    }
    topics: dict[int, set[str]] = {}
    for row in await tx.rows("SELECT entry, topic FROM knowledge_entry_topics"):
        topics.setdefault(row["entry"], set()).add(row["topic"])
    words = {row.pop("id"): row for row in map(dict, await tx.rows("SELECT rowid AS id, * FROM knowledge_entry_words"))}
    stored = {
        row["id"]: (row, topics.get(row["id"], set()), words.get(row["id"], {}))
        for row in await tx.rows("SELECT * FROM knowledge_entries")
    }
    assert stored == made
    assert topics.keys() | words.keys() <= stored.keys()


def _built(shelf: Shelf, resolved: Resolved) -> tuple[Mapping[str, object], set[str], Mapping[str, object]]:
    built = build_entry.build(RULES.of(shelf.hub), shelf, resolved)
    entry = {"id": resolved.lead, "shelf": shelf.id, "number": resolved.number, **built.entry}
    return entry, set(built.topics), built.words


async def _agree_words(tx: Transaction) -> None:
    """The vocabulary counts the entries that are shown, and the traces are those of its words."""
    counted: Counter[tuple[str, int]] = Counter()
    for row in await tx.rows(
        """SELECT w.*, e.shelf, e.label, (SELECT json_group_array(topic) FROM knowledge_entry_topics
        WHERE entry = e.id) AS given FROM knowledge_entry_words w JOIN knowledge_entries e ON e.id = w.rowid"""
    ):
        of_shelf = partition(row["shelf"], row["label"])
        counted.update((word, of_shelf) for word in build_entry.vocabulary_words(row, json.loads(row["given"])))
    rows = await tx.rows("SELECT * FROM knowledge_vocabulary")
    assert {(row["word"], row["shelf"]): row["entries"] for row in rows} == dict(counted)
    traced = {(row["trace"], row["word"]) for row in await tx.rows("SELECT trace, word FROM knowledge_traces")}
    assert traced == {(trace, word) for word, _ in counted if traceable(word) for trace in traces(word)}


async def _agree_rows(tx: Transaction) -> None:
    """Nothing is left of what is gone but its number, and that coordinators hid it; numbers and places are unique."""
    gone = "page IN (SELECT id FROM knowledge_pages WHERE entry NOT IN (SELECT id FROM knowledge_entries))"
    for table in ("shares", "recommendations", "facts"):
        assert not await tx.value(f"SELECT count(*) FROM knowledge_{table} WHERE {gone}")  # noqa: S608 - from above
    of_gone = await tx.rows(f"SELECT * FROM knowledge_statements WHERE {gone}")  # noqa: S608 - as above
    counting = [row for row in of_gone if row["withdrawn"] is None]
    assert {row["field"] for row in counting} <= {"hidden"}
    keyed = await tx.rows(
        """SELECT id FROM knowledge_pages WHERE key IS NOT NULL AND entry NOT IN (SELECT id FROM knowledge_entries)"""
    )
    assert {row["id"] for row in keyed} == {row["page"] for row in counting}
    words = [
        row for row in of_gone if row["field"] in ("title", "note", "topic", "url") and (row["value"] or row["key"])
    ]
    assert words == []
    # What a page said of itself stands while somebody gives the address it was asked by.
    assert not await tx.value(
        """SELECT count(*) FROM knowledge_facts f WHERE url NOT IN (SELECT url FROM knowledge_shares WHERE page = f.page
        UNION ALL SELECT url FROM knowledge_recommendations WHERE page = f.page
        UNION ALL SELECT value FROM knowledge_statements WHERE page = f.page AND field = 'url' AND withdrawn IS NULL)"""
    )
    for row in await tx.rows(
        """SELECT s.last_number, (SELECT max(number) FROM knowledge_pages WHERE shelf = s.id) AS number
        FROM knowledge_shelves s"""
    ):
        assert (row["number"] or 0) <= row["last_number"]
    places = await tx.rows(
        "SELECT page, seq FROM knowledge_shares UNION ALL SELECT page, seq FROM knowledge_statements"
    )
    assert len({(row["page"], row["seq"]) for row in places}) == len(places)
    assert await tx.value("SELECT count(*) FROM pragma_foreign_key_check") == 0


async def test_a_changed_thesaurus_rebuilds_entries_in_the_background_while_people_search(tmp_path: Path) -> None:
    file, many = tmp_path / "faro.db", 2 * SLICE + 1
    async with story([Knowledge], [hub()], database=file) as told, told.db.transaction() as tx:
        for number in range(many):
            await say(tx, f"detallitos word{number} https://example.org/{number}", event=f"${number}")
    added = {"gift-policy": {"es": ["detallitos"]}}
    async with story([Knowledge], [hub(thesaurus=added)], database=file) as told:
        db, asked = told.db.reading(), (0, SLICE, 2 * SLICE)  # one of each slice
        for rebuilt in ([True, False, False], [True, True, False], [True, True, True]):
            await told.settle()
            assert [bool(await urls(db, f"gift register word{number}")) for number in asked] == rebuilt
            for number in asked:
                assert await urls(db, f"detallitos word{number}") == [f"https://example.org/{number}"]
            told.clock.advance(1)
        assert await db.value("SELECT count(*) FROM knowledge_stale") == 0


async def test_a_hub_that_opens_or_closes_is_seen_at_once_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    audit = "!audit:example.org"
    for nth, (visibility, found) in enumerate((("private", False), ("shared", True), ("private", False))):
        hubs = [hub(name, visibility=visibility) for name in ("transparency", "audit", "customs")]
        async with story([Knowledge], hubs, database=file) as told:
            for _ in range(9 * nth):
                told.message(ANA, "uses up an id that was given before")
            await told.say(ANA, "volcano https://example.org/a", room=audit)
            await told.settle()
            assert ("audit/1" in str(await told.say(LUIS, "!find volcano"))) == found
