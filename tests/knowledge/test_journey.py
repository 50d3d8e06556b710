"""Whole conversations: results, votes, who sees what, choices. What is answered in other languages is in
test_four_languages.py."""

from __future__ import annotations

import pytest

from bot.core.events import Edit, Redaction
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.talk import COORDINATOR, EVA, INSIDE, MOD, like, said, share
from tests.knowledge.test_plugin import ANA, HOUR, LUIS, ROOM, count


async def test_that_words_are_missing_is_told_once_and_only_where_it_is_so(told: Story) -> None:
    for number in range(6):
        await share(told, f"volcano lava steam https://example.org/full/{number}")
    for number in range(8):
        await share(told, f"volcano lava https://example.org/part/{number}")
    pages = [await said(told, LUIS, "!find volcano lava steam")]
    pages += [await said(told, LUIS, "!more") for _ in range(2)]
    assert "have some" not in pages[0]
    assert pages[1].count("No other result contains all the words; these contain some.") == 1
    assert pages[1].count("/full/") == 1
    assert "No result has all" not in "".join(pages)


async def test_missing_words_are_not_told_again_on_the_next_page(told: Story) -> None:
    for number in range(5):
        await share(told, f"volcano lava steam https://example.org/full/{number}")
    for number in range(8):
        await share(told, f"volcano lava https://example.org/part/{number}")
    assert "have some" not in await said(told, LUIS, "!find volcano lava steam")
    assert (await said(told, LUIS, "!more")).startswith("No other result contains all the words; these contain some.")
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
    assert await count(told, "knowledge_statements") == 0


async def test_useful_by_command_counts_once_and_not_for_ones_own(told: Story) -> None:
    await share(told)
    for _ in range(2):
        assert (await said(told, LUIS, "!useful 1")).startswith("Noted: 1 was useful to you.")
    assert "You shared that one yourself" in await said(told, ANA, "!useful 1")
    assert "useful to 1 person" in await said(told, LUIS, "!find policy")


async def test_useful_by_command_is_taken_back_with_its_message_and_not_by_undo(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!pin 1")
    messages = [told.message(MOD, "!useful 1") for _ in range(2)]
    for message in messages:
        assert "Delete your message" in str(await told.hear(message))
    await told.redact(messages[0])
    assert "useful to 1 person" in await said(told, LUIS, "!find policy")
    await told.redact(messages[1])
    assert "useful" not in await said(told, LUIS, "!find policy")
    assert await said(told, MOD, "!undo") == "Undone: 1 pinned"


async def test_a_direct_chat_where_deleting_takes_nothing_back_does_not_promise_it(told: Story) -> None:
    await share(told)
    direct = await told.direct(LUIS)
    await told.join(LUIS, ROOM)
    assert await said(told, LUIS, "!useful 1", direct) == "Noted: 1 was useful to you."


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
        await tx.execute("DELETE FROM core_members")
    assert "https://example.org/a" not in await said(told, LUIS, "find policy", direct)
    assert "https://example.org/a" not in await said(told, LUIS, "!more", direct)


async def test_people_choose_whether_their_links_are_kept(told: Story) -> None:
    await share(told)
    assert "links you share are not stored" in await said(told, ANA, "!mylinks off")
    message = await share(told, "later https://example.org/b")
    assert await count(told, "knowledge_shares") == 1
    await told.hear(Edit(message.event_id, told.message(ANA, "edited https://example.org/c")))
    assert "write !mylinks on" in await said(told, ANA, "!share https://example.org/d")
    assert await count(told, "knowledge_shares") == 1
    assert await said(told, ANA, "!mylinks on") == "From now on, links you share are stored."
    await share(told, "again https://example.org/b")
    assert await count(told, "knowledge_shares") == 2


async def test_who_may_be_asked_is_named_only_if_they_agreed(told: Story) -> None:
    await share(told, "#gifts https://example.org/a")
    assert "Nobody who shared on this topic has agreed" in await said(told, LUIS, "!who gifts")
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


async def test_what_nobody_found_useful_is_not_shown_as_if_somebody_had(told: Story) -> None:
    await share(told, "plain https://example.org/plain")
    liked = await share(told, "liked https://example.org/liked")
    begin = (
        "Nobody has marked a result as useful yet (👍 or !useful 12). Shared most often, or most recently:\n\n2. liked"
    )
    assert (await said(told, EVA, "!top")).startswith(begin)
    await like(told, LUIS, liked)
    useful, rest = (await said(told, EVA, "!top")).split(
        "\n\nNobody has marked any result as useful; these were shared most often, or most recently:\n\n"
    )
    assert useful.startswith("2. liked")
    assert rest.startswith("1. plain")
    await said(told, LUIS, "!useful 1")
    assert "Nobody" not in await said(told, EVA, "!top")


@pytest.mark.parametrize("command", ["!top", "!similar 1", "!find zzzqq"])
async def test_more_after_a_list_that_has_no_more_does_not_go_back_to_an_older_search(
    told: Story, command: str
) -> None:
    for number in range(7):
        await share(told, f"policy https://example.org/{number}")
    await said(told, LUIS, "!find policy")
    await said(told, LUIS, command)
    ended = "That was the end of the list. To search for something else, write !find."
    assert await said(told, LUIS, "!more") == ended
    await said(told, LUIS, "!find policy")
    assert "policy" in await said(told, LUIS, "!more")
    await said(told, LUIS, "!recent")
    assert (await said(told, LUIS, "!more")).startswith("2.")
