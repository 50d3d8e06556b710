"""The commands that say which results are one page: `!alike`, `!merge`, `!split`; for coordinators and moderators."""

from __future__ import annotations

from bot.api import Context, Reply, Role, UserError, command, escape
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import proposals, statements
from plugins.knowledge.store.access import COORDINATORS
from plugins.knowledge.store.proposals import APART
from plugins.knowledge.store.statements import author
from plugins.knowledge.urls import display
from plugins.knowledge.views import render
from plugins.knowledge.views.load import Entry

PAGE = 10  # candidates of one answer


class Joining:
    """Joins results and takes them apart; part of the plugin."""

    rules: Rules

    @command(
        "merge",
        help="Join a result with another one that is the same page, or the page in another language.",
        aliases={"es": "unir", "fr": "joindre", "pt": "juntar"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("merge 12 15", "merge 12 15 no"),
    )
    async def merge(self, ctx: Context, number: str, other: str, no: str = "") -> Reply:
        into, gone = await _mine(ctx, number), await _mine(ctx, other)
        if into.id == gone.id:
            raise UserError(ctx.t("Those are one result already."))
        if into.shelf != gone.shelf:
            raise UserError(ctx.t("Those belong to different rooms' collections; they stay apart."))
        names = {"number": render.name(ctx, into), "other": render.name(ctx, gone)}
        undo = references.written(ctx, "undo")
        if references.rejected(ctx, no, "merge", " ".join(names.values())):
            apart = [(f"{APART}{gone.number}", "1")]
            if not await ctx.db.run(statements.change, self.rules, into, author(ctx), apart):
                return Reply(ctx.t("There was nothing to change."))
            alike = references.written(ctx, "alike")
            return Reply(ctx.t("{number} and {other} stay two results; {alike} does not show them again. "
                               "Not meant? {undo}", **names, alike=alike, undo=undo))  # fmt: skip
        await ctx.db.run(statements.merge, self.rules, into, gone, author(ctx))
        return Reply(ctx.t("{other} is part of {number} now. Not meant? {undo}", **names, undo=undo))

    @command(
        "split",
        help="Take a result out of the one it was joined with, by the number it had.",
        aliases={"es": "separar", "fr": "separer", "pt": "separar"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("split 15",),
    )
    async def split(self, ctx: Context, number: str) -> Reply:
        entry = await _mine(ctx, number)
        asked = int("".join(char for char in number.rpartition("/")[2] if char.isdigit()))
        own = await ctx.db.run(statements.split, self.rules, entry, asked, author(ctx))
        if own is None:
            raise UserError(ctx.t("{number} is not joined with another result.", number=escape(number[:40])))
        await queue.begin(ctx, [entry.id, own])
        return Reply(ctx.t("{number} stands for itself again.", number=escape(number[:40])))

    @command(
        "alike",
        help="Show results that may be one page, to be joined.",
        aliases={"es": "repetidos", "fr": "doublons", "pt": "repetidos"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("alike 2",),
    )
    async def alike(self, ctx: Context, page: int = 1) -> Reply:
        seen = await references.own(ctx)
        found = [(shelf, one) for shelf in seen.own for one in await ctx.db.run(proposals.candidates, shelf.id)]
        if not found:
            return Reply(ctx.t("No two results look like one page."))
        page = max(1, page)
        after = (page - 1) * PAGE
        reasons = {
            "address": ctx.t("their addresses differ in little"),
            "language": ctx.t("they may be one page in several languages"),
            "page": ctx.t("one page says that it is the other"),
        }
        written, lines = [], []
        for shelf, one in found[after : after + PAGE]:
            sign = "c" if shelf.circle == COORDINATORS else ""
            written.append(" ".join(f"{sign}{number}" for number in one.numbers))
            urls = await ctx.db.run(proposals.addresses, shelf.id, one.numbers)
            told = [escape(display.shown(urls[number])) for number in one.numbers]
            lines.append(" · ".join((f"- {references.written(ctx, 'merge', written[-1])}", reasons[one.reason], *told)))
        if not lines:
            return Reply(ctx.t("That was everything."))
        intro = ctx.t(
            "These may be one page. Look at both before you join them; if they are two pages, write {no}:",
            no=references.with_no(ctx, "merge", written[0]),
        )
        more = references.more(ctx, "alike", page, len(found) - after - PAGE)
        return Reply("\n\n".join((intro + "\n" + "\n".join(lines), *more)))


async def _mine(ctx: Context, number: str) -> Entry:
    """An entry that may be joined from here, also a hidden one."""
    return await references.entry(ctx, await references.own(ctx), number, hidden=True)
