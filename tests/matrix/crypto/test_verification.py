"""Verifying the bot from the other side, step by step; what is out of order, too late or unwelcome ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.matrix.crypto import sas, verification_status
from bot.matrix.crypto.sas import EMOJI, EphemeralKey, SasDisplay, Secret, Side
from bot.matrix.crypto.signing import SigningKey
from bot.matrix.crypto.verification import PREFIX, Verifier
from bot.matrix.crypto.verification_status import StatusFile
from bot.testing.clock import FakeClock
from tests.tiers import examples

FARO, ANA, MAL = "@faro:example.org", "@ana:example.org", "@mal:example.org"
HALL = "!hall:example.org"
MASTER = SigningKey.new().public


@dataclass(slots=True)
class Device:
    user_id: str
    device_id: str
    ed25519: str = field(default_factory=lambda: SigningKey.new().public)

    def sign_json(self, content: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(slots=True)
class Wire:
    """Keeps what the bot sends to devices, and knows the keys of devices."""

    devices: dict[str, Device]
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def request(self, method: str, path: str, *segments: str, body: Any = None, **_: object) -> dict[str, Any]:
        if path.endswith("/keys/query"):
            (user,) = body["device_keys"]
            one = self.devices[user]
            keys = {f"ed25519:{one.device_id}": one.ed25519}
            return {"device_keys": {user: {one.device_id: {"keys": keys}}}}
        ((_, to_device_events),) = body["messages"].items()
        ((_, content),) = to_device_events.items()
        self.sent.append((segments[0].removeprefix(PREFIX), content))
        return {}

    async def send(self, room: str, type_: str, content: Mapping[str, object], txn: str) -> str:
        assert room == HALL
        self.sent.append((type_.removeprefix(PREFIX), dict(content)))
        return "$sent"


@dataclass(slots=True)
class Wall:
    shown: list[SasDisplay] = field(default_factory=list)
    ended: list[str | None] = field(default_factory=list)

    def show(self, user: str, device: str, display: SasDisplay) -> None:
        self.shown.append(display)

    def end(self, user: str, device: str, reason: str | None) -> None:
        self.ended.append(reason)


class Scene:
    """The bot, and Ana's client talking to it: to-device, or in a room."""

    def __init__(self, room: str | None = None) -> None:
        self.room, self.id = room, "$request" if room else "T1"
        self.ana, self.faro = Device(ANA, "PHONE"), Device(FARO, "D1")
        self.wire, self.wall, self.clock = Wire({ANA: self.ana, MAL: Device(MAL, "PHONE")}), Wall(), FakeClock()
        self.half = EphemeralKey()
        self.secret: Secret | None = None
        http: Any = self.wire
        self.bot = Verifier(http, self.faro, self.master, self.wire.send, self.may_verify, self.clock, self.wall)

    async def may_verify(self, user: str) -> bool:
        return user != MAL

    async def master(self) -> str | None:
        return MASTER

    async def says(self, type_: str, content: Mapping[str, Any], sender: str = ANA, id_: str | None = None) -> None:
        id_ = id_ or self.id
        if self.room is None:
            event = {"type": PREFIX + type_, "sender": sender, "content": {"transaction_id": id_, **content}}
            await self.bot.to_device(event)
        elif type_ == "request":
            asked = {**content, "msgtype": PREFIX + "request", "to": FARO}
            at = asked.pop("timestamp")
            event = {"type": "m.room.message", "sender": sender, "event_id": id_, "content": asked}
            await self.bot.in_room(self.room, {**event, "origin_server_ts": at})
        else:
            relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": id_}}
            event = {"type": PREFIX + type_, "sender": sender, "event_id": "$x", "content": {**content, **relation}}
            await self.bot.in_room(self.room, event)

    async def asks(self, **more: Any) -> None:
        sender, id_ = more.pop("sender", ANA), more.pop("id_", None)
        asked = {"from_device": "PHONE", "methods": ["m.sas.v1"], "timestamp": self.clock.now()}
        await self.says("request", {**asked, **more}, sender, id_)

    async def starts(self, **more: Any) -> dict[str, Any]:
        start = {
            "from_device": "PHONE",
            "method": "m.sas.v1",
            "key_agreement_protocols": ["curve25519-hkdf-sha256"],
            "hashes": ["sha256"],
            "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
            "short_authentication_string": ["decimal", "emoji"],
            **more,
        }
        await self.says("start", start)
        return start

    async def compares(self) -> SasDisplay:
        """Ana's client shows its key and gets the bot's."""
        await self.says("key", {"key": self.half.key})
        self.secret = self.half.agree(self.last("key")["key"])
        return self.secret.display(*self.sides(), self.id)

    async def agrees(self, key: str | None = None) -> None:
        assert self.secret
        ana, faro = self.sides()
        await self.says("mac", self.secret.create_mac(ana, faro, self.id, {"ed25519:PHONE": key or self.ana.ed25519}))

    def sides(self) -> tuple[Side, Side]:
        return Side(ANA, "PHONE", self.half.key), Side(FARO, "D1", self.last("key")["key"])

    def last(self, type_: str) -> dict[str, Any]:
        return next(content for sent, content in reversed(self.wire.sent) if sent == type_)

    @property
    def said(self) -> list[str]:
        return [type_ for type_, _ in self.wire.sent]


