"""The database with everyone's tables: the core's, and those of each plugin that can have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from bot.core.errors import DatabaseError, PluginError
from bot.core.texts import Text
from bot.ports import Reader
from bot.runtime.plugins import PluginType, folder
from bot.runtime.services import CORE
from bot.storage import absent_plugins
from bot.storage.database import SqliteDatabase, steps_in

log = structlog.get_logger()

SCHEMA = Path(__file__).parents[1] / "storage" / "schema"


@asynccontextmanager
async def open_database(
    path: Path | None,
    plugins: Sequence[PluginType],
    *,
    reasons: Mapping[str, str] | None = None,
    without: Collection[str] | None = None,
) -> AsyncIterator[tuple[SqliteDatabase, list[PluginType]]]:
    """The database (in memory if there is no path) and the plugins whose tables are up to date.

    With `without`, a plugin that has tables must be among the plugins or be named there, or `DatabaseError` is raised:
    a bot that ran without it would lose redactions for good. `reasons` says why plugins are missing, by name.
    """
    if path:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with SqliteDatabase(path) as db:
        await db.migrate(CORE, steps_in(SCHEMA))
        usable, missing = [], dict(reasons or {})
        for plugin in plugins:
            try:
                await db.migrate(plugin.name, steps_in(folder(plugin) / "schema"))
                usable.append(plugin)
            except PluginError as error:
                missing[plugin.name] = str(error)
                log.error("plugin left out", plugin=plugin.name, reason=str(error))
        if without is not None:
            await _refuse_absent(db.reading(), [plugin.name for plugin in usable], missing, without)
        yield db, usable


async def _refuse_absent(
    db: Reader, used: Collection[str], reasons: Mapping[str, str], without: Collection[str]
) -> None:
    for name in await absent_plugins.missing(db, {*used, *without}):
        raise DatabaseError(
            Text(
                "The plugin '{name}' cannot be loaded ({reason}), but the database holds its data. Repair it, or start "
                "without it until then: faro run --without {name} CONFIG",
                name=name,
                reason=reasons.get(name, Text("it is not installed")),
            )
        )
