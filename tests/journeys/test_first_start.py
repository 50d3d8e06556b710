"""The first start of a community as large as that of the example, on a homeserver with its own rate limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.testing.homeserver import Homeserver
from bot.testing.patience import patient
from bot.testing.person import HomeserverError, Person
from tests.chaos.proxy import proxy
from tests.running import running

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
FEW = 6  # answers 429 for more than thirty invites, of which ten may go at once


@pytest.fixture
async def limiting(tmp_path: Path) -> AsyncIterator[Homeserver]:
    server = Homeserver(tmp_path / "synapse", "example.org", limited=True)
    await server.start()
    yield server
    await server.stop()


async def example(server: Homeserver, url: str, folder: Path) -> tuple[Path, Person, dict[str, Any]]:
    """The example's configuration where everybody is on this server; the bot's account; the settings."""
    text = re.sub(r'"@([a-z]+):[a-z.-]+"', r'"@\1:example.org"', EXAMPLE.read_text("utf-8"))
    settings: dict[str, Any] = yaml.safe_load(text)
    for person in {person for hub in settings["hubs"] for person in invited_by(hub)}:
        await (await server.register(person[1:].partition(":")[0])).close()
    bot = await server.register("faro")
    settings |= {"homeserver": url, "user": bot.user_id, "password": bot.password}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return config, bot, settings


def invited_by(hub: dict[str, Any]) -> set[str]:
    """Who is asked into each room of a hub."""
    return {*hub.get("moderators", ()), *(person["user"] for person in hub["coordinators"])}


async def all_invited(bot: Person, settings: dict[str, Any]) -> None:
    """Waits until everybody is asked into every room of their hub."""
    for hub in settings["hubs"]:
        for room in hub["rooms"]:
            while not invited_by(hub) <= await asked_into(bot, room["alias"]):  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(1)


async def asked_into(bot: Person, alias: str) -> set[str]:
    try:
        room = (await bot.request("GET", "/directory/room/{}", alias))["room_id"]
        events = (await bot.request("GET", "/rooms/{}/members", room, membership="invite"))["chunk"]
    except HomeserverError:
        return set()
    return {event["state_key"] for event in events}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("unlimited", [False, True])
async def test_a_first_start_invites_everybody_within_minutes(
    limiting: Homeserver, tmp_path: Path, unlimited: bool
) -> None:
    """With the command of docs/run.md the bot is limited no longer."""
    async with proxy(limiting.url) as way:
        config, bot, settings = await example(limiting, way.url, tmp_path)
        if unlimited:
            await lift_limits(limiting, bot.user_id)
        async with running(config):
            async with asyncio.timeout(patient(300)):
                await all_invited(bot, settings)
            limited = [(seen.method, seen.path) for seen in way.seen if seen.status == 429]
            assert len(limited) <= (0 if unlimited else FEW), limited
            invites = [seen for seen in way.seen if seen.path.endswith("/invite") and seen.status == 200]
            wanted = sum(len(invited_by(hub)) * len(hub["rooms"]) for hub in settings["hubs"])
            assert len(invites) == wanted, "nobody is asked twice"
        await bot.close()


async def lift_limits(server: Homeserver, user: str) -> None:
    """Runs the command of the manual."""
    admin = await server.register("admin", admin=True)
    manual = (EXAMPLE.parent / "docs" / "run.md").read_text("utf-8")
    found = re.search(r"^curl [^\n]*\\\n(?:[^\n]*\\\n)*[^\n]*override_ratelimit$", manual, re.MULTILINE)
    assert found, "docs/run.md tells the command"
    command = (
        found[0]
        .replace("https://matrix.example.org", server.url)
        .replace("@faro:example.org", user)
        .replace("ADMIN_TOKEN", admin.token)
    )
    await admin.close()
    process = await asyncio.create_subprocess_shell(
        f"{command} --fail --silent --show-error",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
