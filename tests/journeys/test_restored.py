"""A backup made while the bot ran is restored: nothing is said twice, nothing erased comes back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.test_first_days import LINK, ask
from tests.running import faro_command, running
from tests.town import Town


async def answers_in(town: Town, room: str) -> list[str]:
    """What the bot said in a room, oldest first."""
    return [
        str(event["content"].get("body"))
        for event in await town.ana.messages(room)
        if event["sender"] == town.bot.user_id and event["type"] == "m.room.message"
    ]


@pytest.mark.core
async def test_after_a_restore_nothing_is_said_twice_and_what_was_erased_stays_erased(town: Town) -> None:
    kept = town.config.parent / "kept.faro-backup"
    async with running(town.config):
        gone = await town.ben.send(town.hall, "Soon deleted: https://example.org/deleted")
        await town.carla.send(town.hall, "Carla's own: https://example.org/carla")
        await town.ben.send(town.hall, f"This helps with whistle-blowers: {LINK}")
        assert LINK in await ask(town.ana, town.hall, "!find whistle-blowers")
        await faro_command("backup", str(town.config), str(kept))
        for question in ("!find whistle-blowers", "!recent", "!topics"):
            await ask(town.ana, town.hall, question)
        await town.ben.redact(town.hall, gone)
        assert "example.org/deleted" not in await ask(town.ana, town.hall, "!recent")
        await ask(town.carla, town.hall, "!forget me yes")
    said = await answers_in(town, town.hall)

    there = town.config.parent / "there"
    erasures = town.config.parent / "data" / "erasures.jsonl"
    restored = await faro_command("restore", str(kept), str(there / "config.yaml"), "--erasures", str(erasures))
    assert "1 erasure was done again" in restored
    assert "Signed in as the new device" in restored
    shutil.rmtree(town.config.parent / "data")
    async with running(there / "config.yaml") as bot:
        found = await ask(town.ana, town.hall, "!recent")
        assert LINK in found
        assert "example.org/carla" not in found
        assert "example.org/deleted" not in found
        assert (await answers_in(town, town.hall))[:-1] == said
        assert not any("Traceback" in line for line in bot.lines)


async def test_a_reminder_that_was_sent_after_the_copy_was_made_is_not_sent_again(town: Town, tmp_path: Path) -> None:
    async with running(town.config):
        await ask(town.ana, town.hall, "!next")
        await faro_command("backup", str(town.config), str(tmp_path / "copy"))
    there = tmp_path / "there"
    await faro_command("restore", str(tmp_path / "copy"), str(there / "config.yaml"))
    with closing(sqlite3.connect(there / "data" / "faro.db")) as db:
        assert db.execute("SELECT doubted FROM core_restored").fetchone() == (0,)
    async with running(there / "config.yaml"):
        await ask(town.ana, town.hall, "!next")
    with closing(sqlite3.connect(there / "data" / "faro.db")) as db:
        assert db.execute("SELECT doubted FROM core_restored").fetchone() == (1,)
