"""What is to be asked of the network, for which hubs, and when? Written down where links are shared; asked by jobs.

Two tables hold what is due: `facts` (jobs.py) and `health` (link_check.py). Nothing is written into them for a hub that
did not turn its setting on, so nothing of it is ever asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Protocol, Self

from bot.api import Context, Hub, JobContext, RefreshContext, Row, SyncTransaction, Transaction, job, section
from plugins.knowledge.fetch.facts import Facts, Health
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.sql import ADDRESS, PAGE_URL, PAGES
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical

SECOND, DAY = 1_000, 86_400_000
WEEK = 7 * DAY
SLICE = 200  # entries that are looked through at a time for what was never asked
GENTLY = 600_000  # ms until the next slice, where there was something to ask
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: entries that follow each other are checked far apart

OF_HUBS = """e.hidden = 0 AND e.shelf IN
    (SELECT id FROM shelves WHERE hub IN (SELECT value FROM json_each(:hubs)))"""
"""The condition on `entries e` that its hub is one of `:hubs` (JSON)."""


BELIEVED = """NOT EXISTS
    (SELECT 1 FROM corrections WHERE entry = h.entry AND field = 'stays' AND value = h.moved_to)"""
"""The condition on `health h` that nobody said it is wrong: a page did not move there."""

ASKED = "tries > 0 OR state <> 'ok'"
"""The condition on `facts` that the network was, or is to be, asked for it: what a file brought in was not."""


class Asks(Protocol):
    """`pages.fetch.Fetcher`, or what stands in for it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def facts(self, url: str) -> Facts: ...

    async def health(self, url: str) -> Health: ...


class Errands:
    """Sees to it that what is due is asked; part of the plugin."""

    @job("ask")
    async def ask(self, ctx: JobContext) -> None:
        """Something may be due. Whoever asked for this gets no answer, so what follows is done in the background."""
        async with ctx.transaction() as tx:
            await _ask(ctx, tx)

    @job("look")
    async def look(self, ctx: JobContext) -> None:
        """Goes through all entries, the newest first, for what was never asked: what a hub had before it turned a
        setting on, what was brought in from files, what its YAML recommends."""
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                "SELECT id FROM entries WHERE id < :below ORDER BY id DESC LIMIT :slice",
                below=ctx.payload.get("below", 2**62),
                slice=SLICE,
            )
            new = await tx.run(put_down, ctx.hubs, [row["id"] for row in rows], ctx.now)
            if new:
                await _ask(ctx, tx)
            if len(rows) == SLICE:
                after = GENTLY if new else SECOND
                await ctx.schedule(tx).job("look", "look", after=after, below=rows[-1]["id"])


async def begin(ctx: Context, entries: Collection[int]) -> None:
    """What was just shared, or is left of it, is asked soon, where the hub wants it."""
    if await ctx.db.run(put_down, [ctx.hub], entries, ctx.now):
        await ctx.schedule.job("ask", f"ask/{ctx.message.event_id}")


def put_down(tx: SyncTransaction, hubs: Sequence[Hub], entries: Collection[int], now: int) -> bool:
    """Writes down what these hubs want asked of these entries: each of their pages; whether anything is new."""
    fetch, check = fetching(hubs), checking(hubs)
    if not entries or not (fetch or check):
        return False
    of_these = f"{OF_HUBS} AND e.id IN (SELECT value FROM json_each(:ids))"
    ids = json.dumps(sorted(entries))
    pages = tx.rows(
        f"""SELECT p.entry, p.resource, {PAGE_URL} AS url FROM ({PAGES}) p JOIN entries e ON e.id = p.entry
        WHERE {of_these} AND NOT EXISTS (SELECT 1 FROM facts WHERE entry = p.entry AND resource = p.resource)""",
        ids=ids,
        hubs=json.dumps(fetch),
    )
    links = tx.rows(
        f"""SELECT e.id, {ADDRESS} AS url FROM entries e
        WHERE {of_these} AND NOT EXISTS (SELECT 1 FROM health WHERE entry = e.id)""",
        ids=ids,
        hubs=json.dumps(check),
    )
    to_fetch = [row for row in pages if may_ask(row["url"])]
    to_check = [row for row in links if may_ask(row["url"])]
    tx.execute_many(
        "INSERT INTO facts (entry, resource, url, state, due) VALUES (:entry, :resource, :url, 'waiting', :now)",
        ({**row, "now": now} for row in to_fetch),
    )
    tx.execute_many(
        "INSERT INTO health (entry, state, since, due) VALUES (:id, 'waiting', :now, :due)",
        ({"id": row["id"], "now": now, "due": now + _in_week(row)} for row in to_check),
    )
    return bool(to_fetch or to_check)


async def refresh(ctx: RefreshContext) -> None:
    """What hubs no longer want known is dropped; whatever else is to be asked, is asked."""
    on = {"facts": fetching(ctx.hubs), "health": checking(ctx.hubs)}
    for table, hubs in on.items():
        others = f"""FROM {table} WHERE entry IN (SELECT e.id FROM entries e JOIN shelves s ON s.id = e.shelf
            WHERE s.hub NOT IN (SELECT value FROM json_each(:hubs)))"""
        if table == "facts":  # their words leave the index, too
            others += f" AND ({ASKED})"
            stale = f"INSERT INTO stale SELECT DISTINCT entry {others} ON CONFLICT DO NOTHING"
            await ctx.db.execute(stale, hubs=json.dumps(hubs))
        await ctx.db.execute(f"DELETE {others}", hubs=json.dumps(hubs))
    if any(on.values()):
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
