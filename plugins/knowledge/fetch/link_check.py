"""Are shared pages still there? Asked once a week for hubs that want it; coordinators get a list of what is not."""

from __future__ import annotations

import json
from asyncio import TaskGroup
from collections.abc import Mapping, Sequence

from bot.api import (
    Context,
    JobContext,
    Reply,
    Role,
    Row,
    SyncTransaction,
    UserError,
    command,
    escape,
    job,
    section,
)
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.facts import Health, Reason, State
from plugins.knowledge.fetch.queue import BELIEVED, DAY, OF_HUBS, SECOND, WEEK, Asks
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store import statements
from plugins.knowledge.store.ids import digest
from plugins.knowledge.store.sql import ADDRESS, entry_of
from plugins.knowledge.store.statements import author
from plugins.knowledge.urls import display, variants
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import load, render
from plugins.knowledge.views.load import Entry

AT_ONCE = 4  # links of one run
PAUSE = 15 * SECOND  # between two runs, at least
GONE_AFTER = 3  # failures in a row, each on another day
PAGE = 10  # of each sort, in one answer

_DUE = f"FROM health h JOIN entries e ON e.id = h.entry WHERE {OF_HUBS}"


class Caring:
    """Looks after links; part of the plugin."""

    rules: Rules
    fetcher: Asks

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
            async with self.fetcher as fetcher, TaskGroup() as tasks:
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
                await tx.execute("DELETE FROM health WHERE entry = :entry", entry=row["entry"])
                return
            if health.reason is Reason.DNS and not await tx.run(_others_answer, ctx.now):
                health = Health(State.UNSURE, row["url"])  # it may be our own network
            await tx.execute(
                f"""UPDATE health SET state = :state, since = :since, checked_at = :now, fails = :fails,
                moved_to = :moved_to, due = :due WHERE entry = :entry AND due = :was_due AND entry IN
                (SELECT e.id FROM entries e WHERE {OF_HUBS} AND {ADDRESS} = :asked)""",
                now=ctx.now,
                entry=row["entry"],
                was_due=row["due"],
                asked=row["url"],
                hubs=json.dumps(queue.checking(ctx.hubs)),
                **judged(row, health, ctx.now),
            )

    @command(
        "links",
        help="Show which results lead nowhere any more, and which pages have moved.",
        aliases={"es": "enlaces", "fr": "liens"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("links 2",),
    )
    async def links(self, ctx: Context, page: int = 1) -> Reply:
        if not section(ctx.hub, KnowledgeHub).check_links:
            raise UserError(ctx.t("This hub does not have its links checked. Moderators turn it on in the hub's file: "
                                  "{setting}", setting="`check_links: true`"))  # fmt: skip
        page = max(1, page)
        after = (page - 1) * PAGE
        gone, all_gone = await _in_state(ctx, "gone", after)
        moved, all_moved = await _in_state(ctx, "moved", after)
        if not all_gone + all_moved:
            return Reply(ctx.t("No result is known to lead nowhere, or to have moved."))
        parts = []
        if gone:
            hide = references.written(ctx, "hide", load.short_name(gone[0]))
            lines = [f"- {_named(ctx, entry)} · {_since(ctx, entry)}" for entry in gone]
            parts.append(ctx.t("These links no longer work. {hide} hides one:", hide=hide) + "\n" + "\n".join(lines))
        if moved:
            no = references.with_no(ctx, "moved", load.short_name(moved[0]))
            lines = [await self._moved_line(ctx, entry) for entry in moved]
            parts.append(ctx.t("These pages have moved. Look before you accept it; if it is wrong, write {no}:", no=no)
                         + "\n" + "\n".join(lines))  # fmt: skip
        left = sum(max(0, every - after - PAGE) for every in (all_gone, all_moved))
        return Reply("\n\n".join((*parts, *references.more(ctx, "links", page, left))) or ctx.t("That was everything."))

    @command(
        "moved",
        help="Accept that a page has moved: its new address is shown from then on.",
        aliases={"es": "trasladado", "fr": "deplace", "pt": "movido"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("moved 12", "moved 12 no"),
    )
    async def moved(self, ctx: Context, number: str, no: str = "") -> Reply:
        seen = await references.own(ctx)
        entry = await references.entry(ctx, seen, number, hidden=True)
        if entry.state != "moved" or entry.moved_to is None:
            raise UserError(ctx.t("{number} has not moved, as far as is known.", number=render.name(ctx, entry)))
        undo = ctx.t("Not meant? {undo}", undo=references.written(ctx, "undo"))
        if references.rejected(ctx, no, "moved", render.name(ctx, entry)):
            await ctx.db.run(statements.change, self.rules, entry, author(ctx), [("stays", entry.moved_to)])
            return Reply(ctx.t("{number} stays at its address.", number=render.name(ctx, entry)) + " " + undo)
        if other := await _at(ctx, entry):
            raise UserError(ctx.t("There is a result for its new address already. Join the two: {merge}",
                                  merge=references.written(ctx, "merge", other)))  # fmt: skip
        await ctx.db.run(statements.move, self.rules, entry, entry.moved_to, author(ctx))
        await ctx.db.execute("DELETE FROM health WHERE entry = :entry", entry=entry.id)  # of the old address
        await queue.begin(ctx, [entry.id])
        (now,) = await ctx.db.run(load.load, seen, [entry.id]) or [entry]
        return Reply(f"{render.result(ctx, self.rules, now)}\n\n{undo}")

    async def _moved_line(self, ctx: Context, entry: Entry) -> str:
        """A page that moved, where to, and the command that accepts it."""
        other = await _at(ctx, entry)
        do = (
            references.written(ctx, "merge", other)
            if other
            else references.written(ctx, "moved", load.short_name(entry))
        )
        to = escape(display.shown(entry.moved_to or ""))
        return f"- {_named(ctx, entry)} → {to} · {_since(ctx, entry)} · {do}"


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
            "SELECT EXISTS (SELECT 1 FROM health WHERE state IN ('ok', 'moved') AND checked_at > :since)",
            since=now - DAY,
        )
    )


async def _in_state(ctx: Context, state: str, after: int) -> tuple[Sequence[Entry], int]:
    """A page of results with links of that state that may be corrected from here, and how many there are in all."""
    seen = await references.own(ctx)
    rows = await ctx.db.rows(
        f"""SELECT e.id FROM health h JOIN entries e ON e.id = h.entry
        WHERE h.state = :state AND {BELIEVED} AND {seen.WHERE} ORDER BY h.since DESC, e.id DESC""",
        state=state,
        **seen.params,
    )
    return await ctx.db.run(load.load, seen, [row["id"] for row in rows[after : after + PAGE]]), len(rows)


def _since(ctx: Context, entry: Entry) -> str:
    return ctx.t("since {date}", date=render.day(ctx, ctx.hub, entry.state_since or 0))


async def _at(ctx: Context, moved: Entry) -> str | None:
    """The numbers of the entry that has the address a page moved to on the same shelf, and of that page, for !merge."""
    key = canonical(moved.moved_to or "")
    number = await ctx.db.value(
        f"""SELECT e.number FROM resources r JOIN entries e ON e.id = {entry_of(":shelf", "r.id")}
        WHERE r.key = :key AND e.id <> :moved""",
        key=digest(key or ""),
        shelf=moved.shelf.id,
        moved=moved.id,
    )
    name = load.short_name(moved)
    return None if number is None else f"{name.rstrip('0123456789')}{number} {name}"


def _named(ctx: Context, entry: Entry) -> str:
    return f"{escape(render.name(ctx, entry))} · {render.title(ctx, entry)} ({escape(display.shown(entry.url))})"
