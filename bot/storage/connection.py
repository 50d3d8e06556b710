"""SQL in the connection's thread: called inside it (`SyncReader`, `SyncTransaction`), or from the event loop
(`Reader`, `Transaction`)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Concatenate, cast

import aiosqlite

from bot.ports import Answer, Params, Row, SyncReader, SyncTransaction

ROLLED_BACK = "the transaction was undone by an earlier error"


class SqliteSyncReader:
    """`SyncReader` over a connection, in the connection's own thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, /, **params: object) -> Sequence[Row]:
        cursor = self._executed(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, /, **params: object) -> Row | None:
        rows = self.rows(sql, **params)
        return rows[0] if rows else None

    def value(self, sql: str, /, **params: object) -> Any:
        row = self._executed(sql, params).fetchone()
        return row[0] if row else None

    def _executed(self, sql: str, params: Mapping[str, object]) -> sqlite3.Cursor:
        return self._connection.execute(sql, params)


class SqliteSyncTransaction(SqliteSyncReader):
    """`SyncTransaction` over a connection, in the connection's own thread.

    On a full disk SQLite may roll back the whole transaction by itself. From then on every statement raises: the
    earlier ones are lost, so the later ones must not be committed.
    """

    erases = False
    """Whether the write-ahead log must be emptied after the commit."""

    def execute(self, sql: str, /, **params: object) -> int:
        return self._executed(sql, params).rowcount

    def execute_many(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> None:
        self._check_open()
        self._connection.executemany(sql, rows)

    def erase(self) -> None:
        self.erases = True

    def _executed(self, sql: str, params: Mapping[str, object]) -> sqlite3.Cursor:
        self._check_open()
        return super()._executed(sql, params)

    def _check_open(self) -> None:
        if not self._connection.in_transaction:
            raise sqlite3.OperationalError(ROLLED_BACK)


def plain_answer(answer: Answer) -> Answer:
    """The answer of a function given to the database; raises `TypeError` for that of an `async def`, which would never
    be awaited, and fail silently."""
    if isinstance(answer, Coroutine):
        answer.close()
        raise TypeError("the database runs plain functions, not `async def`")
    return answer


class Connection(aiosqlite.Connection):
    """A round trip to the connection's thread costs more than most statements, so whole functions run there."""

    async def _connect(self) -> aiosqlite.Connection:
        try:
            return await super()._connect()
        except BaseException:
            # aiosqlite only asks its thread to stop; one that does so after the event loop ended prints a traceback.
            self._thread.join()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        def in_thread(connection: sqlite3.Connection) -> Answer:
            try:
                answer = work(connection)
            except StopIteration as error:  # a future cannot carry it: the caller would wait forever
                raise RuntimeError("a function of the database raised StopIteration") from error
            return plain_answer(answer)

        # How aiosqlite does all that it does itself; it has no public name.
        return cast(Answer, await self._execute(in_thread, self._conn))  # type: ignore[no-untyped-call]  # aiosqlite has no types for it


class SqliteReader:
    """`Reader` over one aiosqlite connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(
        self,
        work: Callable[Concatenate[SyncReader, Params], Answer],
        /,
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Answer:
        return await self._connection.run(lambda connection: work(SqliteSyncReader(connection), *args, **kwargs))

    async def rows(self, sql: str, /, **params: object) -> Sequence[Row]:
        return await self.run(lambda db: db.rows(sql, **params))

    async def row(self, sql: str, /, **params: object) -> Row | None:
        return await self.run(lambda db: db.row(sql, **params))

    async def value(self, sql: str, /, **params: object) -> Any:
        return await self.run(lambda db: db.value(sql, **params))


class InThreadTransaction:
    """`Transaction` for coroutines that run in the connection's thread: nothing is waited for."""

    _depth = 0

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sync = SqliteSyncTransaction(connection)

    @property
    def erases(self) -> bool:
        """Whether the write-ahead log must be emptied after the commit."""
        return self._sync.erases

    async def run(
        self,
        work: Callable[Concatenate[SyncTransaction, Params], Answer],
        /,
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Answer:
        return plain_answer(work(self._sync, *args, **kwargs))

    async def rows(self, sql: str, /, **params: object) -> Sequence[Row]:
        return self._sync.rows(sql, **params)

    async def row(self, sql: str, /, **params: object) -> Row | None:
        return self._sync.row(sql, **params)

    async def value(self, sql: str, /, **params: object) -> Any:
        return self._sync.value(sql, **params)

    async def execute(self, sql: str, /, **params: object) -> int:
        return self._sync.execute(sql, **params)

    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> None:
        self._sync.execute_many(sql, rows)

    async def erase(self) -> None:
        self._sync.erase()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._depth += 1
        name = f"s{self._depth}"
        self._sync.execute(f"SAVEPOINT {name}")
        try:
            yield
            if not self._connection.in_transaction:
                raise sqlite3.OperationalError(ROLLED_BACK)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute(f"ROLLBACK TO {name}")
            raise
        finally:
            self._depth -= 1
            if self._connection.in_transaction:
                self._connection.execute(f"RELEASE {name}")


class SqliteTransaction(SqliteReader):
    """`Transaction`: valid inside the `async with` that gave it. It begins with the first statement, in the same round trip."""

    _depth = 0
    _begun = _ended = False  # both are only used in the thread, where statements are ordered
    erases = False
    """Whether the write-ahead log must be emptied after the commit."""

    async def run(
        self,
        work: Callable[Concatenate[SyncTransaction, Params], Answer],
        /,
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Answer:
        def in_thread(connection: sqlite3.Connection) -> Answer:
            if self._ended:
                raise sqlite3.ProgrammingError("the transaction has ended")
            if not self._begun:
                connection.execute("BEGIN IMMEDIATE")
                self._begun = True
            transaction = SqliteSyncTransaction(connection)
            try:
                return work(transaction, *args, **kwargs)
            finally:
                self.erases |= transaction.erases

        return await self._connection.run(in_thread)

    async def commit(self) -> None:
        """Called by whoever opened it; ends the transaction."""

        def in_thread(connection: sqlite3.Connection) -> None:
            self._ended = True
            if self._begun:
                connection.execute("COMMIT")

        await self._connection.run(in_thread)

    async def rollback(self) -> None:
        def in_thread(connection: sqlite3.Connection) -> None:
            self._ended = True
            connection.rollback()  # does nothing where no transaction is open

        await self._connection.run(in_thread)

    async def execute(self, sql: str, /, **params: object) -> int:
        return await self.run(lambda db: db.execute(sql, **params))

    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> None:
        wanted = list(rows)  # a generator of ours must not run in another thread
        await self.run(lambda db: db.execute_many(sql, wanted))

    async def erase(self) -> None:
        self.erases = True

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._depth += 1
        name = f"s{self._depth}"
        await self.execute(f"SAVEPOINT {name}")
        try:
            yield
            if not self._connection.in_transaction:
                raise sqlite3.OperationalError(ROLLED_BACK)
        except BaseException:
            if self._connection.in_transaction:
                await self._connection.execute(f"ROLLBACK TO {name}")
            raise
        finally:
            self._depth -= 1
            if self._connection.in_transaction:
                await self._connection.execute(f"RELEASE {name}")
