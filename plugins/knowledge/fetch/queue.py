"""The queue of what is to be asked of the network: for which hubs, and when. Filled where links are shared; jobs ask.

Two tables hold what is due: `knowledge_facts` (jobs.py) and `knowledge_health` (link_check.py). Nothing is queued for a
hub that did not turn its setting on, so nothing of it is ever asked."""

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
SLICE = 200  # entries that are looked through at a time for what was never asked
GENTLY = 600_000  # ms until the next slice, where there was something to ask
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: entries that follow each other are checked far apart

OF_HUBS = """e.hidden = 0 AND e.shelf IN
    (SELECT id FROM knowledge_shelves WHERE hub IN (SELECT value FROM json_each(:hubs)))"""
"""The condition on `entries e` that its hub is one of `:hubs` (JSON)."""


class Asks(Protocol):
    """`fetcher.Fetcher`, or what stands in for it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def facts(self, url: str) -> Facts: ...

    async def health(self, url: str) -> Health: ...


class QueueJobs:
    """Sees to it that what is due is asked."""

    @job("ask")
    async def ask(self, ctx: JobContext) -> None:
        """Something may be due. Whoever asked for this gets no answer, so what follows is done in the background."""
        async with ctx.transaction() as tx:
            await _ask(ctx, tx)

    @job("look")
    async def look(self, ctx: JobContext) -> None:
        """Goes through all entries, the newest first, for what was never asked: what a hub had before it turned a
        setting on, what was imported, what its YAML recommends."""
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                "SELECT id FROM knowledge_entries WHERE id < :below ORDER BY id DESC LIMIT :slice",
                below=ctx.payload.get("below", 2**62),
                slice=SLICE,
            )
            new = await tx.run(enqueue, ctx.hubs, [row["id"] for row in rows], ctx.now)
            if new:
                await _ask(ctx, tx)
            if len(rows) == SLICE:
                after = GENTLY if new else SECOND
                await ctx.schedule(tx).job("look", "look", after=after, below=rows[-1]["id"])


async def begin(ctx: Context, entries: Collection[int]) -> None:
    """What was just shared, or is left of it, is asked soon, where the hub wants it."""
    if await ctx.db.run(enqueue, [ctx.hub], entries, ctx.now):
        await ctx.schedule.job("ask", f"ask/{ctx.message.event_id}")


def enqueue(tx: SyncTransaction, hubs: Sequence[Hub], entries: Collection[int], now: int) -> bool:
    """Queues what these hubs want asked of these entries: each of their pages; whether anything is new."""
    fetch, check = fetching(hubs), checking(hubs)
    if not entries or not (fetch or check):
        return False
    of_these = f"{OF_HUBS} AND e.id IN (SELECT value FROM json_each(:ids))"
    ids = json.dumps(sorted(entries))
    wanted = (
        tx.rows(f"SELECT id FROM knowledge_entries e WHERE {of_these}", ids=ids, hubs=json.dumps(fetch))
        if fetch
        else ()
    )
    pages = [
        (part.page, page_url(part))
        for entry, parts in load(tx, {row["id"] for row in wanted}).items()
        if (resolved := resolve(entry, parts))
        for part in resolved.shown  # not of a hidden page that was joined
        if part.facts is None
    ]
    links = tx.rows(
        f"""SELECT e.id, {ADDRESS} AS url FROM knowledge_entries e
        WHERE {of_these} AND NOT EXISTS (SELECT 1 FROM knowledge_health WHERE entry = e.id)""",
        ids=ids,
        hubs=json.dumps(check),
    )
    to_fetch = [{"page": page, "url": url, "now": now} for page, url in pages if may_ask(url)]
    to_check = [row for row in links if may_ask(row["url"])]
    tx.execute_many(
        "INSERT INTO knowledge_facts (page, url, state, due) VALUES (:page, :url, 'waiting', :now)",
        to_fetch,
    )
    tx.execute_many(
        "INSERT INTO knowledge_health (entry, state, since, due) VALUES (:id, 'waiting', :now, :due)",
        ({"id": row["id"], "now": now, "due": now + _in_week(row)} for row in to_check),
    )
    return bool(to_fetch or to_check)


async def refresh(ctx: RefreshContext) -> None:
    """What hubs no longer want known is dropped; whatever else is to be asked, is asked."""
    fetch, check = fetching(ctx.hubs), checking(ctx.hubs)
    other_pages = """FROM knowledge_facts AS f WHERE command IS NULL AND page IN (SELECT p.id FROM knowledge_pages p
        JOIN knowledge_shelves s ON s.id = p.shelf WHERE s.hub NOT IN (SELECT value FROM json_each(:hubs)))"""
    # The words of pages leave the index, too.
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


def fetching(hubs: Sequence[Hub]) -> Sequence[str]:
    """The hubs that want their pages fetched."""
    return [hub.id for hub in hubs if section(hub, KnowledgeHub).fetch == "titles"]


def checking(hubs: Sequence[Hub]) -> Sequence[str]:
    """The hubs that want their links checked."""
    return [hub.id for hub in hubs if section(hub, KnowledgeHub).check_links]


def may_ask(url: str | None) -> bool:
    """Not a file on a homeserver, nor an address that opens a door."""
    return url is not None and canonical(url) is not None and not display.has_secret(url)


async def _ask(ctx: JobContext, tx: Transaction) -> None:
    await ctx.schedule(tx).job("fetch", "fetch")
    await ctx.schedule(tx).job("check", "check")


def _in_week(row: Row) -> int:
    """When in the week an entry has its turn, in ms."""
    return int(row["id"]) * _SPREAD % 2**32 * WEEK // 2**32
