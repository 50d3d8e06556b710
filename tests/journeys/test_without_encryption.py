"""The real bot where encryption does not work: what it needs cannot be imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.journeys.test_wellbeing import doctor, told
from tests.running import running
from tests.town import Town

MISSING = "import sys\nsys.modules.update(dict.fromkeys(['vodozemac', 'peewee', 'cachetools', 'atomicwrites']))\n"
"""Python reads this before anything else: what encryption needs cannot be imported."""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a process without it."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sitecustomize.py").write_text(MISSING, "utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path / "bare"), os.environ.get("PYTHONPATH", "")])}


@pytest.mark.core
async def test_plain_rooms_are_answered_and_the_hub_that_cannot_be_read_is_named(
    town: Town, bare: dict[str, str]
) -> None:
    rules = {"algorithm": "m.megolm.v1.aes-sha2"}
    await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", town.desk, body=rules)
    async with running(town.config, **bare) as bot:
        await town.carla.answer_to(await town.carla.send(town.hall, "!help"))
        assert "transparency" in await bot.logged("encryption does not work here")
        notice = await town.ana.wait_for(
            lambda event: "encryption does not work where I run" in str(event["content"].get("body"))
        )
        assert (notice["type"], notice["content"]["msgtype"]) == ("m.room.message", "m.notice")
        code, said = await doctor(town.config, **bare)
        assert (code, told(said, "deaf"), told(said, "joined")) == (1, ["trouble"], ["ok", "ok"])
        assert told(said, "encryption") == ["trouble"]
        assert await bot.stop() == 0
    assert not (town.config.parent / "data" / "crypto").exists()
