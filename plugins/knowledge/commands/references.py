"""What do people mean by a name: a topic, a hub, the number of a result? Raises `UserError` with a helpful sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from rapidfuzz import fuzz, process

from bot.api import Context, Hub, SyncReader, Text, UserError, escape
from plugins.knowledge.capture import attachments
from plugins.knowledge.capture.links import tidy
from plugins.knowledge.index.hub_rules import Rules, together
from plugins.knowledge.search import filters
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import access
from plugins.knowledge.store.access import COORDINATORS, Sight
from plugins.knowledge.text.folding import LANGUAGES, compounds, fold
from plugins.knowledge.urls import display
from plugins.knowledge.views import load
from plugins.knowledge.views.load import Entry

ON = frozenset(("on", "yes", "si", "sí", "oui", "sim"))
OFF = frozenset(("off", "no", "non", "não", "nao"))
NEAR = 65  # of 100: how much of a word and of a topic's name must be alike, for topics that are near
_NUMBER = re.compile(r"(?:(?P<hub>[a-z0-9-]+)/)?#?(?P<circle>c?)(?P<number>\d{1,9})", re.ASCII | re.IGNORECASE)


async def entry(ctx: Context, sight: Sight, said: str, *, hidden: bool = False) -> Entry:
    """The entry a person means by `12`, `c3` or `transparency/12`. What they may not see does not exist."""
    match = _NUMBER.fullmatch(said.rstrip(".,:)"))  # as a list shows it: `12.`
    if match is None:
        raise UserError(Text("“{text}” is not the number of a result; write one like 12.", text=tidy(said, 40)))
    hub = match["hub"] and match["hub"].lower()
    meant = hub or (None if ctx.room.direct else ctx.hub.id)
    seen = sight.of_hubs([meant]) if meant else sight
    circle = COORDINATORS if match["circle"] else "members"
    found = await ctx.db.run(load.numbered, seen, int(match["number"]), circle=circle, hidden=hidden)
    if not found:
        raise UserError(Text("There is no result with the number {number} here.", number=said[:40]))
    if len(found) > 1:
        names = ", ".join(f"`{one.shelf.hub}/{load.short_name(one)}`" for one in found)
        raise UserError(ctx.t("Several hubs have that number. Write one of: {names}", names=names))
    return found[0]


async def own(ctx: Context) -> Sight:
    """What may be corrected from here: the hub's own. For commands that are `rooms_only`."""
    return Sight((await access.sight(ctx)).own)


def hub(ctx: Context, said: str) -> Hub:
    """One of the hubs that may be seen here, by its id or title."""
    names = {fold(name): one for one in reversed(ctx.hubs) for name in (*one.title.values(), one.id)}
    if found := names.get(fold(said)):
        return found
    known = ", ".join(f"`{filters.written('hub', one.id, ctx.language)}`" for one in ctx.hubs)
    raise UserError(
        ctx.t("There is no hub “{hub}” here. You can write: {known}", hub=escape(tidy(said, 40)), known=known)
    )


async def refuse_unknown(ctx: Context, sight: Sight, question: Question) -> None:
    """Says so where a type or a language is asked for that few know, and nothing that may be seen has."""

    async def there(alone: Question) -> bool:
        found, _ = await ctx.db.run(load.answer, sight, alone, (), ctx.now, terms=together(ctx.hubs), count=1)
        return bool(found.hits)

    given, kinds, languages = question.filters, question.kinds, question.languages
    if kinds and attachments.KINDS.isdisjoint(kinds) and not await there(Question(kinds=kinds, filters=given)):
        said = tidy(given["type"], 40)
        raise UserError(
            Text("Nothing here is of the type “{said}”. Types are pdf, word, excel, powerpoint …", said=said)
        )
    unknown = languages and set(LANGUAGES).isdisjoint(languages)
    if unknown and not await there(Question(languages=languages, filters=given)):
        said = tidy(given["lang"], 40)
        raise UserError(Text("Nothing here is known to be in the language “{said}”.", said=said))


