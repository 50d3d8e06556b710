"""Two hubs on a real homeserver: the town's, and a private one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.testing.person import Person
from tests.town import Town


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
