"""What every `Transport` promises, on the one in memory and on nio's against a real Synapse."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import Refused, UserError
from bot.core.events import Batch, Edit, Invite, Message, Reaction, Redaction, RoomUpdate, StateChange
from bot.core.files import Attachment, File
from bot.core.openness import openings
from bot.core.permissions import may_set, power_level
from bot.ports import NewRoom
from bot.testing.homeserver import Homeserver
from tests.contract.worlds import Listener, MemoryWorld, RealWorld, World, events

TIMELINE = 50  # events a sync brings of a room; more is a gap


@pytest.fixture
async def memory() -> AsyncIterator[World]:
    world = MemoryWorld()
    yield world
    await world.close()


@pytest.fixture
async def synapse(homeserver: Homeserver, tmp_path: Path) -> AsyncIterator[World]:
    world = await RealWorld.make(homeserver, tmp_path)
    yield world
    await world.close()


@pytest.fixture(params=["memory", "synapse"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
async def listener(world: World) -> Listener:
    """The bot has read everything up to now."""
    listener = Listener(world)
    await listener.next()
    return listener


@pytest.fixture
async def room(world: World, listener: Listener) -> str:
    """A room with Ana and the bot, whose join has been read."""
    room = await world.open_room()
    await world.transport.join(room, [])
    await listener.until(lambda batch: update_of(batch, room))
    return room


def update_of(batch: Batch, room: str) -> RoomUpdate | None:
    return next((update for update in batch.rooms if update.room == room), None)


def text(body: str, key: str = "") -> dict[str, object]:
    return {"msgtype": "m.notice", "body": body, "org.faro.key": key}


# -- reading ----------------------------------------------------------------------------------------------------------


async def test_only_the_very_first_batch_is_marked_as_first(world: World) -> None:
    listener = Listener(world)
    first = await listener.next()
    assert (first.first, first.catching_up) == (True, False)
    room = await world.open_room(invite=True)
    second = await listener.next()
    assert not second.first
    assert [invite.room for invite in second.invites] == [room]


async def test_a_message_arrives_with_its_words_its_sender_and_its_time(
    world: World, listener: Listener, room: str
) -> None:
    before = world.now()
    sent = await world.say(room, "hello", **{"m.mentions": {"user_ids": [world.transport.user_id]}})
    heard = await listener.event(sent)
    assert isinstance(heard, Message)
    assert (heard.room, heard.sender, heard.body) == (room, world.ana, "hello")
    assert heard.mentions == {world.transport.user_id}
    assert before - 5000 <= heard.sent_at <= world.now() + 5000


async def test_own_words_and_notices_do_not_arrive(world: World, listener: Listener, room: str) -> None:
    await world.transport.send(room, "m.room.message", {"msgtype": "m.text", "body": "mine"}, "reply.own")
    await world.say(room, "from a bot", msgtype="m.notice")
    await world.say(room, "from a person")
    assert await listener.bodies_until("from a person") == ["from a person"]


async def test_an_edit_names_what_it_changes_and_the_new_words(world: World, listener: Listener, room: str) -> None:
    sent = await world.say(room, "helo")
    edited = await listener.event(await world.edit(room, sent, "hello"))
    assert isinstance(edited, Edit)
    assert (edited.target, edited.message.body, edited.message.sender) == (sent, "hello", world.ana)


async def test_a_redaction_names_what_it_removes(world: World, listener: Listener, room: str) -> None:
    sent = await world.say(room, "oops")
    await listener.event(sent)
    removed = await listener.event(await world.remove(room, sent))
    assert isinstance(removed, Redaction)
    assert (removed.target, removed.sender) == (sent, world.ana)


async def test_a_reaction_names_its_target_and_key(world: World, listener: Listener, room: str) -> None:
    sent = await world.say(room, "who comes?")
    reaction = await listener.event(await world.react(room, sent, "+1"))
    assert isinstance(reaction, Reaction)
    assert (reaction.target, reaction.key) == (sent, "+1")


# -- being in rooms ---------------------------------------------------------------------------------------------------


async def test_a_room_is_joined_by_its_alias_and_joining_twice_is_harmless(world: World, listener: Listener) -> None:
    alias = world.alias("hall")
    room = await world.open_room(alias=alias)
    assert (await world.transport.resolve(alias))[0] == room
    assert await world.transport.join(alias, []) == room
    assert await world.transport.join(room, ["example.org"]) == room
    assert world.transport.user_id in await world.transport.members(room)


async def test_a_joined_room_brings_its_state_with_who_made_it(world: World, listener: Listener) -> None:
    room = await world.open_room()
    await world.transport.join(room, [])
    update = await listener.until(lambda batch: update_of(batch, room))
    state = [event for event in (*update.state, *update.events) if isinstance(event, StateChange)]
    assert [change.content["creator"] for change in state if change.type == "m.room.create"] == [world.ana]
    assert any(change.type == "m.room.power_levels" for change in state)


async def test_what_was_said_before_the_bot_came_is_not_for_it(world: World, listener: Listener) -> None:
    room = await world.open_room()
    await world.say(room, "before")
    await world.transport.join(room, [])
    await world.say(room, "after")
    assert await listener.bodies_until("after") == ["after"]


async def test_a_new_name_of_the_bot_hides_no_message(world: World, listener: Listener, room: str) -> None:
    """It changes the bot's membership event in every room, as joining does."""
    await world.say(room, "before")
    await world.transport.set_display_name("Lighthouse")
    while (await world.transport.members(room))[world.transport.user_id] != "Lighthouse":  # noqa: ASYNC110 - no event of ours
        await asyncio.sleep(0.05)  # the homeserver tells the rooms in its own time
    await world.say(room, "after")
    assert await listener.bodies_until("after") == ["before", "after"]
    assert (await world.transport.profile(world.transport.user_id))["displayname"] == "Lighthouse"


