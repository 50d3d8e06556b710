"""Keeping the index in step with the configuration and the rules, in the background, while searching goes on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import AlarmContext, Announcement, JobContext, RefreshContext, SyncTransaction, alarm, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import rekey
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.search import session
from plugins.knowledge.store import recommendations, shares
from plugins.knowledge.urls.canonical import VERSION

SLICE = 200  # entries made anew, or pages filed anew, in one transaction


class Upkeep:
    """Part of the plugin."""

    rules: Rules

    async def refresh(self, ctx: RefreshContext) -> None:
        """What hubs recommend, at once; what else their YAML or a new version changes, in the background."""
        self.rules = Rules(ctx.hubs)
        await ctx.db.run(rekey.refile_recommended, self.rules)
        await ctx.db.run(recommendations.curate, self.rules, ctx.hubs)
        await ctx.db.run(mark_stale, self.rules)
        await queue.refresh(ctx)
        if await ctx.db.value("SELECT EXISTS (SELECT 1 FROM stale)"):
            await ctx.schedule.job("remake", "remake")
        if await ctx.db.value("SELECT EXISTS (SELECT 1 FROM resources WHERE version <> :now)", now=VERSION):
            await ctx.schedule.job("refile", "refile")
        await ctx.db.run(session.expire, ctx.now)
        await ctx.schedule.job("rewrite", "rewrite", begin=1)

    @alarm("erase")
    async def erase(self, ctx: AlarmContext) -> Sequence[Announcement]:
        if not await ctx.db.run(shares.erase):
            await ctx.schedule.job("rewrite", "rewrite", begin=1)
        return ()

    @job("rewrite")
    async def rewrite(self, ctx: JobContext) -> None:
        """Deleted words leave the search index, some pages at a time."""
        async with ctx.transaction() as tx:
            if await tx.run(shares.rewrite_some, begin="begin" in ctx.payload):
                await ctx.schedule(tx).job("rewrite", "rewrite", after=1)

    @job("remake")
    async def remake(self, ctx: JobContext) -> None:
        """Entries that were made by other rules are made anew, some at a time."""
        async with ctx.transaction() as tx:
            rows = await tx.rows("SELECT entry FROM stale ORDER BY entry LIMIT :slice", slice=SLICE)
            await tx.run(renew, self.rules, {row["entry"] for row in rows})
            if rows:
                await tx.execute("DELETE FROM stale WHERE entry <= :last", last=rows[-1]["entry"])
            if len(rows) == SLICE:
                await ctx.schedule(tx).job("remake", "remake", after=1)

    @job("refile")
    async def refile(self, ctx: JobContext) -> None:
        """Pages whose keys were made by older rules get new ones; those that turn out to be one page are joined."""
        async with ctx.transaction() as tx:
            if await tx.run(rekey.refile, self.rules, SLICE):
                await ctx.schedule(tx).job("refile", "refile", after=1)


def mark_stale(tx: SyncTransaction, rules: Rules) -> None:
    """Marks the entries of shelves whose rules have changed since they were made."""
    for row in tx.rows("SELECT id, hub, made_with FROM shelves"):
        now = rules.of(row["hub"]).digest
        if row["made_with"] != now:
            tx.execute(
                "INSERT INTO stale SELECT id FROM entries WHERE shelf = :shelf ON CONFLICT DO NOTHING", shelf=row["id"]
            )
            tx.execute("UPDATE shelves SET made_with = :now WHERE id = :shelf", now=now, shelf=row["id"])
