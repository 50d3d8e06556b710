"""What people say of pages holds until it is withdrawn: joined, taken apart, undone, deleted."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.api import Reaction, Transaction
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index import duplicates, update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.store import history
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.transfer import exporter
from plugins.knowledge.views import load
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import (
    ANA,
    LUIS,
    NOW,
    RULES,
    correct,
    everything,
    merge,
    numbered,
    recommend,
    remove,
    say,
    seen,
    split,
    undo_last,
    urls,
    vote,
)

A, B, C = (f"https://example.org/{name}" for name in "abc")
AMBER = "2"


async def two(tx: Transaction) -> None:
    await say(tx, f"first {A}", event="$1", at=1000)
    await say(tx, f"second {B}", event="$2", at=2000, sender=LUIS)


async def three(tx: Transaction) -> None:
    await two(tx)
    await say(tx, f"third {C}", event="$3", at=3000)


async def leads(tx: Transaction, *numbers: int) -> list[int]:
    """The numbers of the entries these numbers lead to."""
    return [(await numbered(tx, number)).number for number in numbers]


async def events(tx: Transaction, number: int) -> list[str | None]:
    """The messages that shared an entry, the newest first."""
    return [share.event for share in await tx.run(load.shares_of, await numbered(tx, number), 9)]


# -- joined and taken apart -------------------------------------------------------------------------------------------


async def test_joined_results_are_one_found_by_the_words_of_both(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        [entry] = await everything(tx)
        assert entry.number == 1
        assert await urls(tx, "first second") == [entry.url]
        assert await leads(tx, 1, 2) == [1, 1]
        assert await tx.value("SELECT entries FROM knowledge_vocabulary WHERE word = '='") == 1


async def test_what_is_shared_after_a_join_belongs_to_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await say(tx, f"third {B}", event="$3")
        assert await events(tx, 1) == ["$3", "$2", "$1"]


async def test_a_page_taken_out_has_its_number_and_shares_again(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        assert await split(tx, 2)
        assert await urls(tx, "first") == [A]
        assert await urls(tx, "second") == [B]
        assert (await numbered(tx, 2)).url == B


async def test_what_nothing_is_left_of_cannot_be_taken_out(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await remove(tx, "$2")
        assert not await split(tx, 2)
        assert await leads(tx, 2) == [1]


async def test_what_leads_a_result_or_stands_alone_cannot_be_taken_out(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await three(tx)
        await merge(tx, 1, 2)
        assert not await split(tx, 1)
        assert not await split(tx, 3)
        assert await leads(tx, 1, 2, 3) == [1, 1, 3]


async def test_a_join_stays_when_the_first_page_is_deleted(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await remove(tx, "$1")
        [entry] = await everything(tx)
        assert (entry.number, entry.url) == (1, B)
        assert await leads(tx, 2) == [1]


async def test_undoing_one_of_two_joins_leaves_the_other(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await three(tx)
        await merge(tx, 2, 3)
        await merge(tx, 1, 2)
        assert await leads(tx, 1, 2, 3) == [1, 1, 1]
        await undo_last(tx)
        assert await leads(tx, 1, 2, 3) == [1, 2, 2]


async def test_undoing_the_first_of_two_joins_gives_its_page_back_alone(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await three(tx)
        await merge(tx, 2, 3, by=LUIS)
        await merge(tx, 1, 2)
        await undo_last(tx, LUIS)
        assert await leads(tx, 1, 2, 3) == [1, 1, 3]


async def test_a_page_taken_out_takes_along_what_was_joined_to_it_and_undoing_joins_them_again(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await three(tx)
        await merge(tx, 2, 3)
        await merge(tx, 1, 2)
        assert await split(tx, 2)
        assert await leads(tx, 1, 2, 3) == [1, 2, 2]
        await undo_last(tx)
        assert await leads(tx, 1, 2, 3) == [1, 1, 1]


async def test_what_was_taken_apart_can_be_joined_again(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        assert await split(tx, 2)
        await merge(tx, 2, 1)
        assert await leads(tx, 1, 2) == [2, 2]
        assert await split(tx, 1)
        assert await leads(tx, 1, 2) == [1, 2]


async def test_a_page_that_was_joined_twice_is_taken_out_at_once(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        assert await split(tx, 2, by=LUIS)
        await merge(tx, 1, 2)
        await undo_last(tx, LUIS)  # so that both joins count
        assert await split(tx, 2)
        assert await leads(tx, 1, 2) == [1, 2]


# -- what limits a page -----------------------------------------------------------------------------------------------


async def test_joining_opens_nothing_that_was_kept_close(db: SqliteDatabase) -> None:
    """The stricter label of the two counts, while they are joined and after."""
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1")
        await say(tx, f"TLP:AMBER second {B}", event="$2")
        await correct(tx, 1, label="0")
        await merge(tx, 1, 2)
        assert (await numbered(tx, 1)).label == 2
        assert await split(tx, 2)
        assert [(await numbered(tx, number)).label for number in (1, 2)] == [0, 2]


async def test_taking_apart_opens_nothing_that_was_kept_close(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 2, label=AMBER, hidden="1")
        await merge(tx, 1, 2)
        assert await split(tx, 2)
        again = await numbered(tx, 2)
        assert (again.label, again.hidden) == (2, True)
        assert await urls(tx, "second") == []


async def test_a_page_that_is_joined_to_a_hidden_one_is_shown_while_they_are_joined_and_after(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, hidden="1")
        await merge(tx, 1, 2)
        assert await urls(tx, "second") == [B]
        assert await urls(tx, "first") == []
        await undo_last(tx)
        assert [(await numbered(tx, number)).hidden for number in (1, 2)] == [True, False]


async def test_a_hidden_page_adds_nothing_to_the_result_it_is_joined_to(db: SqliteDatabase) -> None:
    """Neither words, title, label, votes and shares, nor its address."""
    guide = {"url": A, "title": "Guide"}
    async with db.transaction() as tx:
        await recommend(tx, hub(resources=[guide]))
        await say(tx, f"TLP:AMBER second #secretly {B}", event="$2", sender=LUIS)
        await correct(tx, 2, hidden="1", title="Secret", pinned="1")
        await vote(tx, (await numbered(tx, 2)).id, "@eva:x")
        alone = await numbered(tx, 1)
        await merge(tx, 1, 2)
        assert await numbered(tx, 1) == alone
        assert await events(tx, 1) == []
        assert await tx.run(load.versions_of, alone) == []
        for words in ("second", "secret", "secretly", "from:luis"):
            assert await urls(tx, words) == []


async def test_what_is_said_to_hide_joined_results_hides_each_of_them(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await correct(tx, 1, hidden="1")
        assert await everything(tx) == []
        assert await split(tx, 2)
        assert [(await numbered(tx, number)).hidden for number in (1, 2)] == [True, True]


async def test_what_coordinators_hid_is_hidden_when_it_is_shared_again_after_it_was_deleted(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, hidden="1", title="Title")
        await remove(tx, "$1")
        await say(tx, f"again {A}", event="$3")
        again = await numbered(tx, 1)
        assert (again.hidden, again.title) == (True, {})
        assert await urls(tx, "again") == []


async def test_what_its_only_sharer_hid_and_deleted_is_found_when_it_is_shared_again(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, own_hidden="1")
        await remove(tx, "$1")
        await say(tx, f"again {A}", event="$3")
        assert await urls(tx, "again") == [A]
        assert await leads(tx, 3) == [3]


# -- what is withdrawn ------------------------------------------------------------------------------------------------


async def test_a_page_has_its_own_title_again_and_the_whole_no_longer(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 2, title="Second")
        await merge(tx, 1, 2)
        assert (await numbered(tx, 1)).title == {"": "Second"}
        assert await split(tx, 2)
        assert (await numbered(tx, 1)).title == {}
        assert (await numbered(tx, 2)).title == {"": "Second"}


async def test_undoing_gives_back_what_was_said_before_whatever_was_said_since(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, by=ANA, title="Ana's title", pinned="1")
        await correct(tx, 1, by=LUIS, title="Luis's title")
        await undo_last(tx, ANA)
        entry = await numbered(tx, 1)
        assert (entry.title, entry.pinned) == ({"": "Luis's title"}, False)
        await undo_last(tx, LUIS)
        assert (await numbered(tx, 1)).title == {}


async def test_what_holds_already_is_not_said_again(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, title="Title")
        await correct(tx, 1, title="Title")
        assert await tx.value("SELECT count(*) FROM knowledge_commands") == 1


async def test_a_change_of_what_is_gone_cannot_be_undone(db: SqliteDatabase) -> None:
    """Nor is it undone on a result that came after it."""
    async with db.transaction() as tx:
        await say(tx, f"first {A}")
        await correct(tx, 1, pinned="1")
        await correct(tx, 1, pinned="0")
        shelf = (await numbered(tx, 1)).shelf.id
        await remove(tx, "$1")
        await say(tx, f"second {A}", event="$2")
        assert await tx.run(history.last_of, [shelf], ANA, 10) == []
        for change in await tx.run(history.changes, [shelf], 10):
            assert not await tx.run(update.undo, RULES, change.id)
        assert not (await numbered(tx, 2)).pinned


async def test_deleting_a_message_takes_the_words_it_gave_and_leaves_what_it_did(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 1, event="$title", title="Title", label=AMBER)
        await correct(tx, 1, event="$pin", pinned="1")
        for event in ("$title", "$pin"):
            await tx.run(update.redact, RULES, "transparency", event)
        entry = await numbered(tx, 1)
        assert (entry.title, entry.label, entry.pinned) == ({}, 2, True)


async def test_a_title_given_to_a_joined_page_goes_when_its_author_is_forgotten(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await correct(tx, 2, by="@eva:x", title="Second", label=AMBER)
        await merge(tx, 1, 2)
        await tx.run(update.forget, RULES, "@eva:x")
        assert await split(tx, 2)
        again = await numbered(tx, 2)
        assert (again.title, again.label) == ({}, 2)
        assert await tx.value("SELECT count(*) FROM knowledge_statements WHERE value = 'Second'") == 0


# -- votes ------------------------------------------------------------------------------------------------------------


async def votes(tx: Transaction, *numbers: int) -> list[int]:
    return [(await numbered(tx, number)).votes for number in numbers]


async def test_a_page_has_its_votes_again_and_whoever_found_both_useful_counts_once(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        for number, people in ((1, ("@eva:x", "@max:x")), (2, ("@eva:x", "@ida:x"))):
            for user in people:
                await vote(tx, (await numbered(tx, number)).id, user)
        assert await votes(tx, 1, 2) == [2, 2]
        await merge(tx, 1, 2)
        assert await votes(tx, 1) == [3]
        assert await split(tx, 2)
        assert await votes(tx, 1, 2) == [2, 2]


async def react(tx: Transaction, target: str, who: str, event: str) -> None:
    await tx.run(update.react, RULES, Reaction("!transparency-members:example.org", event, who, 3000, target, "👍"))


async def test_a_vote_given_to_a_message_goes_with_the_page_it_shared(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await merge(tx, 1, 2)
        await react(tx, "$2", "@eva:x", "$4")
        assert await votes(tx, 1) == [1]
        assert await split(tx, 2)
        assert await votes(tx, 1, 2) == [0, 1]
        await tx.run(update.redact, RULES, "transparency", "$4")
        assert await votes(tx, 1, 2) == [0, 0]


async def test_a_reaction_and_a_command_of_one_person_count_once_and_each_goes_with_its_message(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await two(tx)
        await react(tx, "$1", "@eva:x", "$like")
        await vote(tx, (await numbered(tx, 1)).id, "@eva:x", "$useful")
        assert await votes(tx, 1) == [1]
        await tx.run(update.redact, RULES, "transparency", "$like")
        assert await votes(tx, 1) == [1]
        await tx.run(update.redact, RULES, "transparency", "$useful")
        assert await votes(tx, 1) == [0]


async def test_ones_own_vote_counts_while_somebody_else_shares_the_page(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1", sender=ANA)
        await say(tx, f"again {A}", event="$2", sender=LUIS)
        await vote(tx, (await numbered(tx, 1)).id, ANA)
        assert await votes(tx, 1) == [1]
        await remove(tx, "$2")
        assert await votes(tx, 1) == [0]
        await say(tx, f"again {A}", event="$3", sender=LUIS)
        assert await votes(tx, 1) == [1]


# -- what is proposed, and what is shown ------------------------------------------------------------------------------


async def test_pages_of_one_shelf_that_may_be_one_are_candidates(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/guide https://www.example.org/guide/", event="$1")
        await say(tx, "https://example.org/en/about https://example.org/fr/about", event="$2")
        await say(tx, "https://www.example.org/guide/index.html", event="$3", hub="audit")
        [entry, *_] = await everything(tx)
        found = await tx.run(duplicates.candidates, entry.shelf.id)
        assert {(one.numbers, one.reason) for one in found if one.reason == "address"} == {((1, 2), "address")}
        assert ((3, 4), "language") in {(one.numbers, one.reason) for one in found}


async def test_what_is_hidden_is_shown_only_to_its_own_hub(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"first {A}", event="$1", hub="audit")
        await say(tx, f"second {B}", event="$2")
        own = await seen(tx, "audit")
        [entry] = await tx.run(load.numbered, own, 1)
        await tx.run(update.edit, RULES, entry.id, Author(ANA, NOW), [NewStatement("hidden", "1")])
        assert await tx.run(load.numbered, own, 1) == []
        assert [one.url for one in await tx.run(load.numbered, own, 1, hidden=True)] == [A]
        visitor = await seen(tx, "transparency", others=["audit"])
        assert [one.url for one in await tx.run(load.numbered, visitor, 1, hidden=True)] == [B]


@pytest.mark.parametrize(("first", "other"), [(1, 2), (2, 1)])
async def test_of_two_recommended_pages_the_first_gives_address_title_and_note(
    db: SqliteDatabase, first: int, other: int
) -> None:
    resources = [
        {"url": url, "title": {"en": f"Title {url[-1]}", language: f"In {language}"}, "note": f"Note {url[-1]}"}
        for url, language in ((A, "es"), (B, "fr"))
    ]
    hubs = [hub(resources=resources)]
    async with db.transaction() as tx:
        await recommend(tx, *hubs)
        into, gone = await numbered(tx, first), await numbered(tx, other)
        letter = into.url[-1]
        await merge(tx, first, other)
        for rules in (Rules(hubs), Rules([])):  # rebuilt, and with the YAML read again
            await tx.run(update.recommend, rules, hubs)
            await tx.run(rebuild, rules, {into.id})
            entry = await numbered(tx, other)
            assert entry.url == into.url
            assert entry.title["en"] == f"Title {letter}"
            assert list(entry.title) == [*into.title, *(gone.title.keys() - into.title.keys())]
            assert entry.recommendation == {"": f"Note {letter}"}
        left_out: Counter[str] = Counter()
        [(_, [item])] = [page async for page in exporter.pages(tx, exporter.Manner("transparency"), left_out)]
        assert (item.url, item.note) == (into.url, {"": f"Note {letter}"})
