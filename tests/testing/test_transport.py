"""Encryption as the homeserver in memory plays it."""

from __future__ import annotations

from bot.core.events import Message, Undecryptable, Withheld
from bot.testing.transport import FakeTransport

BOT, ANA, HALL = "@faro:example.org", "@ana:example.org", "!hall:example.org"


async def opened() -> tuple[FakeTransport, str]:
    """A homeserver with one room, read up to now, and the position."""
    transport = FakeTransport(BOT)
    transport.open_room(HALL, members=[ANA, BOT])
    return transport, (await transport.sync(None)).token


async def test_what_is_whispered_is_read_once_its_key_has_come() -> None:
    transport, token = await opened()
    sent = transport.whisper(ANA, HALL, "hello", session="s")
    batch = await transport.sync(token)
    (closed,) = batch.undecryptable
    assert isinstance(closed, Undecryptable)
    assert (closed.event_id, closed.sender, closed.session_id) == (sent, ANA, "s")
    assert transport.decrypt(closed) is None
    transport.give_key(HALL, "s")
    assert (await transport.sync(batch.token)).keys == {(HALL, "s")}
    message = transport.decrypt(closed)
    assert isinstance(message, Message)
    assert (message.body, message.encrypted) == ("hello", True)


async def test_a_key_that_came_before_opens_at_once() -> None:
    transport, token = await opened()
    transport.give_key(HALL, "s")
    transport.whisper(ANA, HALL, "hello", session="s")
    batch = await transport.sync(token)
    assert batch.undecryptable == ()
    assert [event.body for event in batch.rooms[0].events if isinstance(event, Message)] == ["hello"]


async def test_withheld_keys_are_announced() -> None:
    transport, token = await opened()
    transport.withhold(ANA, HALL, "s")
    assert (await transport.sync(token)).withheld == (Withheld(HALL, ANA, "s", "m.unverified"),)


async def test_what_was_whispered_before_the_bot_came_is_not_for_it() -> None:
    transport, token = await opened()
    transport.open_room("!new:example.org", members=[ANA])
    transport.whisper(ANA, "!new:example.org", "secret", session="s")
    await transport.join("!new:example.org", [])
    assert (await transport.sync(token)).undecryptable == ()


async def test_what_is_sent_plain_is_noted() -> None:
    transport, _ = await opened()
    await transport.send(HALL, "m.room.message", {"body": "I cannot read you"}, "notice.1", plain=True)
    await transport.send(HALL, "m.room.message", {"body": "hello"}, "reply.1")
    assert transport.plain == ["notice.1"]
