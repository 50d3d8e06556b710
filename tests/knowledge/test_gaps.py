"""After a gap that could not be read, what was stored is checked with the homeserver before it is shown again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.core.errors import Refused, Unavailable
from bot.core.events import Batch, Edit, Event, Message, Redaction, RoomUpdate, Undecryptable
from bot.storage import rechecks
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index import update
from tests.knowledge.hubs import hub
from tests.knowledge.talk import EVA, MINUTE, MOD, said, share
from tests.knowledge.test_plugin import ANA, LUIS, ROOM

Answer = Event | Undecryptable | Refused | Unavailable | None


class Asked:
    """What the homeserver says of messages; all others are as they were."""

    def __init__(self, story: Story, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        story.transport.current = self.current  # type: ignore[method-assign]  # the rooms of a story are not in it

    async def current(self, room: str, event_id: str) -> Event | Undecryptable | None:
        self.asked.append(event_id)
        answer = self.answers.get(event_id)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def gap(s: Story) -> None:
    """Something was missed; the questions have not been asked yet."""
    await s.pipeline.handle(Batch("gap", (RoomUpdate(ROOM, gap=True, incomplete=True),), catching_up=True))


async def is_found(s: Story, word: str) -> bool:
    return f"/{word})" in await said(s, EVA, f"!find {word}")


async def a_link(s: Story, word: str, who: str = ANA) -> Message:
    return await share(s, f"{word} https://example.org/{word}", who)


async def test_what_was_deleted_meanwhile_is_not_found_again(told: Story) -> None:
    deleted, kept = await a_link(told, "zebra"), await a_link(told, "lemon")
    asked = Asked(told, {deleted.event_id: Redaction(ROOM, "$r", ANA, 0, deleted.event_id)})
    await gap(told)
    await told.settle()
    assert sorted(asked.asked) == sorted((deleted.event_id, kept.event_id))
    assert not await is_found(told, "zebra")
    assert await is_found(told, "lemon")
    assert not await told.db.reading().rows("SELECT * FROM knowledge_shares WHERE note LIKE '%zebra%'")


async def test_nothing_of_the_room_is_shown_until_it_is_checked_and_coordinators_read_why(told: Story) -> None:
    await a_link(told, "zebra")
    Asked(told, {})
    await gap(told)
    for who in (EVA, MOD):
        question = told.message(who, "!find zebra")
        await told.pipeline.handle(Batch("ask", (RoomUpdate(ROOM, events=(question,)),)))
    shown = [str(row.content["body"]) for row in await told.outbox.pending()]
    assert all("https://example.org/zebra" not in text for text in shown)
    await told.settle()
    texts = [str(row.content["body"]) for row in told.sent]
    assert "stored link still stands" in texts[-1]
    assert "stored link" not in texts[-2]
    assert await is_found(told, "zebra")
    assert "stored link" not in await said(told, MOD, "!find zebra")


async def test_what_was_edited_meanwhile_is_as_it_reads_now(told: Story) -> None:
    message = await a_link(told, "zebra")
    edit = Edit(message.event_id, Message(ROOM, "$edit", ANA, 1, "lemon https://example.org/lemon"))
    Asked(told, {message.event_id: edit})
    await gap(told)
    await told.settle()
    assert not await is_found(told, "zebra")
    assert await is_found(told, "lemon")


async def test_a_deleted_command_loses_its_words(told: Story) -> None:
    await a_link(told, "zebra")
    title = told.message(MOD, "!title 1 Ocelot")
    await told.hear(title)
    Asked(told, {title.event_id: Redaction(ROOM, "$r", MOD, 0, title.event_id)})
    await gap(told)
    await told.settle()
    assert "Ocelot" not in await said(told, EVA, "!show 1")


async def test_what_the_homeserver_no_longer_knows_is_kept_and_counted(told: Story) -> None:
    message = await a_link(told, "zebra")
    Asked(told, {message.event_id: Refused("M_NOT_FOUND", "gone")})
    await gap(told)
    await told.settle()
    assert await is_found(told, "zebra")
    [known] = await rechecks.known(told.db.reading())
    assert (known.room, known.total, known.unknown) == (ROOM, 0, 1)


async def test_what_the_homeserver_does_not_show_stays_hidden_and_is_asked_for_again(told: Story) -> None:
    message = await a_link(told, "zebra")
    await a_link(told, "lemon")
    asked = Asked(told, {message.event_id: Refused("M_FORBIDDEN", "no")})
    await gap(told)
    await told.settle()
    assert not await is_found(told, "zebra")
    assert await is_found(told, "lemon")
    asked.answers.clear()
    await told.pipeline.refresh()
    await told.settle()
    assert await is_found(told, "zebra")


async def test_a_deletion_that_cannot_be_followed_stays_hidden(told: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await a_link(told, "zebra")
    Asked(told, {message.event_id: Redaction(ROOM, "$r", ANA, 0, message.event_id)})

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(update, "remove", broken)
        await gap(told)
        await told.settle()
    assert not await is_found(told, "zebra")
    await told.pipeline.refresh()
    await told.settle()
    assert await told.db.reading().rows("SELECT * FROM knowledge_shares") == []


async def test_an_outage_only_delays_it(told: Story) -> None:
    message = await a_link(told, "zebra")
    asked = Asked(told, {message.event_id: Unavailable("away")})
    await gap(told)
    await told.settle()
    assert not await is_found(told, "zebra")
    asked.answers.clear()
    await told.advance(60 * MINUTE)
    assert await is_found(told, "zebra")


async def test_what_another_room_shares_too_stays_found_without_the_words_in_doubt() -> None:
    second = {"id": "!second:example.org", "log_links": True}
    async with story([Knowledge], [hub(rooms=[{"id": ROOM, "log_links": True}, second])]) as s:
        await share(s, "ocelot https://example.org/zebra", LUIS, room=str(second["id"]))
        await a_link(s, "zebra")
        Asked(s, {})
        await gap(s)
        [entry] = await s.db.reading().rows("SELECT notes FROM knowledge_entry_words")
        assert entry["notes"] == "ocelot"
        await s.settle()
        [entry] = await s.db.reading().rows("SELECT notes FROM knowledge_entry_words")
        assert "zebra" in entry["notes"]


async def test_the_questions_go_on_where_they_were(told: Story) -> None:
    how_many = 120
    for number in range(how_many):
        await share(told, f"zebra https://example.org/{number}")
    asked = Asked(told, {})
    await gap(told)
    while not asked.asked:
        await told.job_runner.run_next()
    [running] = await rechecks.running(told.db.reading())
    assert (running.total, running.checked) == (how_many, 50)
    await told.settle()
    assert len(asked.asked) == len(set(asked.asked)) == how_many
    assert await rechecks.known(told.db.reading()) == []
