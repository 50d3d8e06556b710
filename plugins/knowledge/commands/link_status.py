"""Commands about dead and moved links: `!links`, `!moved`; for coordinators and moderators."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Context, Reply, Role, UserError, command, escape, section
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.load import BELIEVED
from plugins.knowledge.store.pages import entry_with
from plugins.knowledge.store.statements import NewStatement, author
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

PAGE = 10  # dead links, and as many moved ones, per answer


class LinkCommands:
    """Lists dead and moved links, and accepts or rejects moves."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "links",
        help="Show dead links and pages that have moved.",
        aliases={"es": "enlaces", "fr": "liens"},
        role=Role.COORDINATOR,
        rooms_only=True,
        examples=("links 2",),
    )
    async def links(self, ctx: Context, page: int = 1) -> Reply:
        if not section(ctx.hub, KnowledgeHub).check_links:
            raise UserError(
                ctx.t(
                    "Link checking is off for this hub. Moderators can turn it on in the hub's file: {setting}",
                    setting="`check_links: true`",
                )
            )
        page = max(1, page)
        after = (page - 1) * PAGE
        gone, all_gone = await _entries_in_state(ctx, "gone", after)
        moved, all_moved = await _entries_in_state(ctx, "moved", after)
        if not all_gone + all_moved:
            return Reply(ctx.t("No dead or moved links are known."))
        parts = []
        if gone:
            hide = command_text.written(ctx, "hide", load.short_name(gone[0]))
            lines = [f"- {_describe(ctx, entry)} · {_since(ctx, entry)}" for entry in gone]
            parts.append(
                ctx.t("These links no longer work. To hide one, write {hide}:", hide=hide) + "\n" + "\n".join(lines)
            )
        if moved:
            no = command_text.with_no(ctx, "moved", load.short_name(moved[0]))
            lines = [await self._moved_line(ctx, entry) for entry in moved]
            parts.append(ctx.t("These pages seem to have moved. Check the new address before you confirm it; "
"if it is wrong, write {no}:", no=no)
                         + "\n" + "\n".join(lines))  # fmt: skip
        remaining = sum(max(0, count - after - PAGE) for count in (all_gone, all_moved))
        return Reply(
            "\n\n".join((*parts, *command_text.more(ctx, "links", page, remaining))) or ctx.t("No more results.")
        )

    @command(
        "moved",
        help="Confirm that a page has moved, and show its new address from now on.",
        aliases={"es": "trasladado", "fr": "deplace", "pt": "movido"},
        role=Role.COORDINATOR,
        rooms_only=True,
        changes=True,
        examples=("moved 12", "moved 12 no"),
    )
    async def moved(self, ctx: Context, number: str, no: str = "") -> Reply:
        scope = await references.editable_scope(ctx)
        entry = await references.find_entry(ctx, scope, number, hidden=True)
        if entry.state != "moved" or entry.moved_to is None:
            raise UserError(ctx.t("{number} is not known to have moved.", number=render.name(ctx, entry)))
        undo = ctx.t("To undo this: {undo}", undo=command_text.written(ctx, "undo"))
        if references.is_rejected(ctx, no, "moved", render.name(ctx, entry)):
            await ctx.db.run(update.edit, self._rules, entry.id, author(ctx), [NewStatement("stays", entry.moved_to)])
            return Reply(ctx.t("{number} keeps its address.", number=render.name(ctx, entry)) + " " + undo)
        if other := await _merge_arguments(ctx, entry):
            raise UserError(ctx.t("There is already a result for its new address. To merge the two: {merge}",
                                  merge=command_text.written(ctx, "merge", other)))  # fmt: skip
        key = canonical(entry.moved_to) or entry.moved_to
        await ctx.db.run(update.move, self._rules, entry.id, entry.moved_to, key, author(ctx))
        await ctx.db.execute("DELETE FROM knowledge_health WHERE entry = :entry", entry=entry.id)  # of the old address
        await queue.enqueue_changed(ctx, [entry.id])
        (updated,) = await ctx.db.run(load.load, scope, [entry.id]) or [entry]
        return Reply(f"{render.result(ctx, self._rules, updated)}\n\n{undo}")

    async def _moved_line(self, ctx: Context, entry: Entry) -> str:
        """One line: a moved page, its new address, and the command that accepts the move."""
        other = await _merge_arguments(ctx, entry)
        action = (
            command_text.written(ctx, "merge", other)
            if other
            else command_text.written(ctx, "moved", load.short_name(entry))
        )
        new_address = escape(display.shown(entry.moved_to or ""))
        return f"- {_describe(ctx, entry)} → {new_address} · {_since(ctx, entry)} · {action}"


async def _entries_in_state(ctx: Context, state: str, after: int) -> tuple[Sequence[Entry], int]:
    """One page of the hub's entries whose link is in this state, and how many there are in total."""
    scope = await references.editable_scope(ctx)
    rows = await ctx.db.rows(
        f"""SELECT e.id FROM knowledge_health h JOIN knowledge_entries e ON e.id = h.entry
        WHERE h.state = :state AND {BELIEVED} AND {scope.WHERE} ORDER BY h.since DESC, e.id DESC""",
        state=state,
        **scope.params,
    )
    return await ctx.db.run(load.load, scope, [row["id"] for row in rows[after : after + PAGE]]), len(rows)


def _since(ctx: Context, entry: Entry) -> str:
    return ctx.t("since {date}", date=render.day(ctx, ctx.hub, entry.state_since or 0))


async def _merge_arguments(ctx: Context, moved: Entry) -> str | None:
    """The arguments of `!merge`, if another entry of the shelf has the address that this one moved to."""
    entry = await ctx.db.run(entry_with, moved.shelf.id, canonical(moved.moved_to or "") or "")
    if entry in (None, moved.id):
        return None
    number = await ctx.db.value("SELECT number FROM knowledge_entries WHERE id = :entry", entry=entry)
    name = load.short_name(moved)
    return f"{name.rstrip('0123456789')}{number} {name}"


def _describe(ctx: Context, entry: Entry) -> str:
    return f"{escape(render.name(ctx, entry))} · {render.title(ctx, entry)} ({escape(display.shown(entry.url))})"
