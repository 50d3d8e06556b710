"""Imported files are undone as one: what they added goes, what people said stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.storage.database import SqliteDatabase
from plugins.knowledge.index import update
from plugins.knowledge.store import history, imports, privacy
from plugins.knowledge.store.access import COORDINATORS, MEMBERS, PLAIN
from plugins.knowledge.store.imports import Import
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.store.tlp import AMBER
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.views import load as views
from plugins.knowledge.views.load import Entry
from tests.knowledge.faro import BEN
from tests.knowledge.shelf import RULES, entries, everything, say, seen, urls
from tests.knowledge.talk import MOD
from tests.knowledge.test_plugin import ANA
from tests.knowledge.transfer.importing import imported
from tests.knowledge.transfer.test_exporter import EDITED, SAID, empty, entry, fill
from tests.tiers import examples

ONE, TWO, THREE = (f"https://example.org/{name}" for name in ("one", "two", "three"))


AUTHOR = Author(ANA, 1)


async def import_(
    db: SqliteDatabase,
    *items: Item,
    file: str = "links.csv",
    circle: str = MEMBERS,
    cut: int = 99,
    sharer: str | None = None,
) -> int:
    """Imports a file into a hub, some items at a time; the number of its change, 0 if it adds nothing."""
    manner = Manner("transparency", 5_000, circle, sharer)
    for start in range(0, len(items), cut):
        async with db.transaction() as tx:
            end = start + cut >= len(items)
            await imported(tx, *items[start : start + cut], manner=manner, file=file, done=start + cut, end=end)
    sql = "SELECT coalesce(max(id), 0) FROM knowledge_commands WHERE name = :file"
    return int(await db.reading().value(sql, file=file))


async def undo(db: SqliteDatabase, command: int) -> int:
    """How many entries it touched."""
    total, done = 0, 1
    async with db.transaction() as tx:
        await tx.run(imports.begin_undoing, command)
        while done:
            done = await tx.run(update.undo_some_of_import, RULES, command)
            total += done
        await tx.run(imports.end_undoing, command)
    return total


async def edit(db: SqliteDatabase, number: int, *sayings: NewStatement, user: str = ANA) -> None:
    """Somebody says something of the result of that number."""
    async with db.transaction() as tx:
        await tx.run(update.edit, RULES, await entry(tx, number), Author(user, 1), sayings)


async def merge(db: SqliteDatabase, into: int, other: int) -> None:
    async with db.transaction() as tx:
        await tx.run(update.merge, RULES, await entry(tx, into), await entry(tx, other), AUTHOR)


async def state(db: SqliteDatabase) -> Mapping[str, Sequence[object]]:
    """All that is stored, but for what undoing leaves: that there was a file, and which numbers and places in the order
    were given."""
    tables = await db.reading().rows(
        """SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'knowledge_%'
        AND name NOT LIKE 'knowledge_entry_words_%' AND name <> 'knowledge_shelves'"""
    )
    left = {"knowledge_commands": "kind <> 'import'", "knowledge_pages": "key IS NOT NULL"}
    return {
        table: sorted(map(repr, await db.reading().rows(f"SELECT * FROM {table} WHERE {left.get(table, 'TRUE')}")))  # noqa: S608 - ours
        for table in (row["name"] for row in tables)
    }


async def numbers(db: SqliteDatabase) -> Mapping[int, list[str]]:
    """The addresses of each result."""
    rows = await db.reading().rows(
        """SELECT e.number, s.url FROM knowledge_entries e JOIN knowledge_pages p ON p.entry = e.id
        JOIN knowledge_shares s ON s.page = p.id ORDER BY e.number, s.id"""
    )
    results: dict[int, list[str]] = {}
    for row in rows:
        results.setdefault(row["number"], []).append(row["url"])
    return results


async def statements(db: SqliteDatabase) -> Sequence[tuple[str, str]]:
    """What is said of pages, and counts."""
    rows = await db.reading().rows(
        "SELECT DISTINCT field, value FROM knowledge_statements WHERE withdrawn IS NULL ORDER BY field, value"
    )
    return [(row["field"], row["value"]) for row in rows]


def item(url: str, *others: str, **more: object) -> Item:
    shares = tuple(ShareItem(other, sent_at=7) for other in (url, *others))
    return Item(url, shares=shares, **more)  # type: ignore[arg-type]  # the tests' own words


PAGES = st.sampled_from([f"https://example.org/{name}" for name in ("a", "b", "gifts", "d.pdf", "e", "f")])
LABELS = st.sampled_from(["clear", "green", "amber"])
ITEMS = st.builds(
    Item,
    url=PAGES,
    title=st.sampled_from([{}, {"": "Gifts"}, {"en": "Gifts", "es": "Regalos"}]),
    note=st.sampled_from([{}, {"": "why"}]),
    topics=st.lists(st.sampled_from(["gifts", "customs"]), max_size=2, unique=True).map(tuple),
    without_topics=st.lists(st.sampled_from(["gifts", "audit"]), max_size=1).map(tuple),
    label=st.none() | LABELS,
    pinned=st.booleans(),
    hidden=st.booleans(),
    votes=st.integers(0, 2),
    description=st.none() | st.just("About gifts"),
    number=st.none() | st.integers(1, 9),
    shares=st.lists(
        st.builds(ShareItem, PAGES, st.none(), st.integers(0, 4_000), st.sampled_from(["", "words"])), max_size=3
    ).map(tuple),
)


@settings(max_examples=examples(40), deadline=None)
@given(
    there=st.lists(SAID, min_size=1, max_size=6),
    edited=st.lists(EDITED, max_size=4),
    own=st.booleans(),
    merged=st.booleans(),
    files=st.tuples(st.lists(ITEMS, max_size=5), st.lists(ITEMS, max_size=4)),
    cut=st.integers(1, 3),
    last_first=st.booleans(),
)
def test_undone_everything_is_as_it_was(
    there: Sequence[NewShare],
    edited: Sequence[tuple[int, NewStatement]],
    own: bool,
    merged: bool,
    files: tuple[Sequence[Item], Sequence[Item]],
    cut: int,
    last_first: bool,
) -> None:
    """Whatever was there, whatever overlaps, and in whatever order."""

    async def there_and_back() -> None:
        async with empty() as db:
            async with db.transaction() as tx:
                await fill(tx, there, edited, merged)
            if own:
                await edit(db, 1, NewStatement("own_hidden", "1"), user=BEN)
            before = await state(db)
            first, second = [await import_(db, *items, file=str(items), cut=cut) for items in files]
            for command in (second, first) if last_first else (first, second):
                await undo(db, command)
                assert await undo(db, command) == 0
            assert await state(db) == before

    asyncio.run(there_and_back())


async def test_what_people_said_since_stays(db: SqliteDatabase) -> None:
    """A page that only the file shared stays by its address alone where it was edited or found useful, not where it was
    hidden."""
    addresses = [f"https://example.org/{number}" for number in range(6)]
    command = await import_(
        db, *(item(url, title={"": "Filed"}, note={"": "filed"}) for url in addresses), sharer="@eva:example.org"
    )
    async with db.transaction() as tx:
        await say(tx, f"mine {addresses[1]}", sender=ANA)
        await tx.run(update.vote, RULES, await entry(tx, 6), Author(BEN, 1))
    for number, saying in (
        (3, NewStatement("title", "Ours")),
        (4, NewStatement("hidden", "1")),
        (5, NewStatement("topic", "+", "gifts")),
    ):
        await edit(db, number, saying)
    effect = await db.reading().run(imports.effect, command)
    assert (effect.go, effect.stay) == (2, 4)
    await undo(db, command)
    assert await numbers(db) == {2: [addresses[1]], 3: [addresses[2]], 5: [addresses[4]], 6: [addresses[5]]}
    assert await statements(db) == [("hidden", "1"), ("title", "Ours"), ("topic", "+"), ("useful", "1")]
    sharers = "SELECT group_concat(user_id) FROM knowledge_shares s JOIN knowledge_people u ON u.id = s.sender"
    assert await db.reading().value(sharers) == ANA
    assert await db.reading().value("SELECT votes FROM knowledge_entries WHERE number = 6") == 1
    assert await db.reading().value("SELECT count(*) FROM knowledge_facts") == 0
    assert "filed" not in str(await state(db)).casefold()


async def test_an_address_that_was_kept_for_what_people_said_goes_with_that(db: SqliteDatabase) -> None:
    command = await import_(db, item(ONE))
    await edit(db, 1, NewStatement("title", "Ours"))
    await undo(db, command)
    assert await numbers(db) == {1: [ONE]}
    async with db.transaction() as tx:
        [change] = await tx.run(history.last_of, [1], ANA, 1)
        await tx.run(update.undo, RULES, change.id)
    assert await numbers(db) == {}
    assert ONE not in str(await state(db))


@pytest.mark.parametrize("again", [item(ONE), Item(ONE)])
async def test_imported_again_a_page_of_which_the_bare_address_was_kept_is_the_files_again(
    db: SqliteDatabase, again: Item
) -> None:
    """It stays when people take back what they said of it."""
    command = await import_(db, item(ONE))
    await edit(db, 1, NewStatement("title", "Ours"))
    await undo(db, command)
    await import_(db, again)
    async with db.transaction() as tx:
        [change] = await tx.run(history.last_of, [1], ANA, 1)
        await tx.run(update.undo, RULES, change.id)
    assert [one.url for one in await everything(db.reading())] == [ONE]


async def test_what_people_share_themselves_keeps_no_address_of_the_file(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, ONE)
    command = await import_(db, item(f"{ONE}?utm_source=file"))
    await edit(db, 1, NewStatement("title", "Ours"))
    await undo(db, command)
    assert await numbers(db) == {1: [ONE]}


async def test_what_a_coordinator_changed_of_a_file_is_theirs(db: SqliteDatabase) -> None:
    command = await import_(db, item(ONE, topics=("gifts",), pinned=True))
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}")
    await edit(db, 1, NewStatement("topic", "-", "gifts"), user=MOD)
    await undo(db, command)
    assert await statements(db) == [("topic", "-")]


async def test_of_two_files_each_takes_what_it_added(db: SqliteDatabase) -> None:
    """What the second did not add, as it was there, goes with the first."""
    first = await import_(db, item(ONE), item(TWO), file="first")
    later = Item(TWO, shares=(ShareItem(TWO, sent_at=9),), title={"": "Second"})
    second = await import_(db, item(ONE, title={"": "Second"}), later, item(THREE), file="second")
    await undo(db, first)
    assert await numbers(db) == {2: [TWO], 3: [THREE]}
    assert await statements(db) == [("title", "Second")]
    await undo(db, second)
    assert await numbers(db) == {}
    assert await db.reading().value("SELECT count(*) FROM knowledge_pages WHERE key IS NOT NULL") == 0
    assert await db.reading().value("SELECT count(*) FROM knowledge_statements") == 0


async def test_addresses_a_file_joined_are_taken_apart_if_anything_is_left_of_them(db: SqliteDatabase) -> None:
    """Numbers are not given again."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}")
    command = await import_(db, item(ONE, TWO, THREE))
    async with db.transaction() as tx:
        await say(tx, f"second {TWO}", event="$2")
    assert await numbers(db) == {1: [ONE, ONE, TWO, THREE, TWO]}
    await undo(db, command)
    assert await numbers(db) == {1: [ONE], 2: [TWO]}
    async with db.transaction() as tx:
        await say(tx, f"third {THREE}", event="$3")
    assert await numbers(db) == {1: [ONE], 2: [TWO], 4: [THREE]}


