"""What an operator sees of the real bot: one process per folder, and what the doctor says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningBot, running
from tests.town import Town


async def doctor(config: Path, **environ: str) -> tuple[int, dict[str, Any]]:
    """The exit code of `faro doctor --json`, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "doctor",
        str(config),
        "--json",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LANG": "C", **environ},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(said)


def told(answer: dict[str, Any], code: str) -> list[str]:
    return [one["level"] for one in answer["findings"] if one["code"] == code]


async def settled(town: Town, *rooms: str) -> None:
    """The bot is in the rooms (both, if none is named) and knows it."""
    for room in rooms or (town.hall, town.desk):
        await town.ana.answer_to(await town.ana.send(room, "!help"))


async def test_a_second_bot_on_the_same_folder_is_refused_with_the_number_of_the_first(town: Town) -> None:
    async with running(town.config) as bot:
        second = RunningBot(town.config)
        await second.start()
        assert await second.ended() == 1
        assert any(f"process {bot.pid} uses the data folder" in line for line in second.lines)
        question = await town.ana.send(town.hall, "!help")
        assert await town.ana.answer_to(question)


async def test_a_bot_that_was_killed_does_not_stand_in_the_way_of_the_next(town: Town) -> None:
    async with running(town.config) as bot:
        await bot.kill()
    assert (town.config.parent / "data" / "lock").exists()
    async with running(town.config):
        pass


@pytest.mark.core
async def test_the_doctor_says_that_a_bot_that_answers_is_well(town: Town) -> None:
    async with running(town.config) as bot:
        await settled(town)
        code, answer = await doctor(town.config)
        await bot.logged("health check done")
    assert not [line for line in bot.lines if "health problem" in line and "joined" in line]
    assert told(answer, "joined") == ["ok", "ok"]
    assert (told(answer, "heard"), told(answer, "clock"), told(answer, "private")) == (["ok"], ["ok"], ["ok"])
    assert (code, answer["well"]) == (0, True)


async def test_the_doctor_names_the_room_where_the_bot_may_not_write(town: Town) -> None:
    levels = {"users": {}, "events_default": 50}  # Ana made the room: she is above all
    await town.ana.request("PUT", "/rooms/{}/state/m.room.power_levels", town.hall, body=levels)
    async with running(town.config) as bot:
        await town.ana.send(town.hall, "!help")
        await bot.logged("sending a message was refused")
        code, answer = await doctor(town.config)
    (mute,) = [one for one in answer["findings"] if one["code"] == "mute"]
    assert (mute["level"], mute["room"]) == ("trouble", town.settings["hubs"][0]["rooms"][0]["alias"])
    assert (code, answer["well"]) == (1, False)


async def test_the_doctor_works_without_the_homeserver(town: Town) -> None:
    async with running(town.config):
        await settled(town)
    town.settings["homeserver"] = "http://127.0.0.1:9"  # the discard port: nobody listens
    town.write()
    _, answer = await doctor(town.config)
    assert told(answer, "clock") == ["note"]
    assert told(answer, "joined") == ["ok", "ok"]


async def test_the_doctor_tells_which_room_is_encrypted(town: Town) -> None:
    rules = {"algorithm": "m.megolm.v1.aes-sha2"}
    await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption", town.desk, body=rules)
    async with running(town.config) as bot:
        await settled(town, town.hall)
        await bot.logged("health check done")
        _, answer = await doctor(town.config)
    texts = {one["room"]: one["text"] for one in answer["findings"] if one["code"] == "joined"}
    hall, desk = [room["alias"] for room in town.settings["hubs"][0]["rooms"]]
    assert "encrypted" not in texts[hall]
    assert "encrypted" in texts[desk]
    assert told(answer, "signed") == ["ok"]
