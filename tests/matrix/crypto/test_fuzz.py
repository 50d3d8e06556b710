"""Random to-device and timeline events, 2,100 in all: nothing escapes the sync loop, and the rest of a batch is read.

Most are nearly right, because what is wrong at first sight is rejected at once: to-device events that really were
encrypted for the bot with anything inside, room keys of the right shape, ciphertexts with one sign changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nio.crypto import OutboundGroupSession

from bot.core.events import Batch, Redaction, StateChange, id_of
from bot.matrix.sync import Sync
from bot.testing.clock import FakeClock
from tests.matrix.crypto.conftest import ANA, BOT, MAL
from tests.matrix.crypto.keyserver import KeyServer, Raw, Wire
from tests.matrix.crypto.party import MEGOLM, ROOM, Party
from tests.tiers import examples

OLM = "m.olm.v1.curve25519-aes-sha2"
Odd = st.SearchStrategy[Any]

MANY = settings(
    max_examples=examples(700),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

JSON: Odd = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEY = OutboundGroupSession().session_key  # of a session of nobody
words: Odd = st.sampled_from(["", "x", "AAAA", "A" * 43, KEY, MAL, ANA, BOT, ROOM, OLM, "D1", "$1", "m.no_olm"])


def mostly(right: Odd) -> Odd:
    return st.integers(0, 14).flatmap(lambda luck: JSON | words if luck == 14 else right)


@st.composite
def some(draw: st.DrawFn, /, **fields: Odd) -> dict[str, Any]:
    """An object with these fields; now and then one is left out, or odd."""
    return {name: draw(mostly(right)) for name, right in fields.items() if draw(st.integers(0, 14)) < 14}


# -- what mal sends to the bot's device -------------------------------------------------------------------------------

room_key = some(
    algorithm=st.just(MEGOLM["algorithm"]),
    room_id=st.just(ROOM),
    session_id=words | st.just(OutboundGroupSession().id),
    session_key=st.just(KEY) | words,
    chain_index=st.integers(),
)
withheld = some(room_id=st.just(ROOM), session_id=words, code=st.just("m.no_olm") | words, sender_key=words)
sas = some(
    transaction_id=st.just("t"),
    from_device=st.just("D1"),
    method=st.just("m.sas.v1"),
    methods=st.just(["m.sas.v1"]),
    timestamp=st.integers(0, 2**50),
    key_agreement_protocols=st.just(["curve25519-hkdf-sha256"]),
    hashes=st.just(["sha256"]),
    message_authentication_codes=st.just(["hkdf-hmac-sha256.v2"]),
    short_authentication_string=st.just(["emoji"]),
    key=words,
    mac=some(**{"ed25519:D1": words}),
    keys=words,
)
steps: Odd = st.sampled_from(["request", "ready", "start", "accept", "key", "mac", "done", "cancel"]).map(
    "m.key.verification.".__add__
)
inside: Odd = st.one_of(
    st.tuples(st.sampled_from(["m.room_key", "m.forwarded_room_key", "m.room_key_request"]), room_key),
    st.tuples(steps, sas),
    st.tuples(st.sampled_from(["m.dummy", "m.secret.send", "m.room.message", ""]), mostly(some(body=words))),
)
"""A type and a content, to be encrypted for the bot."""
box = some(**{"": some(type=st.integers(0, 2), body=words)})
at_sight = some(algorithm=st.just(OLM), sender_key=words, ciphertext=box)
"""What only looks like an encrypted letter; the key `""` becomes the bot's."""
letter: Odd = st.one_of(
    st.tuples(st.just("sealed"), inside, st.just(0)),
    st.tuples(st.just("broken"), inside, st.integers(0, 500)),
    st.tuples(st.just("m.room.encrypted"), mostly(at_sight), st.just(0)),
    st.tuples(st.just("m.room_key.withheld"), withheld, st.just(0)),
    st.tuples(steps, sas, st.just(0)),
    st.tuples(st.just("m.room_key") | words, mostly(room_key), st.just(0)),
)


def posted(faro: Party, mal: Party, kind: str, content: Any, at: int) -> Raw:
    """A raw to-device event; `at` is the sign of the ciphertext that is changed."""
    own = faro.machine.account.identity_keys["curve25519"]
    if kind in ("sealed", "broken"):
        sent = mal.letter(faro, content[0], content[1])
        if kind == "broken":
            box = sent["content"]["ciphertext"][own]
            box["body"] = changed(box["body"], at)
        return sent
    box = content.get("ciphertext") if isinstance(content, dict) else None
    if isinstance(box, dict) and "" in box:
        content = {**content, "ciphertext": {own: box[""]}}
    return {"type": kind, "sender": MAL, "content": content}


def changed(text: str, at: int) -> str:
    at %= len(text)
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


# -- what mal sends into the room -------------------------------------------------------------------------------------

