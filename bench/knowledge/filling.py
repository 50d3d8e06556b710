"""Measures the speed of indexing, with plain SQLite inserts of the same rows as the floor."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.knowledge.invented import World, batches
from bench.knowledge.speed import NOW, AllShared, Latencies, warm_up
from bot.api import Database, Row, SyncReader, SyncTransaction
from plugins.knowledge.index import build_entry, fts, update
from plugins.knowledge.store.access import partition
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.transfer.importer import Slice

if TYPE_CHECKING:
    from rich.progress import Progress

BATCH = 10_000
IMPORTED = 10_000  # links of one import at most, and entries whose rows measure the floor
SINGLE_SHARES = 300  # indexed one by one
WARM_UP_SHARES = 100  # before those, not measured


@dataclass(frozen=True, slots=True)
class FillReport:
    """The throughput of indexing in links per second: in bulk, for many hubs at once; `brought`: imported from a file
    for one hub, as `faro import` does; `floor`: their finished rows inserted by SQLite alone. `one`: latencies of
    indexing single shares."""

    per_second: float
    brought_per_second: float
    floor_per_second: float
    one: Latencies
    bytes_each: float


async def fill(db: Database, bare: Database, world: World, rows: int, progress: Progress) -> FillReport:
    """Indexes `rows` shares in bulk, imports some more, and then, after a warm-up, indexes some one by one. `bare`:
    another database with empty tables, for the floor."""
    rules = AllShared()
    task = progress.add_task("filing shares", total=rows)
    elapsed = 0.0
    for batch in batches(world.shares(rows), BATCH):
        started = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(update.put, rules, batch)
        elapsed += time.perf_counter() - started
        progress.advance(task, len(batch))
    async with db.transaction() as tx:
        await tx.run(fts.rewrite)
    size = await db.reading().value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    await warm_up(db.reading())
    floor_per_second = await _floor(db, bare)
    imported_per_second = await _import(db, rules, world, min(rows, IMPORTED))
    single_latencies = await _one_by_one(db, rules, world)
    return FillReport(rows / elapsed, imported_per_second, floor_per_second, single_latencies, size / rows)


async def _floor(db: Database, bare: Database) -> float:
    rows_by_table = await db.reading().run(_newest, IMPORTED)
    started = time.perf_counter()
    async with bare.transaction() as tx:
        await tx.run(_store, rows_by_table)
    return len(rows_by_table["entries"]) / (time.perf_counter() - started)


def _newest(db: SyncReader, count: int) -> Mapping[str, Sequence[Row]]:
    """All rows of the newest entries and the rows they refer to, by table."""
    ids = f"(SELECT id FROM knowledge_entries ORDER BY id DESC LIMIT {count})"
    rows = {name: db.rows(f"SELECT * FROM knowledge_{name}") for name in ("shelves", "people", "rooms")}
    rows["pages"] = db.rows(f"SELECT * FROM knowledge_pages WHERE id IN {ids}")
    rows["shares"] = db.rows(f"SELECT * FROM knowledge_shares WHERE page IN {ids}")
    rows["entries"] = db.rows(f"SELECT * FROM knowledge_entries WHERE id IN {ids}")
    rows["entry_topics"] = db.rows(f"SELECT * FROM knowledge_entry_topics WHERE entry IN {ids}")
    rows["entry_words"] = db.rows(f"SELECT rowid, * FROM knowledge_entry_words WHERE rowid IN {ids}")
    topics: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows["entry_topics"]:
        topics[row["entry"]].append(row["topic"])
    partitions = {row["id"]: partition(row["shelf"], row["label"]) for row in rows["entries"]}
    counts: Counter[tuple[str, int]] = Counter()
    for row in rows["entry_words"]:
        counts.update(
            (word, partitions[row["rowid"]]) for word in build_entry.vocabulary_words(row, topics[row["rowid"]])
        )
    rows["vocabulary"] = [
        {"word": word, "shelf": shelf, "entries": many} for (word, shelf), many in sorted(counts.items())
    ]
    return rows


def _store(tx: SyncTransaction, rows_by_table: Mapping[str, Sequence[Row]]) -> None:
    for table, rows in rows_by_table.items():
        if rows:
            names = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            tx.execute_many(f"INSERT INTO knowledge_{table} ({names}) VALUES ({values})", rows)


async def _import(db: Database, rules: AllShared, world: World, count: int) -> float:
    elapsed, done = 0.0, 0
    for shares in batches(world.shares(count), importer.SLICE):
        items = [_item(share) for share in shares]
        done += len(items)
        part = Slice("digest", "links.json", done, done == count)
        started = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(importer.import_slice, rules, Manner("imported", NOW), items, part)
        elapsed += time.perf_counter() - started
    return count / elapsed


def _item(share: NewShare) -> Item:
    url = f"{share.url}/brought"
    share_item = ShareItem(url, sent_at=share.sent_at, note=share.note or "", label=share.label)
    return Item(url, topics=share.topics, shares=(share_item,))


async def _one_by_one(db: Database, rules: AllShared, world: World) -> Latencies:
    seconds = []
    for share in world.shares(WARM_UP_SHARES + SINGLE_SHARES):
        copy = replace(share, url=f"{share.url}/again", canonical=f"{share.canonical}/again", event=f"{share.event}x")
        started = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(update.put, rules, [copy])
        seconds.append(time.perf_counter() - started)
    return Latencies.of(seconds[WARM_UP_SHARES:])
