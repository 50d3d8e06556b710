"""Pages are filed anew when the rules of keys change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import plugins.knowledge
from bot.api import Transaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge.index import rekey
from plugins.knowledge.store import joins, shares, statements
from plugins.knowledge.store.ids import digest
from plugins.knowledge.store.shares import Share
from plugins.knowledge.store.statements import Author
from plugins.knowledge.store.votes import said_useful
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import load
from tests.knowledge.shelf import ANA, LUIS, RULES, everything, say, seen, urls
from tests.knowledge.store.test_joins import A, B, C, correct, numbered, two, votes

SCHEMA = steps_in(Path(plugins.knowledge.__file__).parent / "schema")
D = "https://example.org/d"


async def make_old(tx: Transaction) -> None:
    """As if all keys had been made by older rules."""
    await tx.execute("UPDATE resources SET key = 'old ' || id, version = 0")


async def refile(tx: Transaction) -> None:
    while await tx.run(rekey.refile, RULES, 1):
        pass


async def test_keys_are_renewed_in_place(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        before = await tx.rows("SELECT id, key, version FROM resources ORDER BY id")
        await make_old(tx)
        await refile(tx)
        assert await tx.rows("SELECT id, key, version FROM resources ORDER BY id") == before
        assert len(await everything(tx)) == 2


async def test_a_page_shared_while_keys_are_renewed_is_one_result_afterwards(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await make_old(tx)
        await say(tx, f"meanwhile {A}", event="$3")
        assert len(await everything(tx)) == 3
        await refile(tx)
        assert len(await everything(tx)) == 2
        assert (await numbered(tx, 1)).id == (await numbered(tx, 3)).id
        assert await urls(tx, "first meanwhile") == [A]
        assert await tx.value("SELECT count(*) FROM resources WHERE key LIKE 'old%' AND version <> 0") in (0, 1)


async def test_a_page_that_is_two_by_the_new_rules_is_taken_apart(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1")
        await tx.execute("UPDATE resources SET key = 'old', version = 0")
        old = await tx.value("SELECT id FROM resources")
        await say(tx, f"second {B}", event="$2")
        await tx.execute("UPDATE shares SET resource = :old, entry = 1", old=old)
        await tx.execute("DELETE FROM entry_words WHERE rowid = 2")
        await tx.execute("DELETE FROM entries WHERE id = 2")
        await tx.execute("DELETE FROM resources WHERE id <> :old", old=old)
        await refile(tx)
        assert {entry.url for entry in await everything(tx)} == {A, B}
        assert (await numbered(tx, 1)).url in (A, B)


async def test_what_is_joined_stays_joined_when_keys_are_renewed(db: SqliteDatabase) -> None:
    """Also where its new key is one that another hub has already."""
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await make_old(tx)
        await say(tx, f"elsewhere {B}", event="$9", hub="audit")
        await refile(tx)
        assert len(await everything(tx)) == 1
        await say(tx, f"again {B}", event="$3")
        assert len(await everything(tx)) == 1
        assert await urls(tx, "again first second") != []


async def test_what_was_shared_again_under_the_new_key_of_a_joined_page_joins_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await make_old(tx)
        await say(tx, f"meanwhile {B}", event="$3")
        await refile(tx)
        [entry] = await everything(tx)
        assert [share.event for share in await tx.run(load.shares_of, entry, 9)] == ["$3", "$2", "$1"]
        assert (await numbered(tx, 2)).id == (await numbered(tx, 3)).id == entry.id
        await say(tx, f"again {B}", event="$4")
        assert len(await everything(tx)) == 1
        assert await tx.run(joins.split, RULES, entry.shelf.id, 2) is not None
        assert await urls(tx, "meanwhile") == [B]


async def test_one_message_with_both_addresses_of_a_page_shares_it_once(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"both {A} {B}", event="$1")
        await tx.execute("UPDATE shares SET url = :a", a=A)
        await make_old(tx)
        await refile(tx)
        [entry] = await everything(tx)
        assert len(await tx.run(load.shares_of, entry, 9)) == 1
        assert (await numbered(tx, 1)).id == (await numbered(tx, 2)).id


async def test_a_part_that_has_a_new_key_keeps_its_votes(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(said_useful, RULES, other.id, "@eva:x")
        await tx.run(joins.merge, RULES, into.id, other.id)
        await make_old(tx)
        await say(tx, f"elsewhere {B}", event="$9", hub="audit")  # so that the new key has a page of its own
        await refile(tx)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert await votes(tx, 1, 2) == [0, 1]


async def share(
    tx: Transaction, url: str, event: str, *, old: str | None = None, tlp: int = 1, sender: str = LUIS
) -> None:
    """Somebody shares an address; `old`: the key that older rules made of it."""
    said = Share(
        hub="transparency",
        url=url,
        canonical=old or canonical(url) or url,
        sent_at=int(event[1:]),
        sender=sender,
        room="!transparency-members:example.org",
        event=event,
        tlp=tlp,
    )
    await tx.run(shares.put, RULES, [said])


async def age(tx: Transaction) -> None:
    """All keys there are were made by older rules."""
    await tx.execute("UPDATE resources SET version = 0")


async def test_parts_of_a_page_that_was_hidden_and_labelled_are_so_too(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        for number, url in enumerate((A, B, C), start=1):
            await share(tx, url, f"${number}", old="one")
        await correct(tx, await numbered(tx, 1), label="amber", hidden="1", title="Title")
        await age(tx)
        await refile(tx)
        parts = [await numbered(tx, number) for number in (1, 2, 3)]
        assert {part.url for part in parts} == {A, B, C}
        assert [(part.label, part.hidden) for part in parts] == [(2, True)] * 3
        assert [part.title for part in parts] == [{"": "Title"}, {}, {}]


async def test_parts_of_a_page_that_somebody_shared_closely_stay_close(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one", tlp=2)
        await share(tx, B, "$2", old="one", tlp=0)
        await age(tx)
        await refile(tx)
        assert [(await numbered(tx, number)).label for number in (1, 2)] == [2, 2]


async def test_a_page_that_a_part_belongs_to_by_the_new_rules_is_limited_as_the_part_was(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1", old="one")
        await share(tx, B, "$2", old="one")
        await correct(tx, await numbered(tx, 1), label="amber", hidden="1")
        await age(tx)
        await share(tx, B, "$3")
        await correct(tx, await numbered(tx, 2), label="clear")
        await refile(tx)
        again = await numbered(tx, 2)
        assert (again.url, again.label, again.hidden) == (B, 2, True)


async def test_a_joined_page_that_is_taken_apart_stays_joined_part_by_part(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1")
        await share(tx, B, "$2", old="one")
        await share(tx, C, "$3", old="one")
        into, other = await numbered(tx, 1), await numbered(tx, 2)
        await correct(tx, other, label="amber", hidden="1", title="Second")
        await tx.run(said_useful, RULES, other.id, "@eva:x")
        await tx.run(joins.merge, RULES, into.id, other.id)
        await age(tx)
        await refile(tx)
        await share(tx, C, "$4")
        assert len(await numbers(tx)) == 3
        assert {(await numbered(tx, number)).id for number in (1, 2, 3)} == {into.id}
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        part, whole = await numbered(tx, 2), await numbered(tx, 1)
        assert (part.url, part.title, part.votes) == (B, {"": "Second"}, 1)
        assert (whole.label, whole.hidden, whole.title, whole.votes) == (2, True, {}, 0)
        assert await tx.run(joins.split, RULES, into.shelf.id, 3) is not None
        part, whole = await numbered(tx, 3), await numbered(tx, 1)
        assert (part.url, part.label, part.hidden) == (C, 2, True)
        assert (whole.url, whole.label, whole.hidden) == (A, 1, False)


async def test_what_hid_two_parts_hides_the_other_when_one_is_taken_out(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        for number, url in enumerate((A, B, C), start=1):
            await share(tx, url, f"${number}")
        into = await numbered(tx, 1)
        for number in (2, 3):
            other = await numbered(tx, number)
            await tx.run(statements.change, RULES, other, Author(ANA, number), [("hidden", "1"), ("label", "amber")])
            await tx.run(joins.merge, RULES, into.id, other.id)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        whole = await numbered(tx, 1)
        assert (whole.label, whole.hidden) == (2, True)
        assert await tx.run(joins.split, RULES, into.shelf.id, 3) is not None
        whole = await numbered(tx, 1)
        assert (whole.label, whole.hidden) == (1, False)


async def test_a_page_keeps_its_number_and_what_was_said_of_it_where_another_hub_has_its_new_key(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await correct(tx, into, title="First", pinned="1")
        await tx.run(said_useful, RULES, into.id, "@eva:x")
        await tx.run(joins.merge, RULES, into.id, other.id)
        await make_old(tx)
        await say(tx, f"elsewhere {A}", event="$9", hub="audit")
        await refile(tx)
        [entry] = await everything(tx)
        assert (entry.id, entry.number, entry.title, entry.pinned) == (into.id, 1, {"": "First"}, True)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert await votes(tx, 1, 2) == [1, 0]


async def test_what_is_shared_by_the_new_address_of_a_page_is_filed_there_after_a_key_change(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await share(tx, A, "$1")
        await tx.run(statements.move, RULES, await numbered(tx, 1), B, Author(ANA, 5))
        await make_old(tx)
        await refile(tx)
        await share(tx, B, "$2")
        [entry] = await everything(tx)
        assert (entry.number, entry.url) == (1, B)


Limits = tuple[int, bool]
Op = tuple[str, int, int]
PAGES = (A, B, C, D)
SHARED = st.tuples(st.just("share"), st.integers(0, 3), st.integers(0, 2))
OPS = st.lists(
    st.one_of(
        SHARED,
        SHARED,
        st.tuples(
            st.sampled_from(["label", "hide", "show", "merge", "merge", "split"]), st.integers(1, 6), st.integers(0, 6)
        ),
        st.tuples(st.just("move"), st.integers(1, 4), st.integers(0, 3)),
    ),
    max_size=10,
)


@settings(max_examples=80, deadline=None)
@given(
    groups=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    before=st.lists(SHARED, min_size=2, max_size=4),
    then=OPS,
    meanwhile=OPS,
    elsewhere=st.lists(st.integers(0, 3), max_size=2),
)
def test_filing_anew_opens_nothing_loses_no_share_and_no_number(
    groups: Sequence[int], before: Sequence[Op], then: Sequence[Op], meanwhile: Sequence[Op], elsewhere: Sequence[int]
) -> None:
    async def act() -> None:
        async with SqliteDatabase(None) as db:
            await db.migrate("knowledge", SCHEMA)
            async with db.transaction() as tx:
                events = iter(range(1, 100))
                for op in (*before, *then):
                    await do(tx, op, f"${next(events)}", [f"old {group}" for group in groups])
                await age(tx)
                for nth in elsewhere:
                    await say(tx, PAGES[nth], event=f"${next(events)}", hub="audit")
                for op in meanwhile:
                    await do(tx, op, f"${next(events)}", None)
                was, led = await limits(tx), await numbers(tx)
                await refile(tx)
                now = await limits(tx)
                assert now.keys() == was.keys()
                assert {event: limit for event, limit in now.items() if opened(was[event], limit)} == {}
                led_now = await numbers(tx)
                assert led_now.keys() >= led.keys()
                assert not [number for number, events_ in led.items() if events_ and not events_ & led_now[number]]
                assert await misplaced(tx) == []

    asyncio.run(act())


async def do(tx: Transaction, op: Op, event: str, old: Sequence[str] | None) -> None:
    what, one, other = op
    if what == "share":
        await share(tx, PAGES[one], event, old=old[one] if old else None, tlp=other, sender=(ANA, LUIS)[other % 2])
        return
    found = {number: await entries_of(tx, number) for number in (one, other)}
    if not found[one]:
        return
    entry, author = found[one][0], Author(ANA, int(event[1:]))
    match what:
        case "label":
            value = (None, "clear", "green", "amber")[other % 4]
            await tx.run(statements.change, RULES, entry, author, [("label", value)])
        case "hide" | "show":
            hidden = None if what == "show" else ("1", "own")[other % 2]
            await tx.run(statements.change, RULES, entry, author, [("hidden", hidden)])
        case "split":
            await tx.run(statements.split, RULES, entry, one, author)
        case "merge":
            if found[other] and found[other][0].id != entry.id:
                await tx.run(statements.merge, RULES, entry, found[other][0], author)
        case "move":
            await tx.run(statements.move, RULES, entry, PAGES[other], author)


async def entries_of(tx: Transaction, number: int) -> Sequence[load.Entry]:
    return await tx.run(load.numbered, await seen(tx), number, hidden=True)


async def limits(tx: Transaction) -> Mapping[str, Limits]:
    """Each share's event → how the entry it is in is limited."""
    rows = await tx.rows("SELECT s.event, e.label, e.hidden FROM shares s JOIN entries e ON e.id = s.entry")
    return {row["event"]: (row["label"], bool(row["hidden"])) for row in rows}


