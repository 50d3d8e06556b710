"""A database with this plugin's tables; a hub to talk in; the shell; a web."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.knowledge
from bot.storage.database import SqliteDatabase, steps_in
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.asked import FACTS, GUIDE, FakeWeb
from tests.knowledge.faro import Faro, made
from tests.knowledge.hubs import hub
from tests.knowledge.talk import COORDINATOR, MOD, ROOMS

SCHEMA = Path(plugins.knowledge.__file__).parent / "schema"


@pytest.fixture
async def db() -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase(None) as database:
        await database.migrate("knowledge", steps_in(SCHEMA))
        yield database


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    """A story in the hub of talk.py."""
    async with story([Knowledge], [hub(moderators=[MOD], coordinators=[{"user": COORDINATOR}], rooms=ROOMS)]) as s:
        yield s


@pytest.fixture
def faro(tmp_path: Path) -> Faro:
    return made(tmp_path)


@pytest.fixture
def web() -> FakeWeb:
    """A web of one page."""
    return FakeWeb({GUIDE: FACTS})
