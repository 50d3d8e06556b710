"""The commands that find: `!find`, `!more`, `!recent`, `!show`, `!topics`, `!similar`, `!top`, `!who`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Context, Reply, Role, Text, UserError, command, escape, in_language
from plugins.knowledge.commands import references
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, together
from plugins.knowledge.search import engine, filters, query_parser, session
from plugins.knowledge.search.engine import Found
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import statements
from plugins.knowledge.store.access import Scope, scope
from plugins.knowledge.text.folding import fold
from plugins.knowledge.urls import display
from plugins.knowledge.views import answer_text, command_text, load, render
from plugins.knowledge.views.load import Entry

PAGE = 5  # results of one answer
MOST_SHARES = 5  # that `!show` names
MOST_LISTED = 40  # topics
DAY = 86_400_000
FIRST_OF_MANY = Text("These were the first of many. To find others, add a word or a filter.")
PERIODS = {7: ("week", "semana", "semaine"), 31: ("month", "mes", "mois"), 366: ("year", "ano", "annee")}


class SearchCommands:
    """Asks the index; part of the plugin."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "find",
        help="Find what was shared: words, and if you like filters such as topic: or from:.",
        aliases={"es": "buscar", "fr": "chercher", "pt": "pesquisar"},
        examples=("find gifts", "find gifts topic:ethics", 'find "code of conduct" type:pdf sort:new'),
    )
    async def find(self, ctx: Context, *, words: str = "") -> Reply:
        return await self._answer(ctx, words)

    @command(
        "recent",
        help="Show what was shared last.",
        aliases={"es": "recientes", "fr": "recents", "pt": "recentes"},
    )
    async def recent(self, ctx: Context) -> Reply:
        found, entries = await self._search(ctx, await scope(ctx), "sort:new")
        if not entries:
            return Reply(ctx.t("Nobody has shared a link here yet."))
        return await self._page(ctx, "sort:new", found, entries)

    @command(
        "more",
        help="Show the next results of your last search.",
        aliases={"es": "mas", "fr": "plus", "pt": "mais"},
    )
    async def more(self, ctx: Context) -> Reply:
        last = await session.last(ctx)
        if last is None:
            find = command_text.written(ctx, "find")
            raise UserError(ctx.t("You have not searched here lately. Write {find} first.", find=find))
        words, seen = last
        if not words:
            find = command_text.written(ctx, "find")
            return Reply(ctx.t("There is no more of that list. To find something else, write {find}.", find=find))
        found, entries = await self._search(ctx, await scope(ctx), words, seen)
        if not entries:
            return Reply(ctx.t("That was everything.") if found.complete else ctx.t(FIRST_OF_MANY))
        return await self._page(ctx, words, found, entries, seen)

    @command(
        "show",
        help="Show one result: who shared it, when, and the message.",
        aliases={"es": "ver", "fr": "voir", "pt": "ver"},
        examples=("show 12",),
    )
    async def show(self, ctx: Context, number: str) -> Reply:
        seen = await scope(ctx)
        entry = await references.entry(ctx, seen, number, hidden=not ctx.room.direct)
        if entry.hidden and ctx.role < Role.COORDINATOR:
            if await ctx.db.run(statements.is_hidden_by, entry.id, ctx.sender, own=True):
                return Reply(references.you_hid(ctx, entry.url, load.short_name(entry)))
            await references.entry(ctx, seen, number)  # raises: it is not there for them
        shares = await ctx.db.run(load.shares_of, entry, MOST_SHARES + 1)
        versions = await ctx.db.run(load.versions_of, entry)
        more = len(shares) > MOST_SHARES
        return Reply(render.details(ctx, self._rules, entry, versions, shares[:MOST_SHARES], more=more))

    @command(
        "topics",
        help="Show the topics, and how many results each has.",
        aliases={"es": "temas", "fr": "sujets", "pt": "assuntos"},
    )
    async def topics(self, ctx: Context) -> Reply:
        counts = await ctx.db.run(vocabulary.topic_counts, await scope(ctx))
        hubs = ctx.hubs if ctx.room.direct else [ctx.hub]
        named = {topic.id: hub for hub in reversed(ctx.hubs) for topic in hub.topics}
        names = [
            *(topic.id for hub in hubs for topic in hub.topics),
            *counts,
        ]
        if not names:
            return Reply(ctx.t("This hub has no topics."))
        lines = []
        topics = list(dict.fromkeys(names))
        for topic in topics[:MOST_LISTED]:
            title = render.topic_title(ctx, self._rules.of(named.get(topic, hubs[0]).id), topic)
            written = f"{title} (`{filters.written('topic', topic, ctx.language)}`)"
            lines.append(
                "- " + ctx.n("{topic}: {count} result", "{topic}: {count} results", counts.get(topic, 0), topic=written)
            )
        if len(topics) > MOST_LISTED:
            lines.append("\n" + ctx.t("There are more topics, with fewer results. You can ask for them just the same."))
        return Reply("\n".join(lines))

    @command(
        "similar",
        help="Show what is like one result.",
        aliases={"es": "similares", "fr": "semblables", "pt": "parecidos"},
        examples=("similar 12",),
    )
    async def similar(self, ctx: Context, number: str) -> Reply:
        seen = await scope(ctx)
        entry = await references.entry(ctx, seen, number)
        words = " ".join((in_language(dict(entry.title), ctx.language), *entry.topics) if entry.title else entry.topics)
        hits = await ctx.db.run(
            engine.similar,
            seen,
            entry.id,
            words or display.words(entry.url).replace("-", " "),
            ctx.now,
            terms=together(ctx.hubs),
        )
        await session.ended(ctx)
        if not hits:
            return Reply(ctx.t("Nothing here is like it."))
        loaded = await ctx.db.run(load.load, seen, [hit.id for hit in hits[:PAGE]])
        return Reply(answer_text.listing(ctx, self._rules, loaded, hits))

    @command(
        "top",
        help="Show what most people found useful: this week, month or year.",
        aliases={"es": "mejores", "fr": "meilleurs", "pt": "melhores"},
        examples=("top", "top month"),
    )
    async def top(self, ctx: Context, period: str = "month") -> Reply:
        days = next((days for days, names in PERIODS.items() if fold(period) in names), None)
        if days is None:
            raise UserError(
                ctx.t(
                    "Write {week}, {month} or {year}.",
                    week=f"`{ctx.t('week')}`",
                    month=f"`{ctx.t('month')}`",
                    year=f"`{ctx.t('year')}`",
                )
            )
        seen = await scope(ctx)
        hits = await ctx.db.run(engine.most_useful, seen, ctx.now - days * DAY, PAGE)
        await session.ended(ctx)
        if not hits:
            return Reply(ctx.t("Nobody has shared a link here in that time."))
        loaded = await ctx.db.run(load.load, seen, [hit.id for hit in hits])
        return Reply("\n\n".join(answer_text.top(ctx, self._rules, loaded, hits)))

    @command(
        "who",
        help="Show whom you can ask about a topic: people who shared on it and agreed to be asked.",
        aliases={"es": "quien", "fr": "qui", "pt": "quem"},
        examples=("who gifts",),
    )
    async def who(self, ctx: Context, *, topic: str) -> Reply:
        seen = await scope(ctx)
        topics = await references.topics(ctx, self._rules, seen, topic)
        people = await ctx.db.run(engine.askable, seen, topics)
        asked = command_text.written(ctx, "askme", ctx.t("on"))
        if not people:
            return Reply(
                ctx.t(
                    "Nobody who shared on this has agreed to be asked yet. Who wants to, writes {command}.",
                    command=asked,
                )
            )
        names = "\n".join(f"- {escape(user)}" for user in people)
        return Reply(ctx.t("You can ask:") + "\n" + names)

    async def _answer(self, ctx: Context, words: str) -> Reply:
        seen = await scope(ctx)
        found, entries = await self._search(ctx, seen, words)
        if found.question.empty:
            example = command_text.written(ctx, "find", ctx.t("gifts"))
            raise UserError(ctx.t("Write what you look for, for example {example}.", example=example))
        if not entries:
            await references.refuse_unknown(ctx, seen, found.question)
            await session.ended(ctx)
            within, topics = await self._meant(ctx, seen, found.question)
            hubs = [references.hub(ctx, found.question.hub)] if found.question.hub else ctx.hubs
            return Reply(await answer_text.nothing(ctx, self._rules, seen, within, found, topics, words, hubs))
        return await self._page(ctx, words, found, entries)

    async def _search(self, ctx: Context, seen: Scope, words: str, after: int = 0) -> tuple[Found, Sequence[Entry]]:
        """What is found, and what is shown of it: a page `after` the first ones."""
        terms = together(ctx.hubs)
        question = query_parser.read(words, terms, ctx.hub.timezone)
        within, topics = await self._meant(ctx, seen, question)
        return await ctx.db.run(load.answer, within, question, topics, ctx.now, terms=terms, count=PAGE, after=after)

    async def _meant(self, ctx: Context, seen: Scope, question: Question) -> tuple[Scope, Sequence[str]]:
        """Where a question looks, and which topics its topic may mean."""
        within = seen.of_hubs([references.hub(ctx, question.hub).id]) if question.hub else seen
        return within, await references.topics(ctx, self._rules, within, question.topic) if question.topic else ()

    async def _page(self, ctx: Context, words: str, found: Found, entries: Sequence[Entry], seen: int = 0) -> Reply:
        """A page of results, and what was done to the question."""
        await session.remember(ctx, words, seen + PAGE)
        parts = [] if seen else answer_text.remarks(ctx, found, words, entries)
        hits = found.hits[seen : seen + PAGE]
        parts.append(answer_text.listing(ctx, self._rules, entries, hits, found.question, found.hits[:seen]))
        if len(found.hits) > seen + PAGE:
            parts.append(ctx.t("There are more: {command}", command=command_text.written(ctx, "more")))
        elif not found.complete:
            parts.append(ctx.t(FIRST_OF_MANY))
        return Reply("\n\n".join(parts))
