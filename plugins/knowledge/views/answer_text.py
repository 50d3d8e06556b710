"""Composes the text of an answer: the list of results, remarks on corrections, and suggestions if there are no
results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bot.api import Context, Hub, Text, Translator, escape, in_language
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.index.thesaurus import LOOSE, Thesaurus
from plugins.knowledge.search import fallback, filters, topic_names
from plugins.knowledge.search.engine import Hit, SearchResult
from plugins.knowledge.search.fallback import Reason
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import fold, words
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

MOST_TOPICS = 5  # suggested
MOST_SUGGESTED = 3  # results
LONGEST_QUOTED = 80  # characters of a question quoted in an answer
FALLBACK_HEADINGS = {
    Reason.WORDS: Text("One of these may help:"),
    Reason.FILTERS: Text("Results for {what} alone:"),
    Reason.GOOD: Text("Recommended or marked as useful here:"),
    Reason.NEW: Text("Most recently shared here:"),
}


def listing(
    ctx: Context, rules: Rules, loaded: Sequence[Entry], hits: Sequence[Hit], question: Question | None = None,
    already_shown: Sequence[Hit] = (),
) -> str:  # fmt: skip
    """The list of results. `already_shown`: the hits of earlier pages."""
    entries = {entry.id: entry for entry in loaded}
    units = question.units if question else ()
    parts: list[str] = []
    all_full = all(hit.full for hit in already_shown)
    for hit in hits:
        if hit.id not in entries:
            continue
        if all_full and not hit.full:
            parts.append(
                ctx.t("No other result contains all the words; these contain some.")
                if parts or already_shown
                else ctx.t("No result contains all the words; these contain some.")
            )
        all_full = all_full and hit.full
        match_reason = ""
        if len(hit.matched_in) == len(units):
            match_reason = render.match_reason(
                ctx,
                entries[hit.id],
                hit,
                [unit.text for unit in units],
                [unit.concepts for unit in units],
                rules,
            )
        parts.append(render.result(ctx, rules, entries[hit.id], match_reason))
    return "\n\n".join(parts)


def top(ctx: Context, rules: Rules, loaded: Sequence[Entry], hits: Sequence[Hit]) -> list[str]:
    """Entries with votes; then the rest, with a sentence that explains why they are listed."""
    useful = [entry for entry in loaded if entry.votes]
    rest = [entry for entry in loaded if not entry.votes]
    parts = [listing(ctx, rules, useful, hits)] if useful else []
    if rest:
        example = command_text.example(ctx, "useful")
        parts.append(
            ctx.t("Nobody has marked any result as useful; these were shared most often, or most recently:")
            if useful
            else ctx.t(
                "Nobody has marked a result as useful yet (👍 or {example}). Shared most often, or most recently:",
                example=example,
            )
        )
        parts.append(listing(ctx, rules, rest, hits))
    return parts


def remarks(ctx: Context, result: SearchResult, query: str, entries: Sequence[Entry] = ()) -> list[str]:
    """One paragraph on how the search differs from the query as written; nothing if it does not."""
    parts = remark_sentences(
        ctx, merged_thesaurus(ctx.hubs), result, query, entries, find=partial(command_text.written, ctx, "find")
    )
    return ["\n".join(parts)] if parts else []


def remark_sentences(
    translator: Translator, thesaurus: Thesaurus, result: SearchResult, query: str, entries: Sequence[Entry] = (), *,
    find: Callable[[str], str], escape_text: Callable[[str], str] = escape,
) -> list[str]:  # fmt: skip
    """A sentence for each corrected word, suggested correction and ambiguous term.

    Corrections are spelt as in the `entries`. `find`: makes the command that searches for some words. `escape_text`:
    makes text safe to display.
    """
    spellings = {**thesaurus.spellings, **_spellings_in(entries)} if result.corrected or result.suggestions else {}
    parts = [
        translator.t(
            "Searched for “{searched}” instead of “{written}”.",
            searched=escape_text(" ".join(spellings.get(word, word) for word in corrected.split())),
            written=escape_text(as_written),
        )
        for as_written, corrected in result.corrected.items()
    ]
    if suggestions := {as_written: spellings.get(word, word) for as_written, word in result.suggestions.items()}:
        listed = ", ".join(translator.t("“{words}”", words=escape_text(word)) for word in suggestions.values())
        command = find(_replace_words(query, suggestions))
        parts.append(translator.t("Did you mean {words}? Write {command}.", words=listed, command=command))
    for unit in result.question.units:
        concepts = [concept for concept in unit.concepts if not concept.startswith(LOOSE)]
        if len(concepts) > 1:
            meanings = translator.t(" or ").join(
                escape_text(thesaurus.title(concept, translator.language)) for concept in concepts
            )
            parts.append(
                translator.t(
                    "“{term}” may mean {meanings}; all were searched.", term=escape_text(unit.text), meanings=meanings
                )
            )
    return parts


async def no_results(
    ctx: Context,
    rules: Rules,
    scope: Scope,
    within: Scope,
    result: SearchResult,
    topics: Sequence[str],
    query: str,
    hubs: Sequence[Hub],
) -> str:
    """The answer without results: what was searched and where, suggested topics and results, and whom to ask."""
    question = result.question
    where = ", ".join(escape(in_language(hub.title, ctx.language, *hub.languages)) for hub in hubs)
    suggestion = await ctx.db.run(
        fallback.find_fallback,
        scope,
        within,
        question,
        topics,
        ctx.now,
        thesaurus=merged_thesaurus(ctx.hubs),
        count=MOST_SUGGESTED,
    )
    entries = await ctx.db.run(load.load, scope, [hit.id for hit in suggestion.hits])
    parts = remarks(ctx, result, query, entries)
    parts.append(ctx.t("Nothing found for {what} in: {where}.", what=_describe(ctx, question), where=where))
    if suggested_topics := await _nearby_topics(ctx, rules, scope, question, topics):
        filters_by_topic = {topic: filters.written("topic", topic, ctx.language) for topic in suggested_topics}
        listed = ", ".join(
            f"{_topic_title(ctx, rules, topic)} (`{filter_text}`)" for topic, filter_text in filters_by_topic.items()
        )
        example = command_text.written(ctx, "find", filters_by_topic[suggested_topics[0]])
        parts.append(
            ctx.t("Topics with results: {topics}. Write for example {example}.", topics=listed, example=example)
        )
    if entries:
        heading = ctx.t(FALLBACK_HEADINGS[suggestion.reason], what=_describe(ctx, suggestion.question))
        parts.append(heading + "\n\n" + listing(ctx, rules, entries, suggestion.hits))
    if ctx.room.direct:
        parts.append(ctx.t("Someone in one of your rooms may know: ask there."))
    else:
        parts.append(ctx.t("Someone here may know: ask the room."))
    return "\n\n".join(parts)


async def _nearby_topics(
    ctx: Context, rules: Rules, scope: Scope, question: Question, excluded: Sequence[str]
) -> Sequence[str]:
    """Topics with results to suggest: those with similar names, else the most frequent; without those of the
    question."""
    thesaurus = merged_thesaurus(ctx.hubs)
    names = {}
    for topic in await ctx.db.run(vocabulary.topic_counts, scope):
        if topic not in excluded:
            titles = [title for hub in ctx.hubs for title in rules.of(hub.id).topics.get(topic, {}).values()]
            concept_title = [thesaurus.title(topic, ctx.language)] if topic in thesaurus.terms else []
            names[topic] = [topic, *titles, *concept_title]
    return topic_names.nearest_topics(names, f"{question.topic or ''} {question.text}".strip(), MOST_TOPICS)


def _topic_title(ctx: Context, rules: Rules, topic: str) -> str:
    hub = next((hub for hub in ctx.hubs if topic in rules.of(hub.id).topics), ctx.hub)
    return render.topic_title(ctx, rules.of(hub.id), topic)


def _spellings_in(entries: Sequence[Entry]) -> Mapping[str, str]:
    """The words of entries: folded → as written."""
    texts = [text for entry in entries for text in (*entry.title.values(), entry.note, entry.about) if text]
    return {word.folded: word.raw for text in texts for word in words(text)}


def _replace_words(query: str, replacements: Mapping[str, str]) -> str:
    """The query with some words replaced; only the replacements if the query cannot be quoted in a command."""
    replaced = tidy(query, LONGEST_QUOTED + 1)
    for as_written, word in replacements.items():
        replaced = re.sub(rf"(?<!\w){re.escape(as_written)}(?!\w)", word, replaced, flags=re.IGNORECASE)
    is_harmless = len(replaced) <= LONGEST_QUOTED and "`" not in replaced and "@room" not in fold(replaced)
    return replaced if is_harmless else " ".join(replacements.values())


def _describe(ctx: Context, question: Question) -> str:
    """The question as it was understood, for display."""
    words = tidy(question.text, LONGEST_QUOTED)
    quoted = any(sign in words for sign in '"“”«»')
    parts = [escape(words) if quoted else ctx.t("“{words}”", words=escape(words))] if words else []
    parts += [escape(filters.written(name, value, ctx.language)) for name, value in question.filters.items()]
    return " ".join(parts)
