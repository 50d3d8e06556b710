"""What shared pages say of themselves: asked in the background, for hubs that want it, and kept with the entry."""

from __future__ import annotations

import json
from asyncio import TaskGroup
from collections.abc import Mapping

from bot.api import JobContext, Row, SyncTransaction, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.facts import Facts, FetchError, retry_after
from plugins.knowledge.fetch.queue import OF_HUBS, SECOND, Asks
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.store.pages import digest, entries_of
from plugins.knowledge.urls import display, variants
from plugins.knowledge.urls.canonical import canonical

AT_ONCE = 4  # pages of one run
SPOKEN = ("en", "es", "fr", "pt")  # versions of a page in other languages are not kept

_DUE = f"""FROM knowledge_facts f JOIN knowledge_pages p ON p.id = f.page JOIN knowledge_entries e ON e.id = p.entry
    WHERE f.due IS NOT NULL AND {OF_HUBS}"""


class FetchJobs:
    """Fetches the pages that are due."""

    def __init__(self, rules: Rules, fetcher: Asks) -> None:
        self._rules = rules
        self._fetcher = fetcher

    @job("fetch")
    async def fetch(self, ctx: JobContext) -> None:
        """Fetches the few newest pages that are due, and asks for itself when the next one is.

        Each page is fetched outside any transaction and stored in one of its own: after a crash in between it is still
        due, and fetched again.
        """
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                f"""SELECT f.page, f.url, f.tries {_DUE} AND f.due <= :now
                ORDER BY f.page DESC LIMIT :most""",
                hubs=json.dumps(queue.fetching(ctx.hubs)),
                now=ctx.now,
                most=AT_ONCE,
            )
        if rows:
            async with self._fetcher as fetcher, TaskGroup() as tasks:
                for row in rows:
                    tasks.create_task(self._fetch(ctx, fetcher, row))
        async with ctx.transaction() as tx:
            due = await tx.value(f"SELECT min(f.due) {_DUE}", hubs=json.dumps(queue.fetching(ctx.hubs)))
            if due is not None:
                await ctx.schedule(tx).job("fetch", "fetch", after=max(SECOND, due - ctx.now))

    async def _fetch(self, ctx: JobContext, fetcher: Asks, row: Row) -> None:
        try:
            learnt = _kept(row["url"], await fetcher.facts(row["url"]))
        except FetchError as error:
            wait = None if error.permanent else retry_after(row["tries"] + 1)
            learnt = {"state": str(error.reason), "due": None if wait is None else ctx.now + wait}
        async with ctx.transaction() as tx:
            if await tx.run(_store, row, learnt, queue.fetching(ctx.hubs)) and learnt["state"] == "ok":
                await tx.run(_rebuild, self._rules, row["page"])


def _store(tx: SyncTransaction, row: Row, learnt: Mapping[str, object], hubs: object) -> bool:
    """Whether it is still wanted: the entry may have gone meanwhile, or its hub may not want to know any more."""
    sets = ", ".join(f"{column} = :{column}" for column in learnt)
    return bool(
        tx.execute(
            f"""UPDATE knowledge_facts SET {sets}, tries = tries + 1 WHERE page = :page AND url = :asked
            AND due IS NOT NULL
            AND page IN (SELECT p.id FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
            WHERE {OF_HUBS})""",
            page=row["page"],
            asked=row["url"],
            hubs=json.dumps(hubs),
            **learnt,
        )
    )


def _rebuild(tx: SyncTransaction, rules: Rules, page: int) -> None:
    rebuild(tx, rules, entries_of(tx, [page]))


def _kept(url: str, facts: Facts) -> Mapping[str, object]:
    """The columns of `facts` for what a page said. Other addresses are kept only where they tell something: which page
    this is, and, as digests, which of the same site are it in another language that Faro speaks."""
    own = facts.canonical
    versions = [
        digest(key)
        for tag, other in facts.alternates.items()
        if tag[:2] in SPOKEN and variants.same_site(url, other) and (key := canonical(other)) and key != canonical(url)
    ]
    return {
        "state": "ok",
        "due": None,
        "final_url": facts.final_url if facts.final_url != url else None,
        "canonical": own if own and own != url and not display.has_secret(own) else None,
        "title": facts.title,
        "description": facts.description,
        "site": facts.site,
        "author": facts.author,
        "published": facts.published,
        "language": facts.language,
        "kind": facts.kind,
        "versions": json.dumps(list(dict.fromkeys(versions))) if versions else None,
    }
