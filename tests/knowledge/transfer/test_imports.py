"""Files that were brought in are taken back as one: what they added goes, what people said stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.storage.database import SqliteDatabase
from plugins.knowledge.store import joins, privacy, yielding
from plugins.knowledge.store import shares as stored_shares
from plugins.knowledge.store.access import AMBER, COORDINATORS, MEMBERS
from plugins.knowledge.store.shares import Share
from plugins.knowledge.store.statements import Author, change, changes, undo
from plugins.knowledge.transfer import importer, imports
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.transfer.imports import Brought, Part
from plugins.knowledge.views import load as loading
from plugins.knowledge.views.load import Entry
from tests.knowledge.faro import BEN
from tests.knowledge.shelf import RULES, say, seen
from tests.knowledge.talk import MOD
from tests.knowledge.test_plugin import ANA
from tests.knowledge.transfer.test_exporter import CORRECTED, SAID, empty, entry, fill

ONE, TWO, THREE = (f"https://example.org/{name}" for name in ("one", "two", "three"))


async def bring(
    db: SqliteDatabase,
    *items: Item,
    file: str = "links.csv",
    circle: str = MEMBERS,
    cut: int = 99,
    sharer: str | None = None,
) -> int:
    """Brings a file into a hub, some items at a time; the number of its change, 0 if it adds nothing."""
    for start in range(0, len(items), cut):
        end = start + cut if start + cut < len(items) else None
        async with db.transaction() as tx:
            manner = Manner("transparency", 5_000, circle, sharer)
            await tx.run(imports.bring, RULES, manner, items[start : start + cut], Part(file, file, end))
    return int(await db.reading().value("SELECT coalesce(max(id), 0) FROM changes WHERE after = :file", file=file))


async def take_back(db: SqliteDatabase, file: int) -> int:
    """How many entries it touched."""
    total, done = 0, 1
    async with db.transaction() as tx:
        await tx.run(imports.begin, file)
        while done:
            done = await tx.run(imports.take_back_some, RULES, file)
            total += done
        await tx.run(imports.close, file)
    return total


async def state(db: SqliteDatabase) -> Mapping[str, Sequence[object]]:
    """All that is known, and all that is made from it."""
    tables = ("resources", "entries", "shares", "corrections", "facts", "merged", "put_aside", "votes", "entry_topics",
              "entry_words", "vocabulary", "given_way", "imports")  # fmt: skip
    reader = db.reading()
    return {table: sorted(map(repr, await reader.rows(f"SELECT * FROM {table}"))) for table in tables}  # noqa: S608 - ours


async def numbers(db: SqliteDatabase) -> Mapping[int, list[str]]:
    """The addresses of each result."""
    rows = await db.reading().rows(
        "SELECT e.number, s.url FROM entries e JOIN shares s ON s.entry = e.id ORDER BY e.number, s.id"
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(row["url"])
    return found


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


@settings(max_examples=40, deadline=None)
@given(
    there=st.lists(SAID, min_size=1, max_size=6),
    corrected=st.lists(CORRECTED, max_size=4),
    own=st.booleans(),
    files=st.tuples(st.lists(ITEMS, max_size=5), st.lists(ITEMS, max_size=4)),
    cut=st.integers(1, 3),
    last_first=st.booleans(),
)
def test_taken_back_everything_is_as_it_was(
    there: Sequence[Share],
    corrected: Sequence[tuple[int, tuple[str, str]]],
    own: bool,
    files: tuple[Sequence[Item], Sequence[Item]],
    cut: int,
    last_first: bool,
) -> None:
    """Whatever was there, whatever overlaps, and in whatever order."""

    async def there_and_back() -> None:
        async with empty() as db:
            async with db.transaction() as tx:
                await fill(tx, there, corrected, merged=False)
                if own:
                    hidden = await entry(tx, 1)
                    await tx.run(change, RULES, hidden, Author(BEN, 0), [("hidden", yielding.OWN)])
            before = await state(db)
            first, second = [await bring(db, *items, file=str(items), cut=cut) for items in files]
            for file in (second, first) if last_first else (first, second):
                await take_back(db, file)
                assert await take_back(db, file) == 0
            assert await state(db) == before

    asyncio.run(there_and_back())


async def test_what_people_said_since_stays(db: SqliteDatabase) -> None:
    """A page that only the file shared stays by its address alone where it was corrected or found useful, not where it
    was hidden."""
    urls = [f"https://example.org/{number}" for number in range(6)]
    file = await bring(db, *(item(url, title={"": "Filed"}, note={"": "filed"}) for url in urls), sharer=BEN)
    async with db.transaction() as tx:
        await say(tx, f"mine {urls[1]}", sender=ANA)
        for number, correction in ((3, ("title", "Ours")), (4, ("hidden", "1")), (5, ("topic:gifts", "+"))):
            await tx.run(change, RULES, await entry(tx, number), Author(ANA, 1), [correction])
        await tx.execute(
            "INSERT INTO votes SELECT 6, id, (SELECT resource FROM entries WHERE id = 6), NULL FROM sharers LIMIT 1"
        )
    held = await db.reading().run(imports.held, file)
    assert (held.go, held.stay) == (2, 4)
    await take_back(db, file)
    assert await numbers(db) == {2: [urls[1]], 3: [urls[2]], 5: [urls[4]], 6: [urls[5]]}
    rows = await db.reading().rows("SELECT DISTINCT field, value FROM corrections ORDER BY field")
    assert [tuple(row.values()) for row in rows] == [("title", "Ours"), ("topic:gifts", "+")]
    said_by = "SELECT group_concat(user) FROM shares s JOIN sharers u ON u.id = s.sender"
    assert await db.reading().value(said_by) == ANA
    assert await db.reading().value("SELECT votes FROM entries WHERE number = 6") == 1
    assert await db.reading().value("SELECT count(*) FROM facts") == 0


async def test_what_a_coordinator_changed_of_a_file_is_theirs(db: SqliteDatabase) -> None:
    file = await bring(db, item(ONE, topics=("gifts",), pinned=True))
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}")
        await tx.run(change, RULES, await entry(tx, 1), Author(MOD, 1), [("topic:gifts", "-")])
    await take_back(db, file)
    rows = await db.reading().rows("SELECT field, value FROM corrections")
    assert [tuple(row.values()) for row in rows] == [("topic:gifts", "-")]


async def test_of_two_files_each_takes_back_what_it_added(db: SqliteDatabase) -> None:
    """What the second did not add, as it was there, goes with the first."""
    first = await bring(db, item(ONE), item(TWO), file="first")
    later = Item(TWO, shares=(ShareItem(TWO, sent_at=9),), title={"": "Second"})
    second = await bring(db, item(ONE, title={"": "Second"}), later, item(THREE), file="second")
    await take_back(db, first)
    assert await numbers(db) == {2: [TWO], 3: [THREE]}
    assert await db.reading().value("SELECT value FROM corrections") == "Second"
    await take_back(db, second)
    assert await numbers(db) == {}
    assert await db.reading().value("SELECT count(*) FROM resources") == 0


async def test_addresses_a_file_joined_are_taken_apart_if_anything_is_left_of_them(db: SqliteDatabase) -> None:
    """Numbers are not given again."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}")
    file = await bring(db, item(ONE, TWO, THREE))
    async with db.transaction() as tx:
        await say(tx, f"second {TWO}", event="$2")
    assert await numbers(db) == {1: [ONE, ONE, TWO, THREE, TWO]}
    await take_back(db, file)
    assert await numbers(db) == {1: [ONE], 2: [TWO]}
    async with db.transaction() as tx:
        await say(tx, f"third {THREE}", event="$3")
    assert await numbers(db) == {1: [ONE], 2: [TWO], 4: [THREE]}


