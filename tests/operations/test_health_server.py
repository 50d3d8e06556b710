"""What machines are told of the running bot, over a real socket of loopback."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.core.counts import NO_COMMAND, Counts
from bot.core.errors import DatabaseError, FaroError
from bot.core.events import Message
from bot.core.texts import Text
from bot.hubs import Hub, Room
from bot.operations.doctor import CheckTarget
from bot.operations.health_server import serving
from bot.operations.monitor import HealthMonitor
from bot.operations.vitals import Vitals
from bot.ports import Reader
from bot.runtime.migrations import open_database
from bot.storage import outbox, sync_token
from bot.storage.database import SqliteDatabase
from bot.testing.clock import FakeClock
from bot.testing.homeserver import free_port
from bot.testing.story import story
from bot.testing.transport import FakeTransport
from tests.runtime.test_pipeline import ANA, HALL, Echo
from tests.runtime.test_pipeline import HUB as ECHOING

BOT, SECRET_ROOM = "@faro:example.org", "!secret:example.org"
HUB = Hub(id="transparency", title={"": "Transparency"}, languages=("en",), rooms=(Room(id=SECRET_ROOM),))


class Watched:
    """A bot that does nothing, whose health is served."""

    def __init__(self, db: SqliteDatabase, folder: Path) -> None:
        self.db, self.clock, self.counts = db, FakeClock(), Counts()
        self.transport = FakeTransport(BOT, self.clock)
        target = CheckTarget(folder, BOT, [HUB], encrypts=True)
        self.monitor = HealthMonitor(db, self.clock, self.transport, target)
        self.vitals = Vitals(
            db=db, clock=self.clock, transport=self.transport, counts=self.counts, monitor=self.monitor
        )
        self.port = free_port()

    async def synced(self) -> None:
        async with self.db.transaction() as tx:
            await sync_token.advance(tx, "t", self.clock.now())

    async def ask(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as http, http.get(url) as got:
            return got.status, await got.text()

    async def figures(self) -> dict[str, float]:
        status, text = await self.ask("/metrics")
        assert status == 200
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with open_database(tmp_path / "data" / "faro.db", []) as (db, _):
        made = Watched(db, tmp_path / "data")
        async with serving(made.vitals, "127.0.0.1", made.port):
            yield made


async def test_a_bot_is_alive_before_it_is_ready_and_ready_once_it_has_joined_and_synced(watched: Watched) -> None:
    assert await watched.ask("/healthz") == (200, "ok\n")
    assert (await watched.ask("/readyz"))[0] == 503
    watched.vitals.joined.set()
    assert (await watched.ask("/readyz"))[0] == 503
    await watched.synced()
    assert await watched.ask("/readyz") == (200, "ok\n")


async def test_after_two_minutes_without_the_homeserver_it_is_alive_and_not_ready(watched: Watched) -> None:
    watched.vitals.joined.set()
    await watched.synced()
    watched.clock.advance(119)
    assert (await watched.ask("/readyz"))[0] == 200
    watched.clock.advance(1)
    assert (await watched.ask("/readyz"))[0] == 503
    assert (await watched.ask("/healthz"))[0] == 200


async def test_a_database_that_does_not_answer_is_told_everywhere(watched: Watched) -> None:
    watched.vitals.joined.set()
    await watched.synced()
    async with watched.db.transaction() as tx:
        await tx.execute("ALTER TABLE core_sync_token RENAME TO core_sync_token_away")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await watched.ask(path))[0] == 503


async def test_a_database_that_hangs_is_no_answer(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: Reader) -> int:
        raise TimeoutError

    monkeypatch.setattr(sync_token, "synced_at", hang)
    assert (await watched.ask("/healthz"))[0] == 503


async def test_a_damaged_database_is_no_answer(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    async def damaged(_: Reader) -> int:
        raise DatabaseError(Text("it is damaged"))

    monkeypatch.setattr(sync_token, "synced_at", damaged)
    assert (await watched.ask("/healthz"))[0] == 503


async def test_the_figures_say_what_was_done_and_what_waits(watched: Watched) -> None:
    assert "faro_last_sync_age_seconds" not in await watched.figures()
    await watched.synced()
    watched.clock.advance(7)
    watched.counts.batches, watched.counts.commands["find"] = 12, 3
    async with watched.db.transaction() as tx:
        for number in range(2):
            await outbox.enqueue(tx, key=f"k{number}", room=SECRET_ROOM, now=0, content={"body": "a bribe"}, asker=ANA)
        await tx.execute("INSERT INTO core_jobs (plugin, key, name, payload, due) VALUES ('core', 'k', 'n', '{}', 0)")
    figures = await watched.figures()
    assert figures["faro_batches_total"] == 12
    assert figures['faro_commands_answered_total{command="find"}'] == 3
    assert figures["faro_outbox_pending"] == 2
    assert figures["faro_jobs_pending"] == 1
    assert figures["faro_last_sync_age_seconds"] == 7


async def test_the_figures_tell_findings_by_level_once_there_was_a_check_and_name_nobody(watched: Watched) -> None:
    assert not [name for name in await watched.figures() if name.startswith("faro_health_findings")]
    await watched.synced()
    await watched.monitor.check()  # the room of the hub is not joined
    figures = await watched.figures()
    assert figures['faro_health_findings{level="trouble"}'] >= 1
    assert figures['faro_health_findings{level="ok"}'] >= 1
    text = (await watched.ask("/metrics"))[1]
    assert not re.search(r"[!@]\w+:|example\.org|transparency|bribe", text)


async def test_answers_are_counted_by_command_and_those_to_other_words_together() -> None:
    async with story([Echo], [ECHOING]) as s:
        await s.join(ANA, HALL)
        for words in ("!echo a", "!echo b", "nothing for the bot", "!nonsense"):
            await s.hear(s.message(ANA, words))
        await s.hear(Message("!direct:example.org", "$d", ANA, s.clock.now(), "hello"))
        assert s.pipeline.counts.commands["echo"] == 2
        assert set(s.pipeline.counts.commands) <= {"echo", NO_COMMAND}
        assert s.pipeline.counts.batches >= 5


async def test_an_address_that_is_taken_is_one_sentence(watched: Watched) -> None:
    with pytest.raises(FaroError, match=rf"health.listen: 127.0.0.1:{watched.port} cannot be listened on"):
        async with serving(watched.vitals, "127.0.0.1", watched.port):
            pass


async def test_afterwards_nobody_listens(tmp_path: Path) -> None:
    async with open_database(tmp_path / "faro.db", []) as (db, _):
        watched = Watched(db, tmp_path)
        async with serving(watched.vitals, "127.0.0.1", watched.port):
            pass
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", watched.port)) != 0


@pytest.mark.slow
def test_shell_commands_and_a_bot_that_serves_nothing_import_neither_server_nor_metrics() -> None:
    code = "import sys, bot.app, bot.cli.main; print({'prometheus_client', 'aiohttp.web_runner'} & {*sys.modules})"
    code = code.replace("bot.app, ", "bot.app, bot.operations.doctor, ")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter and our own words
    assert "prometheus_client" not in done.stdout
