"""The background job that checks links once a week, for hubs that enable it: finds dead links and moved pages."""

from __future__ import annotations

import json
from asyncio import TaskGroup
from collections.abc import Mapping

from bot.api import JobContext, Row, SyncTransaction, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.facts import Health, Reason, State
from plugins.knowledge.fetch.queue import DAY, OF_HUBS, SECOND, WEEK, PageClient
from plugins.knowledge.store.load import ADDRESS
from plugins.knowledge.urls import variants

AT_ONCE = 4  # links per run
PAUSE = 15 * SECOND  # at least, between two runs
GONE_AFTER = 3  # failures in a row, each on another day

_DUE = f"FROM knowledge_health h JOIN knowledge_entries e ON e.id = h.entry WHERE {OF_HUBS}"


class LinkCheck:
    """Checks the links that are due."""

    def __init__(self, fetcher: PageClient) -> None:
        self._fetcher = fetcher

    @job("check")
    async def check(self, ctx: JobContext) -> None:
        """Checks the links that are most overdue, a few per run, and schedules the next run."""
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                f"SELECT h.*, {ADDRESS} AS url {_DUE} AND h.due <= :now ORDER BY h.due LIMIT :most",
                hubs=json.dumps(queue.checking_hubs(ctx.hubs)),
                now=ctx.now,
                most=AT_ONCE,
            )
        if rows:
            async with self._fetcher as fetcher, TaskGroup() as tasks:
                for row in rows:
                    tasks.create_task(self._check(ctx, fetcher, row))
        async with ctx.transaction() as tx:
            due = await tx.value(f"SELECT min(h.due) {_DUE}", hubs=json.dumps(queue.checking_hubs(ctx.hubs)))
            if due is not None:
                await ctx.schedule(tx).job("check", "check", after=max(PAUSE, due - ctx.now))

    async def _check(self, ctx: JobContext, fetcher: PageClient, row: Row) -> None:
        health = await fetcher.health(row["url"]) if queue.may_request(row["url"]) else None
        async with ctx.transaction() as tx:
            if health is None:  # its address has changed since, to one that must not be requested
                await tx.execute("DELETE FROM knowledge_health WHERE entry = :entry", entry=row["entry"])
                return
            if health.reason is Reason.DNS and not await tx.run(_any_link_works, ctx.now):
                health = Health(State.UNSURE, row["url"])  # it may be our own network
            await tx.execute(
                f"""UPDATE knowledge_health SET state = :state, since = :since, checked_at = :now, fails = :fails,
                moved_to = :moved_to, due = :due WHERE entry = :entry AND due = :was_due AND entry IN
                (SELECT e.id FROM knowledge_entries e WHERE {OF_HUBS} AND {ADDRESS} = :asked)""",
                now=ctx.now,
                entry=row["entry"],
                was_due=row["due"],
                asked=row["url"],
                hubs=json.dumps(queue.checking_hubs(ctx.hubs)),
                **next_health(row, health, ctx.now),
            )


def next_health(before: Row, health: Health, now: int) -> Mapping[str, object]:
    """The next state of a link after a check: columns of `health`.

    `gone` takes failures on three different days in a row, and lasts until the page responds. Unclear responses are
    `unsure`. A redirect from http to https and the like is not a move.
    """
    failed = health.state is State.GONE or health.reason is Reason.DNS
    same_page = variants.loose(health.final_url) == variants.loose(before["url"])
    fails, moved_to = 0, None
    if failed:
        another_day = not before["fails"] or now // DAY > before["checked_at"] // DAY
        fails = before["fails"] + another_day
        state = State.GONE if fails >= GONE_AFTER else State.UNSURE
    elif health.state is State.UNSURE and before["state"] == State.GONE:
        fails, state = before["fails"], State.GONE
    elif health.state is State.MOVED and not same_page:
        state, moved_to = State.MOVED, health.final_url
    else:
        state = State.OK if health.state is State.MOVED else health.state
    return {
        "state": str(state),
        "since": before["since"] if state == before["state"] else now,
        "fails": fails,
        "moved_to": moved_to,
        "due": now + (DAY if 0 < fails < GONE_AFTER else WEEK),
    }


def _any_link_works(tx: SyncTransaction, now: int) -> bool:
    """Whether any link worked within the last day; if not, our own network may be down."""
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM knowledge_health WHERE state IN ('ok', 'moved') AND checked_at > :since)",
            since=now - DAY,
        )
    )