async def test_an_unknown_alias_is_refused_as_not_found(world: World) -> None:
    with pytest.raises(Refused) as refused:
        await world.transport.resolve(world.alias("nowhere"))
    assert refused.value.code == "M_NOT_FOUND"


async def test_an_invite_arrives_with_who_invites_and_can_be_rejected(world: World, listener: Listener) -> None:
    room = await world.open_room()
    await world.invite(room, direct=True)
    invites = await listener.until(lambda batch: batch.invites or None)
    assert list(invites) == [Invite(room, world.ana, direct=True)]
    await world.transport.leave(room)
    assert await listener.until(lambda batch: batch.left or None) == (room,)


async def test_open_invites_are_told_as_long_as_they_are_open(world: World, listener: Listener, room: str) -> None:
    asked, chat = await world.open_room(invite=True), await world.open_room()
    await world.invite(chat, direct=True)
    await listener.until(lambda batch: batch.invites or None)
    both = [Invite(asked, world.ana, direct=False), Invite(chat, world.ana, direct=True)]
    for _ in range(2):
        assert sorted(await world.transport.invites(), key=lambda invite: invite.direct) == both
    await world.transport.leave(asked)
    await world.transport.join(chat, [])
    assert not await world.transport.invites()


async def test_an_invite_that_is_taken_back_is_a_room_left(world: World, listener: Listener) -> None:
    room = await world.open_room(invite=True)
    await listener.until(lambda batch: batch.invites or None)
    await world.kick(room)
    assert (await listener.until(lambda batch: batch.left or None)) == (room,)


async def test_a_kick_is_a_room_left(world: World, listener: Listener, room: str) -> None:
    await world.kick(room)
    assert await listener.until(lambda batch: batch.left or None) == (room,)
    with pytest.raises(Refused) as refused:
        await world.transport.send(room, "m.room.message", text("still there?"), "reply.kicked")
    assert refused.value.code == "M_FORBIDDEN"


async def test_a_room_the_bot_is_not_in_cannot_be_left(world: World) -> None:
    room = await world.open_room()
    with pytest.raises(Refused):
        await world.transport.leave(room)


async def test_a_room_is_created_with_alias_name_guests_and_encryption(world: World, listener: Listener) -> None:
    alias = world.alias(f"made-{uuid.uuid4().hex[:6]}")
    room = await world.transport.create_room(NewRoom("Gifts", alias, "About gifts", levels={world.ana: 50}))
    await world.transport.invite_person(room, world.ana)
    assert (await world.transport.resolve(alias))[0] == room
    update = await listener.until(lambda batch: update_of(batch, room))
    state = {event.type: event.content for event in (*update.state, *update.events) if isinstance(event, StateChange)}
    assert state["m.room.name"]["name"] == "Gifts"
    assert "algorithm" in state["m.room.encryption"]
    assert state["m.room.topic"]["topic"] == "About gifts"
    assert openings(state) == ()
    assert state["m.room.guest_access"]["guest_access"] == "forbidden"
    levels, create = state["m.room.power_levels"], state["m.room.create"]
    assert create["room_version"] in ("10", "11", "12")
    assert power_level(world.ana, levels, create) == 50
    assert power_level(world.transport.user_id, levels, create) >= 100
    assert may_set(world.ana, "m.room.topic", levels, create)
    assert not may_set(world.ana, "m.room.tombstone", levels, create)
    with pytest.raises(Refused) as refused:
        await world.transport.create_room(NewRoom("Gifts again", alias))
    assert refused.value.code == "M_ROOM_IN_USE"


