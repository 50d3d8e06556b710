"""What does the asker mean? Words and filters as they were typed → a `Query`, or a sentence that helps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from bot.api import Context, Hub, Text, Topic, UserError, escape, to_instant
from plugins.knowledge.links import tidy
from plugins.knowledge.search import Query
from plugins.knowledge.text import fold, question

LONGEST = 500  # characters of a question that are kept for `!more`

_SENDER = re.compile(r"@?[^\s:@]+(:\S+)?")
_DAY = re.compile(r"([12]\d{3})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_NUMBER = re.compile(r"(?:(?P<hub>[a-z0-9-]+)/)?#?(?P<number>\d{1,9})", re.ASCII | re.IGNORECASE)


def query(ctx: Context, words: str, topic: str | None, sender: str | None, since: str | None) -> Query:
    """Raises `UserError` if a filter cannot be understood, or nothing is asked for."""
    words = tidy(words, LONGEST)
    if not question(words) and not (topic or sender or since):
        example = written(ctx, "find", ctx.t("gifts"))
        raise UserError(ctx.t("Write what you look for, for example {example}.", example=example))
    return Query(
        words,
        topic=topic and _topic(ctx, topic).id,
        sender=sender and _sender(sender),
        since=_instant(since, ctx.hub.timezone) if since else None,
    )


def number(text: str) -> tuple[str | None, int]:
    """`12` or `transparency/12`. Raises `UserError`."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UserError(Text("“{text}” is not the number of a result; write one like 12.", text=tidy(text, 40)))
    return match["hub"] and match["hub"].lower(), int(match["number"])


def topics(hubs: Sequence[Hub]) -> Mapping[str, Topic]:
    """The hubs' topics by id; of two with the same id the first."""
    found: dict[str, Topic] = {}
    for hub in hubs:
        for topic in hub.topics:
            found.setdefault(topic.id, topic)
    return found


def nearest_topics(topics: Sequence[Topic], words: str, most: int) -> Sequence[Topic]:
    """Topics whose names are like the words; if none is, the first ones."""
    names = _names(topics)
    found: dict[str, Topic] = {}
    for word in (fold(words), *(" ".join(parts) for parts in question(words))):
        for name in get_close_matches(word, names, n=most, cutoff=0.6):
            found.setdefault(names[name].id, names[name])
    return (list(found.values()) or list(topics))[:most]


def written(ctx: Context, command: str, arguments: str = "") -> str:
    """A command as the asker would write it: `!buscar regalos`."""
    word = next((entry.word for entry in ctx.manual() if entry.name == command), command)
    return f"`{word} {arguments}`" if arguments else f"`{word}`"


def _topic(ctx: Context, said: str) -> Topic:
    known = list(topics(ctx.hubs).values())
    names = _names(known)
    if topic := names.get(fold(said)):
        return topic
    shown = escape(tidy(said, 40))
    if close := get_close_matches(fold(said), names, n=1, cutoff=0.5):
        suggestion = f"`topic:{names[close[0]].id}`"
        raise UserError(
            ctx.t("There is no topic “{topic}”. Did you mean {suggestion}?", topic=shown, suggestion=suggestion)
        )
    command = written(ctx, "topics")
    raise UserError(
        ctx.t("There is no topic “{topic}”. Write {command} to see the topics.", topic=shown, command=command)
    )


def _names(topics: Sequence[Topic]) -> Mapping[str, Topic]:
    """Everything topics are called, folded."""
    return {fold(name): topic for topic in reversed(topics) for name in (*topic.title.values(), topic.id)}


def _sender(said: str) -> str:
    if not _SENDER.fullmatch(said):
        raise UserError(Text("“{said}” is not a person; write from:ana or from:@ana:example.org.", said=tidy(said, 40)))
    name = said.removeprefix("@").lower()
    return f"@{name}" if ":" in name else name


def _instant(said: str, zone: str) -> int:
    """The beginning of a year, month or day in the hub's zone."""
    match = _DAY.fullmatch(said)
    if match:
        year, month, day = (int(part or 1) for part in match.groups())
        try:  # there may be no such day
            return to_instant(datetime(year, month, day), zone)  # noqa: DTZ001 - what the zone's clocks show
        except ValueError:
            pass
    raise UserError(
        Text("“{said}” is not a date; write since:2026, since:2026-01 or since:2026-01-31.", said=tidy(said, 40))
    )
