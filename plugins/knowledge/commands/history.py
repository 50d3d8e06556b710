"""Commands for the change history: `!undo`, `!changes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.api import Context, Reply, Role, UserError, command, escape
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import history, shares
from plugins.knowledge.store.access import Scope
from plugins.knowledge.store.history import IMPORT, Change, Said
from plugins.knowledge.store.imports import UNFINISHED
from plugins.knowledge.store.statements import MERGED
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.views import render

MOST_CHANGES = 10
MOST_TRIED = 100  # newest changes of a person that `!undo` looks at for one they may undo


class HistoryCommands:
    """Handles the history commands."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "undo",
        help="Undo your last change, or any change by its number in the list.",
        aliases={"es": "deshacer", "fr": "annuler", "pt": "desfazer"},
        rooms_only=True,
        changes=True,
        examples=("undo", "undo 57"),
    )
    async def undo(self, ctx: Context, change: int | None = None) -> Reply:
        scope = await references.editable_scope(ctx)
        if ctx.edit_id and (before := await ctx.db.run(history.undone_by, _shelves(scope), ctx.message.event_id)):
            # What is undone stays undone; to undo something else takes another message.
            return Reply(ctx.t("Undone: {change}", change=_describe(ctx, scope, before)))
        if change is None:
            selected = await self._newest(ctx, scope)
        else:
            selected = await self._numbered(ctx, scope, change)
        entries = await ctx.db.run(update.undo, self._rules, selected.id, ctx.message.event_id)
        if not entries:
            raise UserError(ctx.t("That change can no longer be undone: its result no longer exists."))
        await queue.enqueue_changed(ctx, entries)
        return Reply(ctx.t("Undone: {change}", change=_describe(ctx, scope, selected)))

    @command(
        "changes",
        help="Show the last changes to this hub's results.",
        aliases={"es": "cambios", "fr": "changements", "pt": "mudancas"},
        role=Role.COORDINATOR,
        rooms_only=True,
    )
    async def changes(self, ctx: Context) -> Reply:
        scope = await references.editable_scope(ctx)
        changes = await ctx.db.run(history.changes, _shelves(scope), MOST_CHANGES)
        if not changes:
            return Reply(ctx.t("Nothing has been changed yet."))
        lines = []
        for change in changes:
            by = () if change.kind == IMPORT else (escape(change.by or ctx.t("someone")),)
            facts = [f"`{change.id}`", render.day(ctx, ctx.hub, change.at), *by, _describe(ctx, scope, change)]
            if change.state == "undone":
                facts.append(ctx.t("undone"))
            elif change.state in UNFINISHED:
                facts.append(ctx.t(UNFINISHED[change.state]))
            lines.append(f"- {' · '.join(facts)}")
        return Reply("\n".join(lines))

    async def _newest(self, ctx: Context, scope: Scope) -> Change:
        """The sender's newest change that they may undo."""
        for change in await ctx.db.run(history.last_of, _shelves(scope), ctx.sender, MOST_TRIED):
            if await _may_undo(ctx, change):
                return change
        raise UserError(ctx.t("You have no change to undo here."))

    async def _numbered(self, ctx: Context, scope: Scope, number: int) -> Change:
        change = await ctx.db.run(history.change, _shelves(scope), number)
        if change is None and ctx.role >= Role.COORDINATOR:
            raise UserError(ctx.t("There is no change with the number {number} here.", number=number))
        if change is None or not await _may_undo(ctx, change):
            raise UserError(ctx.t("You have no change to undo here."))
        if change.state == "undone":
            raise UserError(ctx.t("That change has already been undone."))
        if change.kind == IMPORT:
            command = f"`faro undo-import config.yaml {ctx.hub.id} {number}`"
            raise UserError(ctx.t("Only an operator can undo an import, in a terminal: {command}", command=command))
        return change


def _shelves(scope: Scope) -> Sequence[int]:
    return [shelf.id for shelf in scope.own]


async def _may_undo(ctx: Context, change: Change) -> bool:
    """Coordinators may undo any change; others only their own, of entries that they alone share."""
    if ctx.role >= Role.COORDINATOR:
        return True
    if change.by != ctx.sender or change.entry is None:
        return False
    return await ctx.db.run(shares.is_theirs_alone, change.entry, ctx.sender)


def _describe(ctx: Context, scope: Scope, change: Change) -> str:
    """Describes a change in one line."""
    if change.kind == IMPORT:
        file = escape(tidy(change.name or "", 80))
        return ctx.n("{file} imported by the operator: {count} link",
                     "{file} imported by the operator: {count} links", change.links, file=file)  # fmt: skip
    prefix = next(shelf.sign for shelf in scope.own if shelf.id == change.shelf)
    return ", ".join(dict.fromkeys(_sentences(ctx, change, prefix)))


def _sentences(ctx: Context, change: Change, prefix: str) -> Iterator[str]:
    for statement in change.said:
        of_page = statement.field in ("same_as", "not_same_as")
        number = f"{prefix}{statement.number if of_page or change.number is None else change.number}"
        if not (statement.field == "same_as" and statement.value != MERGED):  # a move is described by its new address
            yield _sentence(ctx, statement, number, f"{prefix}{statement.target}")


def _sentence(ctx: Context, statement: Said, number: str, target: str) -> str:
    text = escape(tidy(statement.value or "", 80))
    is_on = statement.value == "1"
    match statement.field:
        case "same_as":
            return ctx.t("{other} merged into {number}", other=number, number=target)
        case "cut":
            return ctx.t("{number} split from its merged result", number=number)
        case "not_same_as":
            return ctx.t("{number} and {other} are different pages", number=number, other=target)
        case "stays":
            return ctx.t("{number} has not moved to {text}", number=number, text=text)
        case "label":
            return ctx.t("label of {number}: {text}", number=number, text=LABELS[int(statement.value or 0)])
        case "url":
            return ctx.t("address of {number}: {text}", number=number, text=text)
        case "hidden" | "own_hidden":
            return ctx.t("{number} hidden", number=number) if is_on else ctx.t("{number} shown", number=number)
        case "pinned":
            return ctx.t("{number} pinned", number=number) if is_on else ctx.t("{number} unpinned", number=number)
        case _:
            return _text_sentence(ctx, statement, number, text)


def _text_sentence(ctx: Context, statement: Said, number: str, text: str) -> str:
    """Describes a title, note or topic; without its text if that was erased with its message."""
    match statement.field:
        case "title":
            if text:
                return ctx.t("title of {number}: {text}", number=number, text=text)
            return ctx.t("title of {number}", number=number)
        case "note":
            if text:
                return ctx.t("note on {number}: {text}", number=number, text=text)
            return ctx.t("note on {number}", number=number)
        case _:
            if statement.key:
                return ctx.t(
                    "topic of {number}: {text}", number=number, text=escape(f"{statement.value or ''}{statement.key}")
                )
            return ctx.t("topic of {number}", number=number)
