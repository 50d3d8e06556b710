"""Whole conversations: capture, curation by roles, votes, choices. What is answered in other languages is in
test_four_languages.py."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.events import Edit, Message, Reaction, Redaction
from bot.directory import Directory
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.people import People
from tests.knowledge.hubs import hub
from tests.knowledge.test_plugin import ANA, HOUR, LUIS, ROOM, count

MOD, COORDINATOR, EVA = "@mod:example.org", "@co:example.org", "@eva:example.org"
INSIDE = "!inside:example.org"
MINUTE = 60_000
ROOMS = [{"id": ROOM, "log_links": True}, {"id": INSIDE, "log_links": True, "role": "coordinators"}]


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub(moderators=[MOD], coordinators=[{"user": COORDINATOR}], rooms=ROOMS)]) as s:
        yield s


async def like(s: Story, who: str, message: Message, sign: str = "👍", event: str = "$like") -> None:
    await s.hear(Reaction(message.room, event, who, s.clock.now(), message.event_id, sign))


async def share(s: Story, text: str = "policy https://example.org/a", who: str = ANA, room: str = ROOM) -> Message:
    message = s.message(who, text, room=room)
    await s.hear(message)
    return message


async def said(s: Story, who: str, text: str, room: str = ROOM) -> str:
    return str(await s.say(who, text, room=room))


def reactions(s: Story) -> list[str]:
    found = []
    for row in s.sent:
        about = row.content.get("m.relates_to")
        if row.type == "m.reaction" and isinstance(about, Mapping):
            found.append(str(about["key"]))
    return found


async def test_that_words_are_missing_is_told_once_and_only_where_it_is_so(told: Story) -> None:
    for number in range(6):
        await share(told, f"volcano lava steam https://example.org/full/{number}")
    for number in range(8):
        await share(told, f"volcano lava https://example.org/part/{number}")
    pages = [await said(told, LUIS, "!find volcano lava steam")]
    pages += [await said(told, LUIS, "!more") for _ in range(2)]
    assert "have some" not in pages[0]
    assert pages[1].count("No other result has all the words; these have some.") == 1
    assert pages[1].count("/full/") == 1
    assert "No result has all" not in "".join(pages)


async def test_missing_words_are_not_told_again_on_the_next_page(told: Story) -> None:
    for number in range(5):
        await share(told, f"volcano lava steam https://example.org/full/{number}")
    for number in range(8):
        await share(told, f"volcano lava https://example.org/part/{number}")
    assert "have some" not in await said(told, LUIS, "!find volcano lava steam")
    assert (await said(told, LUIS, "!more")).startswith("No other result has all the words; these have some.")
    last = await said(told, LUIS, "!more")
    assert "/part/" in last
    assert "have some" not in last


async def test_what_the_yaml_recommends_is_numbered_in_its_order() -> None:
    resources = [{"url": f"https://example.org/{number}", "title": f"Guide {number}"} for number in range(1, 10)]
    async with story([Knowledge], [hub(resources=resources)]) as s:
        for number in range(1, 10):
            assert (await said(s, LUIS, f"!show {number}")).startswith(f"{number}. Guide {number} ")


async def test_thumbs_up_finds_a_page_useful_and_taking_it_back_does_not(told: Story) -> None:
    message = await share(told)
    await like(told, LUIS, message, "👍🏽")
    assert "useful to 1 person" in await said(told, LUIS, "!find policy")
    await like(told, EVA, message, event="$like2")
    await like(told, EVA, message, "👍️", event="$like3")
    assert "useful to 2 people" in await said(told, LUIS, "!find policy")
    await told.hear(Redaction(ROOM, "$gone", LUIS, told.clock.now(), "$like"))
    assert "useful to 1 person" in await said(told, LUIS, "!find policy")


@pytest.mark.parametrize(("who", "sign"), [(ANA, "👍"), (LUIS, "👎"), (LUIS, "❤️"), (LUIS, "thumbs up")])
async def test_ones_own_and_other_signs_do_not_count(told: Story, who: str, sign: str) -> None:
    await like(told, who, await share(told), sign)
    assert await count(told, "votes") == 0


async def test_useful_by_command_counts_once_and_not_for_ones_own(told: Story) -> None:
    await share(told)
    for _ in range(2):
        assert (await said(told, LUIS, "!useful 1")).startswith("Noted: 1 helped you.")
    assert "You shared that one yourself" in await said(told, ANA, "!useful 1")
    assert await count(told, "votes") == 1


async def test_useful_by_command_is_taken_back_with_its_message_and_not_by_undo(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!pin 1")
    await said(told, MOD, "!useful 1")
    message = told.message(MOD, "!useful 1")
    assert "Delete your message" in str(await told.hear(message))
    assert "useful to 1 person" in await said(told, LUIS, "!find policy")
    await told.redact(message)
    assert "useful" not in await said(told, LUIS, "!find policy")
    assert await said(told, MOD, "!undo") == "Taken back: 1 pinned"


async def test_a_direct_chat_where_deleting_takes_nothing_back_does_not_promise_it(told: Story) -> None:
    await share(told)
    direct = await told.direct(LUIS)
    await told.join(LUIS, ROOM)
    assert await said(told, LUIS, "!useful 1", direct) == "Noted: 1 helped you."


async def test_a_link_handed_over_is_kept_where_links_are_not_kept_by_themselves() -> None:
    async with story([Knowledge], [hub(rooms=[{"id": ROOM}])]) as s:
        message = s.message(ANA, "!share https://example.org/a why it helps #gifts")
        assert await s.hear(message) == "Kept as 1. Thank you."
        answer = await said(s, LUIS, "!find why helps topic:gifts")
        assert answer.startswith("1. ")
        await s.edit(message, "!share https://example.org/b another reason")
        assert "https://example.org/b" in await said(s, LUIS, "!show 2")
        assert "no result" in await said(s, LUIS, "!show 1")
        await s.edit(message, "!share https://example.org/b the words put right")
        assert "the words put right" in await said(s, LUIS, "!show 2")
        later = replace(message, event_id="$later", body="!find something else", sent_at=message.sent_at + 1)
        await s.hear(Edit(message.event_id, later))
        assert await count(s, "shares") == 0


async def test_each_link_of_a_digest_is_found_by_its_own_line_first_and_called_by_it(told: Story) -> None:
    lines = ["Gift policy", "Travel costs", "Procurement review", "Whistleblower survey", "Risk register",
             "Volcano insurance", "Glacier tunnels"]  # fmt: skip
    digest = [f"{line}: https://example.org/{number:07x}" for number, line in enumerate(lines, start=0xABC0)]
    await share(told, "Weekly digest of the partners\n" + "\n".join(f"- {line}" for line in digest))
    for number, line in enumerate(lines, start=1):
        found = (await said(told, LUIS, f"!find {line.split()[1]}")).splitlines()
        assert found[0].startswith(f"{number}. {line} (https://example.org/")
        assert len([row for row in found if "shared by ana" in row]) == 1
    assert (await said(told, LUIS, "!find glacier topic:gifts")).startswith("Nothing found")
    assert f"“{lines[6]} · Weekly digest of the partners”" in await said(told, LUIS, "!show 7")
    assert "7." in await said(told, LUIS, "!find weekly digest glacier")


async def test_a_title_taken_from_the_words_beside_a_link_has_no_marks(told: Story) -> None:
    await share(told, "the draft #gifts TLP:AMBER https://example.org/3fa85f64")
    assert (await said(told, LUIS, "!find draft")).startswith("1. the draft gifts (https://example.org/3fa85f64)")


@pytest.mark.parametrize("said_", ["www.wcoomd.org/guide", "see (www.wcoomd.org/guide)", "<www.wcoomd.org/guide>"])
async def test_an_address_that_is_handed_over_needs_no_scheme(told: Story, said_: str) -> None:
    assert await said(told, ANA, f"!share {said_}") == "Kept as 1. Thank you."
    assert "(https://www.wcoomd.org/guide)" in await said(told, LUIS, "!show 1")


async def test_who_hands_over_what_is_hidden_is_told_so(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!hide 1")
    hidden = "Coordinators hid this page, so nobody finds it: https://example.org/a"
    assert await said(told, EVA, "!share https://example.org/a") == hidden
    both = await said(told, EVA, "!share https://example.org/a https://example.org/b")
    assert both == f"Kept as 2. Thank you.\n{hidden}"


async def test_what_is_handed_over_goes_with_its_message(told: Story) -> None:
    message = told.message(ANA, "!share https://example.org/a why it helps")
    await told.hear(message)
    await told.redact(message)
    assert await count(told, "shares") == 0


async def test_a_message_that_becomes_a_share_command_shares_what_it_hands_over(told: Story) -> None:
    message = await share(told)
    await told.edit(message, "!share https://example.org/a because it helps")
    assert "“because it helps”" in await said(told, LUIS, "!show 1")
    assert await count(told, "shares") == 1


async def test_a_hub_that_keeps_no_notes_keeps_none_that_are_handed_over() -> None:
    async with story([Knowledge], [hub(keep_notes=False)]) as s:
        await s.say(ANA, "!share https://example.org/a zanzibarista")
        assert await s.db.reading().value("SELECT note FROM shares") is None


async def test_a_link_is_told_to_be_kept_or_known_by_a_quiet_reaction() -> None:
    async with story([Knowledge], [hub(tell_kept=True)]) as s:
        message = await share(s)
        await share(s, "again https://example.org/a?utm_source=mail")
        await share(s, "no link")
        assert reactions(s) == ["kept", "known already"]
        await s.edit(message, "policy, better said https://example.org/a")
        assert reactions(s) == ["kept", "known already"]


async def test_the_quiet_reaction_goes_when_an_edit_takes_the_links_out() -> None:
    async with story([Knowledge], [hub(tell_kept=True)]) as s:
        message = await share(s)
        await s.edit(message, "policy https://example.org/b")
        assert "redact" not in [row.action for row in s.sent]
        await s.edit(message, "policy, without a link")
        await s.edit(message, "policy, still without one")
        [gone] = [row for row in s.sent if row.action == "redact"]
        assert gone.replaces == next(row.key for row in s.sent if row.type == "m.reaction")


async def test_the_text_before_an_edit_does_not_come_back_when_its_key_comes_late(told: Story) -> None:
    message = told.message(ANA, "the first zanzibarista https://example.org/a https://example.org/secret")
    await told.hear_sealed(message)
    await told.edit(message, "better said https://example.org/a")
    await told.key_arrives()
    assert "“better said”" in await said(told, LUIS, "!show 1")
    assert "Nothing found" in await said(told, LUIS, "!find zanzibarista")
    assert await count(told, "shares") == 1
    await told.edit(message, "said best https://example.org/a")
    assert "“said best”" in await said(told, LUIS, "!show 1")


async def test_what_somebody_else_makes_of_a_message_that_shares_something_is_not_kept(told: Story) -> None:
    message = await share(told)
    await told.edit(message, "nothing", by=LUIS)
    await told.edit(message, "!find policy", by=LUIS)
    await told.edit(message, "mine https://example.org/b", by=LUIS)
    assert [row["url"] for row in await told.db.reading().rows("SELECT url FROM shares")] == ["https://example.org/a"]
    await told.edit(message, "mine https://example.org/c")
    assert [row["url"] for row in await told.db.reading().rows("SELECT url FROM shares")] == ["https://example.org/c"]


async def test_that_a_hidden_page_is_known_is_told_to_nobody() -> None:
    async with story([Knowledge], [hub(tell_kept=True, moderators=[MOD])]) as s:
        await share(s)
        await said(s, MOD, "!hide 1")
        await share(s, "again https://example.org/a", EVA)
        assert reactions(s) == ["kept", "kept"]


async def test_members_correct_what_they_alone_shared_and_nothing_else(told: Story) -> None:
    await share(told)
    await share(told, "other https://example.org/b", LUIS)
    await share(told, "also https://example.org/b", EVA)
    assert "1. Gift policy" in await said(told, ANA, "!title 1 Gift policy")
    for command in ("!title 2 X", "!note 2 X", "!topic 2 +gifts", "!label 2 amber", "!hide 2"):
        assert "for coordinators and moderators" in await said(told, LUIS, command), command
    for command in ("!pin 1", "!merge 1 2", "!split 2", "!changes", "!alike"):
        await said(told, LUIS, command)
    assert await count(told, "changes") == 1


async def test_what_was_changed_as_a_coordinator_stays_when_one_is_none_any_more(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!hide 1")
    told.desk.directory = Directory([hub(title="Transparency")])
    await told.pipeline.refresh()
    assert "no change of yours" in await said(told, MOD, "!undo")
    assert "no change of yours" in await said(told, MOD, "!undo 1")


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
    assert "nobody finds it" in await said(told, who, "!hide 1")
    assert "Nothing found" in await said(told, LUIS, "!find zanzibarista")
    assert "no result" in await said(told, LUIS, "!show 1")
    assert "It is hidden" in await said(told, who, "!show 1")
    assert "is found again" in await said(told, who, "!hide 1")
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
    assert await said(told, MOD, "!undo 1") == "Taken back: title of 1: First"
    assert "First" not in await said(told, MOD, "!show 1")
    assert await said(told, MOD, "!undo") == "Taken back: topic of 1: +audit"
    assert "no change of yours" in await said(told, MOD, "!undo")
    assert "can no longer be taken back" in await said(told, MOD, "!undo 1")
    assert "no change of yours" in await said(told, LUIS, "!undo 2")
    assert await said(told, MOD, "!undo 2") == "Taken back: 1 pinned"
    assert (await said(told, MOD, "!changes")).count("taken back") == 3


async def test_what_one_command_changed_is_taken_back_as_one_by_any_of_its_numbers(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!topic 1 +gifts -policy")
    await said(told, MOD, "!topic 1 +audit")
    assert await said(told, COORDINATOR, "!undo 2") == "Taken back: topic of 1: +gifts, topic of 1: -policy"
    assert (await said(told, MOD, "!changes")).count("taken back") == 2
    assert "can no longer be taken back" in await said(told, MOD, "!undo 1")


async def test_nothing_of_a_command_is_taken_back_if_a_part_was_changed_since(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!topic 1 +gifts +audit")
    await said(told, COORDINATOR, "!topic 1 -gifts")
    assert "something changed since" in await said(told, MOD, "!undo 2")
    assert "Audit" in await said(told, LUIS, "!show 1")


@pytest.mark.parametrize("mark", ["TLP:RED", "!nolog"])
@pytest.mark.parametrize("what", ["title", "note"])
async def test_words_that_must_not_be_kept_are_not_kept_as_a_title_or_note(told: Story, what: str, mark: str) -> None:
    await share(told)
    answer = await said(told, ANA, f"!{what} 1 {mark} zanzibarista")
    assert "is not kept" in answer
    assert mark in answer
    message = told.message(ANA, f"!{what} 1 zanzibarista")
    await told.hear(message)
    assert "/a" in await said(told, ANA, "!find zanzibarista")
    await told.edit(message, f"!{what} 1 {mark} zanzibarista")
    assert "Nothing found" in await said(told, LUIS, "!find zanzibarista")
    assert await told.db.reading().value("SELECT count(*) FROM changes WHERE after LIKE '%zanzi%'") == 0


async def test_a_label_in_a_note_is_that_of_the_result_where_it_is_stricter(told: Story) -> None:
    await share(told)
    assert "TLP:AMBER" in await said(told, MOD, "!note 1 TLP:AMBER zanzibarista")
    await said(told, MOD, "!note 1 TLP:CLEAR quokkaly")
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")
    assert await said(told, MOD, "!undo 1") == "That change can no longer be taken back: something changed since."
    await said(told, MOD, "!undo")
    answer = await said(told, MOD, "!undo")
    assert answer == "Taken back: note on 1: TLP:AMBER zanzibarista, label of 1: amber"
    assert "TLP:AMBER" not in await said(told, MOD, "!show 1")


async def test_what_was_changed_since_is_not_undone(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!title 1 First")
    await said(told, COORDINATOR, "!title 1 Second")
    assert "something changed since" in await said(told, MOD, "!undo")
    assert "Second" in await said(told, MOD, "!show 1")


async def test_results_are_joined_taken_apart_and_joined_again(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    assert "!merge 1 2 · their addresses differ in little" in await said(told, MOD, "!alike")
    assert (await said(told, MOD, "!merge 1 2")).startswith("2 is part of 1 now.")
    assert (await said(told, LUIS, "!find first second")).startswith("1. ")
    assert "one result already" in await said(told, MOD, "!merge 1 2")
    assert await said(told, MOD, "!alike") == "No two results look like one page."
    assert await said(told, MOD, "!split 2") == "2 stands for itself again."
    assert (await said(told, LUIS, "!find second")).startswith("2. ")
    assert "not joined" in await said(told, MOD, "!split 2")
    assert await said(told, MOD, "!undo") == "Taken back: 2 taken out of 1"
    assert (await said(told, LUIS, "!find second")).startswith("1. ")


async def pairs(s: Story, page: str = "") -> list[str]:
    """The numbers of the results that are proposed to be joined."""
    return re.findall(r"^- !merge (\S+ \S+) ·", await said(s, MOD, f"!alike {page}"), re.MULTILINE)


async def test_what_is_proposed_is_seen_with_both_addresses(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/?token=secret", LUIS)
    await share(told, "third https://www.example.org/guide/", LUIS)
    assert await said(told, MOD, "!alike") == (
        "These may be one page. Look at both before you join them; if they are two pages, write !merge 1 3 no:\n"
        "- !merge 1 3 · their addresses differ in little · https://example.org/guide · https://www.example.org/guide/"
    )


async def test_two_pages_are_not_proposed_again_until_that_is_taken_back(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    stay = "2 and 1 stay two results; !alike does not show them again. Not meant? !undo"
    assert await said(told, MOD, "!merge 2 1 no") == stay
    assert await said(told, MOD, "!alike") == "No two results look like one page."
    assert "2 and 1 are two pages" in await said(told, MOD, "!changes")
    assert (await said(told, LUIS, "!find second")).startswith("2. ")
    assert await said(told, MOD, "!undo") == "Taken back: 2 and 1 are two pages"
    assert await pairs(told) == ["1 2"]
    assert (await said(told, MOD, "!merge 1 2")).startswith("2 is part of 1 now.")


async def test_two_pages_stay_two_when_who_said_so_is_forgotten(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    await said(told, MOD, "!merge 1 2 no")
    await said(told, MOD, "!forget me")
    assert await said(told, COORDINATOR, "!alike") == "No two results look like one page."


async def test_of_three_that_are_alike_the_others_are_proposed_after_one_pair_is_not(told: Story) -> None:
    for url in ("https://example.org/guide", "https://www.example.org/guide", "http://example.org/guide/"):
        await share(told, f"see {url}")
    found = []
    while proposed := await pairs(told):
        found += proposed
        await said(told, MOD, f"!merge {proposed[0]} no")
    assert found == ["1 2", "1 3", "2 3"]


async def test_every_candidate_is_seen_page_by_page(told: Story) -> None:
    await share(told, "https://example.org/guide https://www.example.org/guide")
    for number in range(12):
        await share(told, f"https://example.org/{number} https://example.org/{number}/")
    assert (await said(told, MOD, "!alike")).endswith("\n\n3 more: !alike 2")
    first, second = await pairs(told), await pairs(told, "2")
    assert (len(first), len(second), len({*first, *second})) == (10, 3, 13)
    assert "1 2" in second
    assert await said(told, MOD, "!alike 3") == "That was everything."
    for pair in first:
        await said(told, MOD, f"!merge {pair} no")
    assert await pairs(told) == second


@pytest.mark.parametrize("no", ["no", "NON", "não", "nao"])
async def test_no_is_understood_in_four_languages(told: Story, no: str) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    wrong = "Write !merge 1 2, or !merge 1 2 no if it is wrong."
    assert await said(told, MOD, "!merge 1 2 perhaps") == wrong
    assert "stay two results" in await said(told, MOD, f"!merge 1 2 {no}")
    assert await pairs(told) == []


async def test_undoing_a_join_gives_both_their_own_titles_topics_and_labels_back(told: Story) -> None:
    await share(told, "first https://example.org/a")
    await share(told, "second https://example.org/b", LUIS)
    for command in ("!title 2 Second", "!topic 2 +audit", "!label 2 amber", "!pin 1"):
        await said(told, MOD, command)
    before = [await said(told, MOD, f"!show {number}") for number in (1, 2)]
    await said(told, MOD, "!merge 1 2")
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")
    assert await said(told, MOD, "!undo") == "Taken back: 2 joined to 1"
    assert [await said(told, MOD, f"!show {number}") for number in (1, 2)] == before


async def test_corrections_are_for_the_hubs_rooms_not_for_direct_chats(told: Story) -> None:
    await share(told)
    direct = await told.direct(MOD)
    await told.join(MOD, ROOM)
    for command in ("!title 1 X", "!hide 1", "!undo", "!changes", "!merge 1 1", "!alike"):
        assert "room of the hub" in await said(told, MOD, command, direct), command


async def test_what_coordinators_share_in_their_room_is_found_there_only(told: Story) -> None:
    await share(told, "zanzibarista https://example.org/secret", COORDINATOR, INSIDE)
    await share(told, "open https://example.org/open")
    assert (await said(told, COORDINATOR, "!find zanzibarista", INSIDE)).startswith("c1. ")
    assert (await said(told, COORDINATOR, "!find open", INSIDE)).startswith("1. ")
    assert "https://example.org/secret" in await said(told, COORDINATOR, "!show c1", INSIDE)
    direct = await told.direct(COORDINATOR)
    await told.join(COORDINATOR, ROOM)
    await told.join(COORDINATOR, INSIDE)
    for room in (ROOM, direct):
        assert "Nothing found" in await said(told, COORDINATOR, "!find zanzibarista", room)
        assert "no result" in await said(told, COORDINATOR, "!show c1", room)
        assert "secret" not in await said(told, COORDINATOR, "!recent", room)


async def test_in_a_direct_chat_only_hubs_the_asker_is_in_now_are_seen(told: Story) -> None:
    await share(told)
    direct = await told.direct(LUIS)
    await told.join(LUIS, ROOM)
    assert (await said(told, LUIS, "find policy", direct)).startswith("1. ")
    async with told.db.transaction() as tx:
        await tx.execute("DELETE FROM members")
    assert "https://example.org/a" not in await said(told, LUIS, "find policy", direct)
    assert "https://example.org/a" not in await said(told, LUIS, "!more", direct)


async def test_people_choose_whether_their_links_are_kept(told: Story) -> None:
    await share(told)
    assert "nothing you share is kept" in await said(told, ANA, "!mylinks off")
    message = await share(told, "later https://example.org/b")
    assert await count(told, "shares") == 1
    await told.hear(Edit(message.event_id, told.message(ANA, "edited https://example.org/c")))
    assert "!mylinks on changes that" in await said(told, ANA, "!share https://example.org/d")
    assert await count(told, "shares") == 1
    assert await said(told, ANA, "!mylinks on") == "From now on the links you share are kept."
    await share(told, "again https://example.org/b")
    assert await count(told, "shares") == 2


async def test_who_may_be_asked_is_named_only_if_they_agreed(told: Story) -> None:
    await share(told, "#gifts https://example.org/a")
    assert "Nobody who shared on this has agreed" in await said(told, LUIS, "!who gifts")
    await said(told, ANA, "!askme on")
    for topic in ("gifts", "Regalos", "#gifts", "obsequios", "cadeaux"):
        assert await said(told, LUIS, f"!who {topic}") == f"You can ask:\n- {ANA}"
    await said(told, ANA, "!askme off")
    assert ANA not in await said(told, LUIS, "!who gifts")


async def test_the_most_useful_of_a_time_come_first(told: Story) -> None:
    old = await share(told, "old https://example.org/old")
    await like(told, LUIS, old)
    await told.advance(20 * 24 * HOUR)
    await share(told, "plain https://example.org/plain")
    liked = await share(told, "liked https://example.org/liked")
    await like(told, LUIS, liked, event="$like2")
    week, month = await said(told, EVA, "!top week"), await said(told, EVA, "!top mes")
    assert week.index("/liked") < week.index("/plain")
    assert "/old" not in week
    assert "/old" in month


async def test_forgetting_a_person_takes_what_they_shared_said_and_chose(tmp_path: Path) -> None:
    """In the file, too: neither the database nor its log holds a word of it."""
    file = tmp_path / "faro.db"
    settings = hub(moderators=[MOD])
    async with story([Knowledge], [settings], database=file) as s:
        await share(s, "zanzibarista quokkaly https://example.org/wombatish", LUIS)
        await share(s, "theirs https://example.org/theirs")
        await said(s, LUIS, "!title 1 zanzibarista quokkaly")
        await said(s, LUIS, "!find zanzibarista quokkaly")
        await said(s, MOD, "!title 1 Other")
        await said(s, LUIS, "!askme on")
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish")
        async with s.db.transaction() as tx:
            await s.desk.registry.plugins["knowledge"].forget(tx, LUIS)
            await tx.execute("DELETE FROM outbox")  # the core's own: what it said and sent
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish") == []
        assert "theirs" in await said(s, ANA, "!find theirs")


async def test_a_title_or_note_goes_with_the_message_that_gave_it(tmp_path: Path) -> None:
    """What was before is back, the words are gone from the list of changes and from the file."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        await share(s)
        await said(s, ANA, "!title 1 Gift policy")
        title, note = [await share(s, f"!{what} 1 zanzibarista", MOD) for what in ("title", "note")]
        await said(s, MOD, "!undo")
        await s.redact(title)
        await s.redact(note)
        assert (await said(s, LUIS, "!find policy")).startswith("1. Gift policy")
        assert "zanzi" not in await said(s, MOD, "!changes")
        assert "no change of yours" in await said(s, MOD, "!undo")
        async with s.db.transaction() as tx:
            await tx.execute("DELETE FROM outbox")  # the core's own: what it said and sent
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista") == []


