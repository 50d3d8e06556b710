"""Builds the `NewShare` rows of a message."""

from __future__ import annotations

from dataclasses import replace

from bot.api import Context, Message, section
from plugins.knowledge.capture.attachments import Document
from plugins.knowledge.capture.links import Link, SharedLinks
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.access import circle_of, kind_of
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.tlp import GREEN, LABELS

MINUTE = 60_000


def new_shares(ctx: Context, message: Message, links: SharedLinks) -> list[NewShare]:
    keep = section(ctx.hub, KnowledgeHub).keep_notes
    return [
        replace(
            new_share(ctx, message, link.url, link.canonical, link, links.label),
            label=link.label if keep else None,
        )
        for link in links.links
    ]


def new_share(
    ctx: Context, message: Message, url: str, key: str, source: Link | Document, label: str | None
) -> NewShare:
    """The share of one link or document, with its note and hashtags."""
    return NewShare(
        hub=ctx.hub.id,
        circle=circle_of(ctx),
        kind=kind_of(ctx),
        url=url,
        canonical=key,
        sent_at=message.sent_at,
        sender=message.sender,
        room=message.room,
        event=ctx.message.event_id,
        said_in=ctx.edit_id,
        note=source.note if section(ctx.hub, KnowledgeHub).keep_notes else None,
        topics=source.hashtags,
        tlp=LABELS.index(label) if label else GREEN,
    )


async def schedule_erasure(ctx: Context) -> None:
    """Schedules the erasure of deleted text from disk: once for all deletions within the same minute."""
    minute = ctx.now // MINUTE + 1
    await ctx.schedule.alarm("erase", f"erase/{minute}", minute * MINUTE, ctx.hub.id)
