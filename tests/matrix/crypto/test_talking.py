"""What is said in an encrypted room arrives, at those who may read it and at nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.core.errors import Refused, Unavailable
from bot.core.events import Edit, Message, Redaction, Undecryptable, Withheld
from bot.matrix.inbound import translate
from bot.testing.clock import FakeClock
from bot.testing.patience import patient
from tests.matrix.crypto.conftest import ANA, BOT
from tests.matrix.crypto.keyserver import KeyServer
from tests.matrix.crypto.party import MEGOLM, ROOM, FakeRoomState, Party


async def test_both_understand_each_other(faro: Party, ana: Party) -> None:
    await faro.sync(await ana.say("!find gifts"))
    await ana.sync(await faro.say("Found."))
    assert (faro.words, ana.words) == (["!find gifts"], ["Found."])


async def test_the_sender_of_a_message_is_known_by_their_device(faro: Party, ana: Party) -> None:
    await faro.sync(await ana.say("!reload"))
    assert [(one.encrypted, one.sender_known) for one in faro.heard if isinstance(one, Message)] == [(True, True)]


async def test_a_message_under_somebody_elses_key_is_not_surely_from_its_sender(faro: Party, ana: Party) -> None:
    event = await ana.say("!reload")
    await faro.sync({**event, "sender": "@mal:example.org"})
    assert [one.sender_known for one in faro.heard if isinstance(one, Message)] == [False]


async def test_a_copied_room_key_does_not_make_its_owner_doubtful(faro: Party, ana: Party, mal: Party) -> None:
    """Who was given a room key can send it on as if it were theirs."""
    event = await ana.say("!reload")
    await mal.sync()
    await mal.say("hello")
    session = next(iter(mal.machine.inbound_group_store[ROOM].values()))
    key = {**MEGOLM, "room_id": ROOM, "session_id": event["content"]["session_id"]}
    assert session
    letter = ana.server.to_device_events[BOT, "D1"][-1]
    await faro.sync()
    faro.server.to_device_events[BOT, "D1"] = [mal.letter(faro, "m.room_key", {**key, "session_key": "x"}), letter]
    await faro.sync(event)
    assert [one.sender_known for one in faro.heard if isinstance(one, Message)] == [True]


async def test_thread_reply_and_edit_are_understood_from_the_clear_relation(faro: Party, ana: Party) -> None:
    first = await ana.say("one")
    thread = {"rel_type": "m.thread", "event_id": first["event_id"], "m.in_reply_to": {"event_id": "$x"}}
    second = await ana.say("two", **{"m.relates_to": thread})
    edit = {"m.new_content": {"msgtype": "m.text", "body": "uno"}}
    relation = {"rel_type": "m.replace", "event_id": first["event_id"]}
    third = await ana.say("* uno", **edit, **{"m.relates_to": relation})
    assert second["content"]["m.relates_to"] == thread
    await faro.sync(first, second, third)
    _, said, edited = faro.heard
    assert isinstance(said, Message)
    assert (said.thread, said.reply_to) == (first["event_id"], "$x")
    assert isinstance(edited, Edit)
    assert (edited.target, edited.message.body, edited.message.sender_known) == (first["event_id"], "uno", True)


async def test_only_relation_and_key_are_readable_by_the_homeserver(faro: Party, ana: Party) -> None:
    event = await faro.say("secret", **{"org.faro.key": "reply.1", "m.mentions": {"user_ids": [ANA]}})
    readable = {"algorithm", "sender_key", "ciphertext", "session_id", "device_id", "org.faro.key"}
    assert set(event["content"]) == readable
    assert event["content"]["org.faro.key"] == "reply.1"


async def test_own_messages_stay_out(faro: Party, ana: Party) -> None:
    await faro.sync(await faro.say("mine"))
    assert faro.heard == []


async def test_a_removed_encrypted_message_is_a_redaction() -> None:
    raw = {
        "type": "m.room.encrypted",
        "sender": ANA,
        "event_id": "$1",
        "origin_server_ts": 1,
        "content": {},
        "unsigned": {"redacted_because": {}},
    }
    assert translate(ROOM, raw, BOT) == Redaction(ROOM, "$1", ANA, 1, target="$1")


# -- keys that come late, or never ------------------------------------------------------------------------------------


async def test_a_message_without_its_key_is_kept_and_opens_when_the_key_comes(faro: Party, ana: Party) -> None:
    event = await ana.say("!next")
    late = faro.server.to_device_events[BOT, "D1"]
    faro.server.to_device_events[BOT, "D1"] = []
    await faro.sync(event)
    (closed,) = faro.heard
    assert isinstance(closed, Undecryptable)
    assert (closed.event_id, closed.sender, closed.raw) == (event["event_id"], ANA, event)
    assert faro.engine.keys == frozenset()
    faro.server.to_device_events[BOT, "D1"] = late
    await faro.sync()
    assert faro.engine.keys == {(ROOM, closed.session_id)}
    opened, _ = faro.engine.read(ROOM, dict(closed.raw))
    assert isinstance(opened, Message)
    assert (opened.body, opened.sender_known) == ("!next", True)


async def test_keys_of_a_batch_that_was_not_stored_are_told_again(faro: Party, ana: Party) -> None:
    event = await ana.say("hello")
    answer = faro.server.sync((BOT, "D1"))
    for _ in range(2):
        await faro.engine.handle_sync(answer, "same")
        assert faro.engine.keys == {(ROOM, event["content"]["session_id"])}
    await faro.engine.handle_sync({}, "later")
    assert faro.engine.keys == frozenset()


async def test_withheld_keys_are_told(faro: Party) -> None:
    content = {"room_id": ROOM, "session_id": "s", "code": "m.unverified", **MEGOLM}
    faro.server.to_device_events[BOT, "D1"] = [{"type": "m.room_key.withheld", "sender": ANA, "content": content}]
    await faro.sync()
    assert faro.engine.withheld == (Withheld(ROOM, ANA, "s", "m.unverified"),)


async def test_after_a_restart_all_is_still_readable(faro: Party, ana: Party) -> None:
    first = await ana.say("before")
    await faro.sync(first)
    second = await ana.say("while away")
    again = faro.restarted()
    await again.sync(second, await ana.say("after"))
    await ana.sync(await again.say("here again"))
    assert (again.words, ana.words) == (["while away", "after"], ["here again"])
    again.close()


# -- who gets the key -------------------------------------------------------------------------------------------------


async def test_a_newcomer_reads_the_first_message_after_joining_and_none_before(
    faro: Party, ana: Party, enter: Callable[..., Party], room_state: FakeRoomState
) -> None:
    before = await faro.say("before")
    bea = enter("@bea:example.org")
    await bea.sync()
    room_state.people.add("@bea:example.org")
    await bea.sync(before, await faro.say("welcome"))
    assert bea.words == ["welcome"]


async def test_a_new_device_of_a_member_reads_on(faro: Party, ana: Party, enter: Callable[..., Party]) -> None:
    await faro.say("one")
    phone = enter(ANA, "PHONE")
    await phone.sync()
    await faro.sync()
    await phone.sync(await faro.say("two"))
    assert phone.words == ["two"]


async def test_who_left_gets_no_further_key(faro: Party, ana: Party, room_state: FakeRoomState) -> None:
    before = await faro.say("one")
    room_state.people.discard(ANA)
    after = await faro.say("two")
    await ana.sync(before, after)
    assert ana.words == ["one"]
    assert after["content"]["session_id"] != before["content"]["session_id"]


async def test_the_key_changes_as_often_as_the_room_wants(
    faro: Party, ana: Party, room_state: FakeRoomState, clock: FakeClock
) -> None:
    room_state.rules = {**MEGOLM, "rotation_period_msgs": 2, "rotation_period_ms": 7_200_000}
    sessions = [(await faro.say(str(number)))["content"]["session_id"] for number in range(4)]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]
    room_state.rules = {**MEGOLM, "rotation_period_ms": 7_200_000}
    fifth = (await faro.say("5"))["content"]["session_id"]
    clock.advance(7_200)
    assert (await faro.say("6"))["content"]["session_id"] != fifth


@pytest.mark.parametrize("silly", [0, -1, "2", True, None, 1.5])
async def test_a_silly_rotation_period_is_not_followed(faro: Party, room_state: FakeRoomState, silly: object) -> None:
    room_state.rules = {**MEGOLM, "rotation_period_msgs": silly, "rotation_period_ms": silly}
    sessions = {(await faro.say(str(number)))["content"]["session_id"] for number in range(5)}
    assert len(sessions) == 1


async def test_an_unknown_algorithm_is_refused(faro: Party, room_state: FakeRoomState) -> None:
    room_state.rules = {"algorithm": "m.megolm.v9"}
    with pytest.raises(Refused):
        await faro.say("hello")


async def test_two_rooms_spoken_in_at_once_are_readable_to_all(faro: Party, ana: Party, mal: Party) -> None:
    """The one-time keys are claimed for one of them, and the other waits for that."""
    rooms = (ROOM, "!desk:example.org")
    said = {"msgtype": "m.text", "body": "hello"}
    sealed = await asyncio.gather(*(faro.engine.encrypt(room, "m.room.message", said, MEGOLM) for room in rooms))
    for reader in (ana, mal):
        await reader.sync()
        await reader.engine.query_senders([{"type": "m.room.encrypted", "sender": faro.user}])
        for room, content in zip(rooms, sealed, strict=True):
            event, _ = reader.engine.read(room, faro.event(dict(content)))
            assert isinstance(event, Message)


async def test_one_rooms_homeserver_that_does_not_answer_stops_no_other(
    faro: Party, ana: Party, server: KeyServer
) -> None:
    server.fails["keys/claim"] = [Unavailable("down")]
    said = {"msgtype": "m.text", "body": "hello"}
    async with asyncio.timeout(patient(10)):
        await asyncio.gather(
            *(faro.engine.encrypt(room, "m.room.message", said, MEGOLM) for room in (ROOM, "!desk:example.org"))
        )
    assert faro.engine._devices._claiming == {}


# -- what fails on the way --------------------------------------------------------------------------------------------


async def test_a_key_that_could_not_be_handed_out_is_handed_out_by_the_repeat(
    faro: Party, ana: Party, server: KeyServer
) -> None:
    server.fails["sendToDevice"] = [Unavailable("down")]
    with pytest.raises(Unavailable):
        await faro.say("hello")
    await ana.sync(await faro.say("hello"))
    assert ana.words == ["hello"]


async def test_a_claim_that_fails_does_not_hold_the_room_up(
    faro: Party, ana: Party, mal: Party, server: KeyServer, clock: FakeClock
) -> None:
    server.fails["keys/claim"] = [Unavailable("down")]
    first = await faro.say("one")
    clock.advance(30)
    await ana.sync(first, await faro.say("two"))
    assert ana.words == ["two"]


async def test_a_member_without_one_time_keys_is_not_asked_for_each_time(
    faro: Party, ana: Party, server: KeyServer
) -> None:
    server.one_time[ANA, "D1"].clear()
    server.fallback[ANA, "D1"].clear()
    for number in range(3):
        await faro.say(str(number))
    assert server.asked.count("keys/claim") == 1


async def test_people_are_asked_about_once(faro: Party, ana: Party, server: KeyServer) -> None:
    async def talk() -> None:
        await faro.sync(await ana.say("?"))
        await ana.sync(await faro.say("!"))

    for _ in range(2):
        await talk()
    server.asked.clear()
    for _ in range(2):
        await talk()
    assert "keys/query" not in server.asked
