"""Commands that edit entries: `!title`, `!note`, `!topic`, `!label`, `!hide`, `!pin`, `!useful`.

Coordinators and moderators may edit every entry of their hub, in its rooms; others only what they alone shared.
"""

from __future__ import annotations

from bot.api import Context, Reply, Role, UsageError, UserError, command, escape, in_language
from plugins.knowledge.capture import labels
from plugins.knowledge.commands import references
from plugins.knowledge.index import update
from plugins.knowledge.index.build_entry import MOST_TOPICS
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import access, shares, statements
from plugins.knowledge.store.statements import NewStatement, author
from plugins.knowledge.store.tlp import AMBER, LABELS
from plugins.knowledge.text.folding import fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

LONGEST_TITLE = 200
LONGEST_NOTE = 1000


class EditCommands:
    """Handles the edit commands."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "title",
        help="Change the title of a result.",
        aliases={"es": "titulo", "fr": "titre", "pt": "titulo"},
        rooms_only=True,
        changes=True,
        examples=("title 12 Gift policy of 2026",),
    )
    async def title(self, ctx: Context, number: str, *, text: str) -> Reply:
        return await self._write(ctx, number, "title", text, LONGEST_TITLE)

    @command(
        "note",
        help="Add a note to a result: why it helps. Searches find these words.",
        aliases={"es": "nota", "pt": "nota"},
        rooms_only=True,
        changes=True,
        examples=("note 12 Start with chapter 3",),
    )
    async def note(self, ctx: Context, number: str, *, text: str) -> Reply:
        return await self._write(ctx, number, "note", text, LONGEST_NOTE)

    @command(
        "topic",
        help="Add topics to a result with +, remove them with -.",
        aliases={"es": "tema", "fr": "sujet", "pt": "assunto"},
        rooms_only=True,
        changes=True,
        examples=("topic 12 +gifts -audit",),
    )
    async def topic(self, ctx: Context, number: str, *, topics: str) -> Reply:
        entry = await self._editable_entry(ctx, number)
        hub = self._rules.of(entry.shelf.hub)
        values = []
        if mark := labels.exclusion_mark(topics):
            return Reply(ctx.t("Messages marked {mark} are not stored.", mark=mark))
        for word in topics.split():
            sign = word[0] if word[0] in "+-" else "+"
            name = fold(word.lstrip("+-#")).replace("_", "-")
            own = hub.topics_by_name.get(name) or hub.topics_by_name.get(name.replace("-", " "))
            if not (own or (labels.is_topic(name) and labels.hashtags(f"#{name}"))):
                raise UserError(
                    ctx.t("Write topics like +gifts or -audit, and several words with hyphens: +code-of-conduct.")
                )
            topic = own or name
            if sign == "+" or topic in entry.topics:  # removing a topic the entry lacks changes nothing
                values.append(NewStatement("topic", sign, key=topic))
        given = {value.key for value in values if value.value == "+"} - set(entry.topics)
        taken = {value.key for value in values if value.value == "-"}
        if given and len(entry.topics) - len(taken) + len(given) > MOST_TOPICS:
            raise UserError(ctx.t("A result has at most {most} topics; remove some first.", most=MOST_TOPICS))
        changed = await self._change(ctx, entry, *values)
        return await self._reply(ctx, entry, "topic", changed=changed)

    @command(
        "label",
        help="Set who may see a result: clear, green, or amber (this hub only).",
        aliases={"es": "etiqueta", "fr": "etiquette", "pt": "rotulo"},
        rooms_only=True,
        changes=True,
        examples=("label 12 amber",),
    )
    async def label(self, ctx: Context, number: str, label: str) -> Reply:
        tlp = labels.label(f"TLP:{label.strip().casefold().removeprefix('tlp:')}")
        if tlp == labels.RED:
            raise UserError(ctx.t("TLP:RED links are not stored. Delete the message, or hide the result."))
        if tlp is None:
            raise UserError(ctx.t("The label must be one of: {labels}.", labels=", ".join(LABELS)))
        entry = await self._editable_entry(ctx, number)
        changed = await self._change(ctx, entry, NewStatement("label", str(LABELS.index(tlp))))
        return await self._reply(ctx, entry, "label", changed=changed)

    @command(
        "hide",
        help="Hide a result from everyone, or show it again.",
        aliases={"es": "ocultar", "fr": "cacher", "pt": "ocultar"},
        rooms_only=True,
        changes=True,
        examples=("hide 12",),
    )
    async def hide(self, ctx: Context, number: str) -> Reply:
        entry = await self._editable_entry(ctx, number)
        await self._change(ctx, entry, *await self._toggle_hidden(ctx, entry))
        undo = command_text.written(ctx, "undo")
        if entry.hidden:
            return Reply(
                ctx.t("{number} is visible again. To undo this: {undo}", number=render.name(ctx, entry), undo=undo)
            )
        return Reply(
            ctx.t(
                "{number} is hidden: searches do not show it. To undo this: {undo}",
                number=render.name(ctx, entry),
                undo=undo,
            )
        )

    @command(
        "pin",
        help="Pin a result above similar ones, or unpin it.",
        aliases={"es": "fijar", "fr": "epingler", "pt": "fixar"},
        role=Role.COORDINATOR,  # otherwise people would pin their own links
        rooms_only=True,
        changes=True,
        examples=("pin 12",),
    )
    async def pin(self, ctx: Context, number: str) -> Reply:
        entry = await self._editable_entry(ctx, number)
        changed = await self._change(ctx, entry, NewStatement("pinned", "0" if entry.pinned else "1"))
        return await self._reply(ctx, entry, "pinned", changed=changed)

    @command(
        "useful",
        help="Mark a result as useful.",
        aliases={"es": "util", "fr": "utile", "pt": "util"},
        changes=True,
        examples=("useful 12",),
    )
    async def useful(self, ctx: Context, number: str) -> Reply:
        entry = await references.find_entry(ctx, await access.scope(ctx), number)
        if entry.shelf.kind == access.ADDRESSES:
            raise UserError(ctx.t("Only the address is known here; its encrypted room can mark it as useful."))
        if not await ctx.db.run(update.vote, self._rules, entry.id, author(ctx)):
            raise UserError(ctx.t("You shared that one yourself; only others can mark it as useful."))
        noted = ctx.t("Noted: {number} was useful to you.", number=render.name(ctx, entry))
        if ctx.room.direct:  # plugins get no redactions of direct chats
            return Reply(noted)
        return Reply(noted + " " + ctx.t("Not what you wanted? Delete your message."))

    async def _toggle_hidden(self, ctx: Context, entry: Entry) -> list[NewStatement]:
        """The statements that hide an entry, or show it again.

        A sole sharer and the coordinators hide independently: each has a field of their own.
        """
        if not entry.hidden:
            return [NewStatement("hidden" if ctx.role >= Role.COORDINATOR else "own_hidden", "1")]
        own = await ctx.db.run(statements.is_hidden_by, entry.id, own=True)
        coordinators = ctx.role >= Role.COORDINATOR and await ctx.db.run(statements.is_hidden_by, entry.id, own=False)
        return [NewStatement(field, "0") for field, is_set in (("own_hidden", own), ("hidden", coordinators)) if is_set]

    async def _write(self, ctx: Context, number: str, field: str, text: str, longest: int) -> Reply:
        """Sets a title or a note. A sharing label in the text applies if it is stricter, as in a message."""
        if mark := labels.exclusion_mark(text):
            return Reply(ctx.t("Messages marked {mark} are not stored.", mark=mark))
        label = labels.label(text)
        written = tidy(text, longest)
        if not written:
            raise UsageError(ctx.t("There is no visible text."))
        entry = await self._editable_entry(ctx, number)
        values = [NewStatement(field, written)]
        # Amber is said again of what is amber: that may come from a share, which may go.
        if label and (LABELS.index(label) > entry.label or LABELS.index(label) == AMBER):
            values.append(NewStatement("label", str(LABELS.index(label))))
        return await self._reply(ctx, entry, field, changed=await self._change(ctx, entry, *values))

    async def _change(self, ctx: Context, entry: Entry, *sayings: NewStatement) -> bool:
        return await ctx.db.run(update.edit, self._rules, entry.id, author(ctx), sayings)

    async def _reply(self, ctx: Context, entry: Entry, field: str, *, changed: bool) -> Reply:
        """Shows the updated entry and the field that the command changed."""
        updated = await references.find_entry(
            ctx, await references.editable_scope(ctx), load.short_name(entry), hidden=True
        )
        parts = [render.result(ctx, self._rules, updated)]
        match field:
            case "note":
                note = in_language(dict(updated.recommendation), ctx.language)
                parts.append(ctx.t("Note: {text}", text=escape(note)))
            case "label":
                parts.append(ctx.t("Label: {label}", label=f"TLP:{LABELS[updated.label].upper()}"))
            case "topic":
                titles = ", ".join(
                    render.topic_title(ctx, self._rules.of(updated.shelf.hub), topic) for topic in updated.topics
                )
                parts.append(ctx.t("Topics: {topics}", topics=titles) if titles else ctx.t("It has no topics."))
        if updated.hidden:
            parts.append(ctx.t("Hidden: searches do not show it."))
        if changed:
            parts.append(ctx.t("To undo this: {undo}", undo=command_text.written(ctx, "undo")))
        else:
            parts.append(ctx.t("Nothing to change."))
        return Reply("\n\n".join(parts))

    async def _editable_entry(self, ctx: Context, number: str) -> Entry:
        """The entry with this number; raises `UserError` unless the sender may edit it."""
        scope = await references.editable_scope(ctx)
        entry = await references.find_entry(ctx, scope, number, hidden=True)
        if ctx.role >= Role.COORDINATOR:
            return entry
        is_sole_sharer = await ctx.db.run(shares.is_theirs_alone, entry.id, ctx.sender)
        if entry.hidden and not (
            is_sole_sharer
            and await ctx.db.run(statements.is_hidden_by, entry.id, own=True)
            and not await ctx.db.run(statements.is_hidden_by, entry.id, own=False)
        ):
            await references.find_entry(ctx, scope, number)  # raises: they may not see it
        if not is_sole_sharer:
            raise UserError(
                ctx.t(
                    "Only coordinators and moderators can do that, or the person who shared the page if nobody else "
                    "did."
                )
            )
        return entry
