"""Whatever moment the process is killed at, every effect is seen exactly once in the room."""

from __future__ import annotations

import pytest

from tests.running import RunningBot
from tests.town import Town


@pytest.mark.parametrize("place", ["received", "committed", "sent", "marked"])
async def test_killed_between_two_steps_every_answer_is_given_once(town: Town, place: str) -> None:
    bot = RunningBot(town.config)
    await bot.start()
    await bot.ready()
    await bot.stop()
    await town.ben.send(town.hall, "Read https://example.org/once")
    first = await town.ana.send(town.hall, "!find once")
    second = await town.carla.send(town.hall, "!help")
    await bot.start(FARO_TEST_KILL_AT=f"{place}:1")
    assert await bot.ended() == -9
    await bot.start()
    try:
        await town.ana.answer_to(first)
        await town.carla.answer_to(second)
        last = await town.ana.send(town.hall, "!find once")
        await town.ana.answer_to(last)
    finally:
        await bot.kill()
    said = [
        event["content"]["m.relates_to"]["m.in_reply_to"]["event_id"]
        for event in await town.ana.messages(town.hall)
        if event["sender"] == town.bot.user_id and event["type"] == "m.room.message"
    ]
    assert sorted(said) == sorted([first, second, last])
