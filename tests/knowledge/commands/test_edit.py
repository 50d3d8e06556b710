"""Members, coordinators and moderators correct results, and take back what was changed."""

from __future__ import annotations

import pytest

from bot.runtime.directory import Directory
from bot.testing.story import Story
from tests.knowledge.hubs import hub
from tests.knowledge.talk import COORDINATOR, EVA, MOD, said, share
from tests.knowledge.test_plugin import ANA, LUIS, ROOM, count


async def test_members_correct_what_they_alone_shared_and_nothing_else(told: Story) -> None:
    await share(told)
    await share(told, "other https://example.org/b", LUIS)
    await share(told, "also https://example.org/b", EVA)
    assert "1. Gift policy" in await said(told, ANA, "!title 1 Gift policy")
    for command in ("!title 2 X", "!note 2 X", "!topic 2 +gifts", "!label 2 amber", "!hide 2"):
        assert "coordinators and moderators" in await said(told, LUIS, command), command
    for command in ("!pin 1", "!merge 1 2", "!split 2", "!changes", "!alike"):
        await said(told, LUIS, command)
    assert await count(told, "knowledge_commands") == 1


async def test_what_was_changed_as_a_coordinator_stays_when_one_is_none_any_more(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!hide 1")
    told.services.directory = Directory([hub(title="Transparency")])
    await told.pipeline.refresh()
    assert "no change to undo" in await said(told, MOD, "!undo")
    assert "no change to undo" in await said(told, MOD, "!undo 1")


@pytest.mark.parametrize("who", [MOD, COORDINATOR])
async def test_coordinators_and_moderators_correct_everything(told: Story, who: str) -> None:
    await share(told)
    assert "1. Gift policy" in await said(told, who, "!title 1 Gift policy")
    assert "· Gifts" in await said(told, who, "!topic 1 +regalos #audit")
    assert "TLP:AMBER" in await said(told, who, "!label 1 TLP:amber")
    assert "pinned" in await said(told, who, "!pin 1")
    for odd in ("+a`b", "+<b>", "-", "+" + "x" * 99):
        assert "Write topics like" in await said(told, who, f"!topic 1 {odd}")
    await said(told, who, "!note 1 zanzibarista")
    assert (await said(told, LUIS, "!find zanzibarista")).startswith("1. Gift policy")
    assert "Audit" in await said(told, LUIS, "!find topic:audit")
    assert "searches do not show it" in await said(told, who, "!hide 1")
    assert "Nothing found" in await said(told, LUIS, "!find zanzibarista")
    assert "no result" in await said(told, LUIS, "!show 1")
    assert "Hidden: searches" in await said(told, who, "!show 1")
    assert "is visible again" in await said(told, who, "!hide 1")
    assert (await said(told, LUIS, "!find zanzibarista")).startswith("1. Gift policy")


async def test_changes_are_listed_and_undone_in_any_order(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!title 1 First")
    await said(told, COORDINATOR, "!pin 1")
    await said(told, MOD, "!topic 1 +audit")
    lines = (await said(told, MOD, "!changes")).splitlines()
    assert lines == [
        f"- 3 · 15 Jan 2027 · {MOD} · topic of 1: +audit",
        f"- 2 · 15 Jan 2027 · {COORDINATOR} · 1 pinned",
        f"- 1 · 15 Jan 2027 · {MOD} · title of 1: First",
    ]
    assert await said(told, MOD, "!undo 1") == "Undone: title of 1: First"
    assert "First" not in await said(told, MOD, "!show 1")
    assert await said(told, MOD, "!undo") == "Undone: topic of 1: +audit"
    assert "no change to undo" in await said(told, MOD, "!undo")
    assert await said(told, MOD, "!undo 1") == "That change has already been undone."
    assert "no change to undo" in await said(told, LUIS, "!undo 2")
    assert await said(told, MOD, "!undo 2") == "Undone: 1 pinned"
    assert (await said(told, MOD, "!changes")).count("undone") == 3


async def test_what_was_changed_is_shown_as_it_is_now(told: Story) -> None:
    await share(told, "policy https://example.org/a #old")
    undo = "To undo this: !undo"
    assert (await said(told, MOD, "!note 1 Start with *chapter* 3")).endswith(
        f"\n\nNote: Start with *chapter* 3\n\n{undo}"
    )
    assert (await said(told, MOD, "!label 1 clear")).endswith(f"\n\nLabel: TLP:CLEAR\n\n{undo}")
    assert (await said(told, MOD, "!topic 1 +audit -old")).endswith(f"\n\nTopics: Audit\n\n{undo}")
    assert (await said(told, MOD, "!topic 1 -audit")).endswith(f"\n\nIt has no topics.\n\n{undo}")
    await said(told, MOD, "!hide 1")
    assert (await said(told, MOD, "!note 1 Hidden")).endswith(
        f"\n\nNote: Hidden\n\nHidden: searches do not show it.\n\n{undo}"
    )


@pytest.mark.parametrize(
    "command", ["title 1 First", "note 1 Why it helps", "label 1 clear", "topic 1 +audit", "topic 1 -old"]
)
async def test_what_is_so_already_is_said_to_be_no_change(told: Story, command: str) -> None:
    await share(told, "policy https://example.org/a #old")
    first = await said(told, MOD, f"!{command}")
    again = await said(told, MOD, f"!{command}")
    assert again == first.replace("To undo this: !undo", "Nothing to change.")
    assert await count(told, "knowledge_commands") == 1


@pytest.mark.parametrize(("command", "so"), [("topic 1 -gifts", "Topics: #old"), ("label 1 green", "Label: TLP:GREEN")])
async def test_what_changes_nothing_is_not_listed_as_a_change(told: Story, command: str, so: str) -> None:
    await share(told, "policy https://example.org/a #old")
    assert (await said(told, MOD, f"!{command}")).endswith(f"\n\n{so}\n\nNothing to change.")
    assert await count(told, "knowledge_commands") == 0


async def test_what_one_command_changed_is_one_change_and_taken_back_as_one(told: Story) -> None:
    await share(told, "policy https://example.org/a #old")
    await said(told, MOD, "!topic 1 +gifts -old")
    await said(told, MOD, "!topic 1 +audit")
    first = f"- 1 · 15 Jan 2027 · {MOD} · topic of 1: +gifts, topic of 1: -old"
    assert (await said(told, MOD, "!changes")).splitlines()[1] == first
    assert await said(told, COORDINATOR, "!undo 1") == "Undone: topic of 1: +gifts, topic of 1: -old"
    assert (await said(told, MOD, "!changes")).splitlines()[1] == f"{first} · undone"
    assert "· Audit · #old ·" in await said(told, LUIS, "!show 1")
    assert await said(told, MOD, "!undo 1") == "That change has already been undone."


async def test_what_was_changed_since_stays_when_a_change_is_taken_back(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!topic 1 +gifts +audit")
    await said(told, COORDINATOR, "!topic 1 -gifts +old")
    before = await said(told, LUIS, "!show 1")
    assert await said(told, MOD, "!undo 1") == "Undone: topic of 1: +gifts, topic of 1: +audit"
    assert await said(told, LUIS, "!show 1") == before.replace(" · Audit", "")


@pytest.mark.parametrize("mark", ["TLP:RED", "!nolog", "TLP:\u200bRED", "T\u00adLP:RED", "!no\u200blog"])
@pytest.mark.parametrize("what", ["title", "note"])
async def test_words_that_must_not_be_kept_are_not_kept_as_a_title_or_note(told: Story, what: str, mark: str) -> None:
    await share(told)
    answer = await said(told, ANA, f"!{what} 1 {mark} zanzibarista")
    assert "not stored" in answer
    assert ("TLP:RED" if "RED" in mark else "!nolog") in answer
    message = told.message(ANA, f"!{what} 1 zanzibarista")
    await told.hear(message)
    assert "/a" in await said(told, ANA, "!find zanzibarista")
    await told.edit(message, f"!{what} 1 {mark} zanzibarista")
    assert "Nothing found" in await said(told, LUIS, "!find zanzibarista")
    assert await count(told, "knowledge_statements WHERE value LIKE '%zanzi%'") == 0


async def test_a_label_in_a_note_is_that_of_the_result_where_it_is_stricter(told: Story) -> None:
    await share(told)
    assert "TLP:AMBER" in await said(told, MOD, "!note 1 TLP:AMBER zanzibarista")
    await said(told, MOD, "!note 1 TLP:CLEAR quokkaly")
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")
    await said(told, MOD, "!undo")
    answer = await said(told, MOD, "!undo 1")
    assert answer == "Undone: note on 1: TLP:AMBER zanzibarista, label of 1: amber"
    assert "TLP:AMBER" not in await said(told, MOD, "!show 1")


async def test_a_title_that_was_replaced_since_does_not_come_back(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!title 1 First")
    await said(told, COORDINATOR, "!title 1 Second")
    assert await said(told, MOD, "!undo") == "Undone: title of 1: First"
    assert "1. Second" in await said(told, MOD, "!show 1")
    await said(told, COORDINATOR, "!undo")
    assert "1. example.org" in await said(told, MOD, "!show 1")


async def test_changes_to_what_is_gone_cannot_be_taken_back_and_are_passed_over(told: Story) -> None:
    await share(told)
    gone = await share(told, "other https://example.org/b")
    await said(told, MOD, "!title 1 First")
    await said(told, MOD, "!pin 2")
    await told.redact(gone)
    what_is_gone = "That change can no longer be undone: its result no longer exists."
    assert await said(told, MOD, "!undo 2") == what_is_gone
    assert await said(told, MOD, "!undo") == "Undone: title of 1: First"
    assert await said(told, MOD, "!undo") == "You have no change to undo here."


async def test_members_go_on_to_what_is_still_theirs_alone(told: Story) -> None:
    await share(told)
    await share(told, "other https://example.org/b")
    await said(told, ANA, "!title 1 First")
    await said(told, ANA, "!title 2 Second")
    await share(told, "also https://example.org/b", LUIS)
    assert await said(told, ANA, "!undo") == "Undone: title of 1: First"
    assert "no change to undo" in await said(told, ANA, "!undo")
    assert "Second" in await said(told, LUIS, "!show 2")


async def test_coordinators_are_told_that_no_change_has_a_number(told: Story) -> None:
    await share(told)
    assert await said(told, MOD, "!undo 57") == "There is no change with the number 57 here."
    assert await said(told, MOD, "!undo") == "You have no change to undo here."
    assert await said(told, ANA, "!undo 57") == "You have no change to undo here."


@pytest.mark.parametrize(
    ("command", "left"),
    [("title 1 First", "title of 1"), ("note 1 Why", "note on 1"), ("topic 1 +fresh", "topic of 1")],
)
async def test_a_change_whose_message_was_deleted_is_listed_without_its_words(
    told: Story, command: str, left: str
) -> None:
    await share(told)
    message = await share(told, f"!{command}", MOD)
    await told.redact(message)
    assert await said(told, MOD, "!changes") == f"- 1 · 15 Jan 2027 · {MOD} · {left} · undone"


async def test_corrections_are_for_the_hubs_rooms_not_for_direct_chats(told: Story) -> None:
    await share(told)
    direct = await told.direct(MOD)
    await told.join(MOD, ROOM)
    numbered = (
        "title 1 X",
        "note 1 X",
        "topic 1 +x",
        "label 1 green",
        "hide 1",
        "pin 1",
        "merge 1 1",
        "split 1",
        "moved 1",
    )
    for command in (*numbered, "undo", "changes", "alike", "links", "share https://example.org/b"):
        assert (
            await said(told, MOD, command, direct)
            == "Use that command in a room of the hub, so that the others can see it."
        )