async def topics(ctx: Context, rules: Rules, sight: Sight, said: str) -> Sequence[str]:
    """The topics a name may mean: the hubs' own, ideas of the thesaurus, and hashtags that were used."""
    found = await ctx.db.run(topics_called, ctx.hubs, rules, sight, said)
    used = await ctx.db.run(load.topics_used, sight, found)
    if not {*_topics_by_name(ctx.hubs, rules).values(), *used}.isdisjoint(found):
        return found
    shown = escape(tidy(said, 40))
    if close := await ctx.db.run(close_topic, ctx.hubs, rules, sight, said):
        suggestion = f"`{filters.written('topic', close, ctx.language)}`"
        raise UserError(
            ctx.t("There is no topic “{topic}”. Did you mean {suggestion}?", topic=shown, suggestion=suggestion)
        )
    if found:  # an idea nobody has spoken of yet
        return found
    command = written(ctx, "topics")
    raise UserError(
        ctx.t("There is no topic “{topic}”. Write {command} to see the topics.", topic=shown, command=command)
    )


def topics_called(db: SyncReader, hubs: Sequence[Hub], rules: Rules, sight: Sight, said: str) -> Sequence[str]:
    """The same without a word where there is none."""
    found: dict[str, None] = {}
    words = list(compounds(said))
    for one in hubs:
        hub_rules = rules.of(one.id)
        if topic := hub_rules.topics_by_name.get(fold(said)):
            found[topic] = None
        for mention in hub_rules.thesaurus.mentions(words, capitals=False):
            if mention.end - mention.start == len(words):
                found |= dict.fromkeys((*mention.concepts, *hub_rules.topics_of(mention.concepts)))
    tag = fold(said.removeprefix("#")).replace(" ", "-").replace("_", "-")
    return list(found | dict.fromkeys(load.topics_used(db, sight, [tag])))


def close_topic(db: SyncReader, hubs: Sequence[Hub], rules: Rules, sight: Sight, said: str) -> str | None:
    """The topic that may be meant by a name none has: one of its words, or written much like it."""
    names = _topics_by_name(hubs, rules)
    names |= {tag: tag for tag in load.topic_counts(db, sight) if tag not in names}
    parts = [name for name in names if fold(said) in name.split()]
    close = parts or get_close_matches(fold(said), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def _topics_by_name(hubs: Sequence[Hub], rules: Rules) -> dict[str, str]:
    return {name: topic for one in hubs for name, topic in rules.of(one.id).topics_by_name.items()}


def nearest_topics(names: Mapping[str, Sequence[str]], words: str, most: int) -> Sequence[str]:
    """Topics whose names are like the words; if none is, the first ones. `names`: topic → what it is called."""
    by_name = {fold(name): topic for topic, called in names.items() for name in called}
    found: dict[str, None] = {}
    for word in (fold(words), *(part.folded for compound in compounds(words) for part in compound)):
        for name, _, _ in process.extract(word, list(by_name), scorer=fuzz.ratio, limit=most, score_cutoff=NEAR):
            found[by_name[name]] = None
    return (list(found) or list(names))[:most]


def rejected(ctx: Context, said: str, command: str, arguments: str) -> bool:
    """Whether somebody wrote `no` after a command that accepts what is proposed; "" accepts it."""
    if said and said.casefold() not in OFF:
        accept, reject = written(ctx, command, arguments), with_no(ctx, command, arguments)
        raise UserError(ctx.t("Write {accept}, or {reject} if it is wrong.", accept=accept, reject=reject))
    return bool(said)


def with_no(ctx: Context, command: str, arguments: str) -> str:
    """The command that rejects what this one would accept."""
    return written(ctx, command, f"{arguments} {ctx.t('no')}")


def more(ctx: Context, command: str, page: int, left: int) -> list[str]:
    """How many a list leaves out after this page, and the command that shows them; nothing if there are none."""
    if left <= 0:
        return []
    command = written(ctx, command, str(page + 1))
    return [ctx.t("{count} more: {command}", count=left, command=command)]


def written(ctx: Context, command: str, arguments: str = "") -> str:
    """A command as the asker would write it: `!buscar regalos`."""
    word = next((entry.word for entry in ctx.manual() if entry.name == command), command)
    return f"`{word} {arguments}`" if arguments else f"`{word}`"


def you_hid(ctx: Context, url: str, number: str) -> str:
    """What is said to whoever hid a page, and to nobody else."""
    again = written(ctx, "hide", number)
    return ctx.t("You hid this page, so nobody finds it. {command} shows it again: {address}",
                 address=escape(display.shown(url)), command=again)  # fmt: skip


def example(ctx: Context, command: str) -> str:
    """The first example of a command, as the asker would write it."""
    return next((f"`{entry.examples[0]}`" for entry in ctx.manual() if entry.name == command), f"`{command}`")
