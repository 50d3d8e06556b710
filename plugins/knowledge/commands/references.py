"""Resolves the arguments of commands: result numbers, hubs, topics, yes and no. Raises a helpful `UserError`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.api import Context, Hub, Text, UserError, escape
from plugins.knowledge.capture import attachments
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import filters, topic_names
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import access
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import LANGUAGES, fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls import display
from plugins.knowledge.views import command_text, load
from plugins.knowledge.views.load import Entry

ON = frozenset(("on", "yes", "si", "sí", "oui", "sim"))
OFF = frozenset(("off", "no", "non", "não", "nao"))
_NUMBER = re.compile(
    rf"(?:(?P<hub>[a-z0-9-]+)/)?#?(?P<sign>{access.SIGNS})(?P<number>\d{{1,9}})", re.ASCII | re.IGNORECASE
)


async def find_entry(ctx: Context, scope: Scope, reference: str, *, hidden: bool = False) -> Entry:
    """The entry that `12`, `c3`, `e4` or `transparency/12` refers to. What the sender may not see counts as missing."""
    match = _NUMBER.fullmatch(reference.rstrip(".,:)"))  # as a list shows it: `12.`
    if match is None:
        raise UserError(Text("“{text}” is not a result number; write one like 12.", text=tidy(reference, 40)))
    hub = match["hub"] and match["hub"].lower()
    hub_id = hub or (None if ctx.room.direct else ctx.hub.id)
    searched = (scope.of_hubs([hub_id]) if hub_id else scope).with_sign(match["sign"].lower())
    entries = await ctx.db.run(load.numbered, searched, int(match["number"]), hidden=hidden)
    if not entries:
        raise UserError(Text("There is no result with the number {number} here.", number=reference[:40]))
    if len(entries) > 1:
        names = ", ".join(f"`{entry.shelf.hub}/{load.short_name(entry)}`" for entry in entries)
        raise UserError(ctx.t("Several hubs have a result with that number. Write one of: {names}", names=names))
    return entries[0]


async def editable_scope(ctx: Context) -> Scope:
    """The shelves that this room's commands may edit: the hub's own. For commands that are `rooms_only`."""
    return Scope((await access.scope(ctx)).own)


def find_hub(ctx: Context, name: str) -> Hub:
    """A visible hub, by its id or title."""
    by_name = {fold(each): hub for hub in reversed(ctx.hubs) for each in (*hub.title.values(), hub.id)}
    if match := by_name.get(fold(name)):
        return match
    written = ", ".join(f"`{filters.written('hub', hub.id, ctx.language)}`" for hub in ctx.hubs)
    raise UserError(
        ctx.t("There is no hub “{hub}” here. Available: {known}", hub=escape(tidy(name, 40)), known=written)
    )


async def reject_unknown_filters(ctx: Context, scope: Scope, question: Question) -> None:
    """Raises if the query filters by an unusual type or language that no visible entry has: probably a typo."""

    async def exists(filter_only: Question) -> bool:
        result, _ = await ctx.db.run(
            load.answer, scope, filter_only, (), ctx.now, thesaurus=merged_thesaurus(ctx.hubs), count=1
        )
        return bool(result.hits)

    written_filters, kinds, languages = question.filters, question.kinds, question.languages
    if (
        kinds
        and attachments.KINDS.isdisjoint(kinds)
        and not await exists(Question(kinds=kinds, filters=written_filters))
    ):
        value = tidy(written_filters["type"], 40)
        raise UserError(
            Text("There is nothing here of the type “{said}”. Types: pdf, word, excel, powerpoint …", said=value)
        )
    unknown = languages and set(LANGUAGES).isdisjoint(languages)
    if unknown and not await exists(Question(languages=languages, filters=written_filters)):
        value = tidy(written_filters["lang"], 40)
        raise UserError(Text("There is nothing here in the language “{said}”.", said=value))


async def find_topics(ctx: Context, rules: Rules, scope: Scope, name: str) -> Sequence[str]:
    """The topics a name may mean: topics of the hubs, concepts of the thesaurus, and hashtags in use."""
    topics = await ctx.db.run(topic_names.topics_called, ctx.hubs, rules, scope, name)
    used_topics = await ctx.db.run(vocabulary.topics_used, scope, topics)
    if not {*topic_names.topics_by_name(ctx.hubs, rules).values(), *used_topics}.isdisjoint(topics):
        return topics
    shown_name = escape(tidy(name, 40))
    if close := await ctx.db.run(topic_names.close_topic, ctx.hubs, rules, scope, name):
        suggestion = f"`{filters.written('topic', close, ctx.language)}`"
        raise UserError(
            ctx.t("There is no topic “{topic}”. Did you mean {suggestion}?", topic=shown_name, suggestion=suggestion)
        )
    if topics:  # a concept of the thesaurus that no entry has yet
        return topics
    command = command_text.written(ctx, "topics")
    raise UserError(
        ctx.t("There is no topic “{topic}”. Write {command} to see the topics.", topic=shown_name, command=command)
    )


def is_rejected(ctx: Context, answer: str, command: str, arguments: str) -> bool:
    """Parses the optional `no` that rejects a proposal; without it, the proposal is accepted."""
    if answer and answer.casefold() not in OFF:
        accept, reject = command_text.written(ctx, command, arguments), command_text.with_no(ctx, command, arguments)
        raise UserError(
            ctx.t("To confirm, write {accept}. If it is wrong, write {reject}.", accept=accept, reject=reject)
        )
    return bool(answer)


def parse_answer(ctx: Context, answer: str, command: str, arguments: str) -> bool | None:
    """Parses the optional answer of a command that may ask for confirmation: yes, no, or None."""
    if not answer:
        return None
    if answer.casefold() not in ON | OFF:
        yes, no = command_text.with_yes(ctx, command, arguments), command_text.with_no(ctx, command, arguments)
        raise UserError(ctx.t("To confirm, write {accept}. If it is wrong, write {reject}.", accept=yes, reject=no))
    return answer.casefold() in ON


def hidden_by_you(ctx: Context, url: str, number: str) -> str:
    """Tells people that they hid this page themselves; nobody else may learn it."""
    again = command_text.written(ctx, "hide", number)
    return ctx.t("You hid this page, so searches do not show it. To show it again, write {command}: {address}",
                 address=escape(display.shown(url)), command=again)  # fmt: skip
