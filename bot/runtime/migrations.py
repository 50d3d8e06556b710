"""The database with everyone's tables: the core's, and those of each plugin that can have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from bot.core.errors import PluginError
from bot.runtime.plugins import PluginType, folder
from bot.runtime.services import CORE
from bot.storage.database import SqliteDatabase, steps_in

log = structlog.get_logger()

SCHEMA = Path(__file__).parents[1] / "storage" / "schema"


@asynccontextmanager
async def open_database(
    path: Path | None, plugins: Sequence[PluginType]
) -> AsyncIterator[tuple[SqliteDatabase, list[PluginType]]]:
    """The database (in memory if there is no path) and the plugins whose tables are up to date."""
    if path:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with SqliteDatabase(path) as db:
        await db.migrate(CORE, steps_in(SCHEMA))
        usable = []
        for plugin in plugins:
            try:
                await db.migrate(plugin.name, steps_in(folder(plugin) / "schema"))
                usable.append(plugin)
            except PluginError as error:
                log.error("plugin left out", plugin=plugin.name, reason=str(error))
        yield db, usable
