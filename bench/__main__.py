"""`python -m bench [replies] [start] [restart]`: everything, or what is named.

Two cores are shared with Synapse, whose own work dominates, so only ratios within one run mean anything.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.processes import Running, process
from bot.testing.homeserver import Homeserver, homeserver
from bot.testing.person import Person

QUESTIONS = 60
FEW, MANY = 10, 500  # rooms
console = Console()


async def main(wanted: set[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="faro-bench-") as folder:
        async with homeserver(Path(folder) / "synapse") as server:
            table = Table("what", "Faro", "floor (bare aiohttp)", "ratio", title="Faro beside its floor, one run")
            if "replies" in wanted:
                await replies(server, Path(folder), table)
            if "start" in wanted:
                await start(server, Path(folder) / "few", FEW, table)
            if "restart" in wanted:
                await start(server, Path(folder) / "many", MANY, table)
            console.print(table)


async def replies(server: Homeserver, folder: Path, table: Table) -> None:
    """From the asker's send to the answer in her /sync; both bots asked in turn, so that noise meets both."""
    ana = await server.register("ana")
    faro, echo = await server.register("faro"), await server.register("echo")
    rooms = {
        faro.user_id: await ana.create_room("faro", alias="faro", invite=(faro.user_id,)),
        echo.user_id: await ana.create_room("echo", invite=(echo.user_id,)),
    }
    await echo.join(rooms[echo.user_id])
    config = configure(server, faro, folder / "replies", ["#faro:" + server.name])
    bots = (
        process(["-m", "bot", "run", str(config)]),
        process(["-m", "bench.echo", server.url, echo.token, echo.user_id]),
    )
    async with bots[0] as one, bots[1] as other:
        waits: dict[str, list[float]] = {faro.user_id: [], echo.user_id: []}
        await ana.sync()
        before = (one.cpu_seconds(), other.cpu_seconds())
        with Progress(console=console, transient=True) as progress:
            for _ in progress.track(range(QUESTIONS), description="asking both bots in turn"):
                for user, room in rooms.items():
                    waits[user].append(await asked(ana, room))
        cpu = (one.cpu_seconds() - before[0], other.cpu_seconds() - before[1])
        row(table, "reply, p50 (ms)", *(statistics.median(waits[user]) * 1000 for user in rooms))
        row(table, "reply, p95 (ms)", *(statistics.quantiles(waits[user], n=20)[-1] * 1000 for user in rooms))
        row(table, "own CPU per answer (ms)", cpu[0] / QUESTIONS * 1000, cpu[1] / QUESTIONS * 1000)
        await asyncio.sleep(3)
        row(table, "idle memory (MB)", one.megabytes(), other.megabytes())
    for person in (ana, faro, echo):
        await person.close()


async def asked(ana: Person, room: str) -> float:
    started = time.perf_counter()
    event_id = await ana.send(room, "!language")
    await ana.answer_to(event_id)
    return time.perf_counter() - started


async def start(server: Homeserver, folder: Path, count: int, table: Table) -> None:
    """From the start of the process until it is ready: in rooms it must join, and again when it knows them."""
    name = f"n{count}"
    ana, faro, echo = [await server.register(f"{who}-{name}") for who in ("ana", "faro", "echo")]
    with Progress(console=console, transient=True) as progress:
        for n in progress.track(range(count), description=f"making {count} rooms"):
            room = await ana.create_room(f"room {n}", alias=f"{name}-{n}", invite=(faro.user_id, echo.user_id))
            if count > FEW:
                await faro.join(room)
            await echo.join(room)
    config = configure(server, faro, folder, [f"#{name}-{n}:{server.name}" for n in range(count)])
    bot = ["-m", "bot", "run", str(config)]
    floor = ["-m", "bench.echo", server.url, echo.token, echo.user_id]
    console.print(f"starting in {count} rooms …")
    async with process(bot) as first:
        if count <= FEW:
            async with process(floor) as other:
                row(table, f"first start to ready, {count} rooms (s)", first.seconds, other.seconds)
        await asyncio.sleep(2)
    again: list[Running] = []
    others: list[Running] = []
    for _ in range(3):
        async with process(bot) as one:
            again.append(one)
        async with process(floor) as other:
            others.append(other)
    seconds = [statistics.median(run.seconds for run in runs) for runs in (again, others)]
    row(table, f"restart to ready, {count} rooms (s)", *seconds)
    for person in (ana, faro, echo):
        await person.close()


def configure(server: Homeserver, account: Person, folder: Path, rooms: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    hub = {"id": "bench", "title": "Bench", "rooms": [{"alias": alias, "log_links": True} for alias in rooms]}
    settings = {
        "homeserver": server.url,
        "user": account.user_id,
        "password": account.password,
        "cooldown": {"per_person": 10_000, "per_room": 10_000},
        "hubs": [hub],
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(settings), "utf-8")
    return file


def row(table: Table, what: str, ours: float, floor: float) -> None:
    table.add_row(what, f"{ours:.2f}", f"{floor:.2f}", f"{ours / floor:.2f}")


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:]) or {"replies", "start", "restart"}))
