"""The commands that say which results are one page: `!alike`, `!merge`, `!split`; for coordinators and moderators."""

from __future__ import annotations

from bot.api import Context, Reply, Role, UserError, command, escape
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import duplicates, update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.access import COORDINATORS
from plugins.knowledge.store.statements import Saying, author
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.urls import display
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

PAGE = 10  # candidates of one answer


class MergeCommands:
    """Joins results and takes them apart."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "merge",
        help="Join a result with another one that is the same page, or the page in another language.",
        aliases={"es": "unir", "fr": "joindre", "pt": "juntar"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("merge 12 15", "merge 12 15 no"),
    )
    async def merge(self, ctx: Context, number: str, other: str, answer: str = "") -> Reply:
        into, gone = await _mine(ctx, number), await _mine(ctx, other)
        if into.id == gone.id:
            raise UserError(ctx.t("Those are one result already."))
        if into.shelf != gone.shelf:
            raise UserError(ctx.t("Those belong to different rooms' collections; they stay apart."))
        names = {"number": render.name(ctx, into), "other": render.name(ctx, gone)}
        undo = command_text.written(ctx, "undo")
        accepted = references.accepted(ctx, answer, "merge", " ".join(names.values()))
        if accepted is False:
            apart = [Saying("not_same_as", "1", target=gone.id)]
            if not await ctx.db.run(update.edit, self._rules, into.id, author(ctx), apart):
                return Reply(ctx.t("There was nothing to change."))
            alike = command_text.written(ctx, "alike")
            return Reply(ctx.t("{number} and {other} stay two results; {alike} does not show them again. "
                               "Not meant? {undo}", **names, alike=alike, undo=undo))  # fmt: skip
        if accepted is None and (question := self._question(ctx, into, gone)):
            return Reply(question)
        await ctx.db.run(update.merge, self._rules, into.id, gone.id, author(ctx))
        return Reply(await self._merged(ctx, into, gone))

    def _question(self, ctx: Context, into: Entry, gone: Entry) -> str | None:
        """What is asked back before a join that changes much: the joined result would be found by fewer people, or be
        shown as the other one is."""
        names = {"number": render.name(ctx, into), "other": render.name(ctx, gone)}
        reasons = []
        if gone.label > into.label and not gone.hidden:
            label = f"TLP:{LABELS[gone.label].upper()}"
            reasons.append(ctx.t("{other} is labelled {label}; the joined result would be too.", **names, label=label))
        if gone.recommended and not into.recommended and not gone.hidden:
            reasons.append(
                ctx.t("{other} is recommended; the joined result would show its title and address.", **names)
            )
        if not reasons:
            return None
        yes = command_text.with_yes(ctx, "merge", " ".join(names.values()))
        return " ".join((*reasons, ctx.t("To join them anyway, write {yes}.", yes=yes)))

    async def _merged(self, ctx: Context, into: Entry, gone: Entry) -> str:
        """The joined result as it is now, and what stays hidden."""
        names = {"number": render.name(ctx, into), "other": render.name(ctx, gone)}
        now = await references.entry(ctx, await references.own(ctx), load.short_name(into), hidden=True)
        parts = [ctx.t("{other} is part of {number} now.", **names), render.result(ctx, self._rules, now)]
        if now.hidden:
            parts.append(ctx.t("It is hidden: nobody finds it."))
        else:
            parts += [
                ctx.t("What was shared as {number} stays hidden.", number=render.name(ctx, one))
                for one in (into, gone)
                if one.hidden
            ]
        parts.append(ctx.t("Not meant? {undo}", undo=command_text.written(ctx, "undo")))
        return "\n\n".join(parts)

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
        page = await ctx.db.value(
            "SELECT id FROM knowledge_pages WHERE shelf = :shelf AND number = :number",
            shelf=entry.shelf.id,
            number=asked,
        )
        entries = await ctx.db.run(update.split, self._rules, page, author(ctx))
        if not entries:
            raise UserError(ctx.t("{number} is not joined with another result.", number=escape(number[:40])))
        await queue.begin(ctx, entries)
        return Reply(ctx.t("{number} is a separate result again.", number=escape(number[:40])))

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
        found = [(shelf, one) for shelf in seen.own for one in await ctx.db.run(duplicates.candidates, shelf.id)]
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
            urls = await ctx.db.run(duplicates.addresses, shelf.id, one.numbers)
            told = [escape(display.shown(urls[number])) for number in one.numbers]
            lines.append(
                " · ".join((f"- {command_text.written(ctx, 'merge', written[-1])}", reasons[one.reason], *told))
            )
        if not lines:
            return Reply(ctx.t("That was everything."))
        intro = ctx.t(
            "These may be one page. Look at both before you join them; if they are two pages, write {no}:",
            no=command_text.with_no(ctx, "merge", written[0]),
        )
        more = command_text.more(ctx, "alike", page, len(found) - after - PAGE)
        return Reply("\n\n".join((intro + "\n" + "\n".join(lines), *more)))


async def _mine(ctx: Context, number: str) -> Entry:
    """An entry that may be joined from here, also a hidden one."""
    return await references.entry(ctx, await references.own(ctx), number, hidden=True)
