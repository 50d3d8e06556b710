"""Background jobs that keep the index consistent with the configuration: rebuild, rekey, rewrite."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import AlarmContext, Announcement, JobContext, RefreshContext, SyncTransaction, alarm, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import fts, update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.index.rekey import rekey, rekey_recommended
from plugins.knowledge.search import session
from plugins.knowledge.urls.canonical import VERSION

SLICE = 200  # entries rebuilt, or pages rekeyed, per transaction


class Maintenance:
    """Rebuilds stale entries, rekeys pages, and rewrites the search index."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def refresh(self, ctx: RefreshContext) -> None:
        """Applies new recommendations at once; schedules everything else that a new YAML or version changes."""
        self._rules.load(ctx.hubs)
        await ctx.db.run(rekey_recommended, self._rules)
        await ctx.db.run(update.recommend, self._rules, ctx.hubs)
        await ctx.db.run(mark_stale, self._rules)
        await queue.refresh(ctx)
        if await ctx.db.value("SELECT EXISTS (SELECT 1 FROM knowledge_stale)"):
            await ctx.schedule.job("rebuild", "rebuild")
        if await ctx.db.value(
            """SELECT EXISTS (SELECT 1 FROM knowledge_pages
            WHERE version <> :now AND key IS NOT NULL AND address_of IS NULL)""",
            now=VERSION,
        ):
            await ctx.schedule.job("rekey", "rekey")
        await ctx.db.run(session.expire, ctx.now)
        await ctx.schedule.job("rewrite", "rewrite", begin=1)

    @alarm("erase")
    async def erase(self, ctx: AlarmContext) -> Sequence[Announcement]:
        if not await ctx.db.run(fts.erase):
            await ctx.schedule.job("rewrite", "rewrite", begin=1)
        return ()

    @job("rewrite")
    async def rewrite(self, ctx: JobContext) -> None:
        """Erases deleted text from the search index, some pages at a time."""
        async with ctx.transaction() as tx:
            if await tx.run(fts.rewrite_some, begin="begin" in ctx.payload):
                await ctx.schedule(tx).job("rewrite", "rewrite", after=1)

    @job("rebuild")
    async def rebuild(self, ctx: JobContext) -> None:
        """Rebuilds stale entries, one slice at a time."""
        async with ctx.transaction() as tx:
            rows = await tx.rows("SELECT entry FROM knowledge_stale ORDER BY entry LIMIT :slice", slice=SLICE)
            await tx.run(rebuild, self._rules, {row["entry"] for row in rows})
            if rows:
                await tx.execute("DELETE FROM knowledge_stale WHERE entry <= :last", last=rows[-1]["entry"])
            if len(rows) == SLICE:
                await ctx.schedule(tx).job("rebuild", "rebuild", after=1)

    @job("rekey")
    async def rekey(self, ctx: JobContext) -> None:
        """Rekeys pages whose keys an older version made, one slice at a time; merges those that become equal."""
        async with ctx.transaction() as tx:
            if await tx.run(rekey, self._rules, SLICE):
                await ctx.schedule(tx).job("rekey", "rekey", after=1)


def mark_stale(tx: SyncTransaction, rules: Rules) -> None:
    """Marks all entries of a shelf as stale if its rules changed since they were built."""
    for row in tx.rows("SELECT id, hub, built_with FROM knowledge_shelves"):
        digest = rules.of(row["hub"]).digest
        if row["built_with"] != digest:
            tx.execute(
                """INSERT INTO knowledge_stale SELECT id FROM knowledge_entries WHERE shelf = :shelf
                ON CONFLICT DO NOTHING""",
                shelf=row["id"],
            )
            tx.execute("UPDATE knowledge_shelves SET built_with = :now WHERE id = :shelf", now=digest, shelf=row["id"])
