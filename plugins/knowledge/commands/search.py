"""Search commands: `!find`, `!more`, `!recent`, `!show`, `!topics`, `!similar`, `!top`, `!who`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Context, Reply, Role, Text, UserError, command, escape, in_language
from plugins.knowledge.commands import references
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import engine, filters, query_parser, session
from plugins.knowledge.search.engine import SearchResult
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import access, doubt, statements
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import fold
from plugins.knowledge.urls import display
from plugins.knowledge.views import answer_text, command_text, load, render
from plugins.knowledge.views.load import Entry

PAGE = 5  # results per answer
MOST_SHARES = 5  # that `!show` names
MOST_LISTED = 40  # topics
DAY = 86_400_000
FIRST_OF_MANY = Text("These are the first of many results. To narrow them down, add a word or a filter.")
PERIODS = {7: ("week", "semana", "semaine"), 31: ("month", "mes", "mois"), 366: ("year", "ano", "annee")}


class SearchCommands:
    """Handles the search commands."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "find",
        help="Search shared links by words, and filters such as topic: or from:.",
        aliases={"es": "buscar", "fr": "chercher", "pt": "pesquisar"},
        examples=("find gifts", "find gifts topic:ethics", 'find "code of conduct" type:pdf sort:new'),
    )
    async def find(self, ctx: Context, *, words: str = "") -> Reply:
        return await self._find(ctx, words)

    @command(
        "recent",
        help="Show the most recent links.",
        aliases={"es": "recientes", "fr": "recents", "pt": "recentes"},
    )
    async def recent(self, ctx: Context) -> Reply:
        result, entries = await self._search(ctx, await access.scope(ctx), "sort:new")
        if not entries:
            return Reply(ctx.t("No links have been shared here yet."))
        return await self._results_page(ctx, "sort:new", result, entries)

    @command(
        "more",
        help="Show more results of your last search.",
        aliases={"es": "mas", "fr": "plus", "pt": "mais"},
    )
    async def more(self, ctx: Context) -> Reply:
        previous = await session.last_search(ctx)
        if previous is None:
            find = command_text.written(ctx, "find")
            raise UserError(ctx.t("You haven't searched here recently. Write {find} first.", find=find))
        words, offset = previous
        if not words:
            find = command_text.written(ctx, "find")
            return Reply(ctx.t("That was the end of the list. To search for something else, write {find}.", find=find))
        result, entries = await self._search(ctx, await access.scope(ctx), words, offset)
        if not entries:
            return Reply(ctx.t("No more results.") if result.complete else ctx.t(FIRST_OF_MANY))
        return await self._results_page(ctx, words, result, entries, offset)

    @command(
        "show",
        help="Show one result: who shared it, when, and the message.",
        aliases={"es": "ver", "fr": "voir", "pt": "ver"},
        examples=("show 12",),
    )
    async def show(self, ctx: Context, number: str) -> Reply:
        scope = await access.scope(ctx)
        entry = await references.find_entry(ctx, scope, number, hidden=not ctx.room.direct)
        if entry.hidden and ctx.role < Role.COORDINATOR:
            if await ctx.db.run(statements.is_hidden_by, entry.id, ctx.sender, own=True):
                return Reply(references.hidden_by_you(ctx, entry.url, load.short_name(entry)))
            await references.find_entry(ctx, scope, number)  # raises: they may not see it
        shares = await ctx.db.run(load.shares_of, entry, MOST_SHARES + 1)
        versions = await ctx.db.run(load.versions_of, entry)
        more = len(shares) > MOST_SHARES
        return Reply(render.details(ctx, self._rules, entry, versions, shares[:MOST_SHARES], more=more))

    @command(
        "topics",
        help="Show the topics and the number of results for each.",
        aliases={"es": "temas", "fr": "sujets", "pt": "assuntos"},
    )
    async def topics(self, ctx: Context) -> Reply:
        counts = await ctx.db.run(vocabulary.topic_counts, await access.scope(ctx))
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
            lines.append("\n" + ctx.t("There are more topics with fewer results. You can search for them too."))
        return Reply("\n".join(lines))

    @command(
        "similar",
        help="Show results similar to one.",
        aliases={"es": "similares", "fr": "semblables", "pt": "parecidos"},
        examples=("similar 12",),
    )
    async def similar(self, ctx: Context, number: str) -> Reply:
        scope = await access.scope(ctx)
        entry = await references.find_entry(ctx, scope, number)
        words = " ".join((in_language(dict(entry.title), ctx.language), *entry.topics) if entry.title else entry.topics)
        hits = await ctx.db.run(
            engine.similar,
            scope,
            entry.id,
            words or display.words(entry.url).replace("-", " "),
            ctx.now,
            thesaurus=merged_thesaurus(ctx.hubs),
        )
        await session.finish(ctx)
        if not hits:
            return Reply(ctx.t("There is nothing similar here."))
        loaded = await ctx.db.run(load.load, scope, [hit.id for hit in hits[:PAGE]])
        return Reply(answer_text.listing(ctx, self._rules, loaded, hits))

    @command(
        "top",
        help="Show the most useful results of the week, month or year.",
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
        scope = await access.scope(ctx)
        hits = await ctx.db.run(engine.most_useful, scope, ctx.now - days * DAY, PAGE)
        await session.finish(ctx)
        if not hits:
            return Reply(ctx.t("No links were shared here in that period."))
        loaded = await ctx.db.run(load.load, scope, [hit.id for hit in hits])
        return Reply("\n\n".join(answer_text.top(ctx, self._rules, loaded, hits)))

    @command(
        "who",
        help="Show who you can ask about a topic: people who shared on it and agreed to be asked.",
        aliases={"es": "quien", "fr": "qui", "pt": "quem"},
        examples=("who gifts",),
    )
    async def who(self, ctx: Context, *, topic: str) -> Reply:
        scope = await access.scope(ctx)
        topics = await references.find_topics(ctx, self._rules, scope, topic)
        people = await ctx.db.run(engine.askable, scope, topics)
        askme = command_text.written(ctx, "askme", ctx.t("on"))
        if not people:
            return Reply(
                ctx.t(
                    "Nobody who shared on this topic has agreed to be asked yet. To be listed, write {command}.",
                    command=askme,
                )
            )
        names = "\n".join(f"- {escape(user)}" for user in people)
        return Reply(ctx.t("You can ask:") + "\n" + names)

    async def _find(self, ctx: Context, words: str) -> Reply:
        scope = await access.scope(ctx)
        result, entries = await self._search(ctx, scope, words)
        if result.question.empty:
            example = command_text.written(ctx, "find", ctx.t("gifts"))
            raise UserError(ctx.t("Write what you are looking for, for example {example}.", example=example))
        if not entries:
            await references.reject_unknown_filters(ctx, scope, result.question)
            await session.finish(ctx)
            within, topics = await self._resolve_filters(ctx, scope, result.question)
            hubs = [references.find_hub(ctx, result.question.hub)] if result.question.hub else ctx.hubs
            text = await answer_text.no_results(ctx, self._rules, scope, within, result, topics, words, hubs)
            return Reply("\n\n".join((text, *await self._being_checked(ctx))))
        reply = await self._results_page(ctx, words, result, entries)
        return Reply("\n\n".join((reply.text, *await self._being_checked(ctx))))

    async def _being_checked(self, ctx: Context) -> Sequence[str]:
        """Tells coordinators why links are missing after a gap."""
        if ctx.role < Role.COORDINATOR or not (count := await ctx.db.run(doubt.count_of_hub, ctx.hub.id)):
            return ()
        return [
            ctx.n(
                "After a gap I am checking whether {count} stored link still stands; it is not shown until then.",
                "After a gap I am checking whether {count} stored links still stand; they are not shown until then.",
                count,
            )
        ]

    async def _search(
        self, ctx: Context, scope: Scope, words: str, offset: int = 0
    ) -> tuple[SearchResult, Sequence[Entry]]:
        """The whole result, and the entries of its page that begins at `offset`."""
        thesaurus = merged_thesaurus(ctx.hubs)
        question = query_parser.parse(words, thesaurus, ctx.hub.timezone)
        within, topics = await self._resolve_filters(ctx, scope, question)
        return await ctx.db.run(
            load.answer, within, question, topics, ctx.now, thesaurus=thesaurus, count=PAGE, after=offset
        )

    async def _resolve_filters(self, ctx: Context, scope: Scope, question: Question) -> tuple[Scope, Sequence[str]]:
        """Resolves the filters `hub:` and `topic:`: the scope to search, and the topics the name may mean."""
        within = scope.of_hubs([references.find_hub(ctx, question.hub).id]) if question.hub else scope
        return within, await references.find_topics(ctx, self._rules, within, question.topic) if question.topic else ()

    async def _results_page(
        self, ctx: Context, words: str, result: SearchResult, entries: Sequence[Entry], offset: int = 0
    ) -> Reply:
        """One page of results; the first page also explains how the query was interpreted."""
        await session.remember(ctx, words, offset + PAGE)
        parts = [] if offset else answer_text.remarks(ctx, result, words, entries)
        hits = result.hits[offset : offset + PAGE]
        parts.append(answer_text.listing(ctx, self._rules, entries, hits, result.question, result.hits[:offset]))
        if len(result.hits) > offset + PAGE:
            parts.append(ctx.t("More results: {command}", command=command_text.written(ctx, "more")))
        elif not result.complete:
            parts.append(ctx.t(FIRST_OF_MANY))
        return Reply("\n\n".join(parts))
