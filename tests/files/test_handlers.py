"""What plugins can do with files: say them, get them, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.api import Attachment, File, Reply
from bot.core.events import Batch, RoomUpdate
from bot.core.files import LARGEST
from bot.hubs import Hub, Room
from bot.matrix import media
from bot.runtime import message_builder
from bot.runtime.dispatcher import SORRY
from bot.storage import outbox
from bot.testing.story import Story, story
from tests.files.plugins.copier import DUE, Copier

ANA, BEN, HALL = "@ana:example.org", "@ben:example.org", "!hall:example.org"
HUB = Hub(id="transparency", title={"": "Transparency"}, languages=("en",), rooms=(Room(id=HALL),))
PLAN = File("plan.txt", "text/plain", b"gifts first")


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Copier], [HUB]) as s:
        yield s


async def stored(s: Story) -> list[tuple[str, bytes | None]]:
    rows = await s.db.reading().rows("SELECT name, content FROM core_outbox_files ORDER BY id")
    return [(row["name"], row["content"]) for row in rows]


# -- saying them ------------------------------------------------------------------------------------------------------


async def test_an_answer_brings_a_file_with_its_words_beside_it(told: Story) -> None:
    assert await told.say(ANA, "!write file hello") == "Here it is."
    assert told.files == [File("note.txt", "text/plain", b"hello")]
    content = told.sent[-1].content
    assert (content["msgtype"], content["filename"]) == ("m.file", "note.txt")
    assert content["info"] == {"mimetype": "text/plain", "size": 5}
    assert content["m.mentions"] == {}


async def test_without_words_the_name_is_the_body(told: Story) -> None:
    assert await told.say(ANA, "!big 3") == "zeros"


async def test_an_announcement_brings_a_file(told: Story) -> None:
    await told.say(ANA, "!later")
    assert await told.advance(DUE) == "Next week"
    assert [file.name for file in told.files] == ["plan.ics"]


async def test_bytes_and_name_are_kept_until_sent_and_no_longer(told: Story) -> None:
    await told.pipeline.handle(_batch(told, "!write file hello"))
    assert await stored(told) == [("note.txt", b"hello")]
    await told.settle()
    assert await stored(told) == [("", None)]
    told.clock.advance(31 * 86_400)
    async with told.db.transaction() as tx:
        await outbox.purge(tx, told.clock.now())
    assert await stored(told) == []


async def test_of_a_message_that_is_refused_no_bytes_are_kept(told: Story) -> None:
    await told.pipeline.handle(_batch(told, "!write file hello"))
    (row,) = await told.outbox.pending()
    await told.outbox.failed(row.id, "refused")
    assert await stored(told) == [("", None)]


async def test_what_is_said_if_the_file_is_refused_waits_beside_it_and_is_not_sent_with_it(told: Story) -> None:
    await told.pipeline.handle(_batch(told, "!write file hello"))
    (row,) = await told.outbox.pending()
    assert row.instead
    assert row.instead["body"] == "Here it is.\n\nThe homeserver rejected the file; it may be too large."
    assert (row.instead["msgtype"], row.instead["m.relates_to"]) == ("m.notice", row.content["m.relates_to"])
    assert "instead" not in row.content


def _batch(told: Story, body: str) -> Batch:
    return Batch("t", (RoomUpdate(HALL, events=(told.message(ANA, body),)),))


async def test_a_file_that_is_too_large_is_the_plugins_fault_and_is_told(told: Story) -> None:
    assert await told.say(ANA, f"!big {LARGEST}") == "zeros"
    with capture_logs() as logs:
        assert await told.say(ANA, f"!big {LARGEST + 1}") == str(SORRY)
    assert [line["log_level"] for line in logs if line["log_level"] != "debug"] == ["error"]
    assert len(told.files) == 1


async def test_a_name_cannot_mislead(told: Story) -> None:
    name = "@room\u202egpj.exe\n" + "x" * 300
    content = message_builder.announcement(Reply("", file=File(name, "text/plain", b"")))
    assert str(content["filename"]).startswith("@\u2060roomgpj.exe x")
    assert len(str(content["filename"])) <= message_builder.LONGEST_NAME
    assert content["body"] == content["filename"]


@pytest.mark.parametrize(("before", "after"), [("file", "text"), ("text", "file"), ("file", "file")])
async def test_where_a_file_is_involved_an_edited_question_gets_a_new_answer_for_the_old(
    told: Story, before: str, after: str
) -> None:
    """Apps do not show that a file was edited."""
    question = told.message(ANA, f"!write {before} one")
    await told.hear(question)
    await told.edit(question, f"!write {after} two")
    first, gone, second = told.sent
    assert (gone.action, gone.replaces) == ("redact", first.key)
    assert (second.action, second.replaces, second.has_file) == ("send", None, after == "file")
    await told.redact(question)
    assert (told.sent[-1].action, told.sent[-1].replaces) == ("redact", second.key)
    assert len(told.sent) == 4


# -- getting them -----------------------------------------------------------------------------------------------------


async def test_a_job_fetches_the_file_of_the_message_that_was_replied_to(told: Story) -> None:
    shared = told.file(BEN, PLAN)
    await told.hear(shared)
    asked = replace(told.message(ANA, "!copy"), reply_to=shared.event_id)
    assert await told.hear(asked) == f"plan.txt (text/plain) of {BEN}: 11 bytes"
    assert told.files == [File("copy of plan.txt", "text/plain", PLAN.content)]


async def test_a_command_may_stand_beside_the_file(told: Story) -> None:
    message = told.file(ANA, PLAN, "!copy")
    assert message.attachment == Attachment("plan.txt", "text/plain", 11)
    assert await told.hear(message) == f"plan.txt (text/plain) of {ANA}: 11 bytes"


async def test_the_name_of_a_file_is_no_command(told: Story) -> None:
    assert await told.hear(told.file(ANA, File("!copy", "text/plain", b""))) is None


async def test_a_message_without_a_file_is_told_and_asked_once(told: Story) -> None:
    words = told.message(BEN, "hello")
    told.transport.carried[words.event_id] = (words, PLAN)
    assert await told.hear(replace(told.message(ANA, "!copy"), reply_to=words.event_id)) == str(media.NO_FILE)
    assert told.transport.requests.count("fetch") == 1


async def test_a_file_that_is_too_large_to_fetch_is_told(told: Story) -> None:
    shared = told.file(BEN, PLAN)
    large = replace(PLAN)
    object.__setattr__(large, "content", bytes(LARGEST + 1))  # a homeserver allows more than we do
    told.transport.carried[shared.event_id] = (shared, large)
    assert await told.hear(replace(told.message(ANA, "!copy"), reply_to=shared.event_id)) == (
        "That file is too large; the limit is 5 MB."
    )
