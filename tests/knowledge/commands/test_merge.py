"""Results that are one page are proposed, joined, taken apart, or left as they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.talk import COORDINATOR, MOD, said, share
from tests.knowledge.test_plugin import LUIS

RECOMMENDED = {"url": "https://example.org/guide", "title": "Start here"}


@pytest.fixture
async def recommending() -> AsyncIterator[Story]:
    """A hub that recommends its result 1."""
    async with story([Knowledge], [hub(moderators=[MOD], resources=[RECOMMENDED])]) as s:
        yield s


async def test_results_are_joined_taken_apart_and_joined_again(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    assert "!merge 1 2 · their addresses are nearly the same" in await said(told, MOD, "!alike")
    assert (await said(told, MOD, "!merge 1 2")).startswith("2 is now part of 1.")
    assert (await said(told, LUIS, "!find first second")).startswith("1. ")
    assert "already one result" in await said(told, MOD, "!merge 1 2")
    assert await said(told, MOD, "!alike") == "No duplicates were found."
    assert await said(told, MOD, "!split 2") == "2 is a separate result again."
    assert (await said(told, LUIS, "!find second")).startswith("2. ")
    assert "not merged" in await said(told, MOD, "!split 2")
    assert await said(told, MOD, "!undo") == "Undone: 2 split from its merged result"
    assert (await said(told, LUIS, "!find second")).startswith("1. ")


async def test_who_cannot_split_reads_why(told: Story) -> None:
    message = await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    await said(told, MOD, "!merge 1 2")
    assert await said(told, MOD, "!split 1") == (
        "1 is the first page of this result. Split off another one, such as !split 2."
    )
    await told.redact(message)
    assert "Nobody shares the other pages of 2 any more" in await said(told, MOD, "!split 2")


async def pairs(s: Story, page: str = "") -> list[str]:
    """The numbers of the results that are proposed to be joined."""
    return re.findall(r"^- !merge (\S+ \S+) ·", await said(s, MOD, f"!alike {page}"), re.MULTILINE)


async def test_what_is_proposed_is_seen_with_both_addresses(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/?token=secret", LUIS)
    await share(told, "third https://www.example.org/guide/", LUIS)
    assert await said(told, MOD, "!alike") == (
        "These may be the same page. Check both before you merge them; if they are different pages, "
        "write !merge 1 3 no:\n- !merge 1 3 · their addresses are nearly the same · https://example.org/guide · https://www.example.org/guide/"
    )


async def test_two_pages_are_not_proposed_again_until_that_is_taken_back(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    stay = "2 and 1 stay separate, and !alike no longer lists them. To undo this: !undo"
    assert await said(told, MOD, "!merge 2 1 no") == stay
    assert await said(told, MOD, "!merge 2 1 no") == "Nothing to change."
    assert await said(told, MOD, "!alike") == "No duplicates were found."
    assert "2 and 1 are different pages" in await said(told, MOD, "!changes")
    assert (await said(told, LUIS, "!find second")).startswith("2. ")
    assert await said(told, MOD, "!undo") == "Undone: 2 and 1 are different pages"
    assert await pairs(told) == ["1 2"]
    assert (await said(told, MOD, "!merge 1 2")).startswith("2 is now part of 1.")


async def test_two_pages_stay_two_when_who_said_so_is_forgotten(told: Story) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    await said(told, MOD, "!merge 1 2 no")
    await said(told, MOD, "!forget me")
    assert await said(told, COORDINATOR, "!alike") == "No duplicates were found."


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
    assert await said(told, MOD, "!alike 3") == "No more results."
    for pair in first:
        await said(told, MOD, f"!merge {pair} no")
    assert await pairs(told) == second


@pytest.mark.parametrize("no", ["no", "NON", "não", "nao"])
async def test_no_is_understood_in_four_languages(told: Story, no: str) -> None:
    await share(told, "first https://example.org/guide")
    await share(told, "second https://www.example.org/guide/", LUIS)
    wrong = "To confirm, write !merge 1 2 yes. If it is wrong, write !merge 1 2 no."
    assert await said(told, MOD, "!merge 1 2 perhaps") == wrong
    assert "stay separate" in await said(told, MOD, f"!merge 1 2 {no}")
    assert await pairs(told) == []


async def test_undoing_a_join_gives_both_their_own_titles_topics_and_labels_back(told: Story) -> None:
    await share(told, "first https://example.org/a")
    await share(told, "second https://example.org/b", LUIS)
    for command in ("!title 2 Second", "!topic 2 +audit", "!label 2 amber", "!pin 1"):
        await said(told, MOD, command)
    before = [await said(told, MOD, f"!show {number}") for number in (1, 2)]
    await said(told, MOD, "!merge 1 2 yes")
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")
    assert await said(told, MOD, "!undo") == "Undone: 2 merged into 1"
    assert [await said(told, MOD, f"!show {number}") for number in (1, 2)] == before


async def test_a_join_is_answered_with_the_result_as_it_is_now(told: Story) -> None:
    await share(told, "first https://example.org/a")
    await share(told, "second https://example.org/b", LUIS)
    await said(told, MOD, "!title 2 Gift policy")
    joined = await said(told, MOD, "!merge 1 2")
    assert joined.startswith("2 is now part of 1.\n\n1. Gift policy (https://example.org/a)\nexample.org · ")
    assert joined.endswith("\n\nTo undo this: !undo")


@pytest.mark.parametrize("hidden", ["1", "2"])
async def test_what_was_hidden_stays_so_when_it_is_joined_and_the_other_is_found(told: Story, hidden: str) -> None:
    await share(told, "quokkaly https://example.org/a")
    await share(told, "quokkaly https://example.org/b", LUIS)
    before = await said(told, LUIS, "!recent")
    await said(told, MOD, f"!hide {hidden}")
    joined = await said(told, MOD, "!merge 1 2")
    assert f"\n\n{hidden} stays hidden.\n\nTo undo this: !undo" in joined
    shown = "/b" if hidden == "1" else "/a"
    for answer in (joined, await said(told, LUIS, "!find quokkaly"), await said(told, LUIS, "!show 1")):
        assert set(re.findall(r"example\.org(/[ab])\b", answer)) == {shown}
    assert await said(told, MOD, "!undo") == "Undone: 2 merged into 1"
    await said(told, MOD, "!undo")
    assert await said(told, LUIS, "!recent") == before


async def test_of_two_hidden_results_that_are_joined_nothing_is_found(told: Story) -> None:
    await share(told, "quokkaly https://example.org/a")
    await share(told, "quokkaly https://example.org/b", LUIS)
    for number in (1, 2):
        await said(told, MOD, f"!hide {number}")
    joined = await said(told, MOD, "!merge 1 2")
    assert joined.endswith("\n\nHidden: searches do not show it.\n\nTo undo this: !undo")
    assert "Nothing found" in await said(told, LUIS, "!find quokkaly")


@pytest.mark.parametrize("yes", ["yes", "SÍ", "oui", "sim"])
async def test_before_a_result_is_labelled_more_strictly_by_a_join_that_is_asked(told: Story, yes: str) -> None:
    await share(told, "first https://example.org/a")
    await share(told, "second TLP:AMBER https://example.org/b", LUIS)
    before = await said(told, LUIS, "!recent")
    question = "2 is labelled TLP:AMBER; the merged result would be too. To merge them anyway, write !merge 1 2 yes."
    assert await said(told, MOD, "!merge 1 2") == question
    assert await said(told, LUIS, "!recent") == before
    assert "Nothing has been changed" in await said(told, MOD, "!changes")
    assert "TLP:AMBER" in await said(told, MOD, f"!merge 1 2 {yes}")
    assert "2 merged into 1" in await said(told, MOD, "!changes")


async def test_joining_a_hidden_or_a_more_open_result_lowers_no_label_and_asks_nothing(told: Story) -> None:
    await share(told, "first https://example.org/a")
    await share(told, "second TLP:AMBER https://example.org/b", LUIS)
    await share(told, "third TLP:AMBER https://example.org/c", LUIS)
    assert "TLP:AMBER" in await said(told, MOD, "!merge 2 1")
    await said(told, MOD, "!undo")
    await said(told, MOD, "!hide 3")
    assert "TLP:AMBER" not in await said(told, MOD, "!merge 1 3"), "what is hidden adds nothing"


async def test_before_what_is_recommended_becomes_part_of_another_result_that_is_asked(recommending: Story) -> None:
    await share(recommending, "first https://example.org/a")
    await share(recommending, "second https://example.org/b")
    question = (
        "1 is recommended; the merged result would show its title and address. To merge them anyway, "
        "write !merge 2 1 yes."
    )
    assert await said(recommending, MOD, "!merge 2 1") == question
    assert (await said(recommending, LUIS, "!find first")).startswith("2. ")
    joined = await said(recommending, MOD, "!merge 2 1 yes")
    assert joined.startswith("1 is now part of 2.\n\n2. Start here (https://example.org/guide)")
    assert (await said(recommending, MOD, "!merge 2 3")).startswith("3 is now part of 2."), "it was asked already"


async def test_what_is_recommended_is_shown_as_before_when_others_are_joined_to_it(recommending: Story) -> None:
    await share(recommending, "zanzibar https://example.org/a")
    await share(recommending, "quokkaly https://example.org/b")
    await said(recommending, MOD, "!hide 3")
    for number in (2, 3):
        joined = await said(recommending, MOD, f"!merge 1 {number}")
        assert f"{number} is now part of 1.\n\n1. Start here (https://example.org/guide)" in joined
    assert "1. Start here" in await said(recommending, LUIS, "!find zanzibar")
    assert "Nothing found" in await said(recommending, LUIS, "!find quokkaly")


async def test_a_question_before_a_join_can_be_answered_with_no(recommending: Story) -> None:
    await share(recommending, "first https://example.org/a")
    await said(recommending, MOD, "!merge 2 1")
    assert (await said(recommending, MOD, "!merge 2 1 no")).startswith("2 and 1 stay separate, and")


async def test_undoing_a_join_gives_back_what_was_joined_to_the_other_before(told: Story) -> None:
    for name in "abc":
        await share(told, f"word-{name} https://example.org/{name}")
    await said(told, MOD, "!merge 2 3")
    before = await said(told, LUIS, "!show 2")
    await said(told, MOD, "!merge 1 2")
    assert (await said(told, LUIS, "!find word-c")).startswith("1. ")
    assert await said(told, MOD, "!undo") == "Undone: 2 merged into 1"
    assert await said(told, LUIS, "!show 2") == before
    assert (await said(told, LUIS, "!find word-c")).startswith("2. ")


async def test_a_join_that_is_undone_later_leaves_what_was_said_of_the_parts_since(told: Story) -> None:
    """Limits were said of the whole, and so of both; words of the result itself."""
    await share(told, "first https://example.org/a")
    await share(told, "second https://example.org/b", LUIS)
    await said(told, MOD, "!merge 1 2")
    for command in ("!title 1 Both", "!label 1 amber"):
        await said(told, MOD, command)
    assert await said(told, MOD, "!undo 1") == "Undone: 2 merged into 1"
    assert "1. Both" in await said(told, MOD, "!show 1")
    assert "Both" not in await said(told, MOD, "!show 2")
    for number in (1, 2):
        assert "TLP:AMBER" in await said(told, MOD, f"!show {number}")
