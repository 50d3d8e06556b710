"""The database keeps what was committed, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.errors import PluginError
from bot.ports import SyncTransaction
from bot.storage.database import SqliteDatabase, Step, statements, steps_in
from bot.testing.patience import patient

WISHES = Step(1, "CREATE TABLE wishes_items (text TEXT NOT NULL) STRICT;", "schema/0001_wishes.sql")
HUBS = Step(2, "ALTER TABLE wishes_items ADD COLUMN hub TEXT;", "schema/0002_hubs.sql")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase(tmp_path / "faro.db") as database:
        await database.migrate("wishes", [WISHES])
        yield database


async def test_a_transaction_is_all_or_nothing(db: SqliteDatabase) -> None:
    with pytest.raises(ValueError, match="halfway"):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
            raise ValueError("halfway")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 0


async def test_a_savepoint_is_undone_alone(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('kept')")
        with pytest.raises(ValueError, match="inner"):
            async with tx.savepoint():
                await tx.execute("INSERT INTO wishes_items VALUES ('undone')")
                async with tx.savepoint():
                    await tx.execute("INSERT INTO wishes_items VALUES ('undone too')")
                raise ValueError("inner")
        await tx.execute("INSERT INTO wishes_items VALUES ('kept too')")
    assert [row["text"] for row in await db.reading().rows("SELECT text FROM wishes_items")] == ["kept", "kept too"]


async def test_readers_see_only_what_was_committed(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('soon')")
        assert await db.reading().value("SELECT count(*) FROM wishes_items") == 0
        assert await tx.value("SELECT count(*) FROM wishes_items") == 1
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 1


def _wish_twice(tx: SyncTransaction, *, what: str) -> int:
    tx.execute_many("INSERT INTO wishes_items VALUES (:text)", ({"text": f"{what} {number}"} for number in (1, 2)))
    rows = tx.rows("SELECT text FROM wishes_items WHERE text LIKE :some ORDER BY text", some=f"{what}%")
    assert [row["text"] for row in rows] == [f"{what} 1", f"{what} 2"]
    assert tx.row("SELECT text FROM wishes_items WHERE text = 'nothing'") is None
    return int(tx.value("SELECT count(*) FROM wishes_items"))


async def test_a_function_may_make_many_statements_in_one_go(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        assert await tx.run(_wish_twice, what="a printer") == 2
    assert await db.reading().run(lambda reader: reader.value("SELECT count(*) FROM wishes_items")) == 2


async def test_a_function_that_fails_undoes_the_transaction(db: SqliteDatabase) -> None:
    def fail(tx: SyncTransaction) -> None:
        _wish_twice(tx, what="a printer")
        raise LookupError("no paper")

    with pytest.raises(LookupError, match="no paper"):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO wishes_items VALUES ('paper')")
            await tx.run(fail)
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 0


async def test_a_function_that_reads_cannot_write(db: SqliteDatabase) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await db.reading().run(lambda reader: reader.rows("INSERT INTO wishes_items VALUES ('a printer')"))


async def test_what_a_function_erases_is_erased(db: SqliteDatabase, tmp_path: Path) -> None:
    def regret(tx: SyncTransaction) -> None:
        tx.execute("DELETE FROM wishes_items")
        tx.erase()

    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
    async with db.transaction() as tx:
        await tx.run(regret)
    assert b"a printer" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


async def test_what_no_future_can_carry_is_an_error_not_a_wait_for_ever(
    db: SqliteDatabase,
) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        async with asyncio.timeout(patient(5)), db.transaction() as tx:
            await tx.run(lambda _: next(iter(())))


async def test_a_coroutine_function_is_refused_not_passed_over(db: SqliteDatabase) -> None:
    async def wish(tx: SyncTransaction) -> None:
        tx.execute("INSERT INTO wishes_items VALUES ('a printer')")

    with pytest.raises(TypeError, match="plain functions"):
        async with db.transaction() as tx:
            await tx.run(wish)  # type: ignore[unused-coroutine]  # the very mistake that must raise


async def test_nothing_can_be_done_in_a_transaction_that_has_ended(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
    with pytest.raises(sqlite3.ProgrammingError, match="ended"):
        await tx.execute("INSERT INTO wishes_items VALUES ('paper')")
    async with db.transaction() as unused:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="ended"):
        await unused.execute("INSERT INTO wishes_items VALUES ('paper')")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 1


@pytest.mark.parametrize("inside", [True, False])
async def test_a_task_cancelled_while_its_function_runs_leaves_nothing_behind(db: SqliteDatabase, inside: bool) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wish(tx: SyncTransaction) -> None:
        begun.set()
        assert go_on.wait(5)
        _wish_twice(tx, what="a printer")

    async def wait() -> None:
        async with db.transaction() as tx:
            if inside:
                async with tx.savepoint():
                    await tx.run(wish)
            await tx.run(wish)

    task = asyncio.create_task(wait())
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    go_on.set()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    async with asyncio.timeout(patient(5)), db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('another')")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 1


async def test_a_transaction_without_a_statement_waits_for_nobody(db: SqliteDatabase, tmp_path: Path) -> None:
    async with SqliteDatabase(tmp_path / "faro.db") as other, db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
        async with other.transaction():
            pass


async def test_readers_cannot_write(db: SqliteDatabase) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await db.reading().rows("DELETE FROM wishes_items")


async def test_a_step_is_applied_once_and_a_copy_is_made_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "faro.db"
    async with SqliteDatabase(path) as db:
        await db.migrate("wishes", [WISHES])
    async with SqliteDatabase(path) as db:
        await db.migrate("wishes", [WISHES, HUBS])
        await db.migrate("wishes", [WISHES, HUBS])
        assert await db.reading().rows("SELECT hub FROM wishes_items") == []
    assert (tmp_path / "faro.db.before-wishes-0002").exists()


async def test_a_step_that_fails_leaves_nothing_behind(db: SqliteDatabase) -> None:
    sql = "CREATE TABLE wishes_half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"
    with pytest.raises(PluginError, match=r"schema/0002_half\.sql, a schema step of 'wishes', failed"):
        await db.migrate("wishes", [WISHES, Step(2, sql, "schema/0002_half.sql")])
    assert "wishes_half" not in await names(db)


@pytest.mark.parametrize(
    ("sql", "kind", "name", "better"),
    [
        ("CREATE TABLE wishes (a INTEGER) STRICT;", "table", "wishes", "wishes_items"),
        ("CREATE TABLE stars (a INTEGER) STRICT;", "table", "stars", "wishes_stars"),
        ("CREATE INDEX by_text ON wishes_items (text);", "index", "by_text", "wishes_by_text"),
        ("CREATE VIEW all_items AS SELECT text FROM wishes_items;", "view", "all_items", "wishes_all_items"),
        (
            "CREATE TRIGGER gone AFTER DELETE ON wishes_items BEGIN DELETE FROM wishes_items; END;",
            "trigger",
            "gone",
            "wishes_gone",
        ),
        ("CREATE VIRTUAL TABLE words USING fts5 (word);", "table", "words", "wishes_words"),
        ("ALTER TABLE wishes_items RENAME TO items;", "table", "items", "wishes_items"),
        ("CREATE TABLE wishes_more (a UNIQUE); CREATE TABLE core_own (a);", "table", "core_own", "wishes_core_own"),
    ],
)
async def test_a_step_that_creates_what_is_not_named_after_its_owner_is_refused_and_undone(
    db: SqliteDatabase, sql: str, kind: str, name: str, better: str
) -> None:
    before = await names(db)
    with pytest.raises(PluginError) as refused:
        await db.migrate("wishes", [WISHES, Step(2, sql, "schema/0002_more.sql")])
    assert str(refused.value) == (
        f"schema/0002_more.sql creates the {kind} '{name}', but all plugins share one database: name it {better}"
    )
    assert await names(db) == before
    assert await db.reading().value("SELECT max(step) FROM core_migrations WHERE owner = 'wishes'") == 1


async def test_what_sqlite_creates_by_itself_is_no_matter_of_names(db: SqliteDatabase) -> None:
    """Indexes of constraints, the counter of AUTOINCREMENT, and the tables behind a full-text index."""
    sql = """
        CREATE TABLE wishes_stars (id INTEGER PRIMARY KEY AUTOINCREMENT, star TEXT UNIQUE) STRICT;
        CREATE VIRTUAL TABLE wishes_words USING fts5 (word);
        CREATE TABLE scratch (a INTEGER) STRICT;
        DROP TABLE scratch;
    """
    await db.migrate("wishes", [WISHES, Step(2, sql, "schema/0002_stars.sql")])
    assert {"wishes_stars", "wishes_words", "wishes_words_data"} <= await names(db)


async def names(db: SqliteDatabase) -> set[str]:
    """Of every table, index, view and trigger."""
    return {row["name"] for row in await db.reading().rows("SELECT name FROM sqlite_master")}


async def test_two_processes_that_open_it_at_once_apply_each_step_once(tmp_path: Path) -> None:
    """Both see that a step is missing before either has applied it."""
    async with SqliteDatabase(tmp_path / "faro.db") as one, SqliteDatabase(tmp_path / "faro.db") as other:
        async with one.transaction():  # nobody else can write until it ends
            slower = [asyncio.create_task(db.migrate("wishes", [WISHES])) for db in (one, other)]
            await asyncio.sleep(0.1)  # if that is too short, the test is weaker, not wrong
        await asyncio.gather(*slower)
        assert await one.reading().value("SELECT count(*) FROM core_migrations WHERE owner = 'wishes'") == 1


async def test_a_database_newer_than_the_code_is_refused(db: SqliteDatabase) -> None:
    await db.migrate("wishes", [WISHES, HUBS])
    with pytest.raises(PluginError, match="newer"):
        await db.migrate("wishes", [WISHES])


async def test_the_files_are_for_the_bot_alone(db: SqliteDatabase, tmp_path: Path) -> None:
    """What was written last is in those beside the database."""
    await db.migrate("wishes", [WISHES])
    files = list(tmp_path.glob("faro.db*"))
    assert {file.name for file in files} == {"faro.db", "faro.db-wal", "faro.db-shm"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_script_is_cut_into_statements_with_triggers_whole() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; DELETE FROM b; END;"
    assert [one.strip() for one in statements(f"SELECT 1;\n{trigger}\n-- the end\n")] == ["SELECT 1;", trigger]
    assert [one.strip() for one in statements("SELECT 1; SELECT 2;\nSELECT 3")] == [
        "SELECT 1;",
        "SELECT 2;",
        "SELECT 3",
    ]


def test_steps_are_read_from_numbered_files(tmp_path: Path) -> None:
    (tmp_path / "0002_more.sql").write_text("SELECT 2;")
    (tmp_path / "0001_first.sql").write_text("SELECT 1;")
    (tmp_path / "notes.sql").write_text("not a step")
    assert steps_in(tmp_path) == [
        Step(1, "SELECT 1;", f"{tmp_path.name}/0001_first.sql"),
        Step(2, "SELECT 2;", f"{tmp_path.name}/0002_more.sql"),
    ]
    assert steps_in(tmp_path / "nowhere") == ()


SECRET = "a word nobody may read any more"


async def secret_told_and_erased(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES (:text)", text=SECRET)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM wishes_items")
        await tx.erase()


def left(folder: Path) -> list[str]:
    """Files of the database that still hold the secret."""
    return [file.name for file in sorted(folder.glob("faro.db*")) if SECRET.encode() in file.read_bytes()]


async def test_what_is_erased_is_in_no_file_once_that_is_committed(db: SqliteDatabase, tmp_path: Path) -> None:
    await secret_told_and_erased(db)
    assert left(tmp_path) == []


async def test_what_a_reader_still_sees_leaves_the_log_with_the_next_commit(db: SqliteDatabase, tmp_path: Path) -> None:
    """Another process (`faro find`) holds nobody up, and nothing is forgotten for it."""
    with closing(sqlite3.connect(tmp_path / "faro.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM wishes_items").fetchall()
        await secret_told_and_erased(db)
        assert left(tmp_path) == ["faro.db-wal"]
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
    assert left(tmp_path) == []


async def test_what_a_reader_still_saw_leaves_the_log_when_the_database_is_closed(tmp_path: Path) -> None:
    """A command of the shell ends while the bot goes on: the bot has no reason to look."""
    async with SqliteDatabase(tmp_path / "faro.db") as db:
        await db.migrate("wishes", [WISHES])
        with closing(sqlite3.connect(tmp_path / "faro.db", isolation_level=None)) as bot:
            bot.execute("BEGIN")
            bot.execute("SELECT * FROM wishes_items").fetchall()
            await secret_told_and_erased(db)
            bot.execute("COMMIT")
            assert left(tmp_path) == ["faro.db-wal"]
            await db.close()
            assert left(tmp_path) == []


async def test_what_was_erased_by_a_task_cancelled_while_it_committed_leaves_the_log_too(
    db: SqliteDatabase, tmp_path: Path
) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES (:text)", text=SECRET)

    async def erase() -> None:
        async with db.transaction() as tx:
            await tx.execute("DELETE FROM wishes_items")
            await tx.erase()
            asyncio.get_running_loop().call_soon(erasing.cancel)  # it comes when the commit is waited for

    erasing = asyncio.create_task(erase())
    with pytest.raises(asyncio.CancelledError):
        await erasing
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 1, "it was committed"
    assert left(tmp_path) == []


async def test_in_memory_there_is_no_log_to_empty() -> None:
    async with SqliteDatabase(None) as db:
        await db.migrate("wishes", [WISHES])
        await secret_told_and_erased(db)
        assert await db.reading().value("SELECT count(*) FROM wishes_items") == 0


async def test_a_full_disk_undoes_the_whole_transaction_even_what_savepoints_fence_off(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        pages = await tx.value("PRAGMA page_count")
        await tx.value(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(sqlite3.OperationalError, match="undone"):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO wishes_items VALUES ('before')")
            with pytest.raises(sqlite3.OperationalError, match="full"):
                async with tx.savepoint():
                    await tx.execute("INSERT INTO wishes_items VALUES (:long)", long="x" * 100_000)
            async with tx.savepoint():
                await tx.execute("INSERT INTO wishes_items VALUES ('after')")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 0
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('when there is room again')")
    assert await db.reading().value("SELECT count(*) FROM wishes_items") == 1


@pytest.mark.parametrize("steps", range(6))
async def test_a_task_cancelled_anywhere_in_a_transaction_leaves_the_database_usable(
    db: SqliteDatabase, steps: int
) -> None:
    async def wish() -> None:
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO wishes_items VALUES ('a printer')")

    task = asyncio.create_task(wish())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(patient(5)), db.transaction() as tx:
        await tx.execute("INSERT INTO wishes_items VALUES ('another')")
