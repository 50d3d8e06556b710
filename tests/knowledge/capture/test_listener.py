"""What is kept of the links people send: by itself, handed over with `!share`, and after an edit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.events import Edit
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.talk import EVA, MOD, reactions, said, share
from tests.knowledge.test_plugin import ANA, LUIS, ROOM, count


async def test_a_link_handed_over_is_kept_where_links_are_not_kept_by_themselves() -> None:
    async with story([Knowledge], [hub(rooms=[{"id": ROOM}])]) as s:
        message = s.message(ANA, "!share https://example.org/a why it helps #gifts")
        assert await s.hear(message) == "Saved as 1. Thank you."
        answer = await said(s, LUIS, "!find why helps topic:gifts")
        assert answer.startswith("1. ")
        await s.edit(message, "!share https://example.org/b another reason")
        assert "https://example.org/b" in await said(s, LUIS, "!show 2")
        assert "no result" in await said(s, LUIS, "!show 1")
        await s.edit(message, "!share https://example.org/b the words put right")
        assert "the words put right" in await said(s, LUIS, "!show 2")
        later = replace(message, event_id="$later", body="!find something else", sent_at=message.sent_at + 1)
        await s.hear(Edit(message.event_id, later))
        assert await count(s, "knowledge_shares") == 0


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
    assert await said(told, ANA, f"!share {said_}") == "Saved as 1. Thank you."
    assert "(https://www.wcoomd.org/guide)" in await said(told, LUIS, "!show 1")


async def test_who_hands_over_what_is_hidden_is_told_so(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!hide 1")
    hidden = (
        "The page https://example.org/a is hidden here, so searches do not show it. Coordinators can show it again."
    )
    assert await said(told, EVA, "!share https://example.org/a") == hidden
    both = await said(told, EVA, "!share https://example.org/a https://example.org/b")
    assert both == f"Saved as 2. Thank you.\n{hidden}"


@pytest.mark.parametrize("who", [ANA, MOD])
async def test_who_hid_a_page_and_shares_it_again_is_told_how_to_show_it(told: Story, who: str) -> None:
    await share(told, who=who)
    await said(told, who, "!hide 1")
    told_them = "You hid this page, so searches do not show it. To show it again, write !hide 1: https://example.org/a"
    assert await said(told, who, "!share https://example.org/a") == told_them
    assert "is visible again" in await said(told, who, "!hide 1")
    assert await said(told, who, "!share https://example.org/a") == "Saved as 1. Thank you."


async def test_who_hid_a_page_of_their_own_and_looks_at_it_is_told_so_and_nobody_else(told: Story) -> None:
    await share(told)
    await said(told, ANA, "!hide 1")
    answer = await said(told, ANA, "!show 1")
    assert answer == (
        "You hid this page, so searches do not show it. To show it again, write !hide 1: https://example.org/a"
    )
    assert await said(told, LUIS, "!show 1") == "There is no result with the number 1 here."
    assert "Hidden: searches" in await said(told, MOD, "!show 1")
    await said(told, ANA, "!hide 1")
    await said(told, MOD, "!hide 1")
    assert await said(told, ANA, "!show 1") == "There is no result with the number 1 here."


async def test_that_its_sharer_hid_a_page_is_told_to_nobody_else(told: Story) -> None:
    await share(told)
    await said(told, ANA, "!hide 1")
    assert await said(told, EVA, "!share https://example.org/a") == "Saved as 1. Thank you."


async def test_what_is_handed_over_goes_with_its_message(told: Story) -> None:
    message = told.message(ANA, "!share https://example.org/a why it helps")
    await told.hear(message)
    await told.redact(message)
    assert await count(told, "knowledge_shares") == 0


async def test_a_message_that_becomes_a_share_command_shares_what_it_hands_over(told: Story) -> None:
    message = await share(told)
    await told.edit(message, "!share https://example.org/a because it helps")
    assert "“because it helps”" in await said(told, LUIS, "!show 1")
    assert await count(told, "knowledge_shares") == 1


async def test_a_hub_that_keeps_no_notes_keeps_none_that_are_handed_over() -> None:
    async with story([Knowledge], [hub(keep_notes=False)]) as s:
        await s.say(ANA, "!share https://example.org/a zanzibarista")
        assert await s.db.reading().value("SELECT note FROM knowledge_shares") is None


async def test_a_link_is_told_to_be_kept_or_known_by_a_quiet_reaction() -> None:
    async with story([Knowledge], [hub(tell_kept=True)]) as s:
        message = await share(s)
        await share(s, "again https://example.org/a?utm_source=mail")
        await share(s, "no link")
        assert reactions(s) == ["stored", "already known"]
        await s.edit(message, "policy, better said https://example.org/a")
        assert reactions(s) == ["stored", "already known"]


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
    assert await count(told, "knowledge_shares") == 1
    await told.edit(message, "said best https://example.org/a")
    assert "“said best”" in await said(told, LUIS, "!show 1")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("by", "text", "urls"),
    [
        (ANA, "never mind", []),
        (ANA, "better https://example.org/b", ["https://example.org/b"]),
        (LUIS, "mine https://example.org/c", ["https://example.org/a"]),
    ],
)
async def test_of_a_message_whose_key_comes_late_the_last_text_of_its_author_counts(
    told: Story, by: str, text: str, urls: list[str], together: bool
) -> None:
    """Whether its edit, which can be read, came in the same batch or later."""
    message = told.message(ANA, "the first zanzibarista https://example.org/a")
    edit = Edit(message.event_id, replace(message, event_id="$edit", body=text, sender=by))
    await told.hear_sealed(message, beside=edit if together else None)
    if not together:
        await told.hear(edit)
    await told.key_arrives()
    assert [row["url"] for row in await told.db.reading().rows("SELECT url FROM knowledge_shares")] == urls


async def test_what_somebody_else_makes_of_a_message_that_shares_something_is_not_kept(told: Story) -> None:
    message = await share(told)
    await told.edit(message, "nothing", by=LUIS)
    await told.edit(message, "!find policy", by=LUIS)
    await told.edit(message, "mine https://example.org/b", by=LUIS)
    assert [row["url"] for row in await told.db.reading().rows("SELECT url FROM knowledge_shares")] == [
        "https://example.org/a"
    ]
    await told.edit(message, "mine https://example.org/c")
    assert [row["url"] for row in await told.db.reading().rows("SELECT url FROM knowledge_shares")] == [
        "https://example.org/c"
    ]


async def test_that_a_hidden_page_is_known_is_told_to_nobody() -> None:
    async with story([Knowledge], [hub(tell_kept=True, moderators=[MOD])]) as s:
        await share(s)
        await said(s, MOD, "!hide 1")
        await share(s, "again https://example.org/a", EVA)
        assert reactions(s) == ["stored", "stored"]
