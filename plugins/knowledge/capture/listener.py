"""What is said in the rooms becomes shares and votes: messages, edits, redactions, reactions; and who wants no part."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.api import (
    Context,
    Edit,
    Message,
    Reaction,
    Redaction,
    Reply,
    Role,
    UserError,
    command,
    escape,
    listen,
    section,
)
from plugins.knowledge.capture import labels
from plugins.knowledge.capture.attachments import FileShared, file_shared
from plugins.knowledge.capture.links import Link, Shared, shared, with_schemes
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.search import session
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom
from plugins.knowledge.store import choices, hiding, statements, votes
from plugins.knowledge.store import shares as stored_shares
from plugins.knowledge.store.access import COORDINATORS, GREEN, LABELS, circle_of, sight
from plugins.knowledge.store.shares import Share
from plugins.knowledge.urls import display

MINUTE = 60_000


class Capturing:
    """Listens; part of the plugin. It says nothing, but for a quiet reaction where the hub wants one."""

    rules: Rules

    @listen(Message, Edit, Redaction, Reaction)
    async def heard(self, ctx: Context, event: Message | Edit | Redaction | Reaction) -> None:
        """A message shares its links, an edit shares others, a redaction none; 👍 finds what was shared useful."""
        if isinstance(event, Reaction):
            await ctx.db.run(votes.reacted, self.rules, event)
            return
        if isinstance(event, Redaction):
            shelves = [shelf.id for shelf in (await sight(ctx)).own]
            unsaid = await ctx.db.run(statements.withdrawn, self.rules, shelves, event.target)
            touched = await ctx.db.run(stored_shares.remove, self.rules, event.room, event.target)
            await queue.begin(ctx, touched)
            went = unsaid or bool(touched)
            await ctx.db.run(votes.withdrawn, self.rules, event.target)
            await ctx.db.run(session.withdraw, event.room, event.target)
        elif isinstance(event, Edit):
            went = await self._record(ctx, event.message, edit=True, is_command=event.became_command)
        else:
            went = await self._record(ctx, event)
        if went:
            await _erase_soon(ctx)

    async def _record(self, ctx: Context, message: Message, *, edit: bool = False, is_command: bool = False) -> bool:
        logged = ctx.room.settings is not None and section(ctx.room.settings, KnowledgeRoom).log_links
        logged = logged and not is_command
        found = shared(message.body, message.html) if logged else Shared()
        document = _document(message) if logged else None
        if not (found.links or document or edit):
            return False
        if edit and await ctx.db.run(
            stored_shares.is_somebody_elses, message.room, ctx.message.event_id, message.sender
        ):
            return False
        if is_command and await ctx.db.run(
            stored_shares.is_said_in, message.room, ctx.message.event_id, message.event_id
        ):
            return False  # the command is `!share`, which has just filed it
        shares_any = bool(found.links or document)
        if shares_any and await ctx.db.run(choices.is_unlogged, message.sender):
            found, document = Shared(), None
        settings = section(ctx.hub, KnowledgeHub)
        shares = _shares(ctx, message, found)
        if document and message.attachment:
            url = message.attachment.url
            one = _share(ctx, message, url, url, document, document.label)
            shares.append(replace(one, file=document.stored))
        known = settings.tell_kept and await ctx.db.run(stored_shares.are_known, shares)
        entries, went = await ctx.db.run(
            stored_shares.replace, self.rules, message.room, ctx.message.event_id, message.sender, shares
        )
        await queue.begin(ctx, {*entries.values(), *went})
        if entries and settings.tell_kept:
            await ctx.react(ctx.t("known already") if known else ctx.t("kept"))
        elif went and not entries:
            await ctx.unreact()
        return bool(went)

    @command(
        "share",
        help="Share a link with a word on why it helps, and topics; also where links are not kept by themselves.",
        aliases={"es": "compartir", "fr": "partager", "pt": "compartilhar"},
        rooms_only=True,
        examples=("share https://example.org/guide for new colleagues #gifts",),
    )
    async def share(self, ctx: Context, *, link: str) -> Reply:
        found = shared(with_schemes(link))
        if not found.links:
            red = "red" in link.casefold() and "tlp" in link.casefold()
            raise UserError(
                ctx.t("What is TLP:RED is not kept.")
                if red
                else ctx.t("What says {mark} is not kept.", mark=labels.NO_LOG)
                if labels.no_log(link)
                else ctx.t(
                    "There is no web address in that. Write it like this: {example}",
                    example=references.example(ctx, "share"),
                )
            )
        if await ctx.db.run(choices.is_unlogged, ctx.sender):
            kept = references.written(ctx, "mylinks", ctx.t("on"))
            raise UserError(ctx.t("You chose that nothing you share is kept. {command} changes that.", command=kept))
        shares = _shares(ctx, ctx.message, found)
        entries, went = await ctx.db.run(
            stored_shares.replace, self.rules, ctx.room.id, ctx.message.event_id, ctx.sender, shares
        )
        if went:
            await _erase_soon(ctx)
        await queue.begin(ctx, {*entries.values(), *went})
        sign = "c" if circle_of(ctx) == COORDINATORS else ""
        numbers: dict[str, None] = {}
        told = []
        ids = json.dumps(list(entries.values()))
        rows = await ctx.db.rows(
            "SELECT id, number, hidden FROM entries WHERE id IN (SELECT value FROM json_each(:ids))", ids=ids
        )
        filed = {row["id"]: row for row in rows}
        for share, id_ in entries.items():
            number = f"{sign}{filed[id_]['number']}"
            if filed[id_]["hidden"]:
                told.append(await _hidden(ctx, share.url, id_, number))
            else:
                numbers[number] = None
        if numbers:
            told.insert(0, ctx.t("Kept as {numbers}. Thank you.", numbers=", ".join(numbers)))
        return Reply("\n".join(told))

    @command(
        "mylinks",
        help="Say whether the links you share are kept: on, or off.",
        aliases={"es": "misenlaces", "fr": "mesliens", "pt": "meuslinks"},
        examples=("mylinks off",),
        anywhere=True,
    )
    async def mylinks(self, ctx: Context, choice: str) -> Reply:
        kept = _on(ctx, choice)
        await ctx.db.run(choices.set_unlogged, ctx.sender, unlogged=not kept)
        if kept:
            return Reply(ctx.t("From now on the links you share are kept."))
        return Reply(
            ctx.t(
                "From now on nothing you share is kept. What was kept before stays; {forget} erases it.",
                forget=references.written(ctx, "forget"),
            )
        )

    @command(
        "askme",
        help="Say whether others may be told to ask you about topics you shared on: on, or off.",
        aliases={"es": "preguntame", "fr": "interrogez", "pt": "pergunteme"},
        examples=("askme on",),
        anywhere=True,
    )
    async def askme(self, ctx: Context, choice: str) -> Reply:
        askable = _on(ctx, choice)
        await ctx.db.run(choices.set_askable, ctx.sender, askable=askable)
        if askable:
            return Reply(ctx.t("You are named when somebody looks for people to ask about topics you shared on."))
        return Reply(ctx.t("You are no longer named."))


async def _hidden(ctx: Context, url: str, entry: int, number: str) -> str:
    """What is said to whoever shares a page that is hidden: who hid it is told to nobody else."""
    if await ctx.db.run(hiding.is_hidden_by, entry, ctx.sender, coordinator=ctx.role >= Role.COORDINATOR):
        return references.you_hid(ctx, url, number)
    return ctx.t("The page {address} was hidden here, so nobody finds it. Coordinators can show it again.",
                 address=escape(display.shown(url)))  # fmt: skip


def _document(message: Message) -> FileShared | None:
    """The document that a message carries, if its bytes have an address."""
    file = message.attachment
    if message.kind != "m.file" or file is None or not file.url:
        return None
    return file_shared(message.body, filename=file.name, html=message.html, mimetype=file.mimetype, size=file.size)


def _shares(ctx: Context, message: Message, found: Shared) -> list[Share]:
    keep = section(ctx.hub, KnowledgeHub).keep_notes
    return [
        replace(
            _share(ctx, message, link.url, link.canonical, link, found.label),
            label=link.label if keep else None,
        )
        for link in found.links
    ]


def _share(ctx: Context, message: Message, url: str, key: str, found: Link | FileShared, label: str | None) -> Share:
    """What a message shares under an address, in the words and with the hashtags it was `found` with."""
    return Share(
        hub=ctx.hub.id,
        circle=circle_of(ctx),
        url=url,
        canonical=key,
        sent_at=message.sent_at,
        sender=message.sender,
        room=message.room,
        event=ctx.message.event_id,
        said_in=ctx.edit_id,
        note=found.note if section(ctx.hub, KnowledgeHub).keep_notes else None,
        topics=found.hashtags,
        tlp=LABELS.index(label) if label else GREEN,
    )


async def _erase_soon(ctx: Context) -> None:
    """The words leave the disk soon, for all that went within a minute at once."""
    minute = ctx.now // MINUTE + 1
    await ctx.schedule.alarm("erase", f"erase/{minute}", minute * MINUTE, ctx.hub.id)


def _on(ctx: Context, choice: str) -> bool:
    said = choice.casefold()
    if said not in references.ON | references.OFF:
        raise UserError(ctx.t("Write {on} or {off}.", on=f"`{ctx.t('on')}`", off=f"`{ctx.t('off')}`"))
    return said in references.ON
