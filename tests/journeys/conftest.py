"""Two hubs on a real homeserver: the town's, and a private one. And a town with a member on another homeserver."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.testing.homeserver import Homeserver
from bot.testing.patience import patient
from bot.testing.person import HomeserverError, Person
from tests.federation import two_homeservers
from tests.town import Town, town_on


@dataclass(slots=True)
class TwoHubs:
    """`town` has the hub of the town, whose room is the hall; Dora moderates there (power level 50), no YAML names her.

    The private hub `audit` has one room, the vault, with Ana, Ben and Carla. Everybody may write to the bot directly.
    """

    town: Town
    dora: Person
    vault: str

    @property
    def hubs(self) -> list[dict[str, Any]]:
        """Their YAML: the town's and the private one; `town.write()` writes it."""
        hubs: list[dict[str, Any]] = self.town.settings["hubs"]
        return hubs


@pytest.fixture
async def two(town: Town) -> AsyncIterator[TwoHubs]:
    name = uuid.uuid4().hex[:8]
    dora = await town.homeserver.register(f"dora-{name}")
    await town.ana.invite(town.hall, dora.user_id)
    await dora.join(town.hall)
    levels = {"users": {dora.user_id: 50}}  # Ana made the room: she is above all
    await town.ana.request("PUT", "/rooms/{}/state/m.room.power_levels/", town.hall, body=levels)
    invited = (town.ben.user_id, town.carla.user_id, town.bot.user_id)
    vault = await town.ana.create_room("Audit", alias=f"vault-{name}", invite=invited)
    for person in (town.ben, town.carla):
        await person.join(vault)
    town.settings["invites"] = {"allow": [town.homeserver.name]}
    town.settings["hubs"].append(
        {
            "id": "audit",
            "title": "Audit",
            "rooms": [{"alias": f"#vault-{name}:{town.homeserver.name}", "log_links": True}],
            "topics": [{"id": "gifts", "title": {"en": "Gifts", "es": "Regalos"}}],
        }
    )
    town.write()
    yield TwoHubs(town, dora, vault)
    await dora.close()


@dataclass(slots=True)
class Abroad:
    """`town` as ever, and Dora, whose account is on another homeserver: she is in the hall, and may invite the bot."""

    town: Town
    dora: Person
    homeserver: Homeserver

    async def dora_joins(self, room: str) -> None:
        """Dora, who was invited, joins a room of the town's homeserver, which may have to tell hers of it first."""
        await eventually(lambda: self.dora.join(room, via=self.town.homeserver.name))


@pytest.fixture(scope="session")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Homeserver, Homeserver]]:
    """Two real homeservers that talk to each other, for the whole run."""
    async with two_homeservers(tmp_path_factory.mktemp("federation")) as both:
        yield both


@pytest.fixture
async def abroad(federation: tuple[Homeserver, Homeserver], tmp_path: Path) -> AsyncIterator[Abroad]:
    here, there = federation
    dora = await there.register(f"dora-{uuid.uuid4().hex[:8]}")
    try:
        async with town_on(here, tmp_path) as town:
            made = Abroad(town, dora, there)
            await town.ana.invite(town.hall, dora.user_id)
            await made.dora_joins(town.hall)
            town.settings["invites"] = {"allow": [there.name]}
            town.write()
            yield made
    finally:
        await dora.close()


async def eventually(attempt: Callable[[], Awaitable[object]]) -> None:
    """Tries until the homeserver agrees: between two of them everything takes a moment."""
    async with asyncio.timeout(patient(30)):
        while True:
            try:
                await attempt()
            except HomeserverError:
                await asyncio.sleep(0.2)
            else:
                return
