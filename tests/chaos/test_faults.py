"""For minutes half of what the homeserver says is lost or replaced, while a community goes on."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.testing.patience import patient
from tests.chaos.campaign import SETTLES_WITHIN, Campaign
from tests.chaos.proxy import Proxy, Trouble, matrix_error, proxy
from tests.chaos.tally import Row, Tally
from tests.chaos.test_encrypted import entered
from tests.chaos.voices import Plain, Sealed
from tests.matrix.crypto.test_on_synapse import MEGOLM
from tests.running import RunningBot
from tests.town import Town

FAULTS = int(os.environ.get("FARO_CHAOS_FAULTS", "30")) // 2  # of each campaign
LONGEST = patient(600)  # seconds of faults
SHARE = 0.5  # of all requests
MODES = {
    "a page with 404": Trouble(404, body="<html>Not found</html>"),
    "a page with 403": Trouble(403, body="<html>Blocked</html>"),
    "M_FORBIDDEN": Trouble(403, body=matrix_error("M_FORBIDDEN")),
    "429 with a time": Trouble(429, body=matrix_error("M_LIMIT_EXCEEDED", retry_after_ms=1500)),
    "429 without a time": Trouble(429, body=matrix_error("M_LIMIT_EXCEEDED")),
    "500": Trouble(500, body=matrix_error("M_UNKNOWN")),
    "a page with 502": Trouble(502, body="<html>Bad gateway</html>"),
    "503": Trouble(503),
    "a page with 504": Trouble(504, body="<html>Gateway timeout</html>"),
    "a reset before": Trouble("drop"),
    "a reset after": Trouble("drop after"),
    "a slow answer": Trouble("slow"),
    "no answer": Trouble("stall"),
    "broken JSON": Trouble("garbage"),
    "JSON without content": Trouble("nothing useful"),
}
DONE = (
    "half of all requests fail: 404 and 403 pages, a real 403, 429 with and without a time, 5xx, resets before and "
    "after, slow answers and none, broken JSON; restarted meanwhile"
)


class Mischief:
    """Draws a mode for half of the requests, and counts them."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.drawn: Counter[str] = Counter()

    def __call__(self, path: str) -> Trouble | None:
        if self._draw.random() > SHARE:
            return None
        rarest = min(self.drawn[name] for name in MODES)
        names = [name for name in MODES if self.drawn[name] <= rarest + 3]  # so that none is left out
        name = self._draw.choice(names)
        self.drawn[name] += 1
        return MODES[name]


async def faulted(campaign: Campaign, way: Proxy, tally: Tally, name: str) -> None:
    campaign.town.settings["homeserver"] = way.url
    campaign.prepare(minutes=1)
    bot = RunningBot(campaign.town.config)
    mischief, restarted = Mischief(campaign.random), False
    try:
        await campaign.breathe(bot)
        await bot.start()
        await bot.ready()
        begun = time.monotonic()
        way.misbehave(mischief)
        while mischief.drawn.total() < FAULTS and time.monotonic() - begun < LONGEST:
            await campaign.act()
            await campaign.rest(2)
            if not restarted and mischief.drawn.total() > FAULTS / 2:
                restarted = True
                await bot.stop()
                campaign.look_at(bot)
                await bot.start()
        way.misbehave(None)
        await bot.logged("ready", SETTLES_WITHIN)  # it may have backed off for a minute
        await campaign.settle()
        account = await campaign.account()
    except Exception as error:
        error.add_note("The bot said:\n" + "\n".join(bot.lines))
        raise
    finally:
        await bot.kill()
        campaign.look_at(bot)
    faults = mischief.drawn.total()
    tally.add(Row(name, DONE, faults=faults, hangs=len(campaign.hangs), **account.counted))
    assert account.lines == []
    assert campaign.errors == []
    assert faults >= FAULTS


@pytest.mark.timeout(3600)
async def test_faults_in_plain_rooms(town: Town, tally: Tally, seed: int) -> None:
    async with proxy(town.homeserver.url) as way:
        campaign = Campaign(town, Plain(town.ana, town.hall), random.Random(seed))  # noqa: S311 - draws faults
        await faulted(campaign, way, tally, "plain rooms, faults")


@pytest.mark.timeout(3600)
async def test_faults_in_encrypted_rooms(town: Town, tally: Tally, seed: int, tmp_path: Path) -> None:
    for room in (town.hall, town.desk):
        await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", room, body=MEGOLM)
    async with proxy(town.homeserver.url) as way, entered(town, town.ana, tmp_path / "ana") as peer:
        campaign = Campaign(town, Sealed(peer, town.hall), random.Random(seed))  # noqa: S311 - draws faults
        await faulted(campaign, way, tally, "encrypted rooms, faults")