async def test_redacted_words_have_left_the_file_a_minute_later(tmp_path: Path) -> None:
    async with story([Knowledge], [hub()], database=tmp_path / "faro.db") as s:
        for number in range(30):
            await share(s, f"policy {number} https://example.org/{number}")
        message = await share(s, "zanzibarista quokkaly https://example.org/wombatish")
        edited = await share(s, "platypusly https://example.org/edited")
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish", "latypusly") != []
        await s.redact(message)
        await s.edit(edited, "tidied up https://example.org/edited")
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish", "latypusly") == []
        assert "Nothing found" in await said(s, LUIS, "!find quokka")


async def test_topics_go_with_the_message_that_gave_them(tmp_path: Path) -> None:
    """Also where the result was joined to another since; topics of other messages stay."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        for number in range(4):
            await share(s, f"policy https://example.org/{number}")
        given = [await share(s, f"!topic {number} +zanzibarista", MOD) for number in (1, 2)]
        await said(s, MOD, "!topic 1 +quokkaly")
        await said(s, MOD, "!merge 3 2")
        for message in given:
            await s.redact(message)
        assert "#zanzi" not in await said(s, MOD, "!find policy")
        assert "zanzi" not in await said(s, MOD, "!changes")
        assert "https://example.org/0" in await said(s, LUIS, "!find topic:quokkaly")
        await forget_what_was_sent(s)
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista") == []


async def test_what_moderators_wrote_about_a_result_goes_with_it(tmp_path: Path) -> None:
    """That they changed it, and when, stays; what they wrote about others too."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        messages = [await share(s, f"policy https://example.org/{number}") for number in range(3)]
        for what in ("title", "note", "topic"):
            await said(s, MOD, f"!{what} 1 zanzibarista")
            await said(s, MOD, f"!{what} 2 quokkaly")
        await said(s, MOD, "!title 3 wombatish")
        await said(s, MOD, "!merge 2 3")
        assert "wombatish" in await said(s, MOD, "!changes"), "a part of another result is still there"
        await s.redact(messages[0])
        changes = await said(s, MOD, "!changes")
        assert "zanzi" not in changes
        assert changes.count(" 1:") == 3
        assert changes.count("quokkaly") == 3
        await s.redact(messages[1])
        await s.redact(messages[2])
        changes = await said(s, MOD, "!changes")
        assert "quokkaly" not in changes
        assert "wombatish" not in changes
        await forget_what_was_sent(s)
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish") == []