@pytest.mark.parametrize("room", [None, HALL], ids=["to-device", "in a room"])
async def test_somebody_verifies_the_bot_from_beginning_to_end(room: str | None) -> None:
    scene = Scene(room)
    await scene.asks()
    start = await scene.starts()
    seen = await scene.compares()
    assert scene.wall.shown == [seen]
    await scene.agrees()
    assert scene.said == ["ready", "accept", "key", "mac", "done"]
    ana, faro = scene.sides()
    assert scene.secret
    mine = {"ed25519:D1": scene.faro.ed25519, f"ed25519:{MASTER}": MASTER}
    assert scene.secret.verified_keys(faro, ana, scene.id, scene.last("mac"), mine) == frozenset(mine)
    relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": scene.id}}
    heard = {**start, **(relation if room else {"transaction_id": scene.id})}
    assert scene.last("accept")["commitment"] == sas.commitment(faro.key, heard)
    assert all(relation.items() <= content.items() for _, content in scene.wire.sent if room)
    await scene.says("done", {})
    assert scene.wall.ended == [None]


async def test_the_bot_says_nothing_to_people_it_is_not_verified_by() -> None:
    scene = Scene()
    await scene.asks(sender=MAL)
    assert not scene.said


async def test_nobody_can_step_into_the_verification_of_another() -> None:
    scene = Scene()
    await scene.asks()
    await scene.says("cancel", {"code": "m.user"}, sender=MAL)
    await scene.says("cancel", {"code": "m.user"}, id_="T2")
    await scene.starts()
    assert scene.said == ["ready", "accept"]


@pytest.mark.parametrize("age", [-301, 601])
async def test_old_requests_and_those_from_the_future_are_left_alone(age: int) -> None:
    scene = Scene()
    await scene.asks(timestamp=scene.clock.now() - age * 1000)
    assert not scene.said


async def test_after_ten_minutes_it_is_over() -> None:
    scene = Scene()
    await scene.asks()
    scene.clock.advance(601)
    await scene.starts()
    assert scene.last("cancel")["code"] == "m.timeout"
    assert len(scene.wall.ended) == 1


async def test_a_second_request_ends_the_first() -> None:
    scene = Scene()
    await scene.asks()
    await scene.asks(id_="T2")
    assert scene.said == ["ready", "cancel", "ready"]
    assert [content["transaction_id"] for _, content in scene.wire.sent] == ["T1", "T1", "T2"]


async def test_a_request_heard_twice_is_answered_once() -> None:
    scene = Scene()
    await scene.asks()
    await scene.asks()
    assert scene.said == ["ready"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"method": "m.reciprocate.v1"}, "m.unknown_method"),
        ({"hashes": ["md5"]}, "m.unknown_method"),
        ({"message_authentication_codes": ["hkdf-hmac-sha256"]}, "m.unknown_method"),
        ({"short_authentication_string": None}, "m.unknown_method"),
        ({"from_device": "OTHER"}, "m.invalid_message"),
    ],
)
async def test_a_start_that_does_not_fit_is_cancelled(wrong: dict[str, Any], code: str) -> None:
    scene = Scene()
    await scene.asks()
    await scene.starts(**wrong)
    assert scene.last("cancel")["code"] == code


@pytest.mark.parametrize("early", ["key", "mac"])
async def test_steps_out_of_order_are_cancelled(early: str) -> None:
    scene = Scene()
    await scene.asks()
    await scene.says(early, {"key": scene.half.key, "mac": {}, "keys": ""})
    assert scene.last("cancel")["code"] == "m.unexpected_message"


async def test_a_second_key_is_cancelled() -> None:
    scene = Scene()
    await scene.asks()
    await scene.starts()
    await scene.compares()
    await scene.says("key", {"key": EphemeralKey().key})
    assert scene.last("cancel")["code"] == "m.unexpected_message"


async def test_a_key_the_homeserver_shows_differently_is_cancelled() -> None:
    scene = Scene()
    await scene.asks()
    await scene.starts()
    await scene.compares()
    await scene.agrees(key=SigningKey.new().public)
    assert scene.last("cancel")["code"] == "m.key_mismatch"
    assert "mac" not in scene.said


async def test_pictures_that_differ_end_it_and_the_operator_sees_why() -> None:
    scene = Scene()
    await scene.asks()
    await scene.starts()
    await scene.compares()
    await scene.says("cancel", {"code": "m.mismatched_sas", "reason": "they differ"})
    assert scene.wall.ended == ["m.mismatched_sas: they differ"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["from_device", "methods", "timestamp", "method", "key", "mac", "keys", "code", "hashes"])
STEPS = st.sampled_from(["request", "ready", "start", "accept", "key", "mac", "done", "cancel", "nonsense"])


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(STEPS, st.dictionaries(NAMES, JSON)), max_size=6), st.booleans())
async def test_nothing_anybody_sends_raises(steps: list[tuple[str, dict[str, Any]]], started: bool) -> None:
    scene = Scene()
    await scene.asks()
    if started:
        await scene.starts()
    for type_, content in steps:
        await scene.says(type_, content)


def test_what_the_operator_compares_is_in_a_private_file(tmp_path: Path) -> None:
    display = StatusFile(tmp_path, FakeClock())
    display.show(ANA, "PHONE", SasDisplay(("🐶 Dog",), (1234, 5678, 9012)))
    step = verification_status.latest(tmp_path)
    assert (step["stage"], step["user"], step["emoji"], step["numbers"]) == (
        "shown",
        ANA,
        ["🐶 Dog"],
        [1234, 5678, 9012],
    )
    assert (tmp_path / verification_status.FILE).stat().st_mode & 0o077 == 0
    display.end(ANA, "PHONE", None)
    assert verification_status.latest(tmp_path)["stage"] == "done"


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_damaged_board_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / verification_status.FILE).write_text(text)
    assert verification_status.latest(tmp_path) == {}


def test_pictures_have_the_names_of_the_specification() -> None:
    names = {picture.split(" ", 1)[1] for picture in EMOJI}
    assert len(EMOJI) == 64
    assert {"Spanner", "Aeroplane"} <= names
    assert names.isdisjoint({"Wrench", "Airplane"})
