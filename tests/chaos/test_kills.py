"""Hundreds of kills at random, while a community goes on: everything is there once, and nothing that was deleted."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from tests.chaos.campaign import Campaign
from tests.chaos.tally import Row, Tally
from tests.chaos.test_encrypted import entered
from tests.chaos.voices import Plain, Sealed
from tests.matrix.crypto.test_on_synapse import MEGOLM
from tests.running import RunningBot
from tests.town import Town

KILLS = int(os.environ.get("FARO_CHAOS_KILLS", "20")) // 2  # of the bot in each campaign; imports are killed, too
DONE = "killed at random: commands, links, edits, deletions, reminders, imports, migrations"


async def killed(campaign: Campaign, tally: Tally, name: str) -> None:
    campaign.prepare(minutes=max(1, KILLS // 15))
    bot = RunningBot(campaign.town.config)
    try:
        await campaign.breathe(bot)
        for life in range(KILLS):
            if life % 30 == 0:
                campaign.new_file()
            if life % 12 == 5:
                campaign.new_version()
            if life % 20 == 19:
                await campaign.breathe(bot)
            await campaign.live(bot, campaign.draw_step())
        await bot.start()
        await bot.ready()
        await campaign.settle()
        account = await campaign.account()
    finally:
        await bot.kill()
    tally.add(Row(name, DONE, kills=campaign.kills, hangs=len(campaign.hangs), **account.counted))
    assert account.lines == []
    assert campaign.errors == []


@pytest.mark.timeout(3600)
async def test_kills_in_plain_rooms(town: Town, tally: Tally, seed: int) -> None:
    campaign = Campaign(town, Plain(town.ana, town.hall), random.Random(seed))  # noqa: S311 - draws kills
    await killed(campaign, tally, "plain rooms, kills")


@pytest.mark.timeout(3600)
async def test_kills_in_encrypted_rooms(town: Town, tally: Tally, seed: int, tmp_path: Path) -> None:
    for room in (town.hall, town.desk):
        await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", room, body=MEGOLM)
    async with entered(town, town.ana, tmp_path / "ana") as peer:
        campaign = Campaign(town, Sealed(peer, town.hall), random.Random(seed))  # noqa: S311 - draws kills
        await killed(campaign, tally, "encrypted rooms, kills")
