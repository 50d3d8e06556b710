"""Whatever anybody sends or publishes: Faro goes on, the rest of the batch is handled, and the next start is clean.

These are the inputs that ended a bot built on nio 0.26 as it is, one by one; `test_fuzz.py` looks for more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

import vodozemac
from nio.crypto import OutboundGroupSession

from bot.core.events import Message
from bot.matrix.crypto import hardening
from bot.matrix.crypto.machine import MAX_SESSIONS
from bot.matrix.crypto.replay_guard import KEPT
from bot.testing.clock import FakeClock
from tests.matrix.crypto.conftest import ANA, BOT, MAL
from tests.matrix.crypto.keyserver import KeyServer
from tests.matrix.crypto.party import MEGOLM, ROOM, FakeRoomState, Party

OLM = "m.olm.v1.curve25519-aes-sha2"


async def still_works(faro: Party, ana: Party) -> None:
    """Both ways, now and after a restart."""
    await _answers(faro, ana)
    again = faro.restarted()
    try:
        await _answers(again, ana)
    finally:
        again.close()


async def _answers(faro: Party, ana: Party) -> None:
    heard, asked = len(faro.words), len(ana.words)
    await faro.sync(await ana.say("!next"))
    assert faro.words[heard:] == ["!next"]
    await ana.sync(await faro.say("On Tuesday."))
    assert ana.words[asked:] == ["On Tuesday."]


def olm(faro: Party, type_: object, body: object, sender_key: object = "x" * 43) -> dict[str, Any]:
    own = faro.machine.account.identity_keys["curve25519"]
    content = {"algorithm": OLM, "sender_key": sender_key, "ciphertext": {own: {"type": type_, "body": body}}}
    return {"type": "m.room.encrypted", "sender": MAL, "content": content}


def a_key() -> str:
    return str(vodozemac.Account().curve25519_key.to_base64())


@pytest.mark.parametrize("body", ["", "AAAA", "not base64!", "ü", None, 7, [], "A" * 70_000])
async def test_a_garbage_olm_body(faro: Party, ana: Party, body: object) -> None:
    event = await ana.say("!next")
    types: list[object] = [0, 1, 2, None, "0", [], True]
    garbage = [olm(faro, type_, body, key) for type_ in types for key in ("x" * 43, a_key(), None)]
    faro.server.to_device_events[BOT, "D1"][:0] = garbage
    await faro.sync(event)
    assert faro.words == ["!next"]


async def test_a_pre_key_message_with_a_one_time_key_nobody_has(faro: Party, ana: Party) -> None:
    stranger, other = vodozemac.Account(), vodozemac.Account()
    other.generate_one_time_keys(1)
    one_time = next(iter(other.one_time_keys.values()))
    own = vodozemac.Curve25519PublicKey.from_base64(faro.machine.account.identity_keys["curve25519"])
    session = stranger.create_outbound_session(own, one_time)
    kind, body = session.encrypt(b"{}").to_parts()
    from unpaddedbase64 import encode_base64

    letter = olm(faro, kind, encode_base64(body), stranger.curve25519_key.to_base64())
    faro.server.to_device_events[BOT, "D1"].append(letter)
    await faro.sync()
    await still_works(faro, ana)


@pytest.mark.parametrize(
    "content",
    [
        {**MEGOLM, "room_id": ROOM, "session_id": "x", "session_key": "garbage"},
        {**MEGOLM, "room_id": ROOM, "session_id": "x", "session_key": OutboundGroupSession().session_key},
        {**MEGOLM, "room_id": 1, "session_id": [], "session_key": None},
        {},
        {"algorithm": None},
    ],
)
async def test_a_garbage_room_key(faro: Party, ana: Party, mal: Party, content: dict[str, Any]) -> None:
    await mal.say("so that there is an Olm session")
    faro.server.to_device_events[BOT, "D1"].append(mal.letter(faro, "m.room_key", content))
    await faro.sync()
    await still_works(faro, ana)


async def test_a_verification_that_was_never_accepted(faro: Party, ana: Party) -> None:
    """nio's own handler asserts its way out of the program."""
    start = {
        "transaction_id": "t",
        "from_device": "D1",
        "method": "m.sas.v1",
        "key_agreement_protocols": ["curve25519-hkdf-sha256"],
        "hashes": ["sha256"],
        "message_authentication_codes": ["hkdf-hmac-sha256"],
        "short_authentication_string": ["emoji"],
    }
    key, mac = {"transaction_id": "t", "key": "garbage"}, {"transaction_id": "t", "mac": {}, "keys": "x"}
    named = {"start": start, "key": key, "mac": mac, "accept": {}, "cancel": {}, "done": {}, "request": {}}
    faro.server.to_device_events[BOT, "D1"] = [
        {"type": f"m.key.verification.{name}", "sender": ANA, "content": content} for name, content in named.items()
    ]
    await faro.sync()
    assert faro.machine.key_verifications == {}
    await still_works(faro, ana)


