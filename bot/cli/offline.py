"""A configuration opened by a shell command, without network access: `bot.api.Shell` and `Offline`."""

from __future__ import annotations

import locale
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from bot.api import Plugin
from bot.cli import asking
from bot.config.load import Loaded, load
from bot.core.errors import PluginError
from bot.hubs import Hub
from bot.i18n.catalog import Catalogs
from bot.operations.erasure_log import ErasureLog
from bot.ports import Answer, Clock, Database, Reader, Transaction, Translator
from bot.runtime.contexts import HubsContext
from bot.runtime.migrations import open_database
from bot.runtime.plugins import Broken, Found, PluginType, bind, folder
from bot.runtime.services import CORE, forget
from bot.storage import absent_plugins, erasures, sync_token
from bot.storage.alarms import PluginSchedule
from bot.storage.erasures import Erasure
from bot.timing.clock import SystemClock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A configuration that was read, and the plugins it was read with."""

    path: Path
    loaded: Loaded
    plugins: Sequence[PluginType]
    broken: Sequence[Broken] = ()

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why plugins are missing, by name."""
        return {one.name: one.reason for one in self.broken}

    def without_clashing(self) -> Opened:
        """The same without the plugins whose commands clash with another's.

        Making every plugin takes a third of a second, so only those ask for it that must know every plugin.
        """
        _, clashing = bind(self.plugins, self.loaded.plugin_settings)
        names = {one.name for one in clashing}
        for one in clashing:
            log.error("plugin left out", plugin=one.name, reason=one.reason)
        plugins = [plugin for plugin in self.plugins if plugin.name not in names]
        return replace(self, plugins=plugins, broken=(*self.broken, *clashing))


def open_config(path: Path, found: Found, environ: Mapping[str, str] = os.environ) -> Opened:
    """Reads a configuration with the plugins found; it may lack the secrets for logging in. Raises `ConfigError`."""
    loaded = load(path, found.plugins, environ, broken=[one.name for one in found.broken], secrets=False)
    used = [plugin for plugin in found.plugins if plugin.name not in loaded.left_out]
    return Opened(path, loaded, used, found.broken)


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
        async with self._opened(self._file if self._file.exists() else None) as db:
            yield db.reading()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Database]:
        async with self._opened(self._file) as db:
            yield PoliteDatabase(db, SystemClock())
            await ErasureLog(db, self._file.parent).write()

    @asynccontextmanager
    async def _opened(self, file: Path | None) -> AsyncIterator[Database]:
        """The database with the tables the bot would use. Raises `FaroError` where the bot would not start with it."""
        async with open_database(file, self.opened.plugins) as (db, plugins):
            if self.owner != CORE and self.owner not in [plugin.name for plugin in plugins]:
                raise PluginError(f"the plugin '{self.owner}' cannot use its tables; the line above says why")
            if await sync_token.token(db.reading()) is None:
                await self._refresh(db, plugins)  # later the bot does it; beside the bot it would take too long
            yield db

    def confirm(self, question: str) -> bool:
        return asking.confirm(question, self.translator)

    async def forget(self, user_id: str) -> bool:
        if not self._file.exists():
            return False
        async with self._erasing() as (tx, plugins, absent):
            before = await tx.value("SELECT total_changes()")
            await forget(tx, plugins.values(), user_id, self.now, absent)
            changed = await tx.value("SELECT total_changes()") > before + 1  # one is the note that it was done
        return bool(changed)

    async def take_up(self, copied_at: int, erased: Sequence[Erasure]) -> None:
        """After a copy of the database was put in place: erases again what was erased since, and has the bot ask what
        became of the messages it stored."""
        async with self._erasing() as (tx, plugins, absent):
            await erasures.mark_restored(tx, copied_at, self.now)
            for erasure in erased:
                if erasure.owner == CORE:
                    await forget(tx, plugins.values(), erasure.subject, self.now, absent)
                elif erasure.owner in plugins:
                    await plugins[erasure.owner].erase_again(tx, erasure.kind, erasure.subject)
            await tx.erase()

    @asynccontextmanager
    async def _erasing(self) -> AsyncIterator[tuple[Transaction, Mapping[str, Plugin[Any]], Sequence[str]]]:
        """A transaction with the plugins that own tables, and the names of those that are absent; what it erases is
        logged after it."""
        opened = self.opened.without_clashing()
        async with open_database(None, opened.plugins) as (empty, plugins):
            bound = await self._refresh(empty, plugins)  # refreshing the bot's own database takes too long, as above
        opening = open_database(self._file, plugins, reasons=opened.reasons, without=opened.loaded.left_out)
        async with opening as (db, usable):
            there = {plugin.name: bound[plugin.name] for plugin in usable if plugin.name in bound}
            async with db.transaction() as tx:
                yield tx, there, await absent_plugins.missing(tx, [plugin.name for plugin in usable])
            await ErasureLog(db, self._file.parent).write()

    async def keep_erasure(self, db: Transaction, kind: str, subject: str) -> None:
        await erasures.keep_erasure(db, self.owner, kind, subject, self.now)

    @property
    def _file(self) -> Path:
        return self.opened.loaded.data_dir / "faro.db"

    async def _refresh(self, db: Database, plugins: Sequence[PluginType]) -> Mapping[str, Plugin[Any]]:
        """The plugins, refreshed with the hubs."""
        registry, _ = bind(plugins, self.opened.loaded.plugin_settings)
        for name, plugin in registry.plugins.items():
            async with db.transaction() as tx:
                await plugin.refresh(HubsContext(tx, self.now, self.hubs, PluginSchedule(tx, name, self.now)))
        return registry.plugins


class PoliteDatabase:
    """`Database` of a process that writes a lot beside the running bot: after each transaction it waits as long as that
    took. SQLite's lock is not fair, so a process that asks again at once would get it every time.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._debt = 0.0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        debt, self._debt = self._debt, 0.0
        await self._clock.sleep(debt)
        async with self._db.transaction() as tx:
            await tx.value("SELECT 1")  # waiting for the lock does not count
            began = time.perf_counter()
            yield tx
        self._debt = time.perf_counter() - began

    async def transact(self, work: Callable[[Transaction], Coroutine[Any, Any, Answer]]) -> Answer:
        debt, self._debt = self._debt, 0.0
        await self._clock.sleep(debt)

        async def timed(tx: Transaction) -> Answer:
            began = time.perf_counter()
            try:
                return await work(tx)
            finally:
                self._debt = time.perf_counter() - began

        return await self._db.transact(timed)

    def reading(self) -> Reader:
        return self._db.reading()


@asynccontextmanager
async def scratch(plugins: Sequence[PluginType], file: Path | None) -> AsyncIterator[Database]:
    """An empty database with the plugins' tables, in `file` or in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="faro-") as folder_name:
        async with open_database(file or Path(folder_name) / "faro.db", plugins) as (db, _):
            yield db
