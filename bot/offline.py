"""A configuration opened from the shell, without any network: `bot.api.Shell` and `Offline`."""

from __future__ import annotations

import locale
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.config.load import Loaded, load, peek
from bot.contexts import HubsContext
from bot.hubs import Hub
from bot.i18n.catalog import Catalogs
from bot.loading import Broken, PluginType, Registry, bind, find, folder
from bot.ports import Database, Reader, Translator
from bot.storage.alarms import PluginSchedule
from bot.storage.database import SqliteDatabase, steps_in
from bot.timing.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Opened:
    """A configuration that was read, and the plugins it was read with."""

    path: Path
    loaded: Loaded
    plugins: Sequence[PluginType]
    broken: Sequence[Broken]


def open_config(path: Path, environ: Mapping[str, str] = os.environ) -> Opened:
    """Finds plugins and reads the configuration. Raises `ConfigError`."""
    found = find(peek(path))
    loaded = load(path, found.plugins, environ)
    left_out = loaded.left_out
    return Opened(path, loaded, [plugin for plugin in found.plugins if plugin.name not in left_out], found.broken)


def terminal_language(environ: Mapping[str, str] = os.environ) -> str:
    """The language of the person at the terminal, from LC_ALL, LC_MESSAGES or LANG."""
    chosen = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "en")
    return (locale.normalize(chosen).partition("_")[0] or "en").lower()[:2]


@dataclass(frozen=True, slots=True)
class OfflineConfig:
    """`bot.api.Offline`."""

    opened: Opened
    owner: str
    now: int = field(default_factory=lambda: SystemClock().now())

    @property
    def hubs(self) -> Sequence[Hub]:
        return self.opened.loaded.config.hubs

    @property
    def translator(self) -> Translator:
        catalogs = Catalogs({plugin.name: folder(plugin) for plugin in self.opened.plugins})
        return catalogs.translator(self.owner, terminal_language())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        file = self.opened.loaded.data_dir / "faro.db"
        async with SqliteDatabase(file if file.exists() else None) as db:
            if not file.exists():
                registry, _ = bind(self.opened.plugins, self.opened.loaded.plugin_settings)
                await fill(db, registry, self.hubs, self.opened.plugins, self.now)
            yield db.reading()


async def fill(db: Database, registry: Registry, hubs: Sequence[Hub], plugins: Sequence[PluginType], now: int) -> None:
    """Makes the tables of plugins and what they derive from the configuration."""
    await db.migrate("core", steps_in(Path(__file__).parent / "storage" / "schema"))
    for plugin in plugins:
        await db.migrate(plugin.name, steps_in(folder(plugin) / "schema"))
    for name, ready in registry.plugins.items():
        async with db.transaction() as tx:
            await ready.refresh(HubsContext(tx, now, hubs, PluginSchedule(tx, name, now)))
