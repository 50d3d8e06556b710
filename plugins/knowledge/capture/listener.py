"""Listens in the rooms: messages, edits, redactions and reactions become shares and votes."""

from __future__ import annotations

from dataclasses import replace

from bot.api import Context, Edit, Message, Reaction, Redaction, listen, section
from plugins.knowledge.capture.attachments import FileShared, file_shared
from plugins.knowledge.capture.links import Shared, shared
from plugins.knowledge.capture.new_shares import erase_soon, new_share, new_shares
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.search import session
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom
from plugins.knowledge.store import privacy, shares


class Listener:
    """Says nothing, but for a quiet reaction where the hub wants one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @listen(Message, Edit, Redaction, Reaction)
    async def heard(self, ctx: Context, event: Message | Edit | Redaction | Reaction) -> None:
        """A message shares its links, an edit shares others, a redaction none; 👍 finds what was shared useful."""
        if isinstance(event, Reaction):
            await ctx.db.run(update.react, self._rules, event)
            return
        if isinstance(event, Redaction):
            touched = {
                *await ctx.db.run(update.redact, self._rules, ctx.hub.id, event.target),
                *await ctx.db.run(update.remove, self._rules, event.room, event.target),
            }
            await queue.begin(ctx, touched)
            await ctx.db.run(session.withdraw, event.room, event.target)
            went = bool(touched)
        elif isinstance(event, Edit):
            went = await self._record(ctx, event.message, edit=True, is_command=event.became_command)
        else:
            went = await self._record(ctx, event)
        if went:
            await erase_soon(ctx)

    async def _record(self, ctx: Context, message: Message, *, edit: bool = False, is_command: bool = False) -> bool:
        logged = ctx.room.settings is not None and section(ctx.room.settings, KnowledgeRoom).log_links
        logged = logged and not is_command
        found = shared(message.body, message.html) if logged else Shared()
        document = _document(message) if logged else None
        if not (found.links or document or edit):
            return False
        original = ctx.message.event_id
        if edit and await ctx.db.run(shares.is_somebody_elses, message.room, original, message.sender):
            return False
        if is_command and await ctx.db.run(shares.is_said_in, message.room, original, message.event_id):
            return False  # the command is `!share`, which has just stored it
        if (found.links or document) and await self._is_unlogged(ctx, message.sender):
            found, document = Shared(), None
        settings = section(ctx.hub, KnowledgeHub)
        new = new_shares(ctx, message, found)
        if document and message.attachment:
            url = message.attachment.url
            one = new_share(ctx, message, url, url, document, document.label)
            new.append(replace(one, attachment=document.stored))
        known = settings.tell_kept and await ctx.db.run(shares.are_known, new)
        entries, went = await ctx.db.run(update.replace, self._rules, message.room, original, message.sender, new)
        await queue.begin(ctx, {*entries.values(), *went})
        if entries and settings.tell_kept:
            await ctx.react(ctx.t("known already") if known else ctx.t("kept"))
        elif went and not entries:
            await ctx.unreact()
        return bool(went)

    async def _is_unlogged(self, ctx: Context, user: str) -> bool:
        return await ctx.db.run(privacy.is_unlogged, user)


def _document(message: Message) -> FileShared | None:
    """The document that a message carries, if its bytes have an address."""
    file = message.attachment
    if message.kind != "m.file" or file is None or not file.url:
        return None
    return file_shared(message.body, filename=file.name, html=message.html, mimetype=file.mimetype, size=file.size)
