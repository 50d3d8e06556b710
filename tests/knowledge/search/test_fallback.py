"""Who finds nothing is shown what is nearest, told what it is, and whom to ask; never what they may not see."""

from __future__ import annotations

import pytest

from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.test_plugin import ANA, GUIDE, LUIS

ROOM, AUDIT = "!transparency:example.org", "!audit:example.org"
SHARED = (
    "harbour rules https://example.org/harbour",
    "volcano lava https://example.org/island #zebrafish",
    "customs corruption https://example.net/report",
)


async def filled(s: Story, *texts: str, room: str = ROOM) -> None:
    for text in texts:
        await s.say(ANA, text, room=room)
        await s.advance(1000)


async def parts(s: Story, question: str, room: str = ROOM) -> list[str]:
    """The paragraphs of an answer."""
    return str(await s.say(LUIS, question, room=room)).split("\n\n")


def addresses(answer: list[str]) -> list[str]:
    return [part.split(" (https://")[1].split(")")[0] for part in answer if " (https://" in part.split("\n")[0]]


@pytest.mark.parametrize(
    ("question", "heading", "shown"),
    [
        ('"lava volcano"', "One of these may help:", ["example.org/island"]),
        ('"harbour master"', "One of these may help:", ["example.org/harbour"]),
        ("from:luis topic:zebrafish", "Results for topic:zebrafish alone:", ["example.org/island"]),
        ("topic:gifts site:example.net", "Results for site:example.net alone:", ["example.net/report"]),
        ("lava* from:luis until:1999", "One of these may help:", ["example.org/island"]),
        ("qqzzqq topic:zebrafish", "Results for topic:zebrafish alone:", ["example.org/island"]),
        (
            "topic:zebrafish site:example.org until:1999",
            "Results for topic:zebrafish site:example.org alone:",
            ["example.org/island"],
        ),
        (
            "qqzzqq",
            "Most recently shared here:",
            ["example.net/report", "example.org/island", "example.org/harbour"],
        ),
        (
            "from:luis sort:useful",
            "Most recently shared here:",
            ["example.net/report", "example.org/island", "example.org/harbour"],
        ),
    ],
)
async def test_what_is_nearest_is_shown_and_said_to_be_that(question: str, heading: str, shown: list[str]) -> None:
    async with story([Knowledge], [hub()]) as s:
        await filled(s, *SHARED)
        answer = await parts(s, f"!find {question}")
        assert answer[0].startswith("Nothing found for ")
        assert heading in answer
        assert addresses(answer) == shown
        assert answer[-1] == "Someone here may know: ask the room."


async def test_where_nothing_is_near_the_hub_s_own_recommendations_come_first() -> None:
    async with story([Knowledge], [hub(resources=[GUIDE])]) as s:
        await filled(s, *SHARED)
        answer = await parts(s, "!find topic:audit")
        assert "Recommended or marked as useful here:" in answer
        assert addresses(answer) == ["example.org/guide"]
        await s.say(LUIS, "!useful 3")
        assert set(addresses(await parts(s, "!find topic:audit"))) == {"example.org/guide", "example.org/island"}


async def test_all_topics_with_results_are_offered_the_nearest_by_name_first() -> None:
    async with story([Knowledge], [hub(resources=[GUIDE])]) as s:
        await filled(s, *SHARED)
        topics = [
            part for part in await parts(s, "!find zebrafish until:1999") if part.startswith("Topics with results:")
        ]
        assert topics == ["Topics with results: #zebrafish (topic:zebrafish). Write for example !find topic:zebrafish."]
        topics = [part for part in await parts(s, "!find qqzzqq") if part.startswith("Topics with results:")]
        assert "(topic:corruption)" in topics[0]
        assert "(topic:customs)" in topics[0]
        assert "(topic:gifts)" in topics[0]


async def test_in_a_direct_chat_the_asker_is_sent_to_their_rooms() -> None:
    async with story([Knowledge], [hub()]) as s:
        await filled(s, *SHARED)
        direct = await s.direct(LUIS)
        await s.join(LUIS, ROOM)
        answer = await parts(s, "find qqzzqq", direct)
        assert answer[-1] == "Someone in one of your rooms may know: ask there."


