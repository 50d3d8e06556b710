"""The cost of a new room key for the bot: how long it blocks the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nio import AsyncClient, AsyncClientConfig

from bench.crowd import crowd
from bot.matrix.crypto.engine import Engine
from bot.matrix.http import Http
from bot.testing.homeserver import Homeserver
from bot.timing.clock import SystemClock

ROTATIONS = 5
TICK = 0.001  # seconds
RULES = {"algorithm": "m.megolm.v1.aes-sha2"}
CONTENT = {"msgtype": "m.text", "body": "hello"}


@dataclass(slots=True)
class Cost:
    seconds: float = 0
    blocked: float = 0  # the longest block of the event loop, in seconds


@dataclass(slots=True)
class FakeRoomState:
    """`bot.ports.RoomState` of one encrypted room."""

    room: str
    people: frozenset[str] = field(default_factory=frozenset)

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return RULES

    async def members(self, room: str) -> frozenset[str]:
        return self.people


async def rotation(server: Homeserver, folder: Path, members: int) -> tuple[Cost, Cost]:
    """The cost of the first message into a room with `members` devices, and of the worst key rotation after it."""
    bot = await server.register("rotating")
    room = await bot.create_room("rotation", public=True)
    room_state = FakeRoomState(room, frozenset(await crowd(server, room, members + ROTATIONS)))
    client = AsyncClient(server.url, bot.user_id, config=AsyncClientConfig(encryption_enabled=False))
    client.restore_login(bot.user_id, bot.device_id, bot.token)
    clock = SystemClock()
    engine = Engine(client, Http(client, clock), folder, clock, room_state)
    try:
        await engine.publish()
        async with cost() as first:
            await engine.encrypt(room, "m.room.message", CONTENT, RULES)
        worst = Cost()
        for leaver in sorted(room_state.people)[:ROTATIONS]:
            room_state.people -= {leaver}  # somebody who left must not read later messages
            async with cost() as rotated:
                await engine.encrypt(room, "m.room.message", CONTENT, RULES)
            worst = max(worst, rotated, key=lambda measured: measured.blocked)
    finally:
        engine.close()
        await client.close()
        await bot.close()
    return first, worst


@asynccontextmanager
async def cost() -> AsyncIterator[Cost]:
    """Measures the block; complete when it is left."""
    measured = Cost()
    watching = asyncio.create_task(_watch(measured))
    await asyncio.sleep(TICK * 5)
    measured.blocked = 0
    started = time.perf_counter()
    try:
        yield measured
    finally:
        measured.seconds = time.perf_counter() - started
        await asyncio.sleep(TICK)  # so that the last block is measured, too
        watching.cancel()


async def _watch(measured: Cost) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(TICK)
        now = time.perf_counter()
        measured.blocked = max(measured.blocked, now - last - TICK)
        last = now