PAYLOADS: list[object] = [
    [], "text", 7, None, True, {}, {"type": "m.room.message"}, {"type": 7, "content": {}, "room_id": ROOM},
    {"type": "m.room.message", "content": [], "room_id": ROOM},
    {"type": "m.room.message", "content": {"msgtype": [], "body": {}}, "room_id": ROOM},
    {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "elsewhere"}, "room_id": "!other:example.org"},
    {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "nowhere"}},
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_a_payload_that_is_no_message(faro: Party, ana: Party, mal: Party, payload: object) -> None:
    await mal.say("so that there is a room key")
    await faro.sync(mal.seal(payload), await ana.say("!next"))
    assert [one.body for one in faro.heard if isinstance(one, Message)] == ["!next"]
    await still_works(faro, ana)


@pytest.mark.parametrize("where", ["outside", "inside"])
@pytest.mark.parametrize(
    ("type_", "content"),
    [("m.room.power_levels", {"users": {MAL: 100}}), ("m.room.name", {"name": "x"}),
     ("m.room.redaction", {"redacts": "$1"}), ("m.room.message", {"msgtype": "m.text", "body": "x"})],
)  # fmt: skip
async def test_encrypted_state_is_never_applied(
    faro: Party, mal: Party, where: str, type_: str, content: dict[str, Any]
) -> None:
    await mal.say("so that there is a room key")
    payload = {"type": type_, "content": content, "room_id": ROOM}
    inside = {**payload, "state_key": ""} if where == "inside" else payload
    event = mal.seal(inside)
    await faro.sync(event | {"state_key": ""} if where == "outside" else event)
    assert faro.heard == []


async def test_an_encrypted_redaction_removes_nothing(faro: Party, mal: Party) -> None:
    await mal.say("so that there is a room key")
    await faro.sync(mal.seal({"type": "m.room.redaction", "content": {"redacts": "$1"}, "room_id": ROOM}))
    assert faro.heard == []


async def test_a_message_sent_a_second_time_counts_once(faro: Party, ana: Party) -> None:
    event = await ana.say("!remind me")
    await faro.sync(event, event | {"event_id": "$again"})
    assert faro.words == ["!remind me"]


async def test_nor_does_it_count_when_it_is_sent_again_after_a_restart(faro: Party, ana: Party) -> None:
    event = await ana.say("!remind me")
    await faro.sync(event)
    again = faro.restarted()
    await again.sync(event | {"event_id": "$again"}, await ana.say("!next"))
    assert again.words == ["!next"]
    await again.sync(event)  # the same batch once more, as after a crash, is no second time
    assert again.words == ["!next", "!remind me"]
    again.close()


async def test_nor_when_the_bot_has_forgotten_what_it_was(
    faro: Party, ana: Party, clock: FakeClock, room_state: FakeRoomState
) -> None:
    """Of long ago only the highest number is kept, and it stands for all below."""
    room_state.rules = {**MEGOLM, "rotation_period_ms": 2**50}  # one key for ever
    events = [await ana.say(f"!remind {number}") for number in range(3)]
    await faro.sync(*events)
    clock.advance((KEPT + 1) * 86_400)
    await faro.sync(await ana.say("!next"))
    kept = faro.machine.store.database.execute_sql("SELECT number FROM faro_opened ORDER BY number").fetchall()
    assert kept == [(2,), (3,)]
    await faro.sync(*(event | {"event_id": f"$again{number}"} for number, event in enumerate(events)))
    assert faro.words == ["!remind 0", "!remind 1", "!remind 2", "!next"]