@pytest.mark.parametrize(
    "question",
    ["qqzzqq", "topic:gifts", "from:luis site:example.org", '"secret lava"', "lava until:1999", "site:a.org"],
)
async def test_nothing_of_another_hub_is_near(question: str) -> None:
    async with story([Knowledge], [hub(), hub("audit", resources=[GUIDE])]) as s:
        await filled(s, "secret lava https://example.org/secret #hidden", room=AUDIT)
        before = await parts(s, f"!find {question}")
        assert before[1:] == ["Someone here may know: ask the room."]
        await filled(s, "TLP:AMBER harbour https://example.org/harbour")
        after = await parts(s, f"!find {question}")
        assert "secret" not in " ".join(after[1:])
        assert "guide" not in " ".join(after[1:])
        assert "hidden" not in " ".join(after[1:])


async def test_a_hub_that_was_named_is_searched_alone_by_its_other_filters() -> None:
    hubs = [hub(visibility="shared"), hub("audit", visibility="shared")]
    async with story([Knowledge], hubs) as s:
        await filled(s, "lava https://example.org/here")
        await filled(s, "lava https://example.org/there", room=AUDIT)
        answer = await parts(s, "!find hub:audit from:ana until:1999")
        assert "Results for hub:audit from:ana alone:" in answer
        assert addresses(answer) == ["example.org/there"]


async def test_a_slip_in_a_phrase_is_put_right() -> None:
    async with story([Knowledge], [hub()]) as s:
        await filled(s, *SHARED)
        answer = await parts(s, '!find "customs coruption"')
        assert answer[0] == "Searched for “customs corruption” instead of “customs coruption”."
        assert addresses(answer) == ["example.net/report"]


async def test_words_put_right_are_shown_as_people_write_them() -> None:
    async with story([Knowledge], [hub()]) as s:
        await filled(s, "A inspeção de contêineres https://example.org/a")
        answer = await parts(s, "!find contêinneres")
        assert answer[0] == "Searched for “contêineres” instead of “contêinneres”."
        answer = await parts(s, "!find integritté")  # of the thesaurus alone
        assert answer[0] == "Searched for “intégrité” instead of “integritté”."


async def misspelt(s: Story, *, right: int) -> None:
    await filled(s, "vollcano https://example.org/slip")
    await filled(s, *(f"volcano https://example.org/{number}" for number in range(right)))


async def test_a_slip_somebody_made_before_is_found_with_a_hint_at_the_word() -> None:
    async with story([Knowledge], [hub()]) as s:
        await misspelt(s, right=5)
        answer = await parts(s, "!find vollcano sort:new")
        assert answer[0] == "Did you mean “volcano”? Write !find volcano sort:new."
        assert addresses(answer) == ["example.org/slip"]
        assert (await parts(s, '!find "a vollcano"'))[0] == 'Did you mean “volcano”? Write !find "a volcano".'
        assert (await parts(s, "!find vollcano `x`"))[0] == "Did you mean “volcano”? Write !find volcano."
        assert "Did you mean" not in str(await s.say(LUIS, "!find volcano"))


async def test_there_is_no_hint_at_words_that_are_hardly_more_frequent_or_may_not_be_seen() -> None:
    async with story([Knowledge], [hub(), hub("audit")]) as s:
        await misspelt(s, right=4)
        await filled(s, *(f"volcano https://example.org/{number}" for number in range(9)), room=AUDIT)
        assert "Did you mean" not in str(await s.say(LUIS, "!find vollcano"))


async def test_there_is_no_hint_at_another_form_of_the_word() -> None:
    async with story([Knowledge], [hub()]) as s:
        await filled(s, "volcano https://example.org/one")
        await filled(s, *(f"volcanos https://example.org/{number}" for number in range(8)))
        assert "Did you mean" not in str(await s.say(LUIS, "!find volcano"))