payload = some(
    type=st.sampled_from(["m.room.message", "m.reaction", "m.room.power_levels", "m.room.redaction"]) | steps,
    room_id=st.just(ROOM),
    content=some(
        msgtype=st.sampled_from(["m.text", "m.emote", "m.file", "m.key.verification.request"]),
        body=words,
        url=words,
        redacts=words,
        file=JSON,
        **{"m.new_content": some(msgtype=st.just("m.text"), body=words), "m.relates_to": JSON},
    ),
)
closed = some(
    algorithm=st.just(MEGOLM["algorithm"]), sender_key=words, session_id=words, ciphertext=words, device_id=words
)
happening: Odd = st.one_of(
    st.tuples(st.just("sealed"), mostly(payload), st.just(0)),
    st.tuples(st.just("broken"), mostly(payload), st.integers(0, 500)),
    st.tuples(st.just("state"), payload, st.just(0)),
    st.tuples(
        st.just("raw"),
        some(
            type=st.just("m.room.encrypted"),
            sender=st.just(MAL),
            event_id=st.just("$odd"),
            origin_server_ts=st.integers(),
            content=closed,
        ),
        st.just(0),
    ),
)


def said(mal: Party, kind: str, content: Any, at: int) -> object:
    """A raw event of the room."""
    if kind == "raw":
        return content
    event = mal.seal(content)
    if kind == "state":
        event["state_key"] = ""
    if kind == "broken":
        event["content"]["ciphertext"] = changed(event["content"]["ciphertext"], at)
    return event


# -- the loop ---------------------------------------------------------------------------------------------------------


class Loop(Wire):
    """The bot's connection, whose next sync the test writes."""

    answer: Mapping[str, Any]

    async def request(self, method: str, path: str, *segments: str, **more: Any) -> Raw:
        if path.endswith("/sync"):
            return dict(self.answer)
        return await super().request(method, path, *segments, **more)


async def read(faro: Party, ana: Party, to_device_events: list[Any], events: list[Any]) -> Batch:
    """One turn of the loop: what is odd, and after it a question of Ana's, which must be heard."""
    question = await ana.say("!next")
    http = Loop(faro.server, BOT, "D1")
    brought = faro.server.sync((BOT, "D1"))
    brought["to_device"]["events"] = [*to_device_events, *brought["to_device"]["events"]]
    timeline = {"events": [*events, question]}
    http.answer = {**brought, "next_batch": "t", "rooms": {"join": {ROOM: {"timeline": timeline}}}}
    batch = await Sync(http, FakeClock(), BOT, faro.engine).next("s")
    found = [event for update in batch.rooms for event in update.events]
    assert question["event_id"] in [id_of(event) for event in found]
    return batch


@given(to_device_events=st.lists(letter, min_size=1, max_size=3))
@MANY
async def test_whatever_comes_to_the_device_the_loop_reads_on(
    faro: Party, ana: Party, mal: Party, to_device_events: list[Any]
) -> None:
    if ROOM not in mal.machine.outbound_group_sessions:
        await mal.say("so that there are sessions")
    await read(faro, ana, [posted(faro, mal, *one) for one in to_device_events], [])


@given(events=st.lists(happening, min_size=1, max_size=3))
@MANY
async def test_whatever_is_said_in_the_room_the_loop_reads_on(
    faro: Party, ana: Party, mal: Party, events: list[Any]
) -> None:
    """And nothing that came encrypted is state, or a redaction."""
    if ROOM not in mal.machine.outbound_group_sessions:
        await mal.say("so that there are keys")
    batch = await read(faro, ana, [], [said(mal, *one) for one in events])
    found = [event for update in batch.rooms for event in update.events]
    assert {event.type for event in found if isinstance(event, StateChange)} <= {"m.room.encrypted"}  # left closed
    assert not [event for event in found if isinstance(event, Redaction)]


published = some(
    user_id=st.just(MAL),
    device_id=st.just("D1"),
    algorithms=st.just([OLM, MEGOLM["algorithm"]]),
    keys=some(**{"ed25519:D1": words, "curve25519:D1": words}),
    signatures=some(**{MAL: some(**{"ed25519:D1": words})}),
)
claimed = some(**{"signed_curve25519:A": some(key=words, signatures=some(**{MAL: some(**{"ed25519:D1": words})}))})


def sound(mal: Party) -> Raw:
    """The device as it was before anything odd was published."""
    own = mal.machine.account.identity_keys
    keys = {"ed25519:D1": own["ed25519"], "curve25519:D1": own["curve25519"]}
    algorithms = [OLM, MEGOLM["algorithm"]]
    return dict(mal.machine._signed({"user_id": MAL, "device_id": "D1", "algorithms": algorithms, "keys": keys}))


@given(devices=mostly(some(D1=published, D2=published)), one_time=mostly(claimed), key=mostly(words), own=st.booleans())
@MANY
async def test_whatever_keys_somebody_publishes_the_bot_speaks_on(
    faro: Party, mal: Party, server: KeyServer, devices: Any, one_time: Any, key: Any, own: bool
) -> None:
    """`own`: a sound device whose one-time key is odd, and signed as it should be."""
    server.identities[MAL] = {"D1": sound(mal)} if own else devices
    server.one_time[MAL, "D1"].clear()
    server.fallback[MAL, "D1"] = {"signed_curve25519:A": mal.machine._signed({"key": key})} if own else one_time
    faro.engine._devices.changed({MAL}, ())
    faro.engine._devices._claimed.clear()
    for sessions in faro.machine.session_store.values():
        sessions.clear()
    await faro.say("hello")
