"""Documents shared in a room are found like pages: by their names, captions and kinds. Their bytes are not touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.events import Edit, Message
from bot.core.files import Attachment, File
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.asked import DAY, FakeWeb, asking
from tests.knowledge.hubs import hub

ANA, LUIS = "@ana:example.org", "@luis:example.net"
POLICY = File("Gift_policy_2023.pdf", "application/pdf", b"%PDF" + bytes(1_250_000))


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb()


@pytest.fixture
async def told(web: FakeWeb) -> AsyncIterator[Story]:
    async with story([asking(web)], [hub(fetch="titles", check_links=True)]) as s:
        yield s


async def test_a_document_is_found_by_its_name_with_its_kind_its_size_and_the_message(told: Story) -> None:
    assert await told.hear(told.file(ANA, POLICY)) is None
    found = str(await told.say(LUIS, "!find gift policy"))
    assert found == (
        "1. Gift policy 2023 (Gift_policy_2023.pdf)\nPDF, 1.3 MB · 15 Jan 2027 · shared by ana · message "
        "(https://matrix.to/#/%21transparency%3Aexample.org/%24event1?via=example.org)"
    )


async def test_a_document_is_found_by_its_kind_and_its_caption(told: Story) -> None:
    await told.hear(told.file(ANA, POLICY, "what every newcomer should read #onboarding"))
    await told.say(ANA, "see https://example.org/newcomer")
    found = str(await told.say(LUIS, "!find newcomer type:pdf"))
    assert "1. Gift policy 2023" in found
    assert "2." not in found
    assert "Gift policy 2023" in str(await told.say(LUIS, "!find topic:onboarding"))
    assert "“what every newcomer should read #onboarding”" in str(await told.say(LUIS, "!show 1"))


async def test_where_it_lies_is_neither_shown_nor_searched(told: Story) -> None:
    await told.hear(told.file(ANA, POLICY))
    assert "mxc" not in str(await told.say(LUIS, "!show 1"))
    assert "Nothing found" in str(await told.say(LUIS, "!find m1"))
    assert "Nothing found" in str(await told.say(LUIS, "!find site:example.org"))


async def test_no_file_is_ever_asked_of_the_network(told: Story, web: FakeWeb) -> None:
    await told.hear(told.file(ANA, POLICY))
    await told.pipeline.refresh()
    for _ in range(15):
        await told.advance(DAY)
    assert web.asked == []


async def test_editing_the_caption_and_redacting_the_message_follow(told: Story) -> None:
    message = told.file(ANA, POLICY, "for the autumn workshop")
    await told.hear(message)
    await told.hear(Edit(message.event_id, replace(message, event_id="$edit", body="for the spring workshop")))
    assert "Gift policy" in str(await told.say(LUIS, "!find spring"))
    assert "Nothing found" in str(await told.say(LUIS, "!find autumn"))
    await told.redact(message)
    assert "Nothing found" in str(await told.say(LUIS, "!find policy"))
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_entries") == 0


async def test_a_file_that_becomes_words_is_shared_no_more(told: Story) -> None:
    message = told.file(ANA, POLICY)
    await told.hear(message)
    words = replace(message, event_id="$edit", body="never mind", kind="m.text", attachment=None)
    await told.hear(Edit(message.event_id, words))
    assert "Nothing found" in str(await told.say(LUIS, "!find policy"))


async def test_the_same_file_sent_on_is_one_result(told: Story) -> None:
    first = told.file(ANA, POLICY)
    again = replace(told.message(LUIS, POLICY.name), kind="m.file", attachment=first.attachment)
    await told.hear(first, again)
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_entries") == 1


@pytest.mark.parametrize(
    ("name", "mimetype", "caption"),
    [
        ("holiday.jpg", "image/jpeg", ""),
        ("setup.exe", "application/octet-stream", ""),
        ("TLP-RED list.pdf", "application/pdf", ""),
        ("list.pdf", "application/pdf", "TLP:RED"),
        ("list.pdf", "application/pdf", "!nolog only for today"),
    ],
)
async def test_what_is_no_document_or_not_to_be_kept_is_not(
    told: Story, name: str, mimetype: str, caption: str
) -> None:
    await told.hear(told.file(ANA, File(name, mimetype, b"x"), caption))
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_shares") == 0


async def test_people_who_want_no_part_share_no_files_either(told: Story) -> None:
    await told.say(ANA, "!mylinks off")
    await told.hear(told.file(ANA, POLICY))
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_shares") == 0


async def test_a_file_without_an_address_is_not_kept(told: Story) -> None:
    said = Attachment("list.pdf", "application/pdf", 1)
    message: Message = replace(told.message(ANA, "list.pdf"), kind="m.file", attachment=said)
    await told.hear(message)
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_shares") == 0


async def test_without_notes_a_document_keeps_its_name_alone() -> None:
    async with story([Knowledge], [hub(keep_notes=False)]) as s:
        await s.hear(s.file(ANA, POLICY, "confidential words"))
        assert "Nothing found" in str(await s.say(LUIS, "!find confidential"))
        assert "1. Gift policy 2023" in str(await s.say(LUIS, "!find policy"))


async def test_a_link_beside_a_file_is_kept_too(told: Story) -> None:
    await told.hear(told.file(ANA, POLICY, "explained at https://example.org/explained"))
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_entries") == 2