async def test_what_comes_out_of_order_counts(faro: Party, ana: Party, clock: FakeClock) -> None:
    events = [await ana.say(f"!remind {number}") for number in range(3)]
    await faro.sync(events[2])
    clock.advance(86_400)
    await faro.sync(events[0], events[1])
    assert faro.words == ["!remind 2", "!remind 0", "!remind 1"]


GARBAGE_DEVICES: list[object] = [
    None, [], {}, "x", {"D1": None}, {"D1": {}}, {"D1": {"user_id": MAL, "device_id": "D1", "keys": []}},
    {"D1": {"user_id": MAL, "device_id": "D1", "keys": {"ed25519:D1": "garbage", "curve25519:D1": "garbage"},
            "signatures": {MAL: {"ed25519:D1": "garbage"}}, "algorithms": []}},
    {"D1": {"user_id": MAL, "device_id": "D1", "keys": {"ed25519:D1": 7, "curve25519:D1": None}, "signatures": 1}},
    {"D1": {"user_id": MAL, "device_id": "D1", "keys": {}, "unsigned": []}},
]  # fmt: skip


@pytest.mark.parametrize("devices", GARBAGE_DEVICES)
async def test_garbage_device_keys_of_a_member(faro: Party, ana: Party, devices: Any) -> None:
    faro.server.identities[MAL] = devices
    await still_works(faro, ana)


async def test_a_garbage_curve_key_that_is_well_signed(faro: Party, ana: Party, mal: Party, server: KeyServer) -> None:
    keys = dict(server.identities[MAL]["D1"])
    del keys["signatures"]
    keys["keys"] = {**keys["keys"], "curve25519:D1": "garbage"}
    server.identities[MAL]["D1"] = mal.machine._signed(keys)
    await still_works(faro, ana)


@pytest.mark.parametrize(
    "key", [None, [], {}, {"x": None}, {"signed_curve25519:A": {}}, {"signed_curve25519:A": {"key": "garbage"}}]
)
async def test_a_garbage_one_time_key_of_a_member(
    faro: Party, ana: Party, mal: Party, server: KeyServer, key: Any
) -> None:
    server.one_time[MAL, "D1"].clear()
    server.fallback[MAL, "D1"] = key
    await still_works(faro, ana)


async def test_a_garbage_one_time_key_that_is_well_signed(
    faro: Party, ana: Party, mal: Party, server: KeyServer
) -> None:
    server.one_time[MAL, "D1"] = {"signed_curve25519:A": mal.machine._signed({"key": "garbage"})}
    await still_works(faro, ana)


async def test_no_end_of_new_sessions(faro: Party, ana: Party, mal: Party, enter: Callable[..., Party]) -> None:
    """Anybody can open Olm sessions without end; only the latest are kept, on disk too."""
    await mal.say("so that they know us")
    device = mal.machine.device_store[BOT]["D1"]
    for _ in range(MAX_SESSIONS + 5):
        mal.machine.session_store[device.curve25519].clear()
        mal.engine._devices._claimed.clear()
        await mal.engine._devices.claim([device])
        faro.server.to_device_events[BOT, "D1"].append(mal.letter(faro, "m.dummy", {}))
        await faro.sync()
    key = mal.machine.account.identity_keys["curve25519"]
    assert len(faro.machine.session_store[key]) == MAX_SESSIONS
    again = faro.restarted()
    assert len(again.machine.session_store[key]) == MAX_SESSIONS
    again.close()


@pytest.mark.parametrize("answer", [{}, {"to_device": []}, {"to_device": {"events": {}}}, {"device_lists": 7}])
async def test_a_sync_answer_with_parts_of_the_wrong_shape(faro: Party, ana: Party, answer: dict[str, Any]) -> None:
    wrong = {"device_one_time_keys_count": {"signed_curve25519": "x"}, "device_unused_fallback_key_types": {}}
    await faro.engine.handle_sync(answer | wrong, "t")
    await still_works(faro, ana)


# -- the fence itself -------------------------------------------------------------------------------------------------


def test_a_panic_of_the_crypto_library_is_fenced_a_keyboard_interrupt_is_not() -> None:
    class PanicException(BaseException):
        pass

    with hardening.drop_on_error("a test"):
        raise PanicException("index out of bounds")
    with pytest.raises(KeyboardInterrupt), hardening.drop_on_error("a test"):
        raise KeyboardInterrupt


def test_this_nio_has_all_that_is_used_of_it() -> None:
    hardening.check()
