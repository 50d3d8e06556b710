"""What do people mean by a name: a topic, a hub, the number of a result? Raises `UserError` with a helpful sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.api import Context, Hub, Text, UserError, escape
from plugins.knowledge.capture import attachments
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, together
from plugins.knowledge.search import filters, topic_names
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import access
from plugins.knowledge.store.access import COORDINATORS, Scope
from plugins.knowledge.text.folding import LANGUAGES, fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls import display
from plugins.knowledge.views import command_text, load
from plugins.knowledge.views.load import Entry

ON = frozenset(("on", "yes", "si", "sí", "oui", "sim"))
OFF = frozenset(("off", "no", "non", "não", "nao"))
_NUMBER = re.compile(r"(?:(?P<hub>[a-z0-9-]+)/)?#?(?P<circle>c?)(?P<number>\d{1,9})", re.ASCII | re.IGNORECASE)


async def entry(ctx: Context, scope: Scope, said: str, *, hidden: bool = False) -> Entry:
    """The entry a person means by `12`, `c3` or `transparency/12`. What they may not see does not exist."""
    match = _NUMBER.fullmatch(said.rstrip(".,:)"))  # as a list shows it: `12.`
    if match is None:
        raise UserError(Text("“{text}” is not the number of a result; write one like 12.", text=tidy(said, 40)))
    hub = match["hub"] and match["hub"].lower()
    meant = hub or (None if ctx.room.direct else ctx.hub.id)
    seen = scope.of_hubs([meant]) if meant else scope
    circle = COORDINATORS if match["circle"] else "members"
    found = await ctx.db.run(load.numbered, seen, int(match["number"]), circle=circle, hidden=hidden)
    if not found:
        raise UserError(Text("There is no result with the number {number} here.", number=said[:40]))
    if len(found) > 1:
        names = ", ".join(f"`{one.shelf.hub}/{load.short_name(one)}`" for one in found)
        raise UserError(ctx.t("Several hubs have that number. Write one of: {names}", names=names))
    return found[0]


async def own(ctx: Context) -> Scope:
    """What may be corrected from here: the hub's own. For commands that are `rooms_only`."""
    return Scope((await access.scope(ctx)).own)


def hub(ctx: Context, said: str) -> Hub:
    """One of the hubs that may be seen here, by its id or title."""
    names = {fold(name): one for one in reversed(ctx.hubs) for name in (*one.title.values(), one.id)}
    if found := names.get(fold(said)):
        return found
    known = ", ".join(f"`{filters.written('hub', one.id, ctx.language)}`" for one in ctx.hubs)
    raise UserError(
        ctx.t("There is no hub “{hub}” here. You can write: {known}", hub=escape(tidy(said, 40)), known=known)
    )


async def refuse_unknown(ctx: Context, scope: Scope, question: Question) -> None:
    """Says so where a type or a language is asked for that few know, and nothing that may be seen has."""

    async def there(alone: Question) -> bool:
        found, _ = await ctx.db.run(load.answer, scope, alone, (), ctx.now, terms=together(ctx.hubs), count=1)
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


async def topics(ctx: Context, rules: Rules, scope: Scope, said: str) -> Sequence[str]:
    """The topics a name may mean: the hubs' own, ideas of the thesaurus, and hashtags that were used."""
    found = await ctx.db.run(topic_names.topics_called, ctx.hubs, rules, scope, said)
    used = await ctx.db.run(vocabulary.topics_used, scope, found)
    if not {*topic_names.topics_by_name(ctx.hubs, rules).values(), *used}.isdisjoint(found):
        return found
    shown = escape(tidy(said, 40))
    if close := await ctx.db.run(topic_names.close_topic, ctx.hubs, rules, scope, said):
        suggestion = f"`{filters.written('topic', close, ctx.language)}`"
        raise UserError(
            ctx.t("There is no topic “{topic}”. Did you mean {suggestion}?", topic=shown, suggestion=suggestion)
        )
    if found:  # an idea nobody has spoken of yet
        return found
    command = command_text.written(ctx, "topics")
    raise UserError(
        ctx.t("There is no topic “{topic}”. Write {command} to see the topics.", topic=shown, command=command)
    )


def rejected(ctx: Context, said: str, command: str, arguments: str) -> bool:
    """Whether somebody wrote `no` after a command that accepts what is proposed; "" accepts it."""
    if said and said.casefold() not in OFF:
        accept, reject = command_text.written(ctx, command, arguments), command_text.with_no(ctx, command, arguments)
        raise UserError(ctx.t("Write {accept}, or {reject} if it is wrong.", accept=accept, reject=reject))
    return bool(said)


def accepted(ctx: Context, said: str, command: str, arguments: str) -> bool | None:
    """What somebody wrote after a command that may ask back: yes, no, or nothing."""
    if not said:
        return None
    if said.casefold() not in ON | OFF:
        yes, no = command_text.with_yes(ctx, command, arguments), command_text.with_no(ctx, command, arguments)
        raise UserError(ctx.t("Write {accept}, or {reject} if it is wrong.", accept=yes, reject=no))
    return said.casefold() in ON


def you_hid(ctx: Context, url: str, number: str) -> str:
    """What is said to whoever hid a page, and to nobody else."""
    again = command_text.written(ctx, "hide", number)
    return ctx.t("You hid this page, so nobody finds it. {command} shows it again: {address}",
                 address=escape(display.shown(url)), command=again)  # fmt: skip
