"""Whatever anybody sends or publishes: Faro goes on, the rest of the batch is handled, and the next start is clean.

The first tests are the inputs that ended a bot built on nio 0.26 as it is, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encrypted rooms need the e2e extra")

import vodozemac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nio.crypto import OutboundGroupSession

from bot.core.events import Edit, Message, Reaction, Redaction, Undecryptable
from bot.matrix.crypto import hardening
from bot.matrix.crypto.machine import MOST_SESSIONS
from tests.matrix.crypto.conftest import ANA, BOT, MAL
from tests.matrix.crypto.keyserver import KeyServer
from tests.matrix.crypto.party import MEGOLM, ROOM, Book, Party

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


@pytest.mark.parametrize("type_", [0, 1, 2, None, "0", [], True])
@pytest.mark.parametrize("body", ["", "AAAA", "not base64!", "ü", None, 7, [], "A" * 70_000])
async def test_a_garbage_olm_body(faro: Party, ana: Party, type_: object, body: object) -> None:
    event = await ana.say("!next")
    garbage = [olm(faro, type_, body), olm(faro, type_, body, a_key()), olm(faro, type_, body, None)]
    faro.server.letters[BOT, "D1"][:0] = garbage
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
    faro.server.letters[BOT, "D1"].append(letter)
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
    faro.server.letters[BOT, "D1"].append(mal.letter(faro, "m.room_key", content))
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
    faro.server.letters[BOT, "D1"] = [
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
    for _ in range(MOST_SESSIONS + 5):
        mal.machine.session_store[device.curve25519].clear()
        mal.engine._devices._claimed.clear()
        await mal.engine._devices.claim([device])
        faro.server.letters[BOT, "D1"].append(mal.letter(faro, "m.dummy", {}))
        await faro.sync()
    key = mal.machine.account.identity_keys["curve25519"]
    assert len(faro.machine.session_store[key]) == MOST_SESSIONS
    again = faro.restarted()
    assert len(again.machine.session_store[key]) == MOST_SESSIONS
    again.close()


@pytest.mark.parametrize("answer", [{}, {"to_device": []}, {"to_device": {"events": {}}}, {"device_lists": 7}])
async def test_a_sync_answer_with_parts_of_the_wrong_shape(faro: Party, ana: Party, answer: dict[str, Any]) -> None:
    wrong = {"device_one_time_keys_count": {"signed_curve25519": "x"}, "device_unused_fallback_key_types": {}}
    await faro.engine.take(answer | wrong, "t")
    await still_works(faro, ana)


# -- what a fuzzer finds ----------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_texts = st.sampled_from(["", MAL, ROOM, OLM, MEGOLM["algorithm"], "A" * 43, "AAAA", "$1", "D1", "m.no_olm"]) | st.text(
    max_size=50
)


def shaped(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Mostly the right shape, any field missing or anything else."""
    return st.fixed_dictionaries({}, optional={name: value | JSON for name, value in fields.items()}) | JSON


_ciphertext = st.dictionaries(_texts, shaped({"type": st.integers(0, 2), "body": _texts}), max_size=2) | _texts
_content = shaped(
    {
        "algorithm": _texts,
        "sender_key": _texts,
        "ciphertext": _ciphertext,
        "session_id": _texts,
        "device_id": _texts,
        "room_id": _texts,
        "code": _texts,
        "m.relates_to": JSON,
    }
)
_types = st.sampled_from(
    ["m.room.encrypted", "m.room_key", "m.room_key.withheld", "m.room_key_request", "m.forwarded_room_key", "m.dummy"]
) | st.text(max_size=20).map("m.key.verification.".__add__)  # fmt: skip
_events = shaped({"type": _types, "sender": st.just(MAL), "content": _content, "event_id": _texts, "unsigned": JSON})


MANY = settings(
    max_examples=700,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(letter=_events, event=_events)
@MANY
async def test_nothing_escapes(faro: Party, letter: Any, event: Any) -> None:
    content = letter.get("content") if isinstance(letter, dict) else None
    ciphertext = content.get("ciphertext") if isinstance(content, dict) else None
    if isinstance(ciphertext, dict) and ciphertext:  # let it be for us
        ciphertext[faro.machine.account.identity_keys["curve25519"]] = ciphertext.popitem()[1]
    await faro.engine.take({"to_device": {"events": [letter]}}, None)
    await faro.engine.meet([event])
    if isinstance(event, dict):
        await _read(faro, event)


@given(type_=_types, content=_content, payload=shaped({"type": _types, "content": JSON, "room_id": st.just(ROOM)}))
@MANY
async def test_nothing_escapes_from_what_was_well_encrypted(
    faro: Party, mal: Party, type_: str, content: Any, payload: Any
) -> None:
    if ROOM not in mal.machine.outbound_group_sessions:
        await mal.say("so that there are keys")
    faro.server.letters[BOT, "D1"].append(mal.letter(faro, type_, content))
    await faro.engine.take(faro.server.sync((BOT, "D1")), None)
    await _read(faro, mal.seal(payload))


@given(devices=JSON | st.dictionaries(_texts, shaped({"user_id": st.just(MAL), "device_id": _texts, "keys": JSON})))
@MANY
async def test_nothing_escapes_from_published_keys(faro: Party, book: Book, devices: Any) -> None:
    faro.server.identities[MAL] = devices
    faro.engine._devices.changed({MAL}, ())
    await faro.say("hello")


async def _read(faro: Party, raw: dict[str, Any]) -> None:
    found, clear = faro.engine.read(ROOM, raw)
    assert found is None or isinstance(found, Message | Edit | Reaction | Redaction | Undecryptable)
    if clear:
        await faro.engine.tell(ROOM, clear)


# -- the fence itself -------------------------------------------------------------------------------------------------


def test_a_panic_of_the_crypto_library_is_fenced_a_keyboard_interrupt_is_not() -> None:
    class PanicException(BaseException):
        pass

    with hardening.fenced("a test"):
        raise PanicException("index out of bounds")
    with pytest.raises(KeyboardInterrupt), hardening.fenced("a test"):
        raise KeyboardInterrupt


def test_this_nio_has_all_that_is_used_of_it() -> None:
    hardening.check()