def opened(was: Limits, now: Limits) -> bool:
    return now[0] < was[0] or (was[1] and not now[1])


async def numbers(tx: Transaction) -> Mapping[int, frozenset[str]]:
    """Each number → the shares of the entry it leads to."""
    rows = await tx.rows(
        """SELECT n.number, s.event FROM (SELECT number, id AS entry, shelf FROM entries
        UNION ALL SELECT number, entry, shelf FROM merged) n LEFT JOIN shares s ON s.entry = n.entry
        JOIN shelves h ON h.id = n.shelf WHERE h.hub = 'transparency'"""
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row["number"], set()).add(row["event"])
    return {number: frozenset(events - {None}) for number, events in found.items()}


async def misplaced(tx: Transaction) -> Sequence[str]:
    """Shares whose address, shared again, would be filed with another entry."""
    rows = await tx.rows(
        """SELECT s.url, s.entry, r.key, coalesce(m.entry, e.id) AS filed FROM shares s
        JOIN entries here ON here.id = s.entry JOIN resources r ON r.id = s.resource
        LEFT JOIN merged m ON m.shelf = here.shelf AND m.resource = s.resource
        LEFT JOIN entries e ON e.shelf = here.shelf AND e.resource = s.resource"""
    )
    return [
        row["url"] for row in rows if row["filed"] != row["entry"] or row["key"] != digest(canonical(row["url"]) or "")
    ]