async def test_a_question_goes_with_its_message_and_an_old_one_with_the_next(tmp_path: Path) -> None:
    """From the file, too."""
    async with story([Knowledge], [hub()], database=tmp_path / "faro.db") as s:
        await share(s)
        question = s.message(ANA, "!find policy -zanzibarista")
        await s.hear(question)
        await said(s, LUIS, "!find policy -quokkaly")
        await forget_what_was_sent(s)
        assert held(tmp_path, "nzibarista", "uokkaly") == ["nzibarista", "uokkaly"]
        await s.redact(question)
        assert held(tmp_path, "nzibarista") == []
        await s.advance(HOUR + 1)
        await said(s, EVA, "!find policy")
        assert held(tmp_path, "uokkaly") == []


async def test_who_wants_nothing_kept_and_is_forgotten_finds_nothing_kept_either() -> None:
    """The question before says so, and how to have that forgotten, too."""
    async with story([Knowledge, People], [hub()]) as s:
        await said(s, ANA, "!mylinks off")
        assert "write !mylinks on first" in await said(s, ANA, "!forget me")
        await said(s, ANA, "!forget me yes")
        await share(s)
        assert await count(s, "shares") == 0
        await said(s, ANA, "!mylinks on")
        await said(s, ANA, "!forget me yes")
        assert await count(s, "sharers") == 0


async def forget_what_was_sent(s: Story) -> None:
    """The core's own: what the bot said, until it is sent."""
    async with s.db.transaction() as tx:
        await tx.execute("DELETE FROM outbox")


def held(folder: Path, *words: str) -> list[str]:
    """Which of the words stand in the database or in its log."""
    data = b"".join(part.read_bytes() for part in folder.iterdir() if part.name.startswith("faro.db"))
    return [word for word in words if word.encode() in data]
