"""What people write who do not know the commands by heart, and corrections that turn out wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.talk import COORDINATOR, EVA, INSIDE, MOD, ROOMS, said, share
from tests.knowledge.test_plugin import ANA, LUIS, ROOM


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    hubs = [
        hub(
            moderators=[MOD],
            coordinators=[{"user": COORDINATOR}],
            rooms=ROOMS,
            visibility="shared",
            topics=[{"id": "perception", "title": "Perception surveys"}],
        ),
        hub("customs", visibility="shared", topics=[{"id": "risk", "title": "Risk mapping"}]),
    ]
    async with story([Knowledge], hubs) as s:
        yield s


@pytest.mark.parametrize("number", ["1", "#1", "1.", "1,", "1:", "(1)"[1:], "transparency/1."])
async def test_a_number_may_be_copied_from_a_list_with_what_follows_it(told: Story, number: str) -> None:
    await share(told)
    assert (await said(told, LUIS, f"!show {number}")).startswith("1. ")


@pytest.mark.parametrize("question", ["topic: perception", "tema: perception", 'topic: "Perception surveys"'])
async def test_a_space_after_the_name_of_a_filter_is_no_word(told: Story, question: str) -> None:
    await share(told, "policy https://example.org/a #perception")
    await share(told, "a topic on perception https://example.org/b topic")
    await said(told, MOD, "!topic 2 -perception")
    answer = await said(told, LUIS, f"!find {question}")
    assert "example.org/a" in answer
    assert "example.org/b" not in answer


async def test_a_wrong_filter_is_told_in_the_askers_words(told: Story) -> None:
    assert "desde:2026-01" in await said(told, LUIS, "!find desde:ayer")
    assert "'tema:' appears twice" in await said(told, LUIS, "!find tema:x tema:y")


async def test_a_person_is_found_by_their_name_with_its_accents(told: Story) -> None:
    await share(told)
    assert (await said(told, LUIS, "!find from:Aná")).startswith("1. ")


async def test_what_was_looked_for_is_repeated_in_short_and_once(told: Story) -> None:
    answer = await said(told, LUIS, "!find " + "ñandú " * 40 + "tipo:word")
    first = answer.partition("\n")[0]
    assert first.count("ñandú") < 20
    assert ("tipo:" in first, first.count("type:word")) == (False, 1)


async def test_a_part_of_a_topics_title_leads_to_the_topic(told: Story) -> None:
    assert "Did you mean topic:perception?" in await said(told, LUIS, "!find topic:surveys")


async def test_topics_of_other_hubs_are_called_as_their_hubs_call_them(told: Story) -> None:
    await share(told, "risk https://example.org/r #risk", room="!customs:example.org")
    assert "- Risk mapping (topic:risk): 1 result" in await said(told, LUIS, "!topics")


async def test_an_example_can_be_written_as_it_stands(told: Story) -> None:
    assert "!share https://example.org/guide" in await said(told, LUIS, "!share nothing")


async def test_a_link_is_not_handed_over_where_nobody_sees_it(told: Story) -> None:
    """A direct chat belongs to no hub, and its messages can be opened by nobody else."""
    await told.join(LUIS, ROOM)
    answer = await said(told, LUIS, "!share https://example.org/a", await told.direct(LUIS))
    assert "room of the hub" in answer


async def test_numbers_of_the_coordinators_collection_are_told_with_their_sign(told: Story) -> None:
    await share(told)
    assert "Saved as c1." in await said(told, COORDINATOR, "!share https://example.org/b", INSIDE)
    await said(told, COORDINATOR, "!share https://example.org/c", INSIDE)
    await said(told, COORDINATOR, "!title c1 The minutes", INSIDE)
    await said(told, COORDINATOR, "!title 1 The policy", INSIDE)
    await said(told, COORDINATOR, "!merge c1 c2", INSIDE)
    changes = await said(told, COORDINATOR, "!changes", INSIDE)
    assert [line.split(" · ")[-1] for line in changes.splitlines()] == [
        "c2 merged into c1",
        "title of 1: The policy",
        "title of c1: The minutes",
    ]


@pytest.mark.parametrize("label", ["amber", "TLP:AMBER", "ámbar", "tlp:Orange"])
async def test_a_label_may_be_said_in_any_language(told: Story, label: str) -> None:
    await share(told)
    assert "TLP:AMBER" in await said(told, MOD, f"!label 1 {label}")


async def test_red_is_refused_in_any_language(told: Story) -> None:
    await share(told)
    assert "not stored" in await said(told, MOD, "!label 1 rojo")
    assert "The label must be one of" in await said(told, MOD, "!label 1 purple")


@pytest.mark.parametrize("topic", ["😀", "+😀", "+" + "x" * 300, "+12", "+"])
async def test_a_topic_is_a_word(told: Story, topic: str) -> None:
    await share(told)
    assert "Write topics like" in await said(told, MOD, f"!topic 1 +fine {topic}")
    assert "Nothing has been changed" in await said(told, MOD, "!changes")


async def test_who_writes_a_topic_of_several_words_is_told_how(told: Story) -> None:
    await share(told)
    answer = await said(told, MOD, "!topic 1 +Code of conduct, travel")
    assert answer == "Write topics like +gifts or -audit, and several words with hyphens: +code-of-conduct."
    assert "Topics: code of conduct" in await said(told, MOD, "!topic 1 +code-of-conduct")


async def test_one_command_is_taken_back_as_one(told: Story) -> None:
    await share(told, "policy https://example.org/a #old")
    await said(told, MOD, "!title 1 First")
    told.clock.advance(1)
    await said(told, MOD, "!topic 1 +perception +fresh -old")
    assert await said(told, MOD, "!undo") == ("Undone: topic of 1: +perception, topic of 1: +fresh, topic of 1: -old")
    shown = await said(told, LUIS, "!show 1")
    assert ("#old" in shown, "#fresh" in shown, "First" in shown) == (True, False, True)
    assert await said(told, MOD, "!undo") == "Undone: title of 1: First"


async def test_a_result_keeps_its_address_and_name_when_another_is_joined_to_it(told: Story) -> None:
    """Whatever else is shorter or newer: 1 is what the moderator named first."""
    html = "<a href='{}'>{}</a>"
    long, short = "https://example.org/the-whole-policy", "https://example.org/b"
    await told.say(ANA, "x", html=html.format(long, "The policy"))
    await told.say(EVA, "x", html=html.format(short, "Its draft"))
    await said(told, MOD, "!merge 1 2")
    assert (await said(told, LUIS, "!find policy")).startswith(f"1. The policy ({long})")
    assert (await said(told, LUIS, "!find draft")).startswith(f"1. The policy ({long})")


async def test_recommended_pages_are_numbered_as_the_yaml_has_them() -> None:
    resources = [{"url": f"https://example.org/{name}", "title": f"Guide {name}"} for name in "gdahfbec"]
    async with story([Knowledge], [hub(resources=resources)]) as s:
        for number, resource in enumerate(resources, start=1):
            assert (await said(s, LUIS, f"!show {number}")).startswith(f"{number}. {resource['title']} ")


async def test_a_link_shared_with_the_bots_name_in_front_is_kept_quietly(told: Story) -> None:
    assert await told.say(ANA, "Faro: https://example.org/a on gifts") is None
    assert "example.org/a" in await said(told, LUIS, "!find gifts")
