"""What a message shares, as rows to be stored."""

from __future__ import annotations

from dataclasses import replace

from bot.api import Context, Message, section
from plugins.knowledge.capture.attachments import FileShared
from plugins.knowledge.capture.links import Link, Shared
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.access import circle_of
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.tlp import GREEN, LABELS

MINUTE = 60_000


def new_shares(ctx: Context, message: Message, found: Shared) -> list[NewShare]:
    keep = section(ctx.hub, KnowledgeHub).keep_notes
    return [
        replace(
            new_share(ctx, message, link.url, link.canonical, link, found.label),
            label=link.label if keep else None,
        )
        for link in found.links
    ]


def new_share(
    ctx: Context, message: Message, url: str, key: str, found: Link | FileShared, label: str | None
) -> NewShare:
    """What a message shares under an address, in the words and with the hashtags it was `found` with."""
    return NewShare(
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


async def erase_soon(ctx: Context) -> None:
    """The words leave the disk soon, for all that went within a minute at once."""
    minute = ctx.now // MINUTE + 1
    await ctx.schedule.alarm("erase", f"erase/{minute}", minute * MINUTE, ctx.hub.id)
