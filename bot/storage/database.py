"""One SQLite file behind the `Database` port: one connection that writes, one that reads.

WAL with `synchronous=NORMAL`: a killed process loses no commit; a power cut may lose the last commits without
corrupting the file, and the homeserver sends their batches again.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bot.core.errors import DatabaseError, PluginError
from bot.core.texts import Text
from bot.ports import Answer, SyncReader, SyncTransaction
from bot.storage import damage
from bot.storage.connection import Connection, InThreadTransaction, SqliteReader, SqliteTransaction

BUSY_TIMEOUT = 5000  # ms
MMAP_SIZE = 2_000_000_000  # bytes of memory-mapped file: searching a large index reads pages all over it
CACHE_SIZE = 32_000  # kB per connection; SQLite's default of 2 MB makes it read a large index again and again
WAL_PAGES = 4_000  # of 4 kB; a checkpoint each time the WAL is this long takes 10 ms

_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS core_migrations (
    owner TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (owner, step)
) STRICT
"""


class SqliteDatabase:
    """`Database` over a file, or over `:memory:` (then readers share the writer's connection)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writing = asyncio.Lock()
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        self._wal_has_erased = False
        self._loop: asyncio.AbstractEventLoop | None = None  # of the writer's thread

    async def __aenter__(self) -> Self:
        try:
            if self._path:
                await asyncio.to_thread(_prepare, self._path)
            self._writer = await self._open(self._path or ":memory:")
            await self._refuse_development_version()
            await self._writer.execute("PRAGMA journal_mode = WAL")
            await self._writer.execute("PRAGMA synchronous = NORMAL")
            await self._writer.execute("PRAGMA foreign_keys = ON")
            await self._writer.execute("PRAGMA secure_delete = ON")
            await self._writer.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            await self._writer.execute(_MIGRATIONS)
            if self._path:
                self._reader = await self._open(self._path)
                await self._reader.execute("PRAGMA query_only = ON")
        except BaseException as error:
            await self.close()
            if unusable := self._unusable(error):
                raise unusable from error
            raise
        return self

    async def _refuse_development_version(self) -> None:
        """Development versions before the first release kept their steps in `migrations`."""
        old = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"
        if self._path and await SqliteReader(self._connected(self._writer)).value(old):
            raise DatabaseError(
                Text(
                    "{file} was written by a development version of Faro and cannot be converted: run `faro export` with "
                    "that version, move the file away, start this version, then run `faro import`.",
                    file=self._path,
                )
            )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Raises `DatabaseError` in place of an error of SQLite that ended the `async with`, if the file is the cause."""
        try:
            await self.close()
        finally:
            if error and (unusable := self._unusable(error)):
                raise unusable from error

    def _unusable(self, error: BaseException) -> DatabaseError | None:
        return damage.unusable(error, self._path) if self._path else None

    async def close(self) -> None:
        """Erased data leaves the WAL first: another process may keep the file open, and there is no next commit."""
        if self._reader:
            await self._reader.close()
        if self._writer:
            if self._wal_has_erased:
                await self._truncate_wal(self._writer, BUSY_TIMEOUT)
            await self._writer.close()
        if self._loop:
            self._loop.close()
        self._loop = None
        self._reader = self._writer = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        async with self._writing:
            connection = self._connected(self._writer)
            transaction = SqliteTransaction(connection)
            try:
                yield transaction
                self._wal_has_erased |= (
                    transaction.erases
                )  # before the commit, which happens even if the task is cancelled
                await transaction.commit()
            except BaseException as error:  # also a COMMIT that failed or was cancelled
                await transaction.rollback()
                if damage.is_damaged(error) and (unusable := self._unusable(error)):
                    raise unusable from error
                raise
            if self._wal_has_erased:
                await self._truncate_wal(connection)

    async def transact(self, work: Callable[[InThreadTransaction], Coroutine[Any, Any, Answer]]) -> Answer:
        async with self._writing:
            connection = self._connected(self._writer)
            try:
                answer = await connection.run(partial(self._transact, work))
            except BaseException as error:
                if damage.is_damaged(error) and (unusable := self._unusable(error)):
                    raise unusable from error
                raise
            if self._wal_has_erased:
                await self._truncate_wal(connection)
            return answer

    def _transact(
        self, work: Callable[[InThreadTransaction], Coroutine[Any, Any, Answer]], connection: sqlite3.Connection
    ) -> Answer:
        """In the writer's thread."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        connection.execute("BEGIN IMMEDIATE")
        transaction = InThreadTransaction(connection)
        try:
            answer = self._loop.run_until_complete(work(transaction))
            self._wal_has_erased |= transaction.erases
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return answer

    async def _truncate_wal(self, connection: Connection, patience: int = 0) -> None:
        """A reader may block it for a moment: then the next commit tries again. It waits for at most `patience` ms and
        never raises, because the transaction is committed already."""
        await connection.execute(f"PRAGMA busy_timeout = {patience}")
        try:
            busy = next(iter(await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")))[0]
            self._wal_has_erased = bool(busy)
        except sqlite3.Error:  # another process (a shell command) is writing, or the disk is full
            self._wal_has_erased = True
        finally:
            await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")

    def reading(self) -> SqliteReader:
        return SqliteReader(self._connected(self._reader or self._writer))

    async def migrate(self, owner: str, steps: Sequence[Step]) -> None:
        """Applies the schema steps of an owner that were not applied yet, one transaction each.

        Before the first new step of an owner that already has some, the database is copied to
        `<name>.before-<owner>-<step>`. Raises `PluginError` if the database is newer than the code, a step fails, or
        it creates something that is not named after its owner.
        """
        rows = await self.reading().rows("SELECT step FROM core_migrations WHERE owner = :owner", owner=owner)
        applied = {row["step"] for row in rows}
        missing = [step for step in sorted(steps) if step.number not in applied]
        unknown = applied - {step.number for step in steps}
        if unknown:
            raise PluginError(
                f"the tables of '{owner}' are newer (step {max(unknown)}) than this program; install the version that made them"
            )
        if missing and applied and self._path:
            await self._copy(self._path.with_name(f"{self._path.name}.before-{owner}-{missing[0].number:04}"))
        for step in missing:
            try:
                async with self.transaction() as tx:
                    await tx.run(_apply, owner, step)
            except sqlite3.Error as error:
                raise PluginError(f"{step.file}, a schema step of '{owner}', failed: {error}") from error

    async def _copy(self, to: Path) -> None:
        to.unlink(missing_ok=True)
        async with self._writing:
            await self._connected(self._writer).execute("VACUUM INTO :path", {"path": str(to)})
        to.chmod(0o600)

    async def _open(self, path: Path | str) -> Connection:
        connection = Connection(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
        await connection
        try:
            await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
            await connection.execute(f"PRAGMA cache_size = -{CACHE_SIZE}")
            await connection.execute(f"PRAGMA mmap_size = {MMAP_SIZE}")
        except BaseException:
            await connection.close()  # its thread would keep the process alive
            raise
        return connection

    @staticmethod
    def _connected(connection: Connection | None) -> Connection:
        if connection is None:
            raise RuntimeError("the database is not open")
        return connection


def _prepare(file: Path) -> None:
    """Creates the file if there is none, and makes it readable by its owner only; so are the files SQLite puts beside
    it, which hold as much. Raises `DatabaseError` if the file was emptied."""
    if not file.exists():
        _create(file)
    elif file.stat().st_size == 0:
        raise DatabaseError(damage.emptied(file))
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):  # new ones get the mode of the first
        with suppress(FileNotFoundError):  # another process may close its database now
            path.chmod(0o600)


def _create(file: Path) -> None:
    """Creates the file complete under another name: a process killed meanwhile leaves no empty database."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f"{file.name}.new-") as folder:
        new = Path(folder) / file.name
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_MIGRATIONS)
            connection.commit()
        new.chmod(0o600)
        with suppress(FileExistsError):  # another process was quicker: its file counts
            os.link(new, file)  # unlike a rename, it never replaces a file


