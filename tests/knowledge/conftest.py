"""A database with this plugin's tables, and hubs to fill it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.knowledge
from bot.storage.database import SqliteDatabase, steps_in

SCHEMA = Path(plugins.knowledge.__file__).parent / "schema"


@pytest.fixture
async def db() -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase(None) as database:
        await database.migrate("knowledge", steps_in(SCHEMA))
        yield database