async def test_what_people_said_of_a_result_stays_with_its_first_page(db: SqliteDatabase) -> None:
    """The pages that the file merged into it are results of their own again."""
    command = await import_(db, item(ONE, TWO, THREE))
    async with db.transaction() as tx:
        await say(tx, f"second {TWO}", event="$2")
        await say(tx, f"third {THREE}", event="$3")
    await edit(db, 1, NewStatement("title", "Ours"))
    await undo(db, command)
    assert await numbers(db) == {1: [ONE], 2: [TWO], 3: [THREE]}
    titles = {one.number: one.title for one in await everything(db.reading())}
    assert titles == {2: {}, 3: {}}
    [ours] = await entries(db.reading(), "ours")
    assert (ours.number, ours.title, ours.shared_at) == (1, {"": "Ours"}, None), "the date was the file's"


async def test_the_label_of_a_page_that_was_joined_counts_without_the_files(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}")
        await say(tx, f"second {TWO}", event="$2")
    await edit(db, 1, NewStatement("label", str(AMBER)), NewStatement("topic", "-", "gifts"))
    command = await import_(db, Item(TWO, topics=("gifts",), label="amber"))
    await merge(db, 2, 1)
    await undo(db, command)
    [result] = await everything(db.reading())
    assert (result.label, result.topics) == (AMBER, ())


