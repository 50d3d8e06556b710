"""Entries follow what was said, and everything made from them follows the entries, whatever happens in any order."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api import Reaction, Transaction
from bot.storage.database import SqliteDatabase, steps_in
from bot.testing.story import story
from plugins.knowledge import Knowledge
from plugins.knowledge.fetch.queue import put_down
from plugins.knowledge.index import build_entry, rekey
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.maintenance import SLICE
from plugins.knowledge.index.rebuild import forget_resource, renew
from plugins.knowledge.search.typo_index import traceable, traces
from plugins.knowledge.store import joins, recommendations, shares, statements
from plugins.knowledge.store.access import Sight, every, scope
from plugins.knowledge.store.ids import entry_of, resources_of
from plugins.knowledge.store.statements import Author
from plugins.knowledge.store.votes import reacted, said_useful, withdrawn
from plugins.knowledge.views.load import Entry, load
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import RULES, remove, say, urls
from tests.knowledge.test_plugin import ANA, LUIS

PEOPLE = ("@ana:example.org", "@luis:example.org")
pages = st.integers(0, 4)
events = st.integers(0, 6)
steps = st.one_of(
    st.tuples(st.just("say"), events, pages, st.sampled_from(["gifts", "TLP:AMBER audit", "#tag volcano", ""])),
    st.tuples(st.just("remove"), events),
    st.tuples(st.just("curate"), st.lists(pages, max_size=2, unique=True).map(tuple)),
    st.tuples(st.just("merge"), pages, pages),
    st.tuples(st.just("split"), st.integers(1, 8)),
    st.tuples(
        st.just("correct"),
        pages,
        st.sampled_from(["title", "note", "hidden", "pinned", "topic:x", "label"]),
        st.booleans(),
    ),
    st.tuples(st.just("move"), pages, pages),
    st.tuples(st.just("vote"), pages, st.sampled_from(PEOPLE)),
    st.tuples(st.just("react"), events, st.sampled_from(PEOPLE)),
    st.tuples(st.just("withdraw"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("fetch"), pages),
    st.tuples(st.just("forget"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("refile")),
    st.tuples(st.just("undo"), st.sampled_from(PEOPLE)),
)


@given(st.lists(steps, min_size=4, max_size=25))
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_whatever_happens_all_tables_agree(done: list[tuple[Any, ...]]) -> None:  # Any: by kind of step
    asyncio.run(_live(done))


async def _live(done: list[tuple[Any, ...]]) -> None:  # Any: as above
    async with SqliteDatabase(None) as db:
        await db.migrate("knowledge", steps_in(SCHEMA))
        for number, step in enumerate(done):
            async with db.transaction() as tx:
                await _do(tx, number, *step)
                await _agree(tx)


async def _do(tx: Transaction, at: int, kind: str, *what: Any) -> None:  # Any: as above
    if kind in ("merge", "split", "move", "correct", "undo"):
        await _correct(tx, Author(PEOPLE[at % 2], at), kind, *what)
        return
    if kind in ("vote", "react", "withdraw", "fetch"):
        await _learn(tx, at, kind, *what)
        return
    match kind:
        case "say":
            event, page, words = what
            text = f"{words} https://example.org/{page}"
            await say(tx, text, event=f"${event}", sender=PEOPLE[event % 2], at=1000 + at)
        case "remove":
            await remove(tx, f"${what[0]}")
        case "curate":
            resources = [{"url": f"https://example.org/{page}", "title": f"Guide {page}"} for page in what[0]]
            hubs = [hub(resources=resources)]
            await tx.run(recommendations.curate, Rules(hubs), hubs)
        case "forget":
            await tx.run(shares.forget, RULES, what[0])
        case _:
            await tx.execute("UPDATE resources SET key = 'old ' || id, version = 0")
            while await tx.run(rekey.refile, RULES, 2):
                pass


async def _learn(tx: Transaction, at: int, kind: str, *what: Any) -> None:  # Any: as above
    match kind:
        case "vote":
            if entry := await _entry(tx, what[0]):
                await tx.run(said_useful, RULES, entry.id, what[1])
        case "react":
            room = "!transparency-members:example.org"
            await tx.run(reacted, RULES, Reaction(room, f"$by{what[1]}", what[1], at, f"${what[0]}", "👍"))
        case "withdraw":
            await tx.run(withdrawn, RULES, f"$by{what[0]}")
        case _:
            if entry := await _entry(tx, what[0]):
                await tx.run(put_down, [hub(fetch="titles")], [entry.id], at)
                await tx.execute(
                    """UPDATE facts SET state = 'ok', tries = 1, due = NULL, description = 'told by ' || url
                    WHERE due IS NOT NULL"""
                )
                await tx.run(renew, RULES, {entry.id})


async def _correct(tx: Transaction, author: Author, kind: str, *what: Any) -> None:  # Any: as above
    shelf = await tx.value("SELECT id FROM shelves") or 0
    match kind:
        case "merge":
            into, other = [await _entry(tx, page) for page in what]
            if into and other and into != other:
                await tx.run(statements.merge, RULES, into, other, author)
        case "move":
            page, url = what[0], f"https://example.org/{what[1]}"
            [resource] = (await tx.run(resources_of, {url})).values()
            there = await tx.run(entry_of, shelf, resource)
            await tx.run(forget_resource, resource)
            entry = await _entry(tx, page)
            if entry and there in (None, entry.id):
                await tx.run(statements.move, RULES, entry, url, author)
        case "split":
            await tx.run(joins.split, RULES, shelf, what[0])
        case "correct":
            page, field, on = what
            value = {"label": "amber", "hidden": "1", "pinned": "1", "topic:x": "+"}.get(field, "corrected volcano")
            if entry := await _entry(tx, page):
                await tx.run(statements.change, RULES, entry, author, [(field, value if on else None)])
        case _:
            for change in await tx.run(statements.last_of, [shelf], what[0]):
                await tx.run(statements.undo, RULES, change, author)


async def _entry(tx: Transaction, page: int) -> Entry | None:
    """What knows of a page, if it is not hidden."""
    id_ = await tx.value(
        "SELECT entry FROM shares WHERE url = :url UNION SELECT entry FROM curations WHERE url = :url",
        url=f"https://example.org/{page}",
    )
    found = await tx.run(load, Sight(tuple(await tx.run(every))), [id_]) if id_ else ()
    return found[0] if found else None


async def _agree(tx: Transaction) -> None:
    """Words, counts, traces, topics, pages and numbers are those of the entries there are, no more and no fewer."""
    entries = {row["id"]: row for row in await tx.rows("SELECT * FROM entries")}
    words = {row["id"]: row for row in await tx.rows("SELECT rowid AS id, * FROM entry_words")}
    assert set(words) == {id_ for id_, entry in entries.items() if not entry["hidden"]}
    counted: Counter[tuple[str, int]] = Counter()
    for id_, row in words.items():
        where = scope(entries[id_]["shelf"], entries[id_]["label"])
        topics = [one["topic"] for one in await tx.rows("SELECT topic FROM entry_topics WHERE entry = :id", id=id_)]
        counted.update((word, where) for word in build_entry.counted(row, topics))
    known = {(row["word"], row["shelf"]): row["entries"] for row in await tx.rows("SELECT * FROM vocabulary")}
    assert known == dict(counted)
    traced = {(row["trace"], row["word"]) for row in await tx.rows("SELECT trace, word FROM traces")}
    assert traced == {(trace, word) for word, _ in counted if traceable(word) for trace in traces(word)}
    said = await tx.rows("SELECT entry, resource FROM shares UNION SELECT entry, resource FROM curations")
    assert {row["entry"] for row in said} == set(entries)
    # A page belongs to one entry of a shelf, and all that was said of it is there.
    merged = {row["resource"]: row["entry"] for row in await tx.rows("SELECT resource, entry FROM merged")}
    of_pages = await tx.rows("SELECT entry, resource FROM facts UNION SELECT entry, resource FROM votes")
    for row in (*said, *of_pages):
        assert merged.get(row["resource"], row["entry"]) == row["entry"]
        assert row["resource"] in merged or entries[row["entry"]]["resource"] == row["resource"]
    # What a page said stands while somebody says its address, and with what is said of it.
    about = "SELECT entry, resource, url FROM"
    addresses = await tx.rows(f"{about} shares UNION {about} curations")
    moved = await tx.rows("SELECT value FROM corrections UNION SELECT value FROM put_aside")
    for row in await tx.rows(f"{about} facts"):
        assert row in addresses or {"value": row["url"]} in moved
    for id_, entry in entries.items():
        votes = await tx.value("SELECT count(DISTINCT sharer) FROM votes WHERE entry = :id", id=id_)
        assert entry["votes"] == votes
        told = await tx.rows("SELECT url FROM facts WHERE entry = :id", id=id_)
        if not entry["hidden"]:
            assert {word for word in words[id_]["about"].split() if word.isdigit()} == {row["url"][-1] for row in told}
    used = {row["resource"] for row in (*said, *entries.values())} | set(merged)
    assert {row["id"] for row in await tx.rows("SELECT id FROM resources")} == used
    numbers = [row["number"] for row in await tx.rows("SELECT number FROM entries UNION ALL SELECT number FROM merged")]
    assert len(numbers) == len(set(numbers))
    assert not numbers or max(numbers) <= await tx.value("SELECT last FROM shelves")
    assert await tx.value("SELECT count(*) FROM pragma_foreign_key_check") == 0


async def test_a_changed_thesaurus_makes_entries_anew_in_the_background_while_people_search(tmp_path: Path) -> None:
    file, many = tmp_path / "faro.db", 2 * SLICE + 1
    async with story([Knowledge], [hub()], database=file) as told, told.db.transaction() as tx:
        for number in range(many):
            await say(tx, f"detallitos word{number} https://example.org/{number}", event=f"${number}")
    added = {"gift-policy": {"es": ["detallitos"]}}
    async with story([Knowledge], [hub(thesaurus=added)], database=file) as told:
        db, asked = told.db.reading(), (0, SLICE, 2 * SLICE)  # one of each slice
        for anew in ([True, False, False], [True, True, False], [True, True, True]):
            await told.settle()
            assert [bool(await urls(db, f"gift register word{number}")) for number in asked] == anew
            for number in asked:
                assert await urls(db, f"detallitos word{number}") == [f"https://example.org/{number}"]
            told.clock.advance(1)
        assert await db.value("SELECT count(*) FROM stale") == 0


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
