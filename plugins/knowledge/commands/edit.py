"""The commands that correct: `!title`, `!note`, `!topic`, `!label`, `!hide`, `!pin`, `!useful`.

Coordinators and moderators may correct the entries of their hub in its rooms; whoever shared a page, its own.
"""

from __future__ import annotations

from bot.api import Context, Reply, Role, UserError, command, escape, in_language
from plugins.knowledge.capture import labels
from plugins.knowledge.commands import references
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import shares, statements
from plugins.knowledge.store.access import Scope, scope
from plugins.knowledge.store.statements import Saying, author
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.text.folding import fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

LONGEST_TITLE = 200
LONGEST_NOTE = 1000
MOST_TOPICS = 20  # of one command


class EditCommands:
    """Corrects the index."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "title",
        help="Correct the title of a result.",
        aliases={"es": "titulo", "fr": "titre", "pt": "titulo"},
        rooms_only=True,
        examples=("title 12 Gift policy of 2026",),
    )
    async def title(self, ctx: Context, number: str, *, text: str) -> Reply:
        return await self._write(ctx, number, "title", text, LONGEST_TITLE)

    @command(
        "note",
        help="Say why a result helps; it is found by these words.",
        aliases={"es": "nota", "pt": "nota"},
        rooms_only=True,
        examples=("note 12 Start with chapter 3",),
    )
    async def note(self, ctx: Context, number: str, *, text: str) -> Reply:
        return await self._write(ctx, number, "note", text, LONGEST_NOTE)

    @command(
        "topic",
        help="Give a result topics with +, take them away with -.",
        aliases={"es": "tema", "fr": "sujet", "pt": "assunto"},
        rooms_only=True,
        examples=("topic 12 +gifts -audit",),
    )
    async def topic(self, ctx: Context, number: str, *, topics: str) -> Reply:
        entry = await self._mine(ctx, number)
        hub = self._rules.of(entry.shelf.hub)
        values = []
        for word in topics.split():
            sign = word[0] if word[0] in "+-" else "+"
            name = fold(word.lstrip("+-#")).replace("_", "-")
            own = hub.topics_by_name.get(name) or hub.topics_by_name.get(name.replace("-", " "))
            if not (own or (labels.is_word(name) and labels.hashtags(f"#{name}"))):
                raise UserError(
                    ctx.t("Write topics like +gifts or -audit, and several words with hyphens: +code-of-conduct.")
                )
            topic = own or name
            if sign == "+" or topic in entry.topics:  # what is not there need not be taken away
                values.append(Saying("topic", sign, key=topic))
        changed = await self._change(ctx, entry, *values[:MOST_TOPICS])
        return await self._done(ctx, entry, "topic", changed=changed)

    @command(
        "label",
        help="Say how far a result may travel: clear, green, or amber (only this hub).",
        aliases={"es": "etiqueta", "fr": "etiquette", "pt": "rotulo"},
        rooms_only=True,
        examples=("label 12 amber",),
    )
    async def label(self, ctx: Context, number: str, label: str) -> Reply:
        said = labels.label(f"TLP:{label.strip().casefold().removeprefix('tlp:')}")
        if said == labels.RED:
            raise UserError(ctx.t("What is TLP:RED is not kept. Delete the message, or hide the result."))
        if said is None:
            raise UserError(ctx.t("A label is one of: {labels}.", labels=", ".join(LABELS)))
        entry = await self._mine(ctx, number)
        changed = said != LABELS[entry.label] and await self._change(
            ctx, entry, Saying("label", str(LABELS.index(said)))
        )
        return await self._done(ctx, entry, "label", changed=changed)

    @command(
        "hide",
        help="Hide a result from everybody, or show it again.",
        aliases={"es": "ocultar", "fr": "cacher", "pt": "ocultar"},
        rooms_only=True,
        examples=("hide 12",),
    )
    async def hide(self, ctx: Context, number: str) -> Reply:
        entry = await self._mine(ctx, number)
        await self._change(ctx, entry, *await self._hiding(ctx, entry))
        undo = command_text.written(ctx, "undo")
        if entry.hidden:
            return Reply(ctx.t("{number} is found again. Not meant? {undo}", number=render.name(ctx, entry), undo=undo))
        return Reply(
            ctx.t("{number} is hidden: nobody finds it. Not meant? {undo}", number=render.name(ctx, entry), undo=undo)
        )

    @command(
        "pin",
        help="Put a result before others like it, or no longer.",
        aliases={"es": "fijar", "fr": "epingler", "pt": "fixar"},
        role=Role.COORDINATOR,  # nobody puts their own before others'
        rooms_only=True,
        examples=("pin 12",),
    )
    async def pin(self, ctx: Context, number: str) -> Reply:
        entry = await self._mine(ctx, number)
        changed = await self._change(ctx, entry, Saying("pinned", "0" if entry.pinned else "1"))
        return await self._done(ctx, entry, "pinned", changed=changed)

    @command(
        "useful",
        help="Say that a result helped you.",
        aliases={"es": "util", "fr": "utile", "pt": "util"},
        examples=("useful 12",),
    )
    async def useful(self, ctx: Context, number: str) -> Reply:
        entry = await references.entry(ctx, await scope(ctx), number)
        if not await ctx.db.run(update.vote, self._rules, entry.id, author(ctx)):
            raise UserError(ctx.t("You shared that one yourself; others can say whether it helped."))
        noted = ctx.t("Noted: {number} helped you.", number=render.name(ctx, entry))
        if ctx.room.direct:  # what is deleted there is not told to plugins
            return Reply(noted)
        return Reply(noted + " " + ctx.t("Not meant? Delete your message."))

    async def _hiding(self, ctx: Context, entry: Entry) -> list[Saying]:
        """What hides an entry, or shows it again. The word of its only sharer and that of coordinators are two."""
        if not entry.hidden:
            return [Saying("hidden" if ctx.role >= Role.COORDINATOR else "own_hidden", "1")]
        own = await ctx.db.run(statements.is_hidden_by, entry.id, own=True)
        coordinators = await ctx.db.run(statements.is_hidden_by, entry.id, own=False)
        return [Saying(field, "0") for field, is_so in (("own_hidden", own), ("hidden", coordinators)) if is_so]

    async def _write(self, ctx: Context, number: str, field: str, text: str, longest: int) -> Reply:
        """Sets a title or a note. A label in it is the result's where it is stricter, as in a message."""
        if mark := labels.kept_out(text):
            await ctx.db.run(
                update.redact, self._rules, ctx.hub.id, ctx.message.event_id
            )  # what it said before an edit
            return Reply(ctx.t("What says {mark} is not kept.", mark=mark))
        label = labels.label(text)
        entry = await self._mine(ctx, number)
        values = [Saying(field, tidy(text, longest))]
        if label and LABELS.index(label) > entry.label:
            values.append(Saying("label", str(LABELS.index(label))))
        return await self._done(ctx, entry, field, changed=await self._change(ctx, entry, *values))

    async def _change(self, ctx: Context, entry: Entry, *sayings: Saying) -> bool:
        return await ctx.db.run(update.edit, self._rules, entry.id, author(ctx), sayings)

    async def _done(self, ctx: Context, entry: Entry, what: str, *, changed: bool) -> Reply:
        """The entry as it is now, with what was meant to be changed."""
        now = await references.entry(ctx, await self._own(ctx), load.short_name(entry), hidden=True)
        parts = [render.result(ctx, self._rules, now)]
        match what:
            case "note":
                note = in_language(dict(now.recommendation), ctx.language)
                parts.append(ctx.t("Note: {text}", text=escape(note)))
            case "label":
                parts.append(ctx.t("Label: {label}", label=f"TLP:{LABELS[now.label].upper()}"))
            case "topic":
                named = ", ".join(render.topic_title(ctx, self._rules.of(now.shelf.hub), one) for one in now.topics)
                parts.append(ctx.t("Topics: {topics}", topics=named) if named else ctx.t("It has no topics."))
        if now.hidden:
            parts.append(ctx.t("It is hidden: nobody finds it."))
        if changed:
            parts.append(ctx.t("Not meant? {undo}", undo=command_text.written(ctx, "undo")))
        else:
            parts.append(ctx.t("There was nothing to change."))
        return Reply("\n\n".join(parts))

    async def _own(self, ctx: Context) -> Scope:
        """What the asker may correct from here: their hub's, in its rooms."""
        return await references.own(ctx)

    async def _mine(self, ctx: Context, number: str) -> Entry:
        """An entry the asker may correct."""
        seen = await self._own(ctx)
        entry = await references.entry(ctx, seen, number, hidden=True)
        if ctx.role >= Role.COORDINATOR:
            return entry
        theirs = await ctx.db.run(shares.is_theirs_alone, entry.id, ctx.sender)
        if entry.hidden and not (theirs and await ctx.db.run(statements.is_hidden_by, entry.id, own=True)):
            await references.entry(ctx, seen, number)  # raises: it is not there for them
        if not theirs:
            raise UserError(ctx.t("That is for coordinators and moderators, and for whoever alone shared the page."))
        return entry
