"""What a new room key costs the bot itself: how long its event loop does nothing else."""

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
SAID = {"msgtype": "m.text", "body": "hello"}


@dataclass(slots=True)
class Cost:
    seconds: float = 0
    blocked: float = 0  # the longest time the loop did nothing else, in seconds


@dataclass(slots=True)
class FakeRoomState:
    """`bot.ports.RoomStateReader` of one encrypted room."""

    room: str
    people: frozenset[str] = field(default_factory=frozenset)

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return RULES

    async def members(self, room: str) -> frozenset[str]:
        return self.people

    async def encrypted_rooms(self) -> frozenset[str]:
        return frozenset({self.room})


async def rotation(server: Homeserver, folder: Path, members: int) -> tuple[Cost, Cost]:
    """The first message into a room with so many members' devices, and the worst of the key rotations after it."""
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
            await engine.encrypt(room, "m.room.message", SAID, RULES)
        worst = Cost()
        for leaver in sorted(room_state.people)[:ROTATIONS]:
            room_state.people -= {leaver}  # who leaves may not read what comes next
            async with cost() as one:
                await engine.encrypt(room, "m.room.message", SAID, RULES)
            worst = max(worst, one, key=lambda seen: seen.blocked)
    finally:
        engine.close()
        await client.close()
        await bot.close()
    return first, worst


@asynccontextmanager
async def cost() -> AsyncIterator[Cost]:
    """Fills in what happened inside once it is over."""
    seen = Cost()
    watching = asyncio.create_task(_watch(seen))
    await asyncio.sleep(TICK * 5)
    seen.blocked = 0
    started = time.perf_counter()
    try:
        yield seen
    finally:
        seen.seconds = time.perf_counter() - started
        await asyncio.sleep(TICK)  # the last block is seen, too
        watching.cancel()


async def _watch(seen: Cost) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(TICK)
        now = time.perf_counter()
        seen.blocked = max(seen.blocked, now - last - TICK)
        last = now
