"""The commands that show what was changed, and take it back: `!undo`, `!changes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.api import Context, Reply, Role, UserError, command, escape
from plugins.knowledge.capture.links import tidy
from plugins.knowledge.commands import references
from plugins.knowledge.commands.edit import is_theirs_alone
from plugins.knowledge.fetch import queue
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import statements
from plugins.knowledge.store.access import COORDINATORS, Sight
from plugins.knowledge.store.proposals import APART
from plugins.knowledge.store.statements import Change, author
from plugins.knowledge.transfer import imports
from plugins.knowledge.views import render

MOST_CHANGES = 10
MOST_TRIED = 100  # commands of a person, until one can be taken back
MOST_TOLD = 3  # changes that cannot


class Undoing:
    """Takes corrections back; part of the plugin."""

    rules: Rules

    @command(
        "undo",
        help="Take back your last change, or any one by its number in the list of changes.",
        aliases={"es": "deshacer", "fr": "annuler", "pt": "desfazer"},
        rooms_only=True,
        examples=("undo", "undo 57"),
    )
    async def undo(self, ctx: Context, change: int | None = None) -> Reply:
        seen = await references.own(ctx)
        if change is None:
            return await self._undo_newest(ctx, seen)
        found = await _theirs(ctx, await ctx.db.run(statements.numbered, _shelves(seen), change))
        if not found and ctx.role >= Role.COORDINATOR:
            raise UserError(ctx.t("There is no change with the number {number} here.", number=change))
        if not found:
            raise UserError(ctx.t("There is no change of yours to take back here."))
        if any(one.undone for one in found):
            raise UserError(ctx.t("That change was taken back already."))
        if any(one.what == statements.IMPORT for one in found):
            command = f"`faro take-back config.yaml {ctx.hub.id} {change}`"
            raise UserError(ctx.t("The operator takes a file back, in the shell: {command}", command=command))
        return Reply(await self._take_back(ctx, seen, found))

    @command(
        "changes",
        help="Show the last changes to this hub's results.",
        aliases={"es": "cambios", "fr": "changements", "pt": "mudancas"},
        role=Role.COORDINATOR,
        rooms_only=True,
    )
    async def changes(self, ctx: Context) -> Reply:
        seen = await references.own(ctx)
        found = await ctx.db.run(statements.changes, _shelves(seen), MOST_CHANGES)
        if not found:
            return Reply(ctx.t("Nobody has changed anything yet."))
        halves = await ctx.db.run(imports.halves, ctx.hub.id)
        lines = []
        for one in found:
            by = () if one.what == statements.IMPORT else (escape(one.by or ctx.t("somebody")),)
            facts = [f"`{one.id}`", render.day(ctx, ctx.hub, one.at), *by, _told(ctx, seen, one)]
            if one.undone:
                facts.append(ctx.t("taken back"))
            elif half := halves.get(one.id):
                facts.append(ctx.t(half))
            lines.append(f"- {' · '.join(facts)}")
        return Reply("\n".join(lines))

    async def _undo_newest(self, ctx: Context, seen: Sight) -> Reply:
        """Takes back the newest command of the asker that can be, and says which newer ones cannot."""
        stuck: list[Change] = []
        before = None
        for _ in range(MOST_TRIED):
            done = await ctx.db.run(statements.last_of, _shelves(seen), ctx.sender, before=before)
            if not done:
                break
            before = done[-1].id
            if not (found := await _theirs(ctx, done)):
                continue
            try:
                async with ctx.db.savepoint():
                    told = await self._take_back(ctx, seen, found)
            except UserError:
                stuck += found
            else:
                return Reply("\n\n".join((told, *_stuck(ctx, seen, stuck))))
        raise UserError(next(_stuck(ctx, seen, stuck), ctx.t("There is no change of yours to take back here.")))

    async def _take_back(self, ctx: Context, seen: Sight, found: Sequence[Change]) -> str:
        """Takes back what one command changed, and says so. Raises `UserError` if a part of it cannot be."""
        touched = set[int]()
        for one in found:
            entry = await ctx.db.run(statements.undo, self.rules, one, author(ctx))
            if entry is None:
                raise UserError(ctx.t("That change can no longer be taken back: something changed since."))
            touched.add(entry)
        await queue.begin(ctx, touched)
        told = ", ".join(_told(ctx, seen, one) for one in reversed(found))
        return ctx.t("Taken back: {change}", change=told)


def _shelves(seen: Sight) -> Sequence[int]:
    return [shelf.id for shelf in seen.own]


async def _theirs(ctx: Context, found: Sequence[Change]) -> Sequence[Change]:
    """Those of the changes that the asker may take back."""
    if ctx.role >= Role.COORDINATOR:
        return found
    # Who was a coordinator once may have changed what is no longer theirs to change.
    return [one for one in found if one.by == ctx.sender and await is_theirs_alone(ctx, one.entry)]


def _stuck(ctx: Context, seen: Sight, changes: Sequence[Change]) -> Iterator[str]:
    """A sentence about changes that cannot be taken back; none if there are none."""
    if changes:
        told = [f"`{one.id}` {_told(ctx, seen, one)}" for one in changes[:MOST_TOLD]]
        more = " …" if len(changes) > MOST_TOLD else ""
        yield ctx.t("This can no longer be taken back, as something changed since: {changes}",
                    changes=", ".join(told) + more)  # fmt: skip


def _told(ctx: Context, seen: Sight, change: Change) -> str:
    """A change in words."""
    circles = {shelf.id: shelf.circle for shelf in seen.own}
    sign = "c" if circles[change.shelf] == COORDINATORS else ""
    number, after = f"{sign}{change.number}", escape(tidy(change.after or "", 80))
    match change.what:
        case statements.IMPORT:
            return ctx.n("{file} brought in by the operator: {count} link",
                         "{file} brought in by the operator: {count} links", change.number, file=after)  # fmt: skip
        case statements.MERGE:
            return ctx.t("{other} joined to {number}", other=sign + after, number=number)
        case statements.SPLIT:
            return ctx.t("{other} taken out of {number}", other=sign + after, number=number)
        case "stays":
            return ctx.t("{number} has not moved to {text}", number=number, text=after)
        case what if what.startswith(APART):
            other = sign + what.removeprefix(APART)
            return ctx.t("{number} and {other} are two pages", number=number, other=other)
        case "label":
            return ctx.t("label of {number}: {text}", number=number, text=after)
        case "url":
            return ctx.t("address of {number}: {text}", number=number, text=after)
        case "hidden":
            return ctx.t("{number} hidden", number=number) if change.after else ctx.t("{number} shown", number=number)
        case "pinned":
            return (
                ctx.t("{number} pinned", number=number) if change.after else ctx.t("{number} unpinned", number=number)
            )
        case _:
            return _in_words(ctx, change, number)


def _in_words(ctx: Context, change: Change, number: str) -> str:
    """A title, a note or a topic that was given; without its words, where they went with their message."""
    text = escape(tidy(change.after or "", 80))
    match change.what:
        case "title":
            return (
                ctx.t("title of {number}: {text}", number=number, text=text)
                if text
                else ctx.t("title of {number}", number=number)
            )
        case "note":
            return (
                ctx.t("note on {number}: {text}", number=number, text=text)
                if text
                else ctx.t("note on {number}", number=number)
            )
        case _:
            name = change.what.removeprefix("topic:")
            return (
                ctx.t("topic of {number}: {text}", number=number, text=escape((change.after or "") + name))
                if name
                else ctx.t("topic of {number}", number=number)
            )
