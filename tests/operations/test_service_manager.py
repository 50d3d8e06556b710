"""What the service manager hears, over a real socket: in a folder, or in the abstract namespace."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.operations.service_manager import ServiceManager, service_manager
from bot.operations.vitals import STUCK_AFTER
from bot.runtime.migrations import open_database
from bot.testing.clock import FakeClock
from tests.operations.test_health_server import Watched


class Heard:
    """The service manager's end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        self._socket.setblocking(False)

    async def next(self) -> dict[str, str]:
        raw = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        return dict(line.split("=", 1) for line in raw.decode().splitlines())

    def close(self) -> None:
        self._socket.close()


class Sleeps(FakeClock):
    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Heard]:
    end = Heard(str(tmp_path / "notify") if request.param == "path" else f"@faro-{uuid.uuid4().hex}")
    yield end
    end.close()


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with open_database(tmp_path / "data" / "faro.db", []) as (db, _):
        yield Watched(db, tmp_path / "data")


def manager_of(heard: Heard) -> ServiceManager:
    return service_manager({"NOTIFY_SOCKET": heard.name, "WATCHDOG_USEC": "10000000"})


@pytest.fixture
async def kept_told(heard: Heard, watched: Watched) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(manager_of(heard).keep_told(watched.vitals, watched.clock))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_readiness_is_told_when_the_rooms_are_joined_and_then_again_and_again_that_all_is_well(
    heard: Heard, watched: Watched, kept_told: asyncio.Task[None]
) -> None:
    await asyncio.sleep(0)
    watched.vitals.joined.set()
    assert await heard.next() == {"READY": "1", "STATUS": "Ready"}
    await watched.synced()
    begun = watched.clock.now()
    first = await heard.next()
    assert first["WATCHDOG"] == "1"
    assert (await heard.next())["STATUS"].startswith("Ready; homeserver ")
    assert watched.clock.now() - begun >= 5000, "half of the watchdog's time"


async def test_while_the_sync_loop_stands_still_the_watchdog_hears_nothing(
    heard: Heard, watched: Watched, kept_told: asyncio.Task[None]
) -> None:
    watched.transport.active_at = time.monotonic() - STUCK_AFTER
    watched.vitals.joined.set()
    await heard.next()
    assert await heard.next() == {"STATUS": "Hangs: the sync loop stands still"}
    watched.transport.active_at = time.monotonic()
    while "WATCHDOG" not in await heard.next():
        pass


async def test_while_the_database_does_not_answer_the_watchdog_hears_nothing(
    heard: Heard, watched: Watched, kept_told: asyncio.Task[None]
) -> None:
    async with watched.db.transaction() as tx:
        await tx.execute("ALTER TABLE core_sync_token RENAME TO core_sync_token_away")
    watched.vitals.joined.set()
    await heard.next()
    assert await heard.next() == {"STATUS": "Hangs: the database does not answer"}


async def test_the_end_is_told(heard: Heard) -> None:
    manager_of(heard).stopping()
    assert (await heard.next())["STOPPING"] == "1"


async def test_without_a_service_manager_nothing_is_told_and_nothing_fails(watched: Watched) -> None:
    manager = service_manager({})
    await manager.keep_told(watched.vitals, watched.clock)
    manager.stopping()


@pytest.mark.parametrize("address", ["vsock:2:1234", "notify.sock"])
def test_a_socket_of_another_kind_is_named_and_left_alone(address: str) -> None:
    with capture_logs() as logs:
        service_manager({"NOTIFY_SOCKET": address}).stopping()
    assert [line["event"] for line in logs] == ["the service manager's socket is of an unknown kind"]


def test_a_service_manager_that_is_gone_is_logged_once(tmp_path: Path) -> None:
    manager = service_manager({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    with capture_logs() as logs:
        manager.stopping()
        manager.stopping()
    assert [line["event"] for line in logs] == ["the service manager cannot be told anything"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "10000000"}, 5),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 5),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, 60),
        ({"WATCHDOG_USEC": "soon"}, 60),
        ({}, 60),
    ],
)
async def test_how_often_it_is_told_follows_the_watchdog_meant_for_this_process(
    environ: dict[str, str], seconds: int, watched: Watched, tmp_path: Path
) -> None:
    end = Heard(str(tmp_path / "notify"))
    manager = service_manager({"NOTIFY_SOCKET": end.name, **environ})
    watched.vitals.joined.set()
    clock = Sleeps()
    task = asyncio.create_task(manager.keep_told(watched.vitals, clock))
    for _ in range(4):  # ready, and well three times
        await end.next()
    assert set(clock.slept) == {seconds}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    end.close()