async def test_the_state_of_a_room_is_read_and_set(world: World) -> None:
    room = await world.transport.create_room(NewRoom("Gifts", encrypted=False))
    await world.transport.set_state(room, "m.room.name", {"name": "Presents"})
    state = {change.type: change for change in await world.transport.state(room)}
    assert state["m.room.name"].content["name"] == "Presents"
    assert state["m.room.create"].content["creator"] == world.transport.user_id
    assert state["m.room.member"].state_key == world.transport.user_id
    with pytest.raises(Refused):
        await world.transport.state(await world.open_room())


async def test_members_are_those_who_joined_by_the_names_they_go_by(world: World) -> None:
    await world.describe(displayname="Ana")
    room = await world.open_room()
    await world.transport.join(room, [])
    members = await world.transport.members(room)
    assert set(members) == {world.ana, world.transport.user_id}
    assert members[world.ana] == "Ana"


async def test_who_is_asked_in_and_has_not_come_is_no_member_yet(world: World) -> None:
    room = await world.transport.create_room(NewRoom("Gifts", encrypted=False))
    await world.transport.invite_person(room, world.ana)
    assert await world.transport.invited(room) == {world.ana}
    assert set(await world.transport.members(room)) == {world.transport.user_id}


async def test_a_profile_is_read_whole_and_an_unknown_one_is_empty(world: World) -> None:
    await world.describe(displayname="Ana", **{"m.tz": "America/Guatemala"})
    profile = await world.transport.profile(world.ana)
    assert (profile["displayname"], profile["m.tz"]) == ("Ana", "America/Guatemala")
    assert await world.transport.profile(f"@nobody{world.ana.removeprefix('@ana')}") == {}


# -- encrypted rooms --------------------------------------------------------------------------------------------------


async def test_what_is_not_encrypted_says_so(world: World, listener: Listener, room: str) -> None:
    heard = await listener.event(await world.say(room, "hello"))
    assert isinstance(heard, Message)
    assert (heard.encrypted, heard.sender_known) == (False, True)


# -- sending ----------------------------------------------------------------------------------------------------------


async def test_sending_twice_under_one_transaction_id_sends_once(world: World, room: str) -> None:
    once = await world.transport.send(room, "m.room.message", text("one"), "reply.1")
    assert await world.transport.send(room, "m.room.message", text("one"), "reply.1") == once
    assert [content["body"] for content in await world.contents(room)] == ["one"]


async def test_what_was_sent_can_be_redacted_twice_under_one_transaction_id(world: World, room: str) -> None:
    sent = await world.transport.send(room, "m.room.message", text("one"), "reply.1")
    gone = await world.transport.redact(room, sent, "redact.1")
    assert await world.transport.redact(room, sent, "redact.1") == gone
    assert await world.contents(room) == []


async def test_an_own_event_is_found_by_its_key_and_no_other_is(world: World, room: str) -> None:
    start = world.now() - 5000
    sent = await world.transport.send(room, "m.room.message", text("mine", key="reply.7"), "reply.7")
    await world.say(room, "pretending", **{"org.faro.key": "reply.8"})
    assert await world.transport.find_sent(room, "reply.7", start) == sent
    assert await world.transport.find_sent(room, "reply.8", start) is None, "somebody else's"
    assert await world.transport.find_sent(room, "reply.9", start) is None, "nobody's"
    assert await world.transport.find_sent(room, "reply.7", world.now() + 5000) is None, "too old"


# -- files ------------------------------------------------------------------------------------------------------------

PLAN = File("plan.txt", "text/plain", b"gifts first")


async def share(world: World, room: str, words: str = "plan.txt", **content: object) -> str:
    """Ana sends the plan."""
    info = {"mimetype": PLAN.mimetype, "size": len(PLAN.content)}
    return await world.say(room, words, msgtype="m.file", url=await world.keep(PLAN.content), info=info, **content)


async def test_a_file_arrives_with_its_name_type_and_size_and_can_be_fetched(
    world: World, listener: Listener, room: str
) -> None:
    sent = await share(world, room)
    heard = await listener.event(sent)
    assert isinstance(heard, Message)
    assert (heard.kind, heard.attachment) == ("m.file", Attachment("plan.txt", "text/plain", 11))
    assert await world.transport.fetch(room, sent, 100) == (heard, PLAN)


async def test_words_beside_a_file_are_told_from_its_name(world: World, listener: Listener, room: str) -> None:
    heard = await listener.event(await share(world, room, "our plan", filename="plan.txt"))
    assert isinstance(heard, Message)
    assert heard.attachment
    assert (heard.body, heard.attachment.name) == ("our plan", "plan.txt")


