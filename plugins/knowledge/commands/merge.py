"""Commands that merge and split entries: `!alike`, `!merge`, `!split`; for coordinators and moderators."""

from __future__ import annotations

from bot.api import Context, Reply, Role, UserError, command, escape
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import duplicates, update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import load as store
from plugins.knowledge.store.statements import NewStatement, author
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.urls import display
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

PAGE = 10  # duplicate candidates per answer


class MergeCommands:
    """Handles the merge commands."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "merge",
        help="Merge a result with another one for the same page, or for the page in another language.",
        aliases={"es": "unir", "fr": "joindre", "pt": "juntar"},
        role=Role.COORDINATOR,
        rooms_only=True,
        changes=True,
        examples=("merge 12 15", "merge 12 15 no"),
    )
    async def merge(self, ctx: Context, number: str, other: str, answer: str = "") -> Reply:
        into, duplicate = await _editable_entry(ctx, number), await _editable_entry(ctx, other)
        if into.id == duplicate.id:
            raise UserError(ctx.t("Those are already one result."))
        if into.shelf != duplicate.shelf:
            raise UserError(ctx.t("Those belong to different rooms' collections and cannot be merged."))
        names = {"number": render.name(ctx, into), "other": render.name(ctx, duplicate)}
        undo = command_text.written(ctx, "undo")
        accepted = references.parse_answer(ctx, answer, "merge", " ".join(names.values()))
        if accepted is False:
            apart = [NewStatement("not_same_as", "1", target=duplicate.id)]
            if not await ctx.db.run(update.edit, self._rules, into.id, author(ctx), apart):
                return Reply(ctx.t("Nothing to change."))
            alike = command_text.written(ctx, "alike")
            return Reply(
                ctx.t(
                    "{number} and {other} stay separate, and {alike} no longer lists them. To undo this: {undo}",
                    **names,
                    alike=alike,
                    undo=undo,
                )
            )
        if accepted is None and (question := self._question(ctx, into, duplicate)):
            return Reply(question)
        await ctx.db.run(update.merge, self._rules, into.id, duplicate.id, author(ctx))
        return Reply(await self._merged(ctx, into, duplicate))

    def _question(self, ctx: Context, into: Entry, duplicate: Entry) -> str | None:
        """Asks for confirmation if the merged entry has fewer readers, or another title and address."""
        names = {"number": render.name(ctx, into), "other": render.name(ctx, duplicate)}
        reasons = []
        if duplicate.label > into.label and not duplicate.hidden:
            label = f"TLP:{LABELS[duplicate.label].upper()}"
            reasons.append(ctx.t("{other} is labelled {label}; the merged result would be too.", **names, label=label))
        if duplicate.recommended and not into.recommended and not duplicate.hidden:
            reasons.append(
                ctx.t("{other} is recommended; the merged result would show its title and address.", **names)
            )
        if not reasons:
            return None
        yes = command_text.with_yes(ctx, "merge", " ".join(names.values()))
        return " ".join((*reasons, ctx.t("To merge them anyway, write {yes}.", yes=yes)))

    async def _merged(self, ctx: Context, into: Entry, duplicate: Entry) -> str:
        """Shows the merged entry and names what stays hidden."""
        names = {"number": render.name(ctx, into), "other": render.name(ctx, duplicate)}
        merged = await references.find_entry(
            ctx, await references.editable_scope(ctx), load.short_name(into), hidden=True
        )
        parts = [ctx.t("{other} is now part of {number}.", **names), render.result(ctx, self._rules, merged)]
        if merged.hidden:
            parts.append(ctx.t("Hidden: searches do not show it."))
        else:
            parts += [
                ctx.t("{number} stays hidden.", number=render.name(ctx, entry))
                for entry in (into, duplicate)
                if entry.hidden
            ]
        parts.append(ctx.t("To undo this: {undo}", undo=command_text.written(ctx, "undo")))
        return "\n\n".join(parts)

    @command(
        "split",
        help="Split a merged result again, by its own number.",
        aliases={"es": "separar", "fr": "separer", "pt": "separar"},
        role=Role.COORDINATOR,
        rooms_only=True,
        changes=True,
        examples=("split 15",),
    )
    async def split(self, ctx: Context, number: str) -> Reply:
        entry = await _editable_entry(ctx, number)
        page_number = int("".join(char for char in number.rpartition("/")[2] if char.isdigit()))
        page = await ctx.db.value(
            "SELECT id FROM knowledge_pages WHERE shelf = :shelf AND number = :number",
            shelf=entry.shelf.id,
            number=page_number,
        )
        entries = await ctx.db.run(update.split, self._rules, page, author(ctx))
        if not entries:
            raise UserError(await self._why_not_split(ctx, entry, page, escape(number[:40])))
        await queue.enqueue_changed(ctx, entries)
        return Reply(ctx.t("{number} is a separate result again.", number=escape(number[:40])))

    async def _why_not_split(self, ctx: Context, entry: Entry, page: int, number: str) -> str:
        parts = (await ctx.db.run(store.load, [entry.id]))[entry.id]
        others = [part for part in parts if part.page != page and part.is_said]
        if page == entry.id and others:
            split = command_text.written(ctx, "split", f"{entry.shelf.sign}{others[0].number}")
            return ctx.t("{number} is the first page of this result. Split off another one, such as {split}.",
                         number=number, split=split)  # fmt: skip
        if len(parts) > 1:
            return ctx.t(
                "Nobody shares the other pages of {number} any more; there is nothing to split.", number=number
            )
        return ctx.t("{number} is not merged with another result.", number=number)

    @command(
        "alike",
        help="Show results that may be duplicates, to merge them.",
        aliases={"es": "repetidos", "fr": "doublons", "pt": "repetidos"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("alike 2",),
    )
    async def alike(self, ctx: Context, page: int = 1) -> Reply:
        scope = await references.editable_scope(ctx)
        pairs = [(shelf, pair) for shelf in scope.own for pair in await ctx.db.run(duplicates.candidates, shelf.id)]
        if not pairs:
            return Reply(ctx.t("No duplicates were found."))
        page = max(1, page)
        after = (page - 1) * PAGE
        reasons = {
            "address": ctx.t("their addresses are nearly the same"),
            "language": ctx.t("they may be the same page in several languages"),
            "page": ctx.t("one page names the other as its own address"),
        }
        numbers, lines = [], []
        for shelf, pair in pairs[after : after + PAGE]:
            numbers.append(" ".join(f"{shelf.sign}{number}" for number in pair.numbers))
            urls = await ctx.db.run(duplicates.addresses, shelf.id, pair.numbers)
            addresses = [escape(display.shown(urls[number])) for number in pair.numbers]
            lines.append(
                " · ".join((f"- {command_text.written(ctx, 'merge', numbers[-1])}", reasons[pair.reason], *addresses))
            )
        if not lines:
            return Reply(ctx.t("No more results."))
        intro = ctx.t(
            "These may be the same page. Check both before you merge them; if they are different pages, write {no}:",
            no=command_text.with_no(ctx, "merge", numbers[0]),
        )
        more = command_text.more(ctx, "alike", page, len(pairs) - after - PAGE)
        return Reply("\n\n".join((intro + "\n" + "\n".join(lines), *more)))


async def _editable_entry(ctx: Context, number: str) -> Entry:
    """The entry with this number in the hub of this room, also a hidden one."""
    return await references.find_entry(ctx, await references.editable_scope(ctx), number, hidden=True)
