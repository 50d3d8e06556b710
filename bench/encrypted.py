"""Replies in an encrypted and an unencrypted room, both with many members' devices."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

from bench.crowd import crowd
from bench.processes import process
from bench.setting import configure
from bot.testing.homeserver import Homeserver
from tests.interop.packages import HERE, packages
from tests.interop.peer import Peer
from tests.interop.peers import Peers

ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}


async def encrypted_replies(server: Homeserver, folder: Path, members: int, questions: int) -> dict[str, list[float]]:
    """Seconds from the send to the answer, as the asker's modern client has it: "plain" and "encrypted".

    Both rooms are asked alternately, so that noise affects both. Raises `UnavailableError` without Node or
    npm.
    """
    folder.mkdir(parents=True)
    for name in ("peer.mjs", "package.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(packages())
    ana, faro = await server.register("asker"), await server.register("asked")
    rooms: dict[str, str] = {}
    for kind in ("plain", "encrypted"):
        rooms[kind] = room = await ana.create_room(kind, alias=f"bench-{kind}", public=True)
        await crowd(server, room, members)
    await ana.request("PUT", "/rooms/{}/state/m.room.encryption/", rooms["encrypted"], body=ENCRYPTION)
    config = configure(server, faro, folder / "bot", [f"#bench-{kind}:{server.name}" for kind in rooms])
    waits: dict[str, list[float]] = {kind: [] for kind in rooms}
    async with process(["-m", "bot", "run", str(config)]), Peers(folder) as peers:
        asker = await peers.log_in(ana)
        await asker.signed_device_of(faro.user_id)
        for _ in range(questions + 1):
            for kind, room in rooms.items():
                waits[kind].append(await _asked(asker, room, plain=kind == "plain"))
    await ana.close()
    return {kind: seconds[1:] for kind, seconds in waits.items()}  # the first one includes sharing the keys


async def _asked(asker: Peer, room: str, *, plain: bool) -> float:
    started = time.perf_counter()
    question = await asker.send(room, "!language", plain=plain)
    await asker.answer_to(question)
    return time.perf_counter() - started


def median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000
