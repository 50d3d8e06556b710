"""Whose word counts: what members may not lift, what is kept though it holds already, and what an edit replaces."""

from __future__ import annotations

from bot.testing.story import Story
from tests.knowledge.talk import MOD, said, share
from tests.knowledge.test_plugin import ANA, LUIS

A, B = "policy https://example.org/a", "guide https://example.org/b"


async def is_found(told: Story, words: str) -> bool:
    return "Nothing found" not in await said(told, LUIS, f"!find {words}")


async def test_a_member_cannot_show_what_a_coordinator_hid_by_joining(told: Story) -> None:
    await share(told, A)
    await share(told, B)
    await said(told, ANA, "!hide 1")
    await said(told, MOD, "!hide 2")
    await said(told, MOD, "!merge 1 2")
    assert "no result with the number" in await said(told, ANA, "!hide 1")
    assert not await is_found(told, "guide")


async def test_a_sole_sharer_can_hide_what_somebody_else_hid_before_them(told: Story) -> None:
    first = await share(told, A)
    await said(told, ANA, "!hide 1")
    await share(told, A, LUIS)
    assert await is_found(told, "policy")
    await told.redact(first)
    assert "is hidden" in await said(told, LUIS, "!hide 1")
    assert not await is_found(told, "policy")


async def test_amber_holds_though_the_share_that_was_amber_goes(told: Story) -> None:
    await share(told, A)
    amber = await share(told, f"{A} TLP:AMBER", LUIS)
    await said(told, MOD, "!label 1 amber")
    await told.redact(amber)
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")


async def test_a_label_can_be_set_again_after_a_stricter_share(told: Story) -> None:
    await share(told, A)
    await said(told, MOD, "!label 1 clear")
    await share(told, f"{A} TLP:AMBER", LUIS)
    assert "Label: TLP:CLEAR" in await said(told, MOD, "!label 1 clear")


async def test_the_label_comes_back_with_what_was_hidden(told: Story) -> None:
    message = await share(told, A)
    await said(told, MOD, "!label 1 amber")
    await said(told, MOD, "!hide 1")
    await told.redact(message)
    await share(told, A, LUIS)
    await said(told, MOD, "!hide 1")
    assert "TLP:AMBER" in await said(told, MOD, "!show 1")


async def test_what_is_said_of_a_result_counts_though_its_first_page_is_hidden(told: Story) -> None:
    await share(told, A)
    await share(told, B)
    await said(told, MOD, "!hide 1")
    await said(told, MOD, "!merge 1 2")
    assert "Ours" in await said(told, MOD, "!title 1 Ours")
    assert "useful to 1 person" in await said(told, LUIS, "!useful 1") + await said(told, LUIS, "!show 1")


async def test_an_edited_command_replaces_what_it_said_before(told: Story) -> None:
    await share(told, A)
    await share(told, B)
    title = told.message(MOD, "!title 1 Zebrafish")
    await told.hear(title)
    await told.edit(title, "!title 2 Guide")
    assert not await is_found(told, "zebrafish")
    assert "zebrafish" not in (await said(told, MOD, "!changes")).lower()
    rows = await told.db.reading().rows("SELECT value FROM knowledge_statements WHERE field = 'title'")
    assert [row["value"] for row in rows] == [None, "Guide"]
