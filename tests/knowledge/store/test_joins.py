"""Which entry an address belongs to: joined, and taken apart."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bot.api import Reaction, Transaction
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store import joins, proposals, recommendations, shares, statements
from plugins.knowledge.store.statements import Author
from plugins.knowledge.store.votes import reacted, said_useful, withdrawn
from plugins.knowledge.transfer import exporter
from plugins.knowledge.views import load
from plugins.knowledge.views.load import Entry
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, LUIS, RULES, everything, remove, say, seen, urls

A, B, C = (f"https://example.org/{name}" for name in "abc")


async def numbered(tx: Transaction, number: int) -> Entry:
    [entry] = await tx.run(load.numbered, await seen(tx), number, hidden=True)
    return entry


async def two(tx: Transaction) -> tuple[Entry, Entry]:
    await say(tx, f"first {A}", event="$1", at=1000)
    await say(tx, f"second {B}", event="$2", at=2000, sender=LUIS)
    return await numbered(tx, 1), await numbered(tx, 2)


async def correct(tx: Transaction, entry: Entry, **values: Any) -> None:  # Any: str or None
    await tx.run(statements.change, RULES, entry, Author(ANA, 1), list(values.items()))


async def test_joined_results_are_one_found_by_the_words_of_both(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        [entry] = await everything(tx)
        assert entry.number == 1
        assert await urls(tx, "first second") == [entry.url]
        assert (await numbered(tx, 2)).id == (await numbered(tx, 1)).id
        assert await tx.value("SELECT entries FROM vocabulary WHERE word = '='") == 1


async def test_what_is_shared_after_a_join_is_filed_with_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await say(tx, f"third {B}", event="$3")
        [entry] = await everything(tx)
        assert [share.event for share in await tx.run(load.shares_of, entry, 9)] == ["$3", "$2", "$1"]


async def test_a_part_taken_out_has_its_number_and_shares_again(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert await urls(tx, "first") == [A]
        assert await urls(tx, "second") == [B]
        assert (await numbered(tx, 2)).url == B


async def test_what_nothing_is_left_of_cannot_be_taken_out(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await remove(tx, "$2")
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is None
        assert (await numbered(tx, 2)).id == into.id


async def test_a_join_stays_when_the_first_page_is_taken_back(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await remove(tx, "$1")
        [entry] = await everything(tx)
        assert (entry.number, entry.url) == (1, B)
        assert (await numbered(tx, 2)).id == entry.id


async def test_joining_opens_nothing_that_was_kept_close(db: SqliteDatabase) -> None:
    """The stricter label of the two counts, while they are joined and after."""
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1")
        await say(tx, f"TLP:AMBER second {B}", event="$2")
        into, other = await numbered(tx, 1), await numbered(tx, 2)
        await correct(tx, into, label="clear")
        await tx.run(joins.merge, RULES, into.id, other.id)
        assert (await numbered(tx, 1)).label == 2
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert (await numbered(tx, 2)).label == 2


async def test_taking_apart_opens_nothing_that_was_kept_close(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await correct(tx, other, label="amber", hidden="1")
        await tx.run(joins.merge, RULES, into.id, other.id)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        again = await numbered(tx, 2)
        assert (again.label, again.hidden) == (2, True)
        assert await urls(tx, "second") == []


async def test_a_part_has_its_own_title_again_and_the_whole_no_longer(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await correct(tx, other, title="Second")
        await tx.run(joins.merge, RULES, into.id, other.id)
        assert (await numbered(tx, 1)).title == {"": "Second"}
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert (await numbered(tx, 1)).title == {}
        assert (await numbered(tx, 2)).title == {"": "Second"}


async def votes(tx: Transaction, *numbers: int) -> list[int]:
    return [(await numbered(tx, number)).votes for number in numbers]


async def test_a_part_has_its_votes_again_and_whoever_found_both_useful_counts_once(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        for entry, people in ((into, ("@eva:x", "@max:x")), (other, ("@eva:x", "@ida:x"))):
            for user in people:
                await tx.run(said_useful, RULES, entry.id, user)
        assert await votes(tx, 1, 2) == [2, 2]
        await tx.run(joins.merge, RULES, into.id, other.id)
        assert await votes(tx, 1) == [3]
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert await votes(tx, 1, 2) == [2, 2]


async def test_a_vote_given_to_a_message_goes_with_the_page_it_shared(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await tx.run(joins.merge, RULES, into.id, other.id)
        await tx.run(reacted, RULES, Reaction("!transparency-members:example.org", "$4", "@eva:x", 3000, "$2", "👍"))
        assert await votes(tx, 1) == [1]
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        assert await votes(tx, 1, 2) == [0, 1]
        await tx.run(withdrawn, RULES, "$4")
        assert await votes(tx, 1, 2) == [0, 0]


async def test_a_title_that_was_put_aside_goes_when_its_author_is_forgotten(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        into, other = await two(tx)
        await correct(tx, other, title="Second", label="amber")
        await tx.run(joins.merge, RULES, into.id, other.id)
        await tx.run(shares.forget, RULES, ANA)
        assert await tx.run(joins.split, RULES, into.shelf.id, 2) is not None
        again = await numbered(tx, 2)
        assert (again.title, again.label) == ({}, 2)
        assert await tx.value("SELECT count(*) FROM put_aside") == 0


async def test_a_change_is_not_undone_on_another_result_that_came_in_its_place(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {A}")
        entry = await numbered(tx, 1)
        await correct(tx, entry, pinned="1")
        await correct(tx, entry, pinned=None)
        await remove(tx, "$1")
        await say(tx, f"second {B}", event="$2")
        (change,) = await tx.run(statements.last_of, [entry.shelf.id], ANA)
        assert not await tx.run(statements.undo, RULES, change, Author(ANA, 2))
        assert not (await numbered(tx, 2)).pinned


async def test_pages_of_one_shelf_that_may_be_one_are_candidates(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/guide https://www.example.org/guide/", event="$1")
        await say(tx, "https://example.org/en/about https://example.org/fr/about", event="$2")
        await say(tx, "https://www.example.org/guide/index.html", event="$3", hub="audit")
        [entry, *_] = await everything(tx)
        found = await tx.run(proposals.candidates, entry.shelf.id)
        assert {(one.numbers, one.reason) for one in found if one.reason == "address"} == {((1, 2), "address")}
        assert ((3, 4), "language") in {(one.numbers, one.reason) for one in found}


async def test_what_is_hidden_is_shown_only_to_its_own_hub(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1", hub="audit")
        await say(tx, f"second {B}", event="$2")
        own = await seen(tx, "audit")
        [entry] = await tx.run(load.numbered, own, 1)
        await correct(tx, entry, hidden="1")
        assert await tx.run(load.numbered, own, 1) == []
        assert [one.url for one in await tx.run(load.numbered, own, 1, hidden=True)] == [A]
        visitor = await seen(tx, "transparency", others=["audit"])
        assert [one.url for one in await tx.run(load.numbered, visitor, 1, hidden=True)] == [B]


@pytest.mark.parametrize(("first", "other"), [(1, 2), (2, 1)])
async def test_of_two_recommended_pages_the_first_gives_address_title_and_note(
    db: SqliteDatabase, first: int, other: int
) -> None:
    said = [
        {"url": url, "title": {"en": f"Title {url[-1]}", language: f"In {language}"}, "note": f"Note {url[-1]}"}
        for url, language in ((A, "es"), (B, "fr"))
    ]
    hubs = [hub(resources=said)]
    rules = Rules(hubs)
    async with db.transaction() as tx:
        await tx.run(recommendations.curate, rules, hubs)
        into, gone = await numbered(tx, first), await numbered(tx, other)
        letter = into.url[-1]
        await tx.run(joins.merge, rules, into.id, gone.id)
        for changed in (rules, Rules([])):  # made anew, and with the YAML read anew
            await tx.run(recommendations.curate, changed, hubs)
            await tx.run(renew, changed, {into.id})
            entry = await numbered(tx, other)
            assert entry.url == into.url
            assert entry.title["en"] == f"Title {letter}"
            assert list(entry.title) == [*into.title, *(gone.title.keys() - into.title.keys())]
            assert await tx.run(load.recommendation, entry) == {"": f"Note {letter}"}
        left_out: Counter[str] = Counter()
        [(_, [item])] = [page async for page in exporter.pages(tx, exporter.Manner("transparency"), left_out)]
        assert (item.url, item.note) == (into.url, {"": f"Note {letter}"})
