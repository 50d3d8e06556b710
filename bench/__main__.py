"""`python -m bench [search] [replies] [start] [restart] [encrypted] [rotation]`: all benchmarks, or the named ones.

Synapse shares the machine and dominates its load, so only ratios within one run are meaningful.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.encrypted import encrypted_replies, median_ms
from bench.processes import Running, process
from bench.rotation import rotation
from bench.setting import configure
from bot.cli.main import main as faro
from bot.testing.homeserver import Homeserver, homeserver
from bot.testing.person import Person
from tests.interop.packages import UnavailableError

QUESTIONS = 60
FEW, MANY = 10, 500  # rooms
MEMBERS = 50  # with one device each
console = Console()


async def main(wanted: set[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="faro-bench-") as folder:
        async with homeserver(Path(folder) / "synapse") as server:
            table = Table("what", "Faro", "baseline (bare aiohttp)", "ratio", title="Faro and its baseline, one run")
            if "replies" in wanted:
                await replies(server, Path(folder), table)
            if "start" in wanted:
                await start(server, Path(folder) / "few", FEW, table)
            if "restart" in wanted:
                await start(server, Path(folder) / "many", MANY, table)
            if table.rows:
                console.print(table)
            if "encrypted" in wanted:
                await encrypted(server, Path(folder) / "encrypted")
            if "rotation" in wanted:
                await keys(server, Path(folder) / "rotation")


async def replies(server: Homeserver, folder: Path, table: Table) -> None:
    """From the asker's send to the answer in her /sync; both bots are asked alternately, so that noise affects both."""
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
    async with bots[0] as ours, bots[1] as baseline:
        waits: dict[str, list[float]] = {faro.user_id: [], echo.user_id: []}
        await ana.sync()
        before = (ours.cpu_seconds(), baseline.cpu_seconds())
        with Progress(console=console, transient=True) as progress:
            for _ in progress.track(range(QUESTIONS), description="asking both bots in turn"):
                for user, room in rooms.items():
                    waits[user].append(await asked(ana, room))
        cpu = (ours.cpu_seconds() - before[0], baseline.cpu_seconds() - before[1])
        row(table, "reply, p50 (ms)", *(statistics.median(waits[user]) * 1000 for user in rooms))
        row(table, "reply, p95 (ms)", *(statistics.quantiles(waits[user], n=20)[-1] * 1000 for user in rooms))
        row(table, "own CPU per answer (ms)", cpu[0] / QUESTIONS * 1000, cpu[1] / QUESTIONS * 1000)
        await asyncio.sleep(3)
        row(table, "idle memory (MB)", ours.megabytes(), baseline.megabytes())
    for person in (ana, faro, echo):
        await person.close()


async def asked(ana: Person, room: str) -> float:
    started = time.perf_counter()
    event_id = await ana.send(room, "!language")
    await ana.answer_to(event_id)
    return time.perf_counter() - started


async def start(server: Homeserver, folder: Path, count: int, table: Table) -> None:
    """From the start of the process until it is ready: with rooms to join, and again when it has joined them."""
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
    baseline = ["-m", "bench.echo", server.url, echo.token, echo.user_id]
    console.print(f"starting in {count} rooms …")
    async with process(bot) as first:
        if count <= FEW:
            async with process(baseline) as other:
                row(table, f"first start to ready, {count} rooms (s)", first.seconds, other.seconds)
        await asyncio.sleep(2)
    again: list[Running] = []
    others: list[Running] = []
    for _ in range(3):
        async with process(bot) as one:
            again.append(one)
        async with process(baseline) as other:
            others.append(other)
    seconds = [statistics.median(run.seconds for run in runs) for runs in (again, others)]
    row(table, f"restart to ready, {count} rooms (s)", *seconds)
    for person in (ana, faro, echo):
        await person.close()


async def encrypted(server: Homeserver, folder: Path) -> None:
    """The same question in both rooms alternately, from a modern client."""
    console.print(f"asking in rooms of {MEMBERS} devices …")
    try:
        waits = await encrypted_replies(server, folder, MEMBERS, QUESTIONS // 2)
    except UnavailableError as why:
        console.print(f"Replies in encrypted rooms are not measured: {why}")
        return
    table = Table("what", "encrypted", "plain", "ratio", title=f"Rooms with {MEMBERS} members' devices, one run")
    row(table, "reply, p50 (ms)", median_ms(waits["encrypted"]), median_ms(waits["plain"]))
    console.print(table)


async def keys(server: Homeserver, folder: Path) -> None:
    first, worst = await rotation(server, folder, MEMBERS)
    table = Table("what", "took (ms)", "blocked the loop (ms)", title=f"A new key for {MEMBERS} devices")
    for what, seen in (("first message", first), ("key rotation, worst of five", worst)):
        table.add_row(what, f"{seen.seconds * 1000:.0f}", f"{seen.blocked * 1000:.0f}")
    console.print(table)


def row(table: Table, what: str, ours: float, baseline: float) -> None:
    table.add_row(what, f"{ours:.2f}", f"{baseline:.2f}", f"{ours / baseline:.2f}")


if __name__ == "__main__":
    wanted = set(sys.argv[1:]) or {"search", "replies", "start", "restart", "encrypted", "rotation"}
    if "search" in wanted:  # the same as `faro bench search`
        faro(["bench", "search"], standalone_mode=False)
    if with_a_homeserver := wanted - {"search"}:
        asyncio.run(main(with_a_homeserver))