async def test_a_result_of_which_only_a_joined_address_is_left_keeps_number_and_title(db: SqliteDatabase) -> None:
    file = await bring(db, item(ONE, TWO, THREE))
    async with db.transaction() as tx:
        await say(tx, f"second {TWO}", event="$2")
        await say(tx, f"third {THREE}", event="$3")
        await tx.run(change, RULES, await entry(tx, 1), Author(ANA, 1), [("title", "Ours")])
    await take_back(db, file)
    assert await numbers(db) == {1: [TWO], 3: [THREE]}
    async with db.transaction() as tx:
        await say(tx, f"again {TWO} and {ONE}", event="$4")
    assert await numbers(db) == {1: [TWO, TWO], 3: [THREE], 4: [ONE]}
    assert await db.reading().value("SELECT value FROM corrections WHERE entry = 1") == "Ours"


async def test_a_label_of_a_page_that_was_joined_comes_back_with_it(db: SqliteDatabase) -> None:
    """The file's counted first; with it gone, what people said of the other page does."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}")
        await tx.run(change, RULES, await entry(tx, 1), Author(ANA, 1), [("label", "amber"), ("topic:gifts", "-")])
        await say(tx, f"second {TWO}", event="$2")
    file = await bring(db, Item(TWO, topics=("gifts",), label="amber"))
    async with db.transaction() as tx:
        await tx.run(joins.merge, RULES, 2, 1)
    await take_back(db, file)
    rows = await db.reading().rows("SELECT field, value FROM corrections ORDER BY field")
    assert [tuple(row.values()) for row in rows] == [("label", "amber"), ("topic:gifts", "-")]


async def test_a_files_words_that_were_put_aside_go_too(db: SqliteDatabase) -> None:
    """Its result was joined to another one: both have what it said."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}")
    file = await bring(db, item(TWO, title={"": "Filed"}))
    async with db.transaction() as tx:
        await tx.run(joins.merge, RULES, 1, 2)
    await take_back(db, file)
    assert await numbers(db) == {1: [ONE]}
    for table in ("corrections", "put_aside"):
        assert await db.reading().value(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names from above


async def test_who_hid_what_a_file_showed_again_can_be_forgotten(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {ONE}", sender=ANA)
        await tx.run(change, RULES, await entry(tx, 1), Author(BEN, 1), [("hidden", yielding.OWN)])
    file = await bring(db, item(ONE))
    async with db.transaction() as tx:
        await tx.execute("UPDATE changes SET by = NULL")
        while await tx.run(privacy.drop_unused, "sharers"):
            pass
        await tx.run(stored_shares.forget, RULES, BEN)
    assert await db.reading().value("SELECT group_concat(user) FROM sharers") == ANA
    await take_back(db, file)
    assert await db.reading().value("SELECT hidden FROM entries") == 1


async def test_what_a_file_showed_again_is_hidden_again_unless_others_shared_it_since(db: SqliteDatabase) -> None:
    """A member had hidden what they alone shared; a file shared it, too."""
    for since, hidden in (("", 1), (f"me too {ONE}", 0)):
        async with empty() as fresh:
            async with fresh.transaction() as tx:
                await say(tx, f"first {ONE}", sender=ANA)
                await tx.run(change, RULES, await entry(tx, 1), Author(ANA, 1), [("hidden", yielding.OWN)])
            file = await bring(fresh, item(ONE))
            assert await fresh.reading().value("SELECT hidden FROM entries") == 0
            async with fresh.transaction() as tx:
                await say(tx, since, event="$2", sender=BEN)
            await take_back(fresh, file)
            assert await fresh.reading().value("SELECT hidden FROM entries") == hidden


async def test_other_hubs_and_circles_lose_nothing(db: SqliteDatabase) -> None:
    file = await bring(db, item(ONE))
    inside = await bring(db, item(ONE), file="inside", circle=COORDINATORS)
    async with db.transaction() as tx:
        await tx.run(imports.bring, RULES, Manner("audit", 1), [item(ONE)], Part("audit", "audit.csv", None))
    listed = await db.reading().run(imports.files, "transparency")
    assert listed == [
        Brought(inside, COORDINATORS, "inside", 1, 5_000, "there"),
        Brought(file, MEMBERS, "links.csv", 1, 5_000, "there"),
    ]
    await take_back(db, file)
    left = await db.reading().rows("SELECT hub, circle FROM entries e JOIN shelves s ON s.id = e.shelf ORDER BY hub")
    assert [tuple(row.values()) for row in left] == [("audit", MEMBERS), ("transparency", COORDINATORS)]


async def test_a_file_that_adds_nothing_is_no_change(db: SqliteDatabase) -> None:
    await bring(db, item(ONE))
    await bring(db, item(ONE), file="again")
    assert await db.reading().value("SELECT count(*) FROM changes") == 1


@pytest.mark.parametrize(("into", "other"), [(1, 2), (2, 1)])
async def test_brought_in_once_more_a_page_that_was_joined_since_is_part_of_the_result_again(
    db: SqliteDatabase, into: int, other: int
) -> None:
    """Its address is shown, and what the file says of it leaves with it."""
    async with db.transaction() as tx:
        await say(tx, ONE)
    filed = Item(TWO, title={"": "Filed"}, note={"": "filed"}, topics=("gifts",), description="of two")
    for again in range(3):
        file = await bring(db, filed)
        if not again:
            async with db.transaction() as tx:
                await tx.run(joins.merge, RULES, into, other)
        whole = await load(db, into)
        assert {whole.url, *(one.url for one in await db.reading().run(loading.versions_of, whole))} == {ONE, TWO}
        assert await db.reading().run(importer.known, Manner("transparency", 1), {TWO}) == {TWO}
        await take_back(db, file)
        assert await numbers(db) == {into: [ONE]}
        assert await db.reading().run(importer.known, Manner("transparency", 1), {ONE, TWO}) == {ONE}
    await bring(db, filed)
    await bring(db, filed, file="again")
    assert await db.reading().value("SELECT count(*) FROM changes WHERE undone = 0") == 1
    async with db.transaction() as tx:
        shelf = await tx.value("SELECT shelf FROM entries")
        await tx.run(joins.split, RULES, shelf, other)
    assert await numbers(db) == {1: [ONE], 2: [TWO]}
    of_two = "(SELECT id FROM entries WHERE number = 2)"
    for table in ("corrections", "facts"):
        left = await db.reading().value(f"SELECT count(*) FROM {table} WHERE entry <> {of_two}")  # noqa: S608 - ours
        assert left == 0


async def load(db: SqliteDatabase, number: int) -> Entry:
    id_ = await db.reading().value("SELECT id FROM entries WHERE number = :number", number=number)
    [found] = await db.reading().run(loading.load, await seen(db.reading()), [id_])
    return found


async def test_a_files_words_go_where_they_were_only_put_aside(db: SqliteDatabase) -> None:
    """What was joined to another page that has words of its own keeps the file's for the time when it is taken out."""
    async with db.transaction() as tx:
        await say(tx, f"first {ONE} and {TWO}")
    await bring(db, item(ONE, title={"": "Good"}), file="good")
    bad = await bring(db, Item(TWO, title={"": "Uokkaly"}, topics=("gifts",)), file="bad")
    async with db.transaction() as tx:
        await tx.run(joins.merge, RULES, 1, 2)
    await take_back(db, bad)
    async with db.transaction() as tx:
        await tx.run(joins.split, RULES, 1, 2)
    for table in ("corrections", "put_aside", "entry_words"):
        assert "uokkaly" not in str(await db.reading().rows(f"SELECT * FROM {table}")).casefold()  # noqa: S608 - names from above


async def test_what_stays_for_a_coordinators_note_stays_as_close_as_it_was(db: SqliteDatabase) -> None:
    """One share of the file was amber, a later one was not; of another page the file said that it was hidden."""
    close = Item(ONE, shares=(ShareItem(ONE, sent_at=1, note="TLP:AMBER"), ShareItem(ONE, sent_at=2, note="later")))
    file = await bring(db, close, item(TWO, hidden=True))
    async with db.transaction() as tx:
        for number in (1, 2):
            await tx.run(change, RULES, await entry(tx, number), Author(ANA, 1), [("note", "Ours")])
    await take_back(db, file)
    assert await db.reading().rows("SELECT number, label FROM entries") == [{"number": 1, "label": AMBER}]
    assert await db.reading().rows("SELECT label, note FROM shares") == [{"label": None, "note": None}]


async def test_that_it_is_another_page_does_not_keep_a_page_that_only_the_file_shared(db: SqliteDatabase) -> None:
    file = await bring(db, item(ONE), item(TWO), item(THREE))
    async with db.transaction() as tx:
        for number, said in ((1, "apart:2"), (2, "stays"), (3, "topic:gifts")):
            await tx.run(change, RULES, await entry(tx, number), Author(ANA, 1), [(said, "-")])
    await take_back(db, file)
    assert await numbers(db) == {}


async def test_what_its_only_sharer_hid_is_hidden_again_though_it_was_joined_meanwhile(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}", sender=ANA)
        await tx.run(change, RULES, await entry(tx, 1), Author(ANA, 1), [("hidden", yielding.OWN)])
        await say(tx, f"yours {TWO}", sender=BEN, event="$2")
    file = await bring(db, item(ONE))
    assert await db.reading().value("SELECT max(hidden) FROM entries") == 0
    async with db.transaction() as tx:
        await tx.run(joins.merge, RULES, 2, 1)
    await take_back(db, file)
    assert await db.reading().value("SELECT hidden FROM entries") == 1


@pytest.mark.parametrize("before", [True, False])
async def test_what_a_person_replaced_of_a_file_does_not_come_back_by_undo(db: SqliteDatabase, before: bool) -> None:
    """Whether that was undone before the file was taken back, or after."""
    async with db.transaction() as tx:
        await say(tx, f"mine {ONE}")
    file = await bring(db, Item(ONE, title={"": "Uokkaly"}))
    async with db.transaction() as tx:
        await tx.run(change, RULES, await entry(tx, 1), Author(ANA, 1), [("title:", "Ours")])
        (done,) = [one for one in await tx.run(changes, [1], 9) if one.what == "title:"]
        if before:
            await tx.run(undo, RULES, done, Author(ANA, 2))
            assert await tx.value("SELECT value FROM corrections") == "Uokkaly"
    await take_back(db, file)
    async with db.transaction() as tx:
        if not before:
            (done,) = [one for one in await tx.run(changes, [1], 9) if one.what == "title:"]
            await tx.run(undo, RULES, done, Author(ANA, 2))
        for table in ("corrections", "changes", "entry_words"):
            assert "uokkaly" not in str(await tx.rows(f"SELECT * FROM {table}")).casefold()  # noqa: S608 - as above