async def test_what_is_no_file_or_too_large_or_not_there_is_told_to_the_asker(world: World, room: str) -> None:
    words, file, gone = await world.say(room, "hello"), await share(world, room), await share(world, room)
    await world.remove(room, gone)
    for event_id in (words, gone, "$nowhere"):
        with pytest.raises(UserError):
            await world.transport.fetch(room, event_id, 100)
    with pytest.raises(UserError, match="too large"):
        await world.transport.fetch(room, file, 10)


async def test_an_uploaded_file_is_seen_when_its_message_is_sent(world: World, room: str) -> None:
    where = await world.transport.upload(room, PLAN)
    assert await world.contents(room) == []
    content = {"msgtype": "m.file", "body": PLAN.name, **where}
    await world.transport.send(room, "m.room.message", content, "reply.1")
    (seen,) = await world.contents(room)
    assert await world.download(seen["url"]) == PLAN.content


# -- pauses -----------------------------------------------------------------------------------------------------------


async def test_after_a_restart_the_token_brings_what_was_missed_and_only_that(
    world: World, listener: Listener, room: str
) -> None:
    heard = await world.say(room, "heard")
    await listener.event(heard)
    missed = await world.say(room, "missed")
    await world.restart()
    batch = await listener.next()
    assert (batch.first, batch.catching_up) == (False, True)
    assert [event.event_id for event in events(batch) if isinstance(event, Message)] == [missed]
    await listener.event(await world.say(room, "live"))
    assert not listener.batches[-1].catching_up


async def test_a_batch_that_was_not_stored_comes_again(world: World, listener: Listener, room: str) -> None:
    before = listener.token
    sent = await world.say(room, "once more")
    await listener.event(sent)
    listener.token = before
    assert await listener.event(sent)


async def test_a_gap_is_filled_in_order_without_doubles_and_its_events_are_marked_old(
    world: World, listener: Listener, room: str
) -> None:
    bodies = [str(number) for number in range(TIMELINE + 15)]
    sent = [await world.say(room, body) for body in bodies]
    update = await listener.until(lambda batch: update_of(batch, room))
    assert update.gap
    assert [event.body for event in update.events if isinstance(event, Message)] == bodies
    assert update.old == set(sent[: len(update.old)]), "the oldest ones"
    assert len(update.old) == 15


async def test_a_message_redacted_within_a_gap_arrives_as_its_redaction(
    world: World, listener: Listener, room: str
) -> None:
    sent = await world.say(room, "oops")
    await world.remove(room, sent)
    for number in range(TIMELINE + 5):
        await world.say(room, str(number))
    update = await listener.until(lambda batch: update_of(batch, room))
    assert update.gap
    assert not [event for event in update.events if isinstance(event, Message) and event.event_id == sent]
    assert [event for event in update.events if isinstance(event, Redaction) and event.target == sent]


# -- what became of a message -----------------------------------------------------------------------------------------


async def test_a_message_is_known_as_it_is_now(world: World, room: str) -> None:
    kept, edited, removed = [await world.say(room, f"word {number}") for number in range(3)]
    edit = await world.edit(room, edited, "another word")
    await world.edit(room, removed, "more words")
    await world.remove(room, removed)
    message = await world.transport.current(room, kept)
    assert isinstance(message, Message)
    assert message.body == "word 0"
    now = await world.transport.current(room, edited)
    assert isinstance(now, Edit)
    assert (now.target, now.message.event_id, now.message.body) == (edited, edit, "another word")
    gone = await world.transport.current(room, removed)
    assert isinstance(gone, Redaction)
    assert gone.target == removed


async def test_a_message_nobody_knows_is_refused_as_not_found(world: World, room: str) -> None:
    with pytest.raises(Refused) as refused:
        await world.transport.current(room, "$nobodyknowsthis")
    assert refused.value.code == "M_NOT_FOUND"


async def test_the_thread_of_a_message_is_known_also_when_it_was_edited(world: World, room: str) -> None:
    root = await world.say(room, "root")
    relation = {"rel_type": "m.thread", "event_id": root, "m.in_reply_to": {"event_id": root}}
    inside = await world.say(room, "inside", **{"m.relates_to": relation})
    await world.edit(room, inside, "still inside")
    assert await world.transport.thread_of(room, inside) == root
    assert await world.transport.thread_of(room, root) is None
    assert await world.transport.thread_of(room, "$nobodyknowsthis") is None


async def test_where_the_bot_is_not_in_the_room_nothing_is_shown(world: World, room: str) -> None:
    said = await world.say(room, "word")
    await world.kick(room)
    with pytest.raises(Refused):
        await world.transport.current(room, said + "x")


async def test_coming_back_is_a_gap_that_was_not_read(world: World, listener: Listener, room: str) -> None:
    await world.kick(room)
    await listener.until(lambda batch: batch.left or None)
    await world.invite(room)
    await world.transport.join(room, [])
    assert (await listener.until(lambda batch: update_of(batch, room))).incomplete
