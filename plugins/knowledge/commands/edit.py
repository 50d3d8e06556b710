"""The commands that correct: `!title`, `!note`, `!topic`, `!label`, `!hide`, `!pin`, `!useful`.

Coordinators and moderators may correct the entries of their hub in its rooms; whoever shared a page, its own.
"""

from __future__ import annotations

from bot.api import Context, Reply, Role, UserError, command, escape, in_language
from plugins.knowledge.capture import labels
from plugins.knowledge.capture.links import tidy
from plugins.knowledge.commands import references
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import hiding, statements, votes
from plugins.knowledge.store.access import LABELS, Sight, sight
from plugins.knowledge.store.statements import author
from plugins.knowledge.store.yielding import OWN
from plugins.knowledge.text.folding import fold
from plugins.knowledge.views import load, render
from plugins.knowledge.views.load import Entry

LONGEST_TITLE = 200
LONGEST_NOTE = 1000


class Curating:
    """Corrects the index; part of the plugin."""

    rules: Rules

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
        hub = self.rules.of(entry.shelf.hub)
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
                values.append((f"topic:{topic}", sign))
        changed = await self._change(ctx, entry, *values[: statements.MOST_AT_ONCE])
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
        changed = said != LABELS[entry.label] and await self._change(ctx, entry, ("label", said))
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
        by = "1" if ctx.role >= Role.COORDINATOR else OWN
        await self._change(ctx, entry, ("hidden", None if entry.hidden else by))
        undo = references.written(ctx, "undo")
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
        changed = await self._change(ctx, entry, ("pinned", None if entry.pinned else "1"))
        return await self._done(ctx, entry, "pinned", changed=changed)

    @command(
        "useful",
        help="Say that a result helped you.",
        aliases={"es": "util", "fr": "utile", "pt": "util"},
        examples=("useful 12",),
    )
    async def useful(self, ctx: Context, number: str) -> Reply:
        entry = await references.entry(ctx, await sight(ctx), number)
        if not await ctx.db.run(votes.said_useful, self.rules, entry.id, ctx.sender, ctx.message.event_id):
            raise UserError(ctx.t("You shared that one yourself; others can say whether it helped."))
        noted = ctx.t("Noted: {number} helped you.", number=render.name(ctx, entry))
        if ctx.room.direct:  # what is deleted there is not told to plugins
            return Reply(noted)
        return Reply(noted + " " + ctx.t("Not meant? Delete your message."))

    async def _write(self, ctx: Context, number: str, field: str, text: str, longest: int) -> Reply:
        """Sets a title or a note. A label in it is the result's where it is stricter, as in a message."""
        if mark := labels.kept_out(text):
            shelves = [shelf.id for shelf in (await self._own(ctx)).own]
            await ctx.db.run(statements.withdrawn, self.rules, shelves, ctx.message.event_id)  # said before an edit
            return Reply(ctx.t("What says {mark} is not kept.", mark=mark))
        label = labels.label(text)
        entry = await self._mine(ctx, number)
        values = [(field, tidy(text, longest))]
        if label and LABELS.index(label) > entry.label:
            values.append(("label", label))
        return await self._done(ctx, entry, field, changed=await self._change(ctx, entry, *values))

    async def _change(self, ctx: Context, entry: Entry, *values: tuple[str, str | None]) -> bool:
        return await ctx.db.run(statements.change, self.rules, entry, author(ctx), values)

    async def _done(self, ctx: Context, entry: Entry, what: str, *, changed: bool) -> Reply:
        """The entry as it is now, with what was meant to be changed."""
        now = await references.entry(ctx, await self._own(ctx), load.short_name(entry), hidden=True)
        parts = [render.result(ctx, self.rules, now)]
        match what:
            case "note":
                note = in_language(dict(await ctx.db.run(load.recommendation, now)), ctx.language)
                parts.append(ctx.t("Note: {text}", text=escape(note)))
            case "label":
                parts.append(ctx.t("Label: {label}", label=f"TLP:{LABELS[now.label].upper()}"))
            case "topic":
                named = ", ".join(render.topic_title(ctx, self.rules.of(now.shelf.hub), one) for one in now.topics)
                parts.append(ctx.t("Topics: {topics}", topics=named) if named else ctx.t("It has no topics."))
        if now.hidden:
            parts.append(ctx.t("It is hidden: nobody finds it."))
        if changed:
            parts.append(ctx.t("Not meant? {undo}", undo=references.written(ctx, "undo")))
        else:
            parts.append(ctx.t("There was nothing to change."))
        return Reply("\n\n".join(parts))

    async def _own(self, ctx: Context) -> Sight:
        """What the asker may correct from here: their hub's, in its rooms."""
        return await references.own(ctx)

    async def _mine(self, ctx: Context, number: str) -> Entry:
        """An entry the asker may correct."""
        seen = await self._own(ctx)
        entry = await references.entry(ctx, seen, number, hidden=True)
        if ctx.role >= Role.COORDINATOR:
            return entry
        theirs = await is_theirs_alone(ctx, entry.id)
        if entry.hidden and not (theirs and await ctx.db.run(hiding.is_hidden_by_sharer, entry.id)):
            await references.entry(ctx, seen, number)  # raises: it is not there for them
        if not theirs:
            raise UserError(ctx.t("That is for coordinators and moderators, and for whoever alone shared the page."))
        return entry


async def is_theirs_alone(ctx: Context, entry: int | None) -> bool:
    """Whether nobody but the asker shared or recommended a page."""
    others = """SELECT EXISTS (SELECT 1 FROM curations WHERE entry = :entry) OR EXISTS (SELECT 1 FROM shares s
        LEFT JOIN sharers u ON u.id = s.sender WHERE s.entry = :entry AND u.user IS NOT :user)"""
    return not await ctx.db.value(others, entry=entry, user=ctx.sender)
