"""What machines are told of the real bot: by HTTP, and by the service manager's socket."""

from __future__ import annotations

import asyncio
import json
import uuid

import aiohttp
import pytest

from bot import __version__
from bot.testing.homeserver import free_port
from bot.testing.patience import patient
from tests.operations.test_service_manager import Heard
from tests.running import RunningBot, running
from tests.town import Town


@pytest.mark.core
async def test_a_running_bot_is_ready_and_its_figures_count_what_it_answered(town: Town) -> None:
    port = free_port()
    town.settings["health"] = {"listen": f"127.0.0.1:{port}"}
    town.write()
    async with running(town.config) as bot, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        await town.carla.answer_to(await town.carla.send(town.hall, "!help"))
        await bot.logged("health check done")
        for path in ("/healthz", "/readyz"):
            async with http.get(path) as got:
                assert (got.status, await got.text()) == (200, "ok\n")
        async with http.get("/metrics") as got:
            assert got.headers["Content-Type"].startswith("text/plain")
            figures = await got.text()
        assert 'faro_commands_answered_total{command="help"} 1.0' in figures
        assert 'faro_health_findings{level="ok"}' in figures
        assert town.homeserver.name not in figures
        assert await bot.stop() == 0


@pytest.mark.core
async def test_the_log_begins_with_versions_and_its_details_hold_no_words_and_no_names(town: Town) -> None:
    town.settings["log"] = {"format": "json", "level": "debug"}
    town.write()
    async with running(town.config) as bot:
        await town.carla.answer_to(await town.carla.send(town.hall, "!find whistleblowing"))
        await bot.logged("outbox row sent")
        assert await bot.stop() == 0
    lines = [json.loads(line) for line in bot.lines]
    (start,) = [line for line in lines if line["event"] == "starting"]
    assert (start["faro"], start["hubs"], start["rooms"]) == (__version__, 1, 2)
    assert start["nio"].startswith("0.26.")
    assert {"help", "knowledge", "meetings", "people"} <= set(start["plugins"])
    details = [line for line in lines if line["level"] == "debug"]
    handled = {"homeserver answered", "batch handled", "command handled", "outbox row sent", "job finished"}
    assert handled <= {line["event"] for line in details}
    assert "find" in [line.get("command") for line in details]
    for word in ("whistleblowing", *(person.user_id for person in town.people)):
        assert word not in json.dumps(details)


async def test_an_address_that_is_taken_ends_the_start_with_a_sentence(town: Town) -> None:
    port = free_port()
    town.settings["health"] = {"listen": f"127.0.0.1:{port}"}
    town.write()
    async with running(town.config):
        (town.config.parent / "other").mkdir()
        other = RunningBot(town.config.parent / "other" / "config.yaml")
        other.config.write_text(town.config.read_text("utf-8"), "utf-8")  # with a data folder of its own
        await other.start()
        assert await other.ended() == 1
        assert any("health.listen" in line for line in other.lines)
        assert not any("Traceback" in line for line in other.lines)


async def test_the_service_manager_hears_that_a_bot_is_ready_well_and_stopping(town: Town) -> None:
    heard = Heard(f"@faro-{uuid.uuid4().hex}")
    async with running(town.config, NOTIFY_SOCKET=heard.name, WATCHDOG_USEC="2000000") as bot:
        async with asyncio.timeout(patient(30)):
            assert await heard.next() == {"STATUS": "Logging in"}
            assert (await heard.next())["READY"] == "1"
            assert (await heard.next())["WATCHDOG"] == "1"
            assert (await heard.next())["WATCHDOG"] == "1"
            assert await bot.stop() == 0
            while "STOPPING" not in await heard.next():
                pass
    heard.close()
