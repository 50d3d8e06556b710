"""Results that are one page are proposed, joined, taken apart, or left as they are."""

from __future__ import annotations

import re

import pytest

from bot.testing.story import Story
from tests.knowledge.talk import COORDINATOR, MOD, said, share
from tests.knowledge.test_plugin import LUIS


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
    assert await said(told, MOD, "!merge 2 1 no") == "There was nothing to change."
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
