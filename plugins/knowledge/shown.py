"""How are results shown? Two lines each, readable as plain text on a phone; all that people wrote is made harmless."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date

from bot.api import Context, Hub, Topic, escape, in_language, to_local
from plugins.knowledge import address, asked
from plugins.knowledge.links import LONGEST_LABEL, tidy
from plugins.knowledge.search import Entry, Query, Share

DAY_FIRST = {"en": "en_GB"}  # as most readers of English here write dates
MOST_TOPICS = 5  # that are suggested
_QUOTES = frozenset('"“”«»')


def listing(ctx: Context, entries: Sequence[Entry]) -> str:
    return "\n\n".join(result(ctx, entry) for entry in entries)


def result(ctx: Context, entry: Entry) -> str:
    """`12. [Title](address)` and a line with site, language, date, who shared it, topics."""
    hub = _hub(ctx, entry)
    known = {topic.id: topic for topic in hub.topics}
    facts = [escape(address.site(entry.url))]
    if entry.language:
        facts.append(escape(Locale.parse(ctx.language).languages.get(entry.language, entry.language)))
    if entry.curated:
        facts.append(ctx.t("recommended"))
    if entry.shared_at is not None and entry.shared_by:
        facts.append(day(ctx, hub, entry.shared_at))
        facts.append(ctx.t("shared by {name}", name=escape(localpart(entry.shared_by))))
    facts += [topic_title(ctx, known[topic]) for topic in entry.topics if topic in known]
    return f"{escape(name(ctx, entry))}\\. {_link(ctx, hub, entry)}\n{' · '.join(facts)}"


def details(ctx: Context, entry: Entry, note: Mapping[str, str], shares: Sequence[Share], *, more: bool) -> str:
    """A result, what the hub says of it, and who shared it: when, in which words, and where to read on."""
    hub = _hub(ctx, entry)
    parts = [result(ctx, entry)]
    if note:
        parts.append(escape(in_language(dict(note), ctx.language, *hub.languages)))
    lines = []
    for share in shares:
        line = f"- {day(ctx, hub, share.sent_at)} · {escape(share.sender)} · [{ctx.t('message')}]({permalink(share)})"
        lines.append(f"{line}\n  {_quoted(ctx, share.note)}" if share.note else line)
    if lines:
        parts.append(ctx.t("Shared in:") + "\n" + "\n".join(lines))
    if more:
        parts.append(ctx.t("It was shared more often; these are the newest."))
    return "\n\n".join(parts)


def nothing(ctx: Context, query: Query, counts: Mapping[str, int]) -> str:
    """What was searched and where, and the nearest topics that have something."""
    has_quotes = not _QUOTES.isdisjoint(query.words)
    what = [escape(query.words) if has_quotes else _quoted(ctx, query.words)] if query.words else []
    if query.topic:
        what.append(f"topic:{escape(query.topic)}")
    if query.sender:
        what.append(f"from:{escape(query.sender)}")
    if query.since is not None:
        what.append(f"since:{to_local(query.since, ctx.hub.timezone).date()}")
    where = ", ".join(escape(in_language(hub.title, ctx.language, *hub.languages)) for hub in ctx.hubs)
    text = ctx.t("Nothing found for {what} in: {where}.", what=" ".join(what), where=where)
    filled = [topic for topic in asked.topics(ctx.hubs).values() if topic.id in counts and topic.id != query.topic]
    near = asked.nearest_topics(filled, query.words, MOST_TOPICS)
    if not near:
        return text
    names = ", ".join(f"{topic_title(ctx, topic)} (`topic:{topic.id}`)" for topic in near)
    example = asked.written(ctx, "find", f"topic:{near[0].id}")
    return f"{text}\n\n" + ctx.t(
        "Topics with results: {topics}. Write for example {example}.", topics=names, example=example
    )


def topic_title(ctx: Context, topic: Topic) -> str:
    return escape(in_language(topic.title, ctx.language))


def name(ctx: Context, entry: Entry) -> str:
    """The entry's number; with its hub's id where it is not clear which hub is meant."""
    clear = len(ctx.hubs) == 1 if ctx.room.direct else entry.hub == ctx.hub.id
    return str(entry.number) if clear else f"{entry.hub}/{entry.number}"


def permalink(share: Share) -> str:
    """The message in any Matrix client (spec, appendix "matrix.to navigation"); `via` is the sharer's server."""
    via = share.sender.partition(":")[2]
    return f"https://matrix.to/#/{quote(share.room, safe='')}/{quote(share.event, safe='')}?via={quote(via, safe='')}"


def localpart(user: str) -> str:
    return user.removeprefix("@").partition(":")[0]


def day(ctx: Context, hub: Hub, instant: int) -> str:
    return format_date(
        to_local(instant, hub.timezone), format="medium", locale=DAY_FIRST.get(ctx.language, ctx.language)
    )


def _quoted(ctx: Context, said: str) -> str:
    return ctx.t("“{words}”", words=escape(said))


def _hub(ctx: Context, entry: Entry) -> Hub:
    return next(hub for hub in ctx.hubs if hub.id == entry.hub)


def _link(ctx: Context, hub: Hub, entry: Entry) -> str:
    """An address that opens a door (a token, a signature) is shown masked and not as a link."""
    words = in_language(dict(entry.title), ctx.language, *hub.languages) if entry.title else address.title(entry.url)
    title = escape(tidy(words, LONGEST_LABEL)) or escape(address.site(entry.url))
    if address.has_secret(entry.url):
        return f"{title} ({escape(address.masked(entry.url))})"
    # `@room` would be pinged from the plain body; in an address %40 is the same sign.
    return f"[{title}]({escape(re.sub('@(?=room)', '%40', entry.url, flags=re.IGNORECASE))})"
