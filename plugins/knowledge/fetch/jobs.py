"""The background job that fetches metadata of shared pages, for hubs that enable it."""

from __future__ import annotations

import json
from asyncio import TaskGroup
from collections.abc import Mapping

from bot.api import JobContext, Row, SyncTransaction, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.facts import Facts, FetchError, retry_after
from plugins.knowledge.fetch.queue import OF_HUBS, SECOND, PageClient
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.store.pages import digest, entries_of
from plugins.knowledge.urls import display, variants
from plugins.knowledge.urls.canonical import canonical

AT_ONCE = 4  # pages per run
LANGUAGES = ("en", "es", "fr", "pt")  # versions of a page in other languages are not kept

_DUE = f"""FROM knowledge_facts f JOIN knowledge_pages p ON p.id = f.page JOIN knowledge_entries e ON e.id = p.entry
    WHERE f.due IS NOT NULL AND {OF_HUBS}"""


class FetchJobs:
    """Fetches the pages that are due."""

    def __init__(self, rules: Rules, fetcher: PageClient) -> None:
        self._rules = rules
        self._fetcher = fetcher

    @job("fetch")
    async def fetch(self, ctx: JobContext) -> None:
        """Fetches the newest pages that are due, a few per run, and schedules the next run.

        Each page is fetched outside any transaction and stored in a transaction of its own: after a crash in between it
        is still due, and is fetched again.
        """
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                f"""SELECT f.page, f.url, f.tries {_DUE} AND f.due <= :now
                ORDER BY f.page DESC LIMIT :most""",
                hubs=json.dumps(queue.fetching_hubs(ctx.hubs)),
                now=ctx.now,
                most=AT_ONCE,
            )
        if rows:
            async with self._fetcher as fetcher, TaskGroup() as tasks:
                for row in rows:
                    tasks.create_task(self._fetch(ctx, fetcher, row))
        async with ctx.transaction() as tx:
            due = await tx.value(f"SELECT min(f.due) {_DUE}", hubs=json.dumps(queue.fetching_hubs(ctx.hubs)))
            if due is not None:
                await ctx.schedule(tx).job("fetch", "fetch", after=max(SECOND, due - ctx.now))

    async def _fetch(self, ctx: JobContext, fetcher: PageClient, row: Row) -> None:
        try:
            columns = _facts_columns(row["url"], await fetcher.facts(row["url"]))
        except FetchError as error:
            wait = None if error.permanent else retry_after(row["tries"] + 1)
            columns = {"state": str(error.reason), "due": None if wait is None else ctx.now + wait}
        async with ctx.transaction() as tx:
            if await tx.run(_store, row, columns, queue.fetching_hubs(ctx.hubs)) and columns["state"] == "ok":
                await tx.run(_rebuild, self._rules, row["page"])


def _store(tx: SyncTransaction, row: Row, columns: Mapping[str, object], hubs: object) -> bool:
    """Stores the result, unless the entry is gone by now or its hub disabled fetching. Says whether it did."""
    assignments = ", ".join(f"{column} = :{column}" for column in columns)
    return bool(
        tx.execute(
            f"""UPDATE knowledge_facts SET {assignments}, tries = tries + 1 WHERE page = :page AND url = :asked
            AND due IS NOT NULL
            AND page IN (SELECT p.id FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
            WHERE {OF_HUBS})""",
            page=row["page"],
            asked=row["url"],
            hubs=json.dumps(hubs),
            **columns,
        )
    )


def _rebuild(tx: SyncTransaction, rules: Rules, page: int) -> None:
    rebuild(tx, rules, entries_of(tx, [page]))


def _facts_columns(url: str, facts: Facts) -> Mapping[str, object]:
    """The columns of `facts` for these facts.

    Of other addresses only a canonical one is kept, and, as digests, those of versions on the same site in a language
    that Faro supports.
    """
    declared = facts.canonical
    versions = [
        digest(key)
        for tag, alternate in facts.alternates.items()
        if tag[:2] in LANGUAGES
        and variants.same_site(url, alternate)
        and (key := canonical(alternate))
        and key != canonical(url)
    ]
    return {
        "state": "ok",
        "due": None,
        "final_url": facts.final_url if facts.final_url != url else None,
        "canonical": declared if declared and declared != url and not display.has_secret(declared) else None,
        "title": facts.title,
        "description": facts.description,
        "site": facts.site,
        "author": facts.author,
        "published": facts.published,
        "language": facts.language,
        "kind": facts.kind,
        "versions": json.dumps(list(dict.fromkeys(versions))) if versions else None,
    }
