"""A hub on a real homeserver: its rooms, its people, and the configuration of a bot for it."""

from __future__ import annotations

import datetime
import math
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.testing.homeserver import Homeserver
from bot.testing.person import Person


@dataclass(slots=True)
class Town:
    """Ana and Ben coordinate, Carla is a member; the bot has an account and a configuration, and does not run yet."""

    homeserver: Homeserver
    ana: Person
    ben: Person
    carla: Person
    bot: Person
    hall: str  # the members' room
    desk: str  # the coordinators' room
    config: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def write(self) -> None:
        """Writes `settings` as the configuration."""
        self.config.write_text(yaml.safe_dump(self.settings, allow_unicode=True), "utf-8")

    def plan_meeting(self, due: datetime.datetime) -> None:
        """Writes a meeting with one reminder, which is due at this second."""
        starts = due.replace(second=0, microsecond=0) + datetime.timedelta(minutes=2)
        self.settings["hubs"][0]["meetings"] = [
            {
                "id": "coordinators",
                "title": {"en": "Coordinators' meeting"},
                "starts": starts.strftime("%Y-%m-%d %H:%M"),
                "timezone": "UTC",
                "duration": "1 hour",
                "call": "https://meet.example.org/faro",
                "remind": [f"{math.floor((starts - due).total_seconds())} seconds"],
            }
        ]
        self.write()

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The bot's database; what is done to it is one transaction."""
        with closing(sqlite3.connect(self.config.parent / "data" / "faro.db")) as db, db:
            yield db

    @property
    def people(self) -> tuple[Person, ...]:
        return (self.ana, self.ben, self.carla, self.bot)


@pytest.fixture
async def town(homeserver: Homeserver, tmp_path: Path) -> AsyncIterator[Town]:
    async with town_on(homeserver, tmp_path) as made:
        yield made


@asynccontextmanager
async def town_on(homeserver: Homeserver, folder: Path) -> AsyncIterator[Town]:
    """People and rooms of their own; the configuration is in the folder."""
    name = uuid.uuid4().hex[:8]
    ana, ben, carla, bot = [await homeserver.register(f"{who}-{name}") for who in ("ana", "ben", "carla", "faro")]
    hall = await ana.create_room("Transparency", alias=f"hall-{name}", invite=(ben.user_id, carla.user_id, bot.user_id))
    desk = await ana.create_room("Coordinators", alias=f"desk-{name}", invite=(ben.user_id, bot.user_id))
    for person, room in ((ben, hall), (carla, hall), (ben, desk)):
        await person.join(room)
    settings = {
        "homeserver": homeserver.url,
        "user": bot.user_id,
        "password": bot.password,
        "data_dir": "data",
        "operators": [ana.user_id],
        "hubs": [
            {
                "id": "transparency",
                "title": {"en": "Transparency", "es": "Transparencia"},
                "languages": ["en", "es"],
                "timezone": "America/Guatemala",
                "rooms": [
                    {"alias": f"#hall-{name}:{homeserver.name}", "log_links": True},
                    {"alias": f"#desk-{name}:{homeserver.name}", "role": "coordinators"},
                ],
                "coordinators": [
                    {"user": ana.user_id, "name": "Ana", "city": "Guatemala", "timezone": "America/Guatemala"},
                    {"user": ben.user_id, "name": "Ben", "city": "Kingston", "timezone": "America/Jamaica"},
                ],
                "topics": [{"id": "gifts", "title": {"en": "Gifts", "es": "Regalos"}}],
            }
        ],
    }
    made = Town(homeserver, ana, ben, carla, bot, hall, desk, folder / "config.yaml", settings)
    made.write()
    try:
        yield made
    finally:
        for person in made.people:
            await person.close()
