"""How quick is filing, beside SQLite alone with the same rows?"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.knowledge.invented import World, batches
from bench.knowledge.speed import NOW, AllShared, Times, warm
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
BROUGHT = 10_000  # links of one file at most, and entries whose rows are stored by SQLite alone
SINGLE = 300  # shares filed one by one
UNCOUNTED = 100  # before these


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling the index took. Links a second: filed in bulk, those of many hubs together; brought in from a file,
    for one hub, as `faro import` does it; `floor`: their rows, when they are ready, stored by SQLite alone."""

    per_second: float
    brought_per_second: float
    floor_per_second: float
    one: Times
    bytes_each: float


async def fill(db: Database, bare: Database, world: World, rows: int, progress: Progress) -> Filled:
    """Files `rows` shares in bulk, a file of some more, and some one by one, as a bot does that has run for a while
    (`warm`). `bare` is another database, with empty tables: for the floor."""
    rules = AllShared()
    task = progress.add_task("filing shares", total=rows)
    spent = 0.0
    for batch in batches(world.shares(rows), BATCH):
        began = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(update.put, rules, batch)
        spent += time.perf_counter() - began
        progress.advance(task, len(batch))
    async with db.transaction() as tx:
        await tx.run(fts.rewrite)
    size = await db.reading().value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    await warm(db.reading())
    floor = await _floor(db, bare)
    brought = await _bring(db, rules, world, min(rows, BROUGHT))
    one = await _one_by_one(db, rules, world)
    return Filled(rows / spent, brought, floor, one, size / rows)


async def _floor(db: Database, bare: Database) -> float:
    ready = await db.reading().run(_newest, BROUGHT)
    began = time.perf_counter()
    async with bare.transaction() as tx:
        await tx.run(_store, ready)
    return len(ready["entries"]) / (time.perf_counter() - began)


def _newest(db: SyncReader, count: int) -> Mapping[str, Sequence[Row]]:
    """All that the newest entries are stored as, by table; and what those rows refer to."""
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
        counts.update((word, partitions[row["rowid"]]) for word in build_entry.counted(row, topics[row["rowid"]]))
    rows["vocabulary"] = [
        {"word": word, "shelf": shelf, "entries": many} for (word, shelf), many in sorted(counts.items())
    ]
    return rows


def _store(tx: SyncTransaction, ready: Mapping[str, Sequence[Row]]) -> None:
    for table, rows in ready.items():
        if rows:
            names = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            tx.execute_many(f"INSERT INTO knowledge_{table} ({names}) VALUES ({values})", rows)


async def _bring(db: Database, rules: AllShared, world: World, count: int) -> float:
    spent, done = 0.0, 0
    for shares in batches(world.shares(count), importer.SLICE):
        items = [_item(share) for share in shares]
        done += len(items)
        part = Slice("digest", "links.json", done, done == count)
        began = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(importer.import_slice, rules, Manner("imported", NOW), items, part)
        spent += time.perf_counter() - began
    return count / spent


def _item(share: NewShare) -> Item:
    url = f"{share.url}/brought"
    said = ShareItem(url, sent_at=share.sent_at, note=share.note or "", label=share.label)
    return Item(url, topics=share.topics, shares=(said,))


async def _one_by_one(db: Database, rules: AllShared, world: World) -> Times:
    seconds = []
    for share in world.shares(UNCOUNTED + SINGLE):
        one = replace(share, url=f"{share.url}/again", canonical=f"{share.canonical}/again", event=f"{share.event}x")
        began = time.perf_counter()
        async with db.transaction() as tx:
            await tx.run(update.put, rules, [one])
        seconds.append(time.perf_counter() - began)
    return Times.of(seconds[UNCOUNTED:])
