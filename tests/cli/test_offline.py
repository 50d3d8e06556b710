"""A process that changes the bot's database leaves the bot its turn; one that measures has a database of its own."""

from __future__ import annotations

from pathlib import Path

from bot.cli.offline import PoliteDatabase, scratch
from bot.runtime.plugins import find
from bot.storage.database import SqliteDatabase
from bot.testing.clock import FakeClock


async def test_after_each_transaction_it_waits_before_the_next() -> None:
    clock = Waited()
    async with SqliteDatabase(None) as db:
        polite = PoliteDatabase(db, clock)
        for _ in range(3):
            async with polite.transaction() as tx:
                await tx.execute("CREATE TABLE IF NOT EXISTS some (thing TEXT)")
    first, *others = clock.waited
    assert first == 0
    assert len(others) == 2
    assert min(others) > 0


class Waited(FakeClock):
    """Does not wait, and remembers how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


async def test_a_scratch_database_has_a_plugins_tables_and_goes_unless_it_is_kept(tmp_path: Path) -> None:
    plugins = [plugin for plugin in find().plugins if plugin.name == "knowledge"]
    kept = tmp_path / "kept.db"
    for file in (None, kept, kept):
        async with scratch(plugins, file) as db:
            assert await db.reading().value("SELECT count(*) FROM knowledge_entries") == 0
    assert kept.exists()