@pytest.mark.parametrize("titled", [{}, {"": "Good"}])
async def test_a_files_words_go_where_another_title_was_shown(db: SqliteDatabase, titled: Mapping[str, str]) -> None:
    """Its page was merged into another one, and is taken out of it again."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE} and {TWO}")
    await import_(db, item(ONE, title=titled), file="good")
    command = await import_(db, Item(TWO, title={"": "Uokkaly"}, topics=("gifts",)), file="bad")
    await merge(db, 1, 2)
    await undo(db, command)
    async with db.transaction() as tx:
        await tx.run(update.split, RULES, await tx.value("SELECT id FROM knowledge_pages WHERE number = 2"), AUTHOR)
    assert list(await numbers(db)) == [1, 2]
    assert "uokkaly" not in str(await state(db)).casefold()


async def test_who_hid_what_a_file_showed_again_can_be_forgotten(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}", sender=ANA)
    await edit(db, 1, NewStatement("own_hidden", "1"), user=BEN)
    command = await import_(db, item(ONE))
    async with db.transaction() as tx:
        await tx.run(update.forget, RULES, BEN)
        while await tx.run(privacy.drop_unused, "knowledge_people"):
            pass
    assert await db.reading().value("SELECT group_concat(user_id) FROM knowledge_people") == ANA
    await undo(db, command)
    assert await db.reading().value("SELECT hidden FROM knowledge_entries") == 1


async def test_what_a_file_showed_again_is_hidden_again_unless_others_shared_it_since(db: SqliteDatabase) -> None:
    """A member had hidden what they alone shared; a file shared it, too."""
    for since, hidden in (("", 1), (f"me too {ONE}", 0)):
        async with empty() as fresh:
            async with fresh.transaction() as tx:
                await say(tx, f"first {ONE}", sender=ANA)
            await edit(fresh, 1, NewStatement("own_hidden", "1"))
            command = await import_(fresh, item(ONE))
            assert await fresh.reading().value("SELECT hidden FROM knowledge_entries") == 0
            async with fresh.transaction() as tx:
                await say(tx, since, event="$2", sender=BEN)
            await undo(fresh, command)
            assert await fresh.reading().value("SELECT hidden FROM knowledge_entries") == hidden


async def test_other_hubs_and_circles_lose_nothing(db: SqliteDatabase) -> None:
    command = await import_(db, item(ONE))
    inside = await import_(db, item(ONE), file="inside", circle=COORDINATORS)
    async with db.transaction() as tx:
        await imported(tx, item(ONE), manner=Manner("audit", 1), file="audit.csv")
    assert await db.reading().run(imports.imports, "transparency") == [
        Import(inside, COORDINATORS, PLAIN, "inside", 1, 5_000, "done"),
        Import(command, MEMBERS, PLAIN, "links.csv", 1, 5_000, "done"),
    ]
    await undo(db, command)
    left = await db.reading().rows(
        "SELECT hub, circle FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf ORDER BY hub"
    )
    assert [tuple(row.values()) for row in left] == [("audit", MEMBERS), ("transparency", COORDINATORS)]


async def test_a_file_that_adds_nothing_is_no_change(db: SqliteDatabase) -> None:
    await import_(db, item(ONE))
    await import_(db, item(ONE), file="again")
    assert await db.reading().value("SELECT count(*) FROM knowledge_commands") == 1


@pytest.mark.parametrize(("into", "other"), [(1, 2), (2, 1)])
async def test_imported_once_more_a_page_that_was_joined_since_is_part_of_the_result_again(
    db: SqliteDatabase, into: int, other: int
) -> None:
    """Its address is shown, and what the file says of it leaves with it."""
    async with db.transaction() as tx:
        await say(tx, ONE)
    filed = Item(TWO, title={"": "Filed"}, note={"": "filed"}, topics=("gifts",), description="of two")
    for again in range(3):
        command = await import_(db, filed)
        if not again:
            await merge(db, into, other)
        whole = await load(db, into)
        assert {whole.url, *(one.url for one in await db.reading().run(views.versions_of, whole))} == {ONE, TWO}
        assert await db.reading().run(importer.known, Manner("transparency", 1), {TWO}) == {TWO}
        await undo(db, command)
        assert await numbers(db) == {into: [ONE]}
        assert await db.reading().run(importer.known, Manner("transparency", 1), {ONE, TWO}) == {ONE}
    await import_(db, filed)
    await import_(db, filed, file="again")
    assert await db.reading().value("SELECT count(*) FROM knowledge_commands WHERE name = 'again'") == 0
    async with db.transaction() as tx:
        page = await tx.value("SELECT id FROM knowledge_pages WHERE number = :other", other=other)
        await tx.run(update.split, RULES, page, AUTHOR)
    assert await numbers(db) == {1: [ONE], 2: [TWO]}
    assert (await load(db, 1)).title == {}
    two = await load(db, 2)
    assert (two.title, two.about, two.topics) == ({"": "Filed"}, "of two", ("gifts",))


async def load(db: SqliteDatabase, number: int) -> Entry:
    scope = await seen(db.reading())
    [result] = await db.reading().run(views.numbered, scope, number)
    return result


async def test_what_stays_for_a_coordinators_note_stays_as_close_as_it_was(db: SqliteDatabase) -> None:
    """One share of the file was amber, a later one was not; of another page the file said that it was hidden."""
    close = Item(ONE, shares=(ShareItem(ONE, sent_at=1, note="TLP:AMBER"), ShareItem(ONE, sent_at=2, note="later")))
    command = await import_(db, close, item(TWO, hidden=True))
    for number in (1, 2):
        await edit(db, number, NewStatement("note", "Ours"))
    assert (await db.reading().run(imports.effect, command)).stay == 1
    await undo(db, command)
    assert await db.reading().rows("SELECT number, label FROM knowledge_entries") == [{"number": 1, "label": AMBER}]
    assert await db.reading().rows("SELECT label, note FROM knowledge_shares") == [{"label": None, "note": None}]


async def test_that_it_is_another_page_does_not_keep_a_page_that_only_the_file_shared(db: SqliteDatabase) -> None:
    command = await import_(db, item(ONE), item(TWO), item(THREE))
    async with db.transaction() as tx:
        two = await entry(tx, 2)
    await edit(db, 1, NewStatement("not_same_as", "1", target=two))
    await edit(db, 2, NewStatement("stays", THREE))
    await edit(db, 3, NewStatement("topic", "-", "gifts"))
    await undo(db, command)
    assert await numbers(db) == {}


async def test_what_its_only_sharer_hid_is_out_of_sight_again_though_it_was_joined_meanwhile(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}", sender=ANA)
        await say(tx, f"yours {TWO}", sender=BEN, event="$2")
    await edit(db, 1, NewStatement("own_hidden", "1"))
    command = await import_(db, item(ONE))
    assert await urls(db.reading(), "one") == [ONE]
    await merge(db, 2, 1)
    assert await urls(db.reading(), "one") == [TWO]
    await undo(db, command)
    assert await urls(db.reading(), "one") == []
    assert await urls(db.reading(), "yours") == [TWO]


@pytest.mark.parametrize("before", [True, False])
async def test_what_a_person_replaced_of_a_file_does_not_come_back_by_undo(db: SqliteDatabase, before: bool) -> None:
    """Whether that was undone before the file was, or after."""
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}")
    command = await import_(db, Item(ONE, title={"": "Uokkaly"}))
    await edit(db, 1, NewStatement("title", "Ours"))
    async with db.transaction() as tx:
        [change] = await tx.run(history.last_of, [1], ANA, 1)
        if before:
            await tx.run(update.undo, RULES, change.id)
            assert "Uokkaly" in await tx.value("SELECT title FROM knowledge_entries")
    await undo(db, command)
    if not before:
        async with db.transaction() as tx:
            await tx.run(update.undo, RULES, change.id)
    assert "uokkaly" not in str(await state(db)).casefold()
