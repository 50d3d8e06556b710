"""How is an answer told? The results one below the other, what was done to the question, and what there is where
nothing answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bot.api import Context, Hub, Text, Translator, escape, in_language
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, together
from plugins.knowledge.index.thesaurus import LOOSE, Thesaurus
from plugins.knowledge.search import fallback, filters, topic_names
from plugins.knowledge.search.engine import Found, Hit
from plugins.knowledge.search.fallback import Why
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import fold, words
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.views import command_text, load, render
from plugins.knowledge.views.load import Entry

MOST_TOPICS = 5  # that are suggested
MOST_NEAR = 3  # results that are
LONGEST_TOLD = 80  # characters of a question that are repeated
NEAREST = {
    Why.WORDS: Text("Perhaps one of these helps:"),
    Why.FILTERS: Text("Found for {what} alone:"),
    Why.GOOD: Text("Recommended or found useful here:"),
    Why.NEW: Text("Shared here last:"),
}


def listing(
    ctx: Context, rules: Rules, loaded: Sequence[Entry], hits: Sequence[Hit], question: Question | None = None,
    before: Sequence[Hit] = (),
) -> str:  # fmt: skip
    """Results; `before` were shown already."""
    entries = {entry.id: entry for entry in loaded}
    units = question.units if question else ()
    parts: list[str] = []
    all_full = all(hit.full for hit in before)
    for hit in hits:
        if hit.id not in entries:
            continue
        if all_full and not hit.full:
            parts.append(
                ctx.t("No other result has all the words; these have some.")
                if parts or before
                else ctx.t("No result has all the words; these have some.")
            )
        all_full = all_full and hit.full
        why = ""
        if len(hit.places) == len(units):
            why = render.why(
                ctx,
                entries[hit.id],
                hit,
                [unit.shown for unit in units],
                [unit.concepts for unit in units],
                rules,
            )
        parts.append(render.result(ctx, rules, entries[hit.id], why))
    return "\n\n".join(parts)


def top(ctx: Context, rules: Rules, loaded: Sequence[Entry], hits: Sequence[Hit]) -> list[str]:
    """What people found useful; then the rest, said to be what it is."""
    useful = [entry for entry in loaded if entry.votes]
    rest = [entry for entry in loaded if not entry.votes]
    parts = [listing(ctx, rules, useful, hits)] if useful else []
    if rest:
        example = command_text.example(ctx, "useful")
        parts.append(
            ctx.t("Nobody has said of these that they helped; they were shared most often, or last:")
            if useful
            else ctx.t(
                "Nobody has said yet what helped (👍, or {example}). Shared most often, or last:", example=example
            )
        )
        parts.append(listing(ctx, rules, rest, hits))
    return parts


def remarks(ctx: Context, found: Found, asked: str, entries: Sequence[Entry] = ()) -> list[str]:
    """What was searched, where it is not what was `asked`, in one paragraph; none if it is."""
    parts = searched(ctx, together(ctx.hubs), found, asked, entries, find=partial(command_text.written, ctx, "find"))
    return ["\n".join(parts)] if parts else []


def searched(
    told: Translator, terms: Thesaurus, found: Found, asked: str, entries: Sequence[Entry] = (), *,
    find: Callable[[str], str], shown: Callable[[str], str] = escape,
) -> list[str]:  # fmt: skip
    """Words put right, words that may be misspelt, words of two meanings, each in a sentence. Words put right are spelt
    as `entries` have them. `find` writes the command that searches for some words; `shown` makes any harmless."""
    spelt = {**terms.spelt, **_spelt(entries)} if found.corrected or found.doubtful else {}
    parts = [
        told.t(
            "Searched for “{searched}” instead of “{written}”.",
            searched=shown(" ".join(spelt.get(word, word) for word in right.split())),
            written=shown(said),
        )
        for said, right in found.corrected.items()
    ]
    if meant := {said: spelt.get(word, word) for said, word in found.doubtful.items()}:
        listed = ", ".join(told.t("“{words}”", words=shown(word)) for word in meant.values())
        command = find(_put_right(asked, meant))
        parts.append(told.t("Did you mean {words}? Write {command}.", words=listed, command=command))
    for unit in found.question.units:
        ideas = [one for one in unit.concepts if not one.startswith(LOOSE)]
        if len(ideas) > 1:
            meanings = told.t(" or ").join(shown(terms.title(one, told.language)) for one in ideas)
            parts.append(
                told.t("“{term}” may mean {meanings}; all were searched.", term=shown(unit.shown), meanings=meanings)
            )
    return parts


async def nothing(
    ctx: Context,
    rules: Rules,
    seen: Scope,
    within: Scope,
    found: Found,
    topics: Sequence[str],
    asked: str,
    hubs: Sequence[Hub],
) -> str:
    """What was searched and where, the nearest topics and results, and who may know."""
    question = found.question
    where = ", ".join(escape(in_language(hub.title, ctx.language, *hub.languages)) for hub in hubs)
    near = await ctx.db.run(
        fallback.nearest, seen, within, question, topics, ctx.now, terms=together(ctx.hubs), count=MOST_NEAR
    )
    entries = await ctx.db.run(load.load, seen, [hit.id for hit in near.hits])
    parts = remarks(ctx, found, asked, entries)
    parts.append(ctx.t("Nothing found for {what} in: {where}.", what=_what(ctx, question), where=where))
    if near_topics := await _topics(ctx, rules, seen, question, topics):
        written = {topic: filters.written("topic", topic, ctx.language) for topic in near_topics}
        listed = ", ".join(f"{_topic(ctx, rules, topic)} (`{said}`)" for topic, said in written.items())
        example = command_text.written(ctx, "find", written[near_topics[0]])
        parts.append(
            ctx.t("Topics with results: {topics}. Write for example {example}.", topics=listed, example=example)
        )
    if entries:
        heading = ctx.t(NEAREST[near.why], what=_what(ctx, near.question))
        parts.append(heading + "\n\n" + listing(ctx, rules, entries, near.hits))
    if ctx.room.direct:
        parts.append(ctx.t("Somebody in one of your rooms may know: ask there."))
    else:
        parts.append(ctx.t("Somebody here may know: ask the room."))
    return "\n\n".join(parts)


async def _topics(ctx: Context, rules: Rules, seen: Scope, question: Question, without: Sequence[str]) -> Sequence[str]:
    """Topics with results, but for those that were asked for: the nearest by any of their names, else the most
    frequent."""
    terms = together(ctx.hubs)
    names = {}
    for topic in await ctx.db.run(vocabulary.topic_counts, seen):
        if topic not in without:
            titles = [title for hub in ctx.hubs for title in rules.of(hub.id).topics.get(topic, {}).values()]
            idea = [terms.title(topic, ctx.language)] if topic in terms.terms else []
            names[topic] = [topic, *titles, *idea]
    return topic_names.nearest_topics(names, f"{question.topic or ''} {question.text}".strip(), MOST_TOPICS)


def _topic(ctx: Context, rules: Rules, topic: str) -> str:
    hub = next((hub for hub in ctx.hubs if topic in rules.of(hub.id).topics), ctx.hub)
    return render.topic_title(ctx, rules.of(hub.id), topic)


def _spelt(entries: Sequence[Entry]) -> Mapping[str, str]:
    """Words as entries have them, by what they are compared by."""
    texts = [text for entry in entries for text in (*entry.title.values(), entry.note, entry.about) if text]
    return {word.folded: word.raw for text in texts for word in words(text)}


def _put_right(asked: str, meant: Mapping[str, str]) -> str:
    """A question with other words; only these where it cannot stand in a command as it is."""
    right = tidy(asked, LONGEST_TOLD + 1)
    for said, word in meant.items():
        right = re.sub(rf"(?<!\w){re.escape(said)}(?!\w)", word, right, flags=re.IGNORECASE)
    is_harmless = len(right) <= LONGEST_TOLD and "`" not in right and "@room" not in fold(right)
    return right if is_harmless else " ".join(meant.values())


def _what(ctx: Context, question: Question) -> str:
    """The question as it was understood, to be read."""
    said = tidy(question.text, LONGEST_TOLD)
    quoted = any(sign in said for sign in '"“”«»')
    parts = [escape(said) if quoted else ctx.t("“{words}”", words=escape(said))] if said else []
    parts += [escape(filters.written(name, value, ctx.language)) for name, value in question.filters.items()]
    return " ".join(parts)
