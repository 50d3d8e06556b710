"""The bot misses thousands of events, and is killed while it reads them."""

from __future__ import annotations

import os
import random

import pytest

from tests.chaos.campaign import SETTLES_WITHIN, Campaign
from tests.chaos.tally import Row, Tally
from tests.chaos.voices import Plain
from tests.running import RunningBot
from tests.town import Town

MISSED = int(os.environ.get("FARO_CHAOS_GAP", "5000"))
DONE = f"{MISSED:,} missed events with links, edits, deletions and commands at both ends; killed while it reads them"


@pytest.mark.timeout(1800)
async def test_what_was_said_in_a_long_absence_is_followed(town: Town, tally: Tally, seed: int) -> None:
    campaign = Campaign(town, Plain(town.ana, town.hall), random.Random(seed))  # noqa: S311 - draws what people do
    campaign.prepare()
    bot = RunningBot(town.config)
    try:
        await campaign.breathe(bot)
        await bot.start()
        await bot.ready()
        for _ in range(30):
            await campaign.act()
        await campaign.settle()
        assert await bot.stop() == 0
        for _ in range(20):
            await campaign.act()
        for number in range(MISSED):
            await town.ben.send(town.hall, f"talk {number}")
        for _ in range(20):
            await campaign.act()
        for step in ("received:1", "", "committed:1"):
            await campaign.live(bot, step)
        await bot.start()
        await bot.logged("ready", SETTLES_WITHIN)
        await campaign.settle()
        account = await campaign.account()
    finally:
        await bot.kill()
    tally.add(Row("a long absence", DONE, kills=campaign.kills, hangs=len(campaign.hangs), **account.counted))
    assert account.lines == []
    assert campaign.errors == []
