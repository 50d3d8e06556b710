"""Are shared pages still there? Asked once a week, for hubs that want it: finds dead links, and pages that moved."""

from __future__ import annotations

import json
from asyncio import TaskGroup
from collections.abc import Mapping

from bot.api import JobContext, Row, SyncTransaction, job
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.facts import Health, Reason, State
from plugins.knowledge.fetch.queue import DAY, OF_HUBS, SECOND, WEEK, Asks
from plugins.knowledge.store.load import ADDRESS
from plugins.knowledge.urls import variants

AT_ONCE = 4  # links of one run
PAUSE = 15 * SECOND  # between two runs, at least
GONE_AFTER = 3  # failures in a row, each on another day

_DUE = f"FROM knowledge_health h JOIN knowledge_entries e ON e.id = h.entry WHERE {OF_HUBS}"


class LinkCheck:
    """Checks the links that are due."""

    def __init__(self, fetcher: Asks) -> None:
        self._fetcher = fetcher

    @job("check")
    async def check(self, ctx: JobContext) -> None:
        """Checks the few links that are due longest, and asks for itself when the next one is."""
        async with ctx.transaction() as tx:
            rows = await tx.rows(
                f"SELECT h.*, {ADDRESS} AS url {_DUE} AND h.due <= :now ORDER BY h.due LIMIT :most",
                hubs=json.dumps(queue.checking(ctx.hubs)),
                now=ctx.now,
                most=AT_ONCE,
            )
        if rows:
            async with self._fetcher as fetcher, TaskGroup() as tasks:
                for row in rows:
                    tasks.create_task(self._check(ctx, fetcher, row))
        async with ctx.transaction() as tx:
            due = await tx.value(f"SELECT min(h.due) {_DUE}", hubs=json.dumps(queue.checking(ctx.hubs)))
            if due is not None:
                await ctx.schedule(tx).job("check", "check", after=max(PAUSE, due - ctx.now))

    async def _check(self, ctx: JobContext, fetcher: Asks, row: Row) -> None:
        health = await fetcher.health(row["url"]) if queue.may_ask(row["url"]) else None
        async with ctx.transaction() as tx:
            if health is None:  # its address is another one since, which is not to be asked
                await tx.execute("DELETE FROM knowledge_health WHERE entry = :entry", entry=row["entry"])
                return
            if health.reason is Reason.DNS and not await tx.run(_others_answer, ctx.now):
                health = Health(State.UNSURE, row["url"])  # it may be our own network
            await tx.execute(
                f"""UPDATE knowledge_health SET state = :state, since = :since, checked_at = :now, fails = :fails,
                moved_to = :moved_to, due = :due WHERE entry = :entry AND due = :was_due AND entry IN
                (SELECT e.id FROM knowledge_entries e WHERE {OF_HUBS} AND {ADDRESS} = :asked)""",
                now=ctx.now,
                entry=row["entry"],
                was_due=row["due"],
                asked=row["url"],
                hubs=json.dumps(queue.checking(ctx.hubs)),
                **judged(row, health, ctx.now),
            )


def judged(before: Row, found: Health, now: int) -> Mapping[str, object]:
    """What is known of a link after it was asked for: columns of `health`.

    `gone` only after failures on three days in a row; then it is gone until it answers. What gives no clear answer is
    `unsure`. From http to https and the like is no move.
    """
    failed = found.state is State.GONE or found.reason is Reason.DNS
    same_page = variants.loose(found.final_url) == variants.loose(before["url"])
    fails, moved_to = 0, None
    if failed:
        another_day = not before["fails"] or now // DAY > before["checked_at"] // DAY
        fails = before["fails"] + another_day
        state = State.GONE if fails >= GONE_AFTER else State.UNSURE
    elif found.state is State.UNSURE and before["state"] == State.GONE:
        fails, state = before["fails"], State.GONE
    elif found.state is State.MOVED and not same_page:
        state, moved_to = State.MOVED, found.final_url
    else:
        state = State.OK if found.state is State.MOVED else found.state
    return {
        "state": str(state),
        "since": before["since"] if state == before["state"] else now,
        "fails": fails,
        "moved_to": moved_to,
        "due": now + (DAY if 0 < fails < GONE_AFTER else WEEK),
    }


def _others_answer(tx: SyncTransaction, now: int) -> bool:
    """Whether any link was found where it should be within a day."""
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM knowledge_health WHERE state IN ('ok', 'moved') AND checked_at > :since)",
            since=now - DAY,
        )
    )
