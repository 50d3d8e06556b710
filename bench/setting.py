"""Writes the configuration of the measured bot."""

from __future__ import annotations

from pathlib import Path

import yaml

from bot.testing.homeserver import Homeserver
from bot.testing.person import Person


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
