"""What counts of all that was said? Labels and hiding do not bind those who share the page later; titles are ranked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.api import Row, Transaction
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.resolve import Part, Resolved, Share, Statement, resolve, summarize
from tests.knowledge.faro import Faro, made
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, LUIS, correct, say

BEN, MOD = "@ben:example.org", "@mod:example.org"
NORTH, SOUTH = "!north:example.org", "!south:example.org"
PAGE = "https://example.org/a"
CLOSE = f"TLP:AMBER zanzibarista #quokkaly {PAGE}"


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    hubs = [hub(name, visibility="shared", moderators=[MOD]) for name in ("north", "south")]
    async with story([Knowledge], hubs) as s:
        yield s


async def said(s: Story, who: str, text: str, room: str = NORTH) -> str:
    return str(await s.say(who, text, room=room))


async def is_seen_elsewhere(s: Story) -> bool:
    answers = [await said(s, LUIS, question, SOUTH) for question in ("!find zanzibarista", f"!find {PAGE}", "!recent")]
    return any(f"({PAGE})" in answer for answer in answers) or "quokka" in await said(s, LUIS, "!topics", SOUTH)


async def test_a_label_does_not_open_what_is_shared_closer_later(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    assert "Label: TLP:CLEAR" in await said(told, ANA, "!label 1 clear")
    await said(told, BEN, CLOSE)
    assert "TLP:AMBER" in await said(told, BEN, "!find zanzibarista")
    assert not await is_seen_elsewhere(told)
    assert "Undone" in await said(told, MOD, "!undo 1")
    assert not await is_seen_elsewhere(told)


async def test_nor_what_is_edited_to_be_closer_later(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    message = told.message(BEN, f"also {PAGE}", room=NORTH)
    await told.hear(message)
    await said(told, MOD, "!label 1 clear")
    await told.edit(message, CLOSE)
    assert not await is_seen_elsewhere(told)


async def test_correcting_a_message_leaves_the_label_its_page_was_given(told: Story) -> None:
    message = told.message(BEN, CLOSE, room=NORTH)
    await told.hear(message)
    await said(told, MOD, "!label 1 green")
    await told.edit(message, CLOSE.replace("zanzibarista", "zanzibaristas"))
    assert PAGE in await said(told, LUIS, "!find zanzibaristas", SOUTH)


async def test_it_opens_what_was_shared_before(told: Story) -> None:
    await said(told, BEN, CLOSE)
    await said(told, MOD, "!label 1 green")
    await said(told, ANA, f"policy {PAGE}")
    assert await is_seen_elsewhere(told)
    await said(told, MOD, "!undo")
    assert not await is_seen_elsewhere(told)


async def test_a_label_from_before_a_closer_share_does_not_come_back_by_undo(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, MOD, "!label 1 clear")
    await said(told, MOD, "!label 1 amber")
    await said(told, BEN, CLOSE)
    assert "Undone" in await said(told, MOD, "!undo")
    assert not await is_seen_elsewhere(told)


async def test_nor_when_joined_results_are_taken_apart(told: Story) -> None:
    await said(told, ANA, "policy https://example.org/other")
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "!label 2 clear")
    await said(told, MOD, "!merge 1 2")
    await said(told, BEN, CLOSE)
    await said(told, MOD, "!undo")
    assert "TLP:AMBER" in await said(told, BEN, f"!find {PAGE}")
    assert not await is_seen_elsewhere(told)


@pytest.mark.parametrize("shared_later", [False, True])
async def test_joining_and_undoing_gives_a_result_its_label_back(told: Story, shared_later: bool) -> None:
    """But not one from before a closer share of it."""
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "TLP:AMBER policy https://example.org/other")
    await said(told, MOD, "!label 1 clear")
    await said(told, MOD, "!merge 1 2 yes")
    assert "TLP:AMBER" in await said(told, ANA, "!show 1")
    if shared_later:
        await said(told, BEN, CLOSE)
    await said(told, MOD, "!undo")
    assert "TLP:AMBER" in await said(told, ANA, "!show 2")
    assert await is_seen_elsewhere(told) is not shared_later
    if not shared_later:
        assert await said(told, MOD, "!undo") == "Undone: label of 1: clear"


async def test_what_is_still_joined_stays_as_close_as_it_was(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "TLP:AMBER policy https://example.org/second")
    await said(told, ANA, "TLP:AMBER policy https://example.org/third")
    await said(told, MOD, "!label 1 clear")
    await said(told, MOD, "!merge 1 2 yes")
    await said(told, MOD, "!merge 1 3 yes")
    await said(told, MOD, "!split 2")
    assert not await is_seen_elsewhere(told)


async def test_a_label_given_to_joined_results_is_that_of_both_afterwards(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "policy https://example.org/other")
    await said(told, MOD, "!label 1 clear")
    await said(told, MOD, "!merge 1 2 yes")
    await told.advance(1)
    await said(told, MOD, "!label 1 amber")
    await said(told, MOD, "!split 2")
    for number in (1, 2):
        assert "TLP:AMBER" in await said(told, ANA, f"!show {number}")


async def test_a_stricter_label_stays_whatever_is_shared_later(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "!label 1 amber")
    await said(told, BEN, f"TLP:CLEAR also {PAGE}")
    assert not await is_seen_elsewhere(told)


async def test_when_a_closer_share_is_deleted_the_labels_of_the_others_count(told: Story) -> None:
    await said(told, ANA, f"TLP:CLEAR policy {PAGE}")
    await said(told, MOD, "!label 1 green")
    message = told.message(BEN, CLOSE, room=NORTH)
    await told.hear(message)
    await told.redact(message)
    assert PAGE in await said(told, LUIS, "!find policy", SOUTH)


@pytest.mark.parametrize("how", ["shared", "brought in"])
def test_what_is_shared_closer_later_is_not_published(tmp_path: Path, how: str) -> None:
    faro = made(tmp_path / "here")

    async def opened(tx: Transaction, rules: Rules) -> None:
        await say(tx, f"policy {PAGE}", rules=rules)
        await correct(tx, 2, label="0")

    async def shared(tx: Transaction, rules: Rules) -> None:
        await say(tx, CLOSE, event="$2", sender=LUIS, rules=rules)

    faro.imported([{"url": "https://example.org/other"}])
    faro.change(opened)
    assert PAGE in public(faro)
    if how == "shared":
        faro.change(shared)
    else:
        faro.imported(
            [{"url": PAGE, "label": "amber", "shares": [{"url": PAGE, "note": "zanzibarista", "sent_at": 5}]}]
        )
    assert PAGE not in public(faro)


def public(faro: Faro) -> str:
    return faro.run("export", "transparency", "--public").stdout


async def test_what_its_only_sharer_hid_is_found_when_somebody_else_shares_it(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "!hide 1")
    await said(told, ANA, f"policy again {PAGE}")
    assert PAGE not in await said(told, ANA, "!find policy")
    await said(told, BEN, f"also {PAGE}")
    assert PAGE in await said(told, BEN, "!find policy")
    assert "coordinators and moderators" in await said(told, ANA, "!hide 1")


async def test_also_a_part_of_joined_results(told: Story) -> None:
    await said(told, ANA, "policy https://example.org/other")
    await said(told, ANA, f"policy {PAGE}")
    await said(told, ANA, "!hide 2")
    await said(told, MOD, "!merge 1 2")
    await said(told, BEN, f"also {PAGE}")
    await said(told, MOD, "!split 2")
    assert PAGE in await said(told, BEN, "!find also")


async def test_what_a_coordinator_hid_stays_hidden(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, MOD, "!hide 1")
    await said(told, BEN, f"also {PAGE}")
    for who in (ANA, BEN):
        assert PAGE not in await said(told, who, "!find policy")
        assert "no result with the number" in await said(told, who, "!hide 1")
    assert "is visible again" in await said(told, MOD, "!hide 1")


async def test_each_of_joined_results_is_as_hidden_as_it_was(told: Story) -> None:
    """What its only sharer hid is found when somebody else shares it; what a coordinator hid is not."""
    await said(told, ANA, f"policy {PAGE}")
    await said(told, BEN, "policy https://example.org/other")
    await said(told, ANA, "!hide 1")
    await said(told, MOD, "!hide 2")
    assert "Hidden: searches" in await said(told, MOD, "!merge 1 2")
    assert "Nothing found" in await said(told, BEN, "!find policy")
    await said(told, BEN, f"also {PAGE}")
    assert PAGE in await said(told, BEN, "!find policy")
    assert "other" not in await said(told, BEN, "!show 1")


async def test_members_hide_and_show_again_what_they_alone_shared(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    assert "searches do not show it" in await said(told, ANA, "!hide 1")
    assert "no result with the number" in await said(told, BEN, "!hide 1")
    assert "is visible again" in await said(told, ANA, "!hide 1")
    assert PAGE in await said(told, BEN, "!find policy")


async def test_but_not_what_a_coordinator_hid_of_it(told: Story) -> None:
    await said(told, ANA, f"policy {PAGE}")
    await said(told, MOD, "!hide 1")
    assert "no result with the number" in await said(told, ANA, "!hide 1")
    assert PAGE not in await said(told, BEN, "!find policy")


# -- what a result is called ------------------------------------------------------------------------------------------

SHARE = Share(1, page=1, seq=1, sender=1, sent_at=1, url=PAGE, attachment=json.dumps({"title": "File name"}))
LABELLED = replace(SHARE, label="Words of the link")
BY_ITSELF: Row = {"page": 1, "state": "ok", "title": "By itself", "language": "fr"}
BY_FILE = Statement(1, 2, "title", key="es", value="By a file", imported=True)
BY_YAML: Row = {"url": PAGE, "title": '{"en": "By the YAML"}', "note": "{}"}
BY_PEOPLE = Statement(1, 3, "title", value="By people")


def resolved(*parts: Part) -> Resolved:
    entry = resolve(parts[0].page, parts)
    assert entry is not None
    return entry


def part(page: int = 1, *shares: Share, **more: Any) -> Part:  # Any: fields of a part
    return Part(page, number=page, shares=shares, summary=summarize(shares), **more)


@pytest.mark.parametrize(
    ("named", "title", "others"),
    [
        (part(1, SHARE), {"": "File name"}, []),
        (part(1, LABELLED), {"": "Words of the link"}, ["File name"]),
        (part(1, LABELLED, facts=BY_ITSELF), {"fr": "By itself"}, ["Words of the link", "File name"]),
        (part(1, LABELLED, facts={**BY_ITSELF, "state": "waiting"}), {"": "Words of the link"}, ["File name"]),
        (part(1, SHARE, facts=BY_ITSELF, statements=[BY_FILE]), {"es": "By a file"}, ["By itself", "File name"]),
        (part(1, statements=[BY_FILE], recommendation=BY_YAML), {"en": "By the YAML"}, ["By a file"]),
        (
            part(1, statements=[BY_FILE, BY_PEOPLE], recommendation=BY_YAML),
            {"": "By people"},
            ["By the YAML", "By a file"],
        ),
    ],
)  # fmt: skip
def test_people_name_a_page_before_the_yaml_a_file_the_page_itself_and_whoever_shared_it(
    named: Part, title: Mapping[str, str], others: Sequence[str]
) -> None:
    entry = resolved(named)
    assert entry.titles == title
    assert entry.other_titles == others


def test_joined_pages_add_titles_in_languages_the_first_has_none_in() -> None:
    first = part(1, SHARE, statements=[BY_FILE])
    second = part(2, replace(SHARE, page=2), statements=[replace(BY_FILE, page=2, value="Not this")])
    third = part(3, replace(SHARE, page=3), facts={**BY_ITSELF, "page": 3})
    assert resolved(first, second, third).titles == {"es": "By a file", "fr": "By itself"}


def test_a_title_in_no_known_language_stands_for_all_of_them() -> None:
    first = part(1, SHARE, statements=[BY_PEOPLE])
    second = part(2, replace(SHARE, page=2), facts={**BY_ITSELF, "page": 2})
    entry = resolved(first, second)
    assert entry.titles == {"": "By people"}
    assert "By itself" in entry.other_titles


def test_a_recommended_page_gives_title_and_address_wherever_it_was_joined_to() -> None:
    other = {**BY_YAML, "url": "https://example.org/recommended"}
    entry = resolved(part(1, LABELLED), part(2, recommendation=other))
    assert (entry.lead, entry.titles, entry.url) == (1, {"en": "By the YAML"}, other["url"])


def test_the_address_left_of_an_undone_import_counts_while_people_vouch_for_it_and_nobody_shares_it() -> None:
    bare = replace(SHARE, sender=None, attachment=None, bare=True)
    assert resolve(1, [part(1, bare)]) is None
    assert resolve(1, [part(1, bare, statements=[replace(BY_PEOPLE, field="pinned", value="0")])]) is None
    assert resolved(part(1, bare, statements=[BY_PEOPLE])).url == PAGE
    assert [share.bare for share in resolved(part(1, bare, SHARE, statements=[BY_PEOPLE])).shares] == [False]
