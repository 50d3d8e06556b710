"""Encrypts messages: shares the room key with everybody who may read it, then makes the ciphertext.

nio's own implementation is not used: it does not guarantee that the key arrived, loses a room for good when a claim
fails, ignores the room's rotation period, and creates a new key for every new member.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeGuard

import structlog

from bot.core.errors import Refused
from bot.matrix.crypto.devices import Device, Devices
from bot.matrix.crypto.hardening import drop_on_error
from bot.matrix.crypto.machine import Machine, Raw
from bot.matrix.crypto.receiving import MEGOLM
from bot.matrix.http import Http
from bot.ports import Clock, RoomStateReader

log = structlog.get_logger()

BATCH_SIZE = 20  # devices per to-device request; the event loop runs between two of them
MESSAGES, PERIOD = 100, 604_800_000  # the specification's defaults: messages, and ms
MAX_MESSAGES, MIN_PERIOD = 10_000, 3_600_000  # what a room may ask for, as matrix-rust-sdk bounds it
KEY: Final = "org.faro.key"


class Sending:
    """Encrypts for rooms: sequentially within a room, concurrently across rooms."""

    def __init__(
        self, machine: Machine, devices: Devices, http: Http, clock: Clock, room_state: RoomStateReader
    ) -> None:
        self._machine, self._devices, self._http, self._clock, self._room_state = (
            machine,
            devices,
            http,
            clock,
            room_state,
        )
        self._born: dict[str, int] = {}  # room id → when its current key was created
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def encrypt(self, room: str, type_: str, content: Mapping[str, object], rules: Mapping[str, object]) -> Raw:
        """The content of the `m.room.encrypted` event. `rules` is the content of the room's `m.room.encryption`.

        When this returns, the homeserver has the room key for every device that can be reached. Raises `Refused` for
        an unsupported algorithm, and what requests raise: then nothing was encrypted, and a retry continues where
        this stopped.
        """
        if rules.get("algorithm") != MEGOLM:
            raise Refused("M_UNKNOWN_ALGORITHM", f"the room is encrypted with {rules.get('algorithm')}")
        async with self._locks[room]:
            await self._share(room, rules)
            encrypted: Raw = self._machine.group_encrypt(room, {"type": type_, "content": _secret(content)})
        for clear in (
            "m.relates_to",
            KEY,
        ):  # servers need the relation; we need the key, a hash, to find the event again
            if clear in content:
                encrypted[clear] = content[clear]
        return encrypted

    async def _share(self, room: str, rules: Mapping[str, object]) -> None:
        """Shares the room's key with devices that lack it; rotates it after somebody left, or by age."""
        members = await self._room_state.members(room)
        await self._devices.query(members)
        devices = self._devices.active(members)
        session = self._session(room, rules, {_id(device) for device in devices})
        missing = [device for device in devices if _id(device) not in session.users_shared_with]
        if missing:
            await self._devices.ensure_sessions(missing)
            reached = [device for device in missing if self._machine.session_store.get(device.curve25519)]
            for start in range(0, len(reached), BATCH_SIZE):
                await self._give(room, session, reached[start : start + BATCH_SIZE])
            if len(reached) < len(missing):
                log.warning("room key not shared with some devices", room=room, devices=len(missing) - len(reached))
        session.shared = True

    def _session(self, room: str, rules: Mapping[str, object], readers: set[Device]) -> Any:
        sessions = self._machine.outbound_group_sessions
        session = sessions.get(room)
        messages, period = rotation(rules)
        if (
            session is None
            or session.message_count >= messages
            or self._clock.now() - self._born.get(room, 0) >= period
            or not session.users_shared_with <= readers
        ):
            self._machine.create_outbound_group_session(room)
            self._born[room] = self._clock.now()
            session = sessions[room]
            session.max_messages, session.max_age = MAX_MESSAGES, timedelta.max  # we rotate, not nio
        return session

    async def _give(self, room: str, session: Any, devices: Sequence[Any]) -> None:
        key = {
            "algorithm": MEGOLM,
            "room_id": room,
            "session_id": session.id,
            "session_key": session.session_key,  # from the next message on: a new member cannot read earlier ones
        }
        messages: dict[str, Raw] = {}
        shared: set[Device] = set()
        with self._machine.store.database.atomic():
            for device in devices:
                with drop_on_error("a device that cannot be written to", user=device.user_id, device=device.id):
                    olm = self._machine.session_store.get(device.curve25519)
                    message = self._machine._olm_encrypt(olm, device, "m.room_key", key)
                    messages.setdefault(device.user_id, {})[device.id] = message
                    shared.add(_id(device))
        if messages:
            path = "/_matrix/client/v3/sendToDevice/{}/{}"
            body = {"messages": messages}
            await self._http.request("PUT", path, "m.room.encrypted", uuid.uuid4().hex, body=body)
            session.users_shared_with |= shared


def _secret(content: Mapping[str, object]) -> Raw:
    return {name: value for name, value in content.items() if name != "m.relates_to"}


def rotation(rules: Mapping[str, object]) -> tuple[int, int]:
    """After how many messages, and how many ms, the room wants a new key; within bounds, whatever it says."""
    messages, period = rules.get("rotation_period_msgs"), rules.get("rotation_period_ms")
    return (
        min(messages, MAX_MESSAGES) if _whole(messages) else MESSAGES,
        max(period, MIN_PERIOD) if _whole(period) else PERIOD,
    )


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _id(device: Any) -> Device:
    return device.user_id, device.id