class Step(NamedTuple):
    """One schema step of an owner (the core, or a plugin)."""

    number: int
    sql: str
    file: str


_STEP_FILE = re.compile(r"^(\d{4})_\w+\.sql$")


def steps_in(folder: Path) -> Sequence[Step]:
    """The schema steps `NNNN_name.sql` of a folder, in order; none if there is no such folder."""
    if not folder.is_dir():
        return ()
    return sorted(
        Step(int(match[1]), file.read_text("utf-8"), f"{folder.name}/{file.name}")
        for file in folder.iterdir()
        if (match := _STEP_FILE.match(file.name))
    )


def _apply(tx: SyncTransaction, owner: str, step: Step) -> None:
    if tx.value("SELECT 1 FROM core_migrations WHERE owner = :owner AND step = :step", owner=owner, step=step.number):
        return  # another process (a shell command) applied it in the meantime
    before = frozenset(_objects(tx))
    for statement in statements(step.sql):
        tx.execute(statement)
    for kind, name in _objects(tx):
        if (kind, name) not in before and not name.startswith(f"{owner}_"):
            better = f"{owner}_{'items' if name == owner else name}"
            raise PluginError(
                f"{step.file} creates the {kind} '{name}', but all plugins share one database: name it {better}"
            )
    tx.execute("INSERT INTO core_migrations VALUES (:owner, :step)", owner=owner, step=step.number)


def _objects(db: SyncReader) -> Sequence[tuple[str, str]]:
    """(kind, name) of every table, index, view and trigger, in order of creation; not SQLite's own (`sqlite_…`)."""
    rows = db.rows("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid")
    return [(row["type"], row["name"]) for row in rows]


def statements(script: str) -> Sequence[str]:
    """The SQL statements of a script (triggers kept whole)."""
    complete, rest = [], ""
    for piece in re.split(r"(?<=;)", script):
        rest += piece
        if sqlite3.complete_statement(rest):
            complete.append(rest)
            rest = ""
    code = [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    return [*complete, rest] if code else complete
