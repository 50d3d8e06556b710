"""What people share in hub rooms, found again: `!find`, `!more`, `!recent`, `!show`, `!topics`, and `faro find`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bot.api import (
    AlarmContext,
    Announcement,
    Context,
    Edit,
    Message,
    Plugin,
    Redaction,
    RefreshContext,
    Reply,
    Settings,
    Text,
    Transaction,
    UserError,
    alarm,
    command,
    overhear,
    section,
)
from plugins.knowledge import asked, index, search, searches, shell, shown
from plugins.knowledge.links import shared
from plugins.knowledge.search import Entry, Query
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom

__all__ = ["Knowledge", "KnowledgeHub", "KnowledgeRoom"]

PAGE = 5  # results of one answer
MOST_SHARES = 5  # that `!show` names
MINUTE = 60_000


class Knowledge(Plugin[Settings]):
    """Remembers links and finds them; it says nothing unless asked."""

    name = "knowledge"
    hub_settings = KnowledgeHub
    room_settings = KnowledgeRoom
    shell: ClassVar = (shell.find,)

    @overhear(Message, Edit, Redaction)
    async def heard(self, ctx: Context, event: Message | Edit | Redaction) -> None:
        """A message shares its links, an edit shares others, a redaction none."""
        if isinstance(event, Redaction):
            went = await index.remove(ctx.db, event.room, event.target)
            await searches.withdraw(ctx.db, event.room, event.target)
        elif isinstance(event, Edit):
            went = await self._record(ctx, event.message, edit=True)
        else:
            went = await self._record(ctx, event)
        if went:  # the words leave the file soon, for all that went within a minute at once
            minute = ctx.now // MINUTE + 1
            await ctx.schedule.alarm("optimize", f"optimize/{minute}", minute * MINUTE, ctx.hub.id)

    async def _record(self, ctx: Context, message: Message, *, edit: bool = False) -> bool:
        logged = ctx.room.settings is not None and section(ctx.room.settings, KnowledgeRoom).log_links
        found = shared(message.body, message.html) if logged else index.NOTHING
        if not found.links and not edit:
            return False
        said = index.Said(
            hub=ctx.hub.id,
            room=message.room,
            event=ctx.message.event_id,
            said_in=message.event_id,
            sender=message.sender,
            sent_at=message.sent_at,
        )
        return await index.record(ctx.db, said, found, keep_notes=section(ctx.hub, KnowledgeHub).keep_notes)

    @alarm("optimize")
    async def optimize(self, ctx: AlarmContext) -> Sequence[Announcement]:
        await index.optimize(ctx.db)
        return ()

    async def refresh(self, ctx: RefreshContext) -> None:
        await index.curate(ctx.db, ctx.hubs)
        await searches.expire(ctx.db, ctx.now)
        await index.optimize(ctx.db)

    async def forget(self, db: Transaction, user_id: str) -> None:
        await index.forget(db, user_id)
        await searches.forget(db, user_id)

    @command(
        "find",
        help="Find what was shared: words, and if you like a topic, a person or a date.",
        aliases={"es": "buscar", "fr": "chercher", "pt": "pesquisar"},
        examples=("find gifts", "find gifts topic:ethics", "find manual from:@ana since:2026-01"),
    )
    async def find(
        self,
        ctx: Context,
        *,
        words: str = "",
        topic: str | None = None,
        from_: str | None = None,
        since: str | None = None,
    ) -> Reply:
        return await self._answer(ctx, asked.query(ctx, words, topic, from_, since))

    @command(
        "recent",
        help="Show what was shared last.",
        aliases={"es": "recientes", "fr": "recents", "pt": "recentes"},
    )
    async def recent(self, ctx: Context) -> Reply:
        query = Query(since=0)
        if not await search.page(ctx.db, _ids(ctx), query, limit=1):
            return Reply(ctx.t("Nobody has shared a link here yet."))
        return await self._answer(ctx, query)

    @command(
        "more",
        help="Show the next results of your last search.",
        aliases={"es": "mas", "fr": "plus", "pt": "mais"},
    )
    async def more(self, ctx: Context) -> Reply:
        last = await searches.last(ctx)
        if last is None:
            find = asked.written(ctx, "find")
            raise UserError(ctx.t("You have not searched here lately. Write {find} first.", find=find))
        query, seen = last
        entries = await search.page(ctx.db, _ids(ctx), query, limit=PAGE + 1, skip=seen)
        if not entries:
            return Reply(ctx.t("That was everything."))
        return await self._page(ctx, query, entries, seen)

    @command(
        "show",
        help="Show one result: who shared it, when, and the message.",
        aliases={"es": "ver", "fr": "voir", "pt": "ver"},
        examples=("show 12",),
    )
    async def show(self, ctx: Context, number: str) -> Reply:
        entry = await self._entry(ctx, number)
        shares = await search.shares_of(ctx.db, entry, MOST_SHARES + 1)
        note = await search.recommendation(ctx.db, entry)
        return Reply(shown.details(ctx, entry, note, shares[:MOST_SHARES], more=len(shares) > MOST_SHARES))

    @command(
        "topics",
        help="Show the topics, and how many results each has.",
        aliases={"es": "temas", "fr": "sujets", "pt": "assuntos"},
    )
    async def topics(self, ctx: Context) -> Reply:
        topics = asked.topics(ctx.hubs if ctx.room.direct else [ctx.hub]).values()
        if not topics:
            return Reply(ctx.t("This hub has no topics."))
        counts = await search.topic_counts(ctx.db, _ids(ctx))
        lines = []
        for topic in topics:
            written = f"{shown.topic_title(ctx, topic)} (`topic:{topic.id}`)"
            lines.append(
                "- "
                + ctx.n("{topic}: {count} result", "{topic}: {count} results", counts.get(topic.id, 0), topic=written)
            )
        return Reply("\n".join(lines))

    async def _answer(self, ctx: Context, query: Query) -> Reply:
        hubs = _ids(ctx)
        answered, entries = await search.find(ctx.db, hubs, query, limit=PAGE + 1)
        if not entries:
            return Reply(shown.nothing(ctx, query, await search.topic_counts(ctx.db, hubs)))
        reply = await self._page(ctx, answered, entries)
        if answered.any_word:
            return Reply(ctx.t("No result has all the words; these have some.") + "\n\n" + reply.text)
        return reply

    async def _page(self, ctx: Context, query: Query, entries: Sequence[Entry], seen: int = 0) -> Reply:
        """A page of results; one entry more than fits tells that there are more."""
        await searches.remember(ctx, query, seen + PAGE)
        text = shown.listing(ctx, entries[:PAGE])
        if len(entries) > PAGE:
            text += "\n\n" + ctx.t("There are more: {command}", command=asked.written(ctx, "more"))
        return Reply(text)

    async def _entry(self, ctx: Context, said: str) -> Entry:
        """The entry a person means by `12` or `transparency/12`. What they may not see does not exist."""
        hub, number = asked.number(said)
        hubs = [ctx.hub.id] if hub is None and not ctx.room.direct else _ids(ctx)
        entries = [entry for entry in await search.numbered(ctx.db, hubs, number) if hub is None or entry.hub == hub]
        if not entries:
            raise UserError(Text("There is no result with the number {number} here.", number=said[:40]))
        if len(entries) > 1:
            names = ", ".join(f"`{entry.hub}/{entry.number}`" for entry in entries)
            raise UserError(ctx.t("Several hubs have that number. Write one of: {names}", names=names))
        return entries[0]


def _ids(ctx: Context) -> list[str]:
    """The hubs whose content the asker may see here."""
    return [hub.id for hub in ctx.hubs]
