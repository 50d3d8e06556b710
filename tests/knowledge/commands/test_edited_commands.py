"""A command that is edited counts as if its new text had been written first; what it did before is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.api import Hub
from bot.core.events import Batch, Edit, Message, Redaction, RoomUpdate
from bot.runtime.dispatcher import Limits
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.store.histories import text
from tests.knowledge.talk import EVA, MINUTE, MOD, ROOMS, said, share
from tests.knowledge.test_plugin import ANA, LUIS, ROOM

A, B = "https://example.org/a", "https://example.org/b"


def a_hub() -> Hub:
    return hub(moderators=[MOD], rooms=ROOMS)


async def corrected(s: Story, who: str, before: str, after: str) -> str:
    """A person writes something and edits it at once; answers what they read then."""
    message = s.message(who, before)
    await s.hear(message)
    return str(await s.edit(message, after))


async def is_found(s: Story, word: str) -> bool:
    return "Nothing found" not in await said(s, EVA, f"!find {word}")


@pytest.mark.parametrize("again", ["!hide 1.", "!hide  1", "!ocultar 1"])
@pytest.mark.parametrize("who", [MOD, ANA])
async def test_correcting_a_hide_leaves_it_hidden(told: Story, who: str, again: str) -> None:
    await share(told, f"aword {A}")
    assert "1 is hidden" in await corrected(told, who, "!hide 1", again)
    assert not await is_found(told, "aword")


async def test_what_becomes_no_command_takes_its_effect_and_its_words_along(told: Story) -> None:
    await share(told, f"aword {A}")
    for nth, command in enumerate(("!title 1 ", "!note 1 ", "!topic 1 +")):
        for other, after in enumerate(("sorry, wrong window", "!note 99 x", "!note 1", "!nothing 1")):
            word = f"zanzibar{nth}{other}"
            await corrected(told, MOD, command + word, after)
            assert word not in await told.db.reading().run(text)
            assert not await is_found(told, word)


async def test_a_merge_and_a_split_are_corrected(told: Story) -> None:
    for number in (1, 2, 3):
        await share(told, f"word{number} https://example.org/{number}")
    assert "3 is now part of 1" in await corrected(told, MOD, "!merge 1 2", "!merge 1 3")
    assert (await said(told, EVA, "!show 2")).startswith("2. ")
    await said(told, MOD, "!merge 1 2")
    await corrected(told, MOD, "!split 2", "!split 3")
    assert (await said(told, EVA, "!show 2")).startswith("1. ")
    assert (await said(told, EVA, "!show 3")).startswith("3. ")


async def test_a_vote_moves_with_its_message(told: Story) -> None:
    await share(told, f"aword {A}")
    await share(told, f"bword {B}")
    await corrected(told, LUIS, "!useful 1", "!useful 2")
    assert "useful" not in await said(told, EVA, "!show 1")
    assert "useful to 1 person" in await said(told, EVA, "!show 2")
    await corrected(told, EVA, "!useful 2", "thanks")
    assert "useful to 1 person" in await said(told, EVA, "!show 2")


async def test_an_edited_undo_undoes_nothing_more(told: Story) -> None:
    await share(told, f"aword {A}")
    await said(told, MOD, "!label 1 amber")
    await said(told, MOD, "!pin 1")
    assert await corrected(told, MOD, "!undo", "!deshacer") == "Undone: 1 pinned"
    assert "TLP:AMBER" in await said(told, EVA, "!show 1")


async def test_somebody_elses_edit_takes_nothing_back(told: Story) -> None:
    await share(told, f"aword {A}")
    message = told.message(MOD, "!title 1 Ours")
    await told.hear(message)
    await told.edit(message, "no", by=EVA)
    assert "Ours" in await said(told, EVA, "!show 1")


@pytest.mark.parametrize("first", [f"goneword {A}", f"!share {A} goneword", "!title 1 goneword"])
async def test_an_edit_of_a_deleted_message_says_nothing(told: Story, first: str) -> None:
    await share(told, "other https://example.org/other")
    message = told.message(MOD, first)
    await told.hear(message)
    await told.redact(message)
    await told.edit(message, first.replace("goneword", "ghostword").replace(A, B))
    assert not await is_found(told, "ghostword")
    assert not await is_found(told, "goneword")


async def test_a_deletion_that_overtakes_an_edit_counts(told: Story) -> None:
    message = told.message(ANA, f"goneword {A}")
    await told.hear(message)
    at = told.clock.now()
    gone = Redaction(ROOM, "$gone", ANA, at, message.event_id)
    ghost = Edit(message.event_id, Message(ROOM, "$ghost", ANA, at, f"ghostword {B}"))
    await told.hear(gone)
    await told.hear(ghost)
    assert not await is_found(told, "ghostword")


@pytest.fixture
async def hurried() -> AsyncIterator[Story]:
    """A bot that answers three commands a minute of one person, six of a room."""
    async with story([Knowledge], [a_hub()], limits=Limits(per_person=3, per_room=6)) as s:
        yield s


async def test_what_changes_something_is_done_though_too_fast_to_be_answered(hurried: Story) -> None:
    await share(hurried, f"aword {A}")
    title = hurried.message(MOD, "!title 1 secret")
    kept = hurried.message(MOD, f"!share {B} zebra")
    await hurried.hear(title)
    await hurried.hear(kept)
    for _ in range(5):
        await said(hurried, MOD, "!topics")
    assert await hurried.edit(title, "!title 1 x TLP:RED") is None
    await hurried.edit(kept, "!share https://example.org/c lemon")
    await hurried.advance(MINUTE)
    assert not await is_found(hurried, "secret")
    assert not await is_found(hurried, "zebra")
    assert await is_found(hurried, "lemon")


async def test_many_people_cannot_silence_the_bot_for_somebody_else(hurried: Story) -> None:
    await share(hurried, f"aword {A}")
    for number in range(6):
        for _ in range(3):
            await said(hurried, f"@flood{number}:example.org", "!topics")
    assert "1 is hidden" in await said(hurried, MOD, "!hide 1")


async def test_one_notice_then_silence_for_a_minute(hurried: Story) -> None:
    answers = [await hurried.say(EVA, "!topics") for _ in range(6)]
    assert [str(answer)[:12] for answer in answers[3:]] == ["You're askin", "None", "None"]
    await hurried.advance(MINUTE // 2)
    assert await hurried.say(EVA, "!topics") is None
    await hurried.advance(MINUTE // 2)
    assert await hurried.say(EVA, "!topics")


async def test_what_was_changed_during_a_long_pause_is_changed_and_answered(told: Story) -> None:
    """Questions of long ago are not answered; what they changed is not lost."""
    await share(told, f"aword {A}")
    old = [told.message(MOD, text) for text in (f"!share {B} bword", "!hide 1", "!find aword")]
    await told.advance(60 * MINUTE)
    before = len(told.sent)
    await told.pipeline.handle(Batch("late", (RoomUpdate(ROOM, events=tuple(old)),), catching_up=True))
    await told.settle()
    assert [str(row.content["body"])[:12] for row in told.sent[before:]] == ["Saved as 2. ", "1 is hidden:"]
    assert await is_found(told, "bword")
    assert not await is_found(told, "aword")


async def test_a_label_of_a_merged_result_leaves_what_is_hidden_in_it_alone(told: Story) -> None:
    await share(told, f"one {A}")
    await share(told, f"zulu {B} TLP:AMBER", LUIS)
    await said(told, MOD, "!hide 2")
    await said(told, MOD, "!merge 1 2")
    await said(told, MOD, "!label 1 clear")
    await said(told, MOD, "!split 2")
    await said(told, MOD, "!hide 2")
    assert "TLP:AMBER" in await said(told, EVA, "!show 2")


async def test_showing_a_merged_result_again_shows_only_what_was_shown_before(told: Story) -> None:
    await share(told, f"one {A}")
    await share(told, f"zulu {B}", LUIS)
    await said(told, MOD, "!hide 2")
    await said(told, MOD, "!merge 1 2")
    await said(told, MOD, "!hide 1")
    await said(told, MOD, "!hide 1")
    assert await is_found(told, "one")
    assert not await is_found(told, "zulu")


async def test_a_label_outlives_that_nobody_shares_the_page(told: Story) -> None:
    message = await share(told, f"aword {A}")
    await said(told, MOD, "!label 1 amber")
    await told.edit(message, "nothing")
    await told.edit(message, f"aword {A}")
    assert "TLP:AMBER" in await said(told, EVA, "!show 1")


@pytest.mark.parametrize("command", ["!note 1 \u200b", "!title 1 \u2060", "!note 1 \u202e"])
async def test_text_that_nobody_can_see_is_no_text(told: Story, command: str) -> None:
    await share(told, f"aword {A}")
    assert (await said(told, MOD, command)).startswith("There is no visible text.")


async def test_a_topic_that_says_tlp_red_is_not_stored(told: Story) -> None:
    await share(told, f"aword {A}")
    assert await said(told, MOD, "!topic 1 +tlp-red") == "Messages marked TLP:RED are not stored."


async def test_a_result_takes_no_more_topics_than_it_shows(told: Story) -> None:
    await share(told, f"aword {A}")
    many = " ".join(f"+t{number:02}" for number in range(12))
    await said(told, MOD, f"!topic 1 {many}")
    assert await said(told, MOD, "!topic 1 +more") == "A result has at most 12 topics; remove some first."
    assert "t00" not in await said(told, MOD, "!topic 1 -t00 +more")
    assert "There is no topic" not in await said(told, EVA, "!find topic:more")


async def test_a_merged_result_without_a_title_is_not_called_by_the_other_pages_words(told: Story) -> None:
    await share(told, f"one alpha words {A}")
    await share(told, f"other beta words {B}", LUIS)
    assert "other beta words (" not in await said(told, MOD, "!merge 1 2")
