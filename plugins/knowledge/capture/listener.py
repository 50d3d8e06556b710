"""Listens to messages, edits, redactions and reactions, and records them as shares and votes."""

from __future__ import annotations

from dataclasses import replace

from bot.api import Context, Edit, Message, Reaction, Redaction, Superseded, listen, section
from plugins.knowledge.capture.attachments import Document, read_document
from plugins.knowledge.capture.links import SharedLinks, shared_links
from plugins.knowledge.capture.new_shares import new_share, new_shares, schedule_erasure
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.search import session
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom
from plugins.knowledge.store import privacy, shares


class Listener:
    """Records silently; at most it reacts to a message, if the hub wants that."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @listen(Message, Edit, Superseded, Redaction, Reaction)
    async def on_event(self, ctx: Context, event: Message | Edit | Superseded | Redaction | Reaction) -> None:
        """Stores the shares of a message, replaces them after an edit, removes them after a redaction; undoes a command
        that is edited; counts 👍."""
        if isinstance(event, Reaction):
            await ctx.db.run(update.react, self._rules, event)
            return
        if isinstance(event, Superseded):
            if entries := await ctx.db.run(update.withdraw_edited, self._rules, event.target, event.sender):
                await queue.enqueue_changed(ctx, entries)
                await schedule_erasure(ctx)
            return
        if isinstance(event, Redaction):
            entries = {
                *await ctx.db.run(update.redact, self._rules, ctx.hub.id, event.target),
                *await ctx.db.run(update.remove, self._rules, event.room, event.target),
            }
            await queue.enqueue_changed(ctx, entries)
            await ctx.db.run(session.withdraw, event.room, event.target)
            removed = bool(entries)
        elif isinstance(event, Edit):
            removed = await self._record_shares(ctx, event.message, edit=True, is_command=event.became_command)
        else:
            removed = await self._record_shares(ctx, event)
        if removed:
            await schedule_erasure(ctx)

    async def _record_shares(
        self, ctx: Context, message: Message, *, edit: bool = False, is_command: bool = False
    ) -> bool:
        is_logged = ctx.room.settings is not None and section(ctx.room.settings, KnowledgeRoom).log_links
        is_logged = is_logged and not is_command
        links = shared_links(message.body, message.html) if is_logged else SharedLinks()
        document = _attached_document(message) if is_logged else None
        if not (links.links or document or edit):
            return False
        original = ctx.message.event_id
        if edit and await ctx.db.run(shares.is_somebody_elses, message.room, original, message.sender):
            return False
        if is_command and await ctx.db.run(shares.is_said_in, message.room, original, message.event_id):
            return False  # the edit became `!share`, which has just stored it
        if (links.links or document) and await self._is_unlogged(ctx, message.sender):
            links, document = SharedLinks(), None
        settings = section(ctx.hub, KnowledgeHub)
        new = new_shares(ctx, message, links)
        if document and message.attachment:
            url = message.attachment.url
            share = new_share(ctx, message, url, url, document, document.label)
            new.append(replace(share, attachment=document.as_json))
        already_shared = settings.tell_kept and await ctx.db.run(shares.are_known, new)
        entries, removed = await ctx.db.run(update.replace, self._rules, message.room, original, message.sender, new)
        await queue.enqueue_changed(ctx, {*entries.values(), *removed})
        if entries and settings.tell_kept:
            await ctx.react(ctx.t("already known") if already_shared else ctx.t("stored"))
        elif removed and not entries:
            await ctx.unreact()
        return bool(removed)

    async def _is_unlogged(self, ctx: Context, user: str) -> bool:
        return await ctx.db.run(privacy.is_unlogged, user)


def _attached_document(message: Message) -> Document | None:
    """The document attached to a message, if it has an address."""
    file = message.attachment
    if message.kind != "m.file" or file is None or not file.url:
        return None
    return read_document(message.body, filename=file.name, html=message.html, mimetype=file.mimetype, size=file.size)
