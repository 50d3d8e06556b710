"""Pages get new keys when the rules of keys change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.api import Transaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge.index import update
from plugins.knowledge.index.rekey import rekey
from plugins.knowledge.store import history
from plugins.knowledge.store.load import resolved
from plugins.knowledge.store.pages import entry_with
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import load
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.shelf import (
    ANA,
    LUIS,
    NOW,
    RULES,
    correct,
    everything,
    merge,
    numbered,
    remove,
    say,
    seen,
    split,
    undo_last,
    urls,
    vote,
)
from tests.knowledge.store.test_statements import A, B, C, events, leads, two, votes
from tests.tiers import examples

D = "https://example.org/d"
AMBER = "2"


async def make_old(tx: Transaction) -> None:
    """As if all keys had been made by older rules."""
    await tx.execute("UPDATE knowledge_pages SET key = 'old ' || id, version = 0 WHERE key IS NOT NULL")


async def age(tx: Transaction) -> None:
    """All keys there are were made by older rules."""
    await tx.execute("UPDATE knowledge_pages SET version = 0")


async def give_new_keys(tx: Transaction) -> None:
    while await tx.run(rekey, RULES, 1):
        pass


async def share(
    tx: Transaction, url: str, event: str, *, old: str | None = None, tlp: int = 1, sender: str = LUIS
) -> None:
    """Somebody shares an address; `old`: the key that older rules made of it."""
    new = NewShare(
        hub="transparency",
        url=url,
        canonical=old or canonical(url) or url,
        sent_at=int(event[1:]),
        sender=sender,
        room="!transparency-members:example.org",
        event=event,
        tlp=tlp,
    )
    await tx.run(update.put, RULES, [new])


async def test_keys_are_renewed_in_place(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        before = await tx.rows("SELECT * FROM knowledge_pages ORDER BY id")
        await make_old(tx)
        await give_new_keys(tx)
        assert await tx.rows("SELECT * FROM knowledge_pages ORDER BY id") == before
        assert len(await everything(tx)) == 2


async def test_keys_are_renewed_once(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await make_old(tx)
        await say(tx, f"meanwhile {A}", event="$3")
        await give_new_keys(tx)
        tables = ("pages", "shares", "statements", "commands", "entries")
        once = [await tx.rows(f"SELECT * FROM knowledge_{table}") for table in tables]  # noqa: S608 - names from above
        await age(tx)
        await give_new_keys(tx)
        again = [await tx.rows(f"SELECT * FROM knowledge_{table}") for table in tables]  # noqa: S608 - as above
        assert again[1:] == once[1:]
        assert [row["key"] for row in again[0]] == [row["key"] for row in once[0]]


async def test_a_page_shared_while_keys_are_renewed_is_one_result_afterwards(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await make_old(tx)
        await say(tx, f"meanwhile {A}", event="$3")
        assert len(await everything(tx)) == 3
        await give_new_keys(tx)
        assert len(await everything(tx)) == 2
        assert await leads(tx, 1, 3) == [1, 1]
        assert await urls(tx, "first meanwhile") == [A]
        assert await tx.value("SELECT count(*) FROM knowledge_pages WHERE key LIKE 'old%'") == 0


async def test_pages_that_are_one_by_the_new_rules_cannot_be_taken_apart(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await make_old(tx)
        await say(tx, f"meanwhile {A}", event="$3")
        await give_new_keys(tx)
        assert not await split(tx, 3)
        assert await leads(tx, 1, 3) == [1, 1]


async def test_a_page_that_is_two_by_the_new_rules_is_taken_apart(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, B, "$2", old="one")
        await age(tx)
        await give_new_keys(tx)
        assert [(await numbered(tx, number)).url for number in (1, 2)] == [A, B]
        await share(tx, A, "$3")
        await share(tx, B, "$4")
        assert [await events(tx, number) for number in (1, 2)] == [["$3", "$1"], ["$4", "$2"]]


async def test_a_page_whose_second_address_has_the_key_it_had_is_taken_apart(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old=canonical(B))
        await share(tx, B, "$2")
        await age(tx)
        await give_new_keys(tx)
        assert [(await numbered(tx, number)).url for number in (1, 2)] == [A, B]


async def test_pages_that_exchange_their_keys_stay_two(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old=canonical(B))
        await share(tx, B, "$2", old=canonical(A))
        await age(tx)
        await give_new_keys(tx)
        assert [(await numbered(tx, number)).url for number in (1, 2)] == [A, B]
        await share(tx, A, "$3")
        assert [await events(tx, number) for number in (1, 2)] == [["$3", "$1"], ["$2"]]


async def test_what_is_joined_stays_joined_when_keys_are_renewed(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await make_old(tx)
        await say(tx, f"elsewhere {B}", event="$9", hub="audit")
        await give_new_keys(tx)
        assert len(await everything(tx)) == 1
        await say(tx, f"again {B}", event="$3")
        assert len(await everything(tx)) == 1
        assert await urls(tx, "again first second") != []


async def test_what_was_shared_again_under_the_new_key_of_a_joined_page_joins_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await make_old(tx)
        await say(tx, f"meanwhile {B}", event="$3")
        await give_new_keys(tx)
        assert await events(tx, 1) == ["$3", "$2", "$1"]
        assert await leads(tx, 2, 3) == [1, 1]
        await say(tx, f"again {B}", event="$4")
        assert len(await everything(tx)) == 1
        assert await split(tx, 2)
        assert await urls(tx, "meanwhile") == [B]


async def test_one_message_with_both_addresses_of_a_page_is_one_result(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, A, "$1", old="other")
        await age(tx)
        await give_new_keys(tx)
        [entry] = await everything(tx)
        assert (entry.url, entry.votes) == (A, 0)
        assert await leads(tx, 1, 2) == [1, 1]


async def test_a_part_that_has_a_new_key_keeps_its_votes(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await vote(tx, (await numbered(tx, 2)).id, "@eva:x")
        await merge(tx, 1, 2)
        await make_old(tx)
        await give_new_keys(tx)
        assert await split(tx, 2)
        assert await votes(tx, 1, 2) == [0, 1]


async def test_parts_of_a_page_that_was_hidden_and_labelled_are_so_too(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        for number, url in enumerate((A, B, C), start=1):
            await share(tx, url, f"${number}", old="one")
        await correct(tx, 1, label=AMBER, hidden="1", title="Title")
        await age(tx)
        await give_new_keys(tx)
        parts = [await numbered(tx, number) for number in (1, 2, 3)]
        assert {part.url for part in parts} == {A, B, C}
        assert [(part.label, part.hidden) for part in parts] == [(2, True)] * 3
        assert [part.title for part in parts] == [{"": "Title"}, {}, {}]


async def test_undoing_what_hid_a_page_shows_each_of_its_parts(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, B, "$2", old="one")
        await correct(tx, 1, hidden="1")
        await age(tx)
        await give_new_keys(tx)
        await undo_last(tx)
        assert [(await numbered(tx, number)).hidden for number in (1, 2)] == [False, False]


async def test_parts_of_a_page_that_somebody_shared_closely_stay_close(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one", tlp=2)
        await share(tx, B, "$2", old="one", tlp=0)
        await age(tx)
        await give_new_keys(tx)
        assert [(await numbered(tx, number)).label for number in (1, 2)] == [2, 2]


async def test_a_page_that_a_part_belongs_to_by_the_new_rules_is_limited_as_the_part_was(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, B, "$2", old="one")
        await correct(tx, 1, label=AMBER, hidden="1")
        await age(tx)
        await share(tx, B, "$3")
        await correct(tx, 2, label="0")
        await give_new_keys(tx)
        again = await numbered(tx, 2)
        assert (again.url, again.label, again.hidden) == (B, 2, True)


async def test_a_joined_page_that_is_taken_apart_stays_joined_part_by_part(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1")
        await share(tx, B, "$2", old="one")
        await share(tx, C, "$3", old="one")
        await correct(tx, 2, label=AMBER, hidden="1", title="Second")
        await vote(tx, (await numbered(tx, 2)).id, "@eva:x")
        await merge(tx, 1, 2)
        await age(tx)
        await give_new_keys(tx)
        await share(tx, C, "$4")
        assert await leads(tx, 1, 2, 3) == [1, 1, 1]
        assert await split(tx, 2)
        part, whole = await numbered(tx, 2), await numbered(tx, 1)
        assert (part.url, part.title, part.votes) == (B, {"": "Second"}, 1)
        assert (part.label, part.hidden) == (2, True)
        assert (whole.url, whole.title, whole.votes) == (A, {}, 0)
        assert await split(tx, 3)
        part, whole = await numbered(tx, 3), await numbered(tx, 1)
        assert (part.url, part.label, part.hidden) == (C, 2, True)
        assert (whole.url, whole.label, whole.hidden) == (A, 1, False)


async def test_undoing_a_join_undoes_it_for_each_part_of_a_page_that_was_taken_apart(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1")
        await share(tx, B, "$2", old="one")
        await share(tx, C, "$3", old="one")
        await merge(tx, 1, 2)
        await age(tx)
        await give_new_keys(tx)
        await undo_last(tx)
        assert await leads(tx, 1, 2, 3) == [1, 2, 3]


async def test_what_was_joined_to_a_page_that_is_taken_apart_stays_with_its_first_part(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, B, "$2", old="one")
        await share(tx, C, "$3")
        await merge(tx, 1, 2)
        await age(tx)
        await give_new_keys(tx)
        assert await leads(tx, 1, 2, 3) == [1, 1, 3]
        assert [(await numbered(tx, number)).url for number in (1, 3)] == [A, B]


async def test_a_page_keeps_its_number_and_what_was_said_of_it_where_another_hub_has_its_new_key(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, title="First", pinned="1")
        await vote(tx, (await numbered(tx, 1)).id, "@eva:x")
        await merge(tx, 1, 2)
        await make_old(tx)
        await say(tx, f"elsewhere {A}", event="$9", hub="audit")
        await give_new_keys(tx)
        [entry] = await everything(tx)
        assert (entry.number, entry.title, entry.pinned) == (1, {"": "First"}, True)
        assert await split(tx, 2)
        assert await votes(tx, 1, 2) == [1, 0]


async def test_what_is_shared_by_the_new_address_of_a_page_belongs_to_it_after_a_key_change(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1")
        await move(tx, 1, B)
        await make_old(tx)
        await give_new_keys(tx)
        await share(tx, B, "$2")
        [entry] = await everything(tx)
        assert (entry.number, entry.url) == (1, B)


async def test_what_coordinators_hid_and_nobody_shares_any_more_stays_known_by_its_key(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, hidden="1")
        await remove(tx, "$1")
        await age(tx)
        await give_new_keys(tx)
        await say(tx, f"again {A}", event="$3")
        assert (await numbered(tx, 1)).hidden


async def test_what_coordinators_hid_stays_hidden_though_it_is_shared_while_keys_are_renewed(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, hidden="1")
        await make_old(tx)
        await say(tx, f"meanwhile {A}", event="$3")
        await give_new_keys(tx)
        assert await urls(tx, "meanwhile") == []
        await undo_last(tx)
        assert await urls(tx, "meanwhile first") == [A]


async def move(tx: Transaction, number: int, url: str) -> None:
    entry = await numbered(tx, number)
    await tx.run(update.move, RULES, entry.id, url, canonical(url) or url, Author(ANA, NOW))


Limits = tuple[int, bool]
Op = tuple[str, int, int]
PAGES = (A, B, C, D)
SHARED = st.tuples(st.just("share"), st.integers(0, 3), st.integers(0, 2))
OPS = st.lists(
    st.one_of(
        SHARED,
        SHARED,
        st.tuples(
            st.sampled_from(["label", "hide", "show", "merge", "merge", "split", "undo"]),
            st.integers(1, 6),
            st.integers(0, 6),
        ),
        st.tuples(st.just("move"), st.integers(1, 4), st.integers(0, 3)),
    ),
    max_size=10,
)


@settings(max_examples=examples(80), deadline=None)
@given(
    groups=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    before=st.lists(SHARED, min_size=2, max_size=4),
    then=OPS,
    meanwhile=OPS,
    elsewhere=st.lists(st.integers(0, 3), max_size=2),
)
def test_new_keys_open_nothing_and_lose_no_share_and_no_number(
    groups: Sequence[int], before: Sequence[Op], then: Sequence[Op], meanwhile: Sequence[Op], elsewhere: Sequence[int]
) -> None:
    async def act() -> None:
        async with SqliteDatabase(None) as db:
            await db.migrate("knowledge", steps_in(SCHEMA))
            async with db.transaction() as tx:
                names = iter(range(1, 100))
                for op in (*before, *then):
                    await do(tx, op, f"${next(names)}", [f"old {group}" for group in groups])
                await age(tx)
                for nth in elsewhere:
                    await say(tx, PAGES[nth], event=f"${next(names)}", hub="audit")
                for op in meanwhile:
                    await do(tx, op, f"${next(names)}", None)
                limits, led = await limits_of(tx), await numbers(tx)
                await give_new_keys(tx)
                limits_then, led_then = await limits_of(tx), await numbers(tx)
                assert limits_then.keys() == limits.keys()
                assert {event: to for event, to in limits_then.items() if is_opened(limits[event], to)} == {}
                assert led_then.keys() >= led.keys()
                assert not [number for number, shares in led.items() if shares and not shares & led_then[number]]
                assert await misplaced(tx) == []

    asyncio.run(act())


async def do(tx: Transaction, op: Op, event: str, old: Sequence[str] | None) -> None:
    what, first, other = op
    if what == "share":
        await share(tx, PAGES[first], event, old=old[first] if old else None, tlp=other, sender=(ANA, LUIS)[other % 2])
        return
    entries = {number: await entry_of(tx, number) for number in (first, other)}
    if not (entry := entries[first]):
        return
    author = Author((ANA, LUIS)[other % 2], NOW)
    match what:
        case "label":
            await tx.run(update.edit, RULES, entry.id, author, [NewStatement("label", str(other % 3))])
        case "hide" | "show":
            saying = NewStatement(("hidden", "own_hidden")[other % 2], str(int(what == "hide")))
            await tx.run(update.edit, RULES, entry.id, author, [saying])
        case "split":
            await split(tx, first)
        case "merge":
            if (gone := entries[other]) and gone.id != entry.id:
                await tx.run(update.merge, RULES, entry.id, gone.id, author)
        case "move":
            if await tx.run(entry_with, entry.shelf.id, canonical(PAGES[other]) or "") in (None, entry.id):
                await move(tx, first, PAGES[other])
        case "undo":
            shelves = [entry.shelf.id]
            for change in await tx.run(history.last_of, shelves, author.user, 1):
                await tx.run(update.undo, RULES, change.id)


async def entry_of(tx: Transaction, number: int) -> load.Entry | None:
    return next(iter(await tx.run(load.numbered, await seen(tx), number, hidden=True)), None)


async def limits_of(tx: Transaction) -> Mapping[str, Limits]:
    """Each share's event → how the entry it is in is limited, and whether the share itself is hidden."""
    limits: dict[str, Limits] = {}
    for entry in await tx.rows("SELECT id FROM knowledge_entries"):
        result = await tx.run(resolved, entry["id"])
        assert result is not None
        shown = json.dumps([part.page for part in result.shown])
        for row in await tx.rows(
            """SELECT s.event, s.page IN (SELECT value FROM json_each(:shown)) AS shown
            FROM knowledge_shares s JOIN knowledge_pages p ON p.id = s.page WHERE p.entry = :entry""",
            shown=shown,
            entry=entry["id"],
        ):
            limits[row["event"]] = (result.label, result.hidden or not row["shown"])
    return limits


def is_opened(before: Limits, after: Limits) -> bool:
    return before[1] > after[1] or (not after[1] and after[0] < before[0])


async def numbers(tx: Transaction) -> Mapping[int, frozenset[str]]:
    """Each number → the shares of the entry it leads to."""
    rows = await tx.rows(
        """SELECT n.number, s.event FROM knowledge_pages n JOIN knowledge_shelves h ON h.id = n.shelf
        LEFT JOIN knowledge_pages p ON p.entry = n.entry LEFT JOIN knowledge_shares s ON s.page = p.id
        WHERE h.hub = 'transparency'"""
    )
    shares: dict[int, set[str]] = {}
    for row in rows:
        shares.setdefault(row["number"], set()).add(row["event"])
    return {number: frozenset(events - {None}) for number, events in shares.items()}


async def misplaced(tx: Transaction) -> Sequence[str]:
    """Shares whose address, shared again, would belong to another entry."""
    rows = await tx.rows(
        """SELECT s.url, p.shelf, p.entry FROM knowledge_shares s JOIN knowledge_pages p ON p.id = s.page"""
    )
    return [
        row["url"]
        for row in rows
        if await tx.run(entry_with, row["shelf"], canonical(row["url"]) or row["url"]) != row["entry"]
    ]
