"""The queue of pages to fetch and links to check: fills it when links are shared, and schedules the jobs that drain it.

Two tables hold what is due: `knowledge_facts` (jobs.py) and `knowledge_health` (link_check.py). Nothing is queued for
hubs that did not enable the setting, so none of their pages is ever requested."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Protocol, Self

from bot.api import Context, Hub, JobContext, RefreshContext, Row, SyncTransaction, Transaction, job, section
from plugins.knowledge.fetch.facts import Facts, Health
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.load import ADDRESS, load
from plugins.knowledge.store.resolve import page_url, resolve
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical

SECOND, DAY = 1_000, 86_400_000
WEEK = 7 * DAY
SLICE = 200  # entries per run of the backfill
BACKFILL_PAUSE = 600_000  # ms until the next slice after one that queued something
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: spreads consecutive entries over the week

OF_HUBS = """e.hidden = 0 AND e.shelf IN
    (SELECT id FROM knowledge_shelves WHERE kind <> 'addresses' AND hub IN (SELECT value FROM json_each(:hubs)))"""
"""SQL condition: `entries e` is visible, and belongs to one of `:hubs` (JSON)."""


class PageClient(Protocol):
    """What the jobs need of `fetcher.Fetcher`; tests pass a fake."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def facts(self, url: str) -> Facts: ...

    async def health(self, url: str) -> Health: ...


class QueueJobs:
    """Schedules the fetch jobs, and backfills the queue."""

    @job("ask")
    async def schedule_jobs(self, ctx: JobContext) -> None:
        """Schedules the fetch and check jobs, as something may be due.

        A handler requests this job instead of those two: they run without its event, so nobody gets a reply.
        """
        async with ctx.transaction() as tx:
            await _schedule_jobs(ctx, tx)

    @job("look")
    async def backfill(self, ctx: JobContext) -> None:
        """Backfills the queue, newest entries first: what was shared before a setting was enabled, what was imported,
        and what the YAML recommends."""
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                "SELECT id FROM knowledge_entries WHERE id < :below ORDER BY id DESC LIMIT :slice",
                below=ctx.payload.get("below", 2**62),
                slice=SLICE,
            )
            new = await tx.run(enqueue, ctx.hubs, [row["id"] for row in rows], ctx.now)
            if new:
                await _schedule_jobs(ctx, tx)
            if len(rows) == SLICE:
                after = BACKFILL_PAUSE if new else SECOND
                await ctx.schedule(tx).job("look", "look", after=after, below=rows[-1]["id"])


async def enqueue_changed(ctx: Context, entries: Collection[int]) -> None:
    """Queues entries that were just added or changed, if the hub enables it, and schedules the jobs."""
    if await ctx.db.run(enqueue, [ctx.hub], entries, ctx.now):
        await ctx.schedule.job("ask", f"ask/{ctx.message.event_id}")


def enqueue(tx: SyncTransaction, hubs: Sequence[Hub], entries: Collection[int], now: int) -> bool:
    """Queues the pages and links of these entries, as far as the hubs enable it. Says whether anything was queued."""
    fetch, check = fetching_hubs(hubs), checking_hubs(hubs)
    if not entries or not (fetch or check):
        return False
    condition = f"{OF_HUBS} AND e.id IN (SELECT value FROM json_each(:ids))"
    ids = json.dumps(sorted(entries))
    entry_rows = (
        tx.rows(f"SELECT id FROM knowledge_entries e WHERE {condition}", ids=ids, hubs=json.dumps(fetch))
        if fetch
        else ()
    )
    pages = [
        (part.page, page_url(part))
        for entry, parts in load(tx, {row["id"] for row in entry_rows}).items()
        if (resolved := resolve(entry, parts))
        for part in resolved.shown  # not hidden pages that were merged into it
        if part.facts is None
    ]
    links = tx.rows(
        f"""SELECT e.id, {ADDRESS} AS url FROM knowledge_entries e
        WHERE {condition} AND NOT EXISTS (SELECT 1 FROM knowledge_health WHERE entry = e.id)""",
        ids=ids,
        hubs=json.dumps(check),
    )
    to_fetch = [{"page": page, "url": url, "now": now} for page, url in pages if may_request(url)]
    to_check = [row for row in links if may_request(row["url"])]
    tx.execute_many(
        "INSERT INTO knowledge_facts (page, url, state, due) VALUES (:page, :url, 'waiting', :now)",
        to_fetch,
    )
    tx.execute_many(
        "INSERT INTO knowledge_health (entry, state, since, due) VALUES (:id, 'waiting', :now, :due)",
        ({"id": row["id"], "now": now, "due": now + _offset_in_week(row)} for row in to_check),
    )
    return bool(to_fetch or to_check)


async def refresh(ctx: RefreshContext) -> None:
    """Drops what hubs no longer enable; schedules the backfill and the jobs for the others."""
    fetch, check = fetching_hubs(ctx.hubs), checking_hubs(ctx.hubs)
    other_pages = """FROM knowledge_facts AS f WHERE command IS NULL AND page IN (SELECT p.id FROM knowledge_pages p
        JOIN knowledge_shelves s ON s.id = p.shelf WHERE s.hub NOT IN (SELECT value FROM json_each(:hubs)))"""
    # Rebuilding these entries removes the fetched text from the index, too.
    await ctx.db.execute(
        f"""INSERT INTO knowledge_stale SELECT DISTINCT e.id FROM knowledge_entries e
        JOIN knowledge_pages p ON p.entry = e.id
        WHERE p.id IN (SELECT page {other_pages}) ON CONFLICT DO NOTHING""",
        hubs=json.dumps(fetch),
    )
    await ctx.db.execute(f"DELETE {other_pages}", hubs=json.dumps(fetch))
    await ctx.db.execute(
        """DELETE FROM knowledge_health WHERE entry IN (SELECT e.id FROM knowledge_entries e
        JOIN knowledge_shelves s ON s.id = e.shelf WHERE s.hub NOT IN (SELECT value FROM json_each(:hubs)))""",
        hubs=json.dumps(check),
    )
    if fetch or check:
        await ctx.schedule.job("look", "look")
        await ctx.schedule.job("ask", "ask")


def fetching_hubs(hubs: Sequence[Hub]) -> Sequence[str]:
    """Ids of the hubs that enable fetching."""
    return [hub.id for hub in hubs if section(hub, KnowledgeHub).fetch == "titles"]


def checking_hubs(hubs: Sequence[Hub]) -> Sequence[str]:
    """Ids of the hubs that enable link checks."""
    return [hub.id for hub in hubs if section(hub, KnowledgeHub).check_links]


def may_request(url: str | None) -> bool:
    """Whether this is a web address, and holds no secret (token, password, signature)."""
    return url is not None and canonical(url) is not None and not display.has_secret(url)


async def _schedule_jobs(ctx: JobContext, tx: Transaction) -> None:
    await ctx.schedule(tx).job("fetch", "fetch")
    await ctx.schedule(tx).job("check", "check")


def _offset_in_week(row: Row) -> int:
    """The ms into the week at which an entry is checked."""
    return int(row["id"]) * _SPREAD % 2**32 * WEEK // 2**32
