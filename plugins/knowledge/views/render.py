"""Renders results as Markdown: two lines each, readable as plain text on a phone. Text from people is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date

from bot.api import Context, Hub, escape, in_language, to_local
from plugins.knowledge.capture import labels
from plugins.knowledge.capture.links import APART, LONGEST_LABEL
from plugins.knowledge.index.hub_rules import HubRules, Rules
from plugins.knowledge.search.engine import Hit
from plugins.knowledge.store.tlp import GREEN, LABELS
from plugins.knowledge.text.folding import compounds
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls import display
from plugins.knowledge.views.load import Entry, ShareDetails, Version, short_name

DAY_FIRST = {"en": "en_GB"}  # the date format most of our English readers use
MOST_TOPICS = 3  # of one result
AROUND = 6  # words of a snippet on each side of the match


def result(ctx: Context, rules: Rules, entry: Entry, match_reason: str = "") -> str:
    """`12. [Title](address)`, and a line with site, language, date, sharer, topics, the reason for the match, and a
    link to the message."""
    hub = hub_of(ctx, entry)
    facts = [escape(_site(entry))]
    facts += [language_name(ctx, code) for code in entry.languages]
    if entry.pinned:
        facts.append(ctx.t("pinned"))
    if entry.recommended:
        facts.append(ctx.t("recommended"))
    if entry.shared_at is not None:
        facts.append(day(ctx, hub, entry.shared_at))
        if entry.shared_by:
            facts.append(ctx.t("shared by {name}", name=escape(localpart(entry.shared_by))))
    if entry.votes:
        facts.append(ctx.n("useful to {count} person", "useful to {count} people", entry.votes))
    if entry.label != GREEN:
        facts.append(f"TLP:{LABELS[entry.label].upper()}")
    facts += [topic_title(ctx, rules.of(hub.id), topic) for topic in entry.topics[:MOST_TOPICS]]
    if entry.state_since is not None and entry.state == "gone":
        facts.append(ctx.t("the link no longer works (since {date})", date=day(ctx, hub, entry.state_since)))
    if entry.state_since is not None and entry.state == "moved":
        facts.append(ctx.t("the page has moved (since {date})", date=day(ctx, hub, entry.state_since)))
    if match_reason:
        facts.append(match_reason)
    if link := message(ctx, entry.room, entry.event, entry.shared_by):
        facts.append(link)
    return f"{escape(name(ctx, entry))}\\. {_link(ctx, entry)}\n{' · '.join(facts)}"


def match_reason(ctx: Context, entry: Entry, hit: Hit, unit_texts: Sequence[str], concepts: Sequence[Sequence[str]],
        rules: Rules) -> str:  # fmt: skip
    """Why an entry matches, if its title does not show it: a snippet, or the concept it has.

    `unit_texts` and `concepts` are those of the units of the question, in the order of `hit.matched_in`.
    """
    hub = rules.of(entry.shelf.hub)
    for matched_in, unit_text, unit_concepts in zip(hit.matched_in, unit_texts, concepts, strict=True):
        topics_shown = set(entry.topics[:MOST_TOPICS])
        if (
            matched_in.startswith("=")
            and unit_concepts
            and topics_shown.isdisjoint((*unit_concepts, *hub.topics_of(unit_concepts)))
        ):
            return ctx.t("about: {topic}", topic=topic_title(ctx, hub, unit_concepts[0]))
        text = {"notes": entry.note, "about": entry.about}.get(matched_in)
        if text and (excerpt := snippet(text, unit_text)):
            return _quoted(ctx, excerpt)
    return ""


def snippet(text: str, words: str) -> str:
    """Some words of a text around the first match of any of `words`; "" without a match."""
    wanted = {part.folded for compound in compounds(words) for part in compound}
    text_words = text.split()
    for position, word in enumerate(text_words):
        if any(part.folded in wanted for compound in compounds(word) for part in compound):
            start, end = max(0, position - AROUND), position + AROUND + 1
            return ("… " if start else "") + " ".join(text_words[start:end]) + (" …" if end < len(text_words) else "")
    return ""


def details(
    ctx: Context, rules: Rules, entry: Entry, versions: Sequence[Version],
    shares: Sequence[ShareDetails], *, more: bool,
) -> str:  # fmt: skip
    """A result in full: its other addresses, the recommendation, facts of the page, and its shares with their words."""
    hub = hub_of(ctx, entry)
    parts = [result(ctx, rules, entry)]
    if versions:
        parts.append(ctx.t("Other addresses:") + "\n" + "\n".join(_version(ctx, version) for version in versions))
    if entry.hidden:
        parts.append(ctx.t("Hidden: searches do not show it."))
    if entry.recommendation:
        parts.append(escape(in_language(dict(entry.recommendation), ctx.language, *hub.languages)))
    if page_facts := [escape(text) for text in (entry.site, entry.author) if text] + _published(ctx, entry):
        parts.append(ctx.t("The page says: {facts}", facts=" · ".join(page_facts)))
    if entry.about:
        parts.append(_quoted(ctx, tidy(entry.about, 300)))
    if entry.state_since is not None and entry.state == "ok":
        parts.append(ctx.t("The link has been working since {date}.", date=day(ctx, hub, entry.state_since)))
    if entry.moved_to:
        parts.append(ctx.t("Moved to: {address}", address=escape(display.shown(entry.moved_to))))
    if shares:
        parts.append(ctx.t("Shared in:") + "\n" + "\n".join(_share(ctx, hub, share) for share in shares))
    if more:
        parts.append(ctx.t("Shared more often; these are the most recent."))
    return "\n\n".join(parts)


def _share(ctx: Context, hub: Hub, share: ShareDetails) -> str:
    facts = [day(ctx, hub, share.sent_at)]
    if share.sender:
        facts.append(escape(share.sender))
    if link := message(ctx, share.room, share.event, share.sender):
        facts.append(link)
    if share.event is None:
        facts.append(ctx.t("from a file"))
    line = f"- {' · '.join(facts)}"
    return f"{line}\n  {_quoted(ctx, share.note)}" if share.note else line


def topic_title(ctx: Context, rules: HubRules, topic: str) -> str:
    """The title of a hub's topic, the first term of a concept, or a hashtag."""
    titles = rules.topics.get(topic)
    if titles:
        return escape(in_language(dict(titles), ctx.language, *rules.languages))
    if topic in rules.thesaurus.terms:
        return escape(rules.thesaurus.title(topic, ctx.language))
    return escape(f"#{topic}")


def language_name(ctx: Context, code: str) -> str:
    return escape(Locale.parse(ctx.language).languages.get(code, code))


def name(ctx: Context, entry: Entry) -> str:
    """The entry's number, with its hub's id where the hub is not obvious."""
    clear = len(ctx.hubs) == 1 if ctx.room.direct else entry.shelf.hub == ctx.hub.id
    return short_name(entry) if clear else f"{entry.shelf.hub}/{short_name(entry)}"


def message(ctx: Context, room: str | None, event: str | None, sender: str | None) -> str:
    """A link to a message (spec, "matrix.to navigation"); `via` is the sharer's server."""
    if not (room and event):
        return ""
    server = (sender or "").partition(":")[2]
    via = f"?via={quote(server, safe='')}" if server else ""
    return f"[{ctx.t('message')}](https://matrix.to/#/{quote(room, safe='')}/{quote(event, safe='')}{via})"


def localpart(user: str) -> str:
    return user.removeprefix("@").partition(":")[0]


def day(ctx: Context, hub: Hub, instant: int) -> str:
    return format_date(
        to_local(instant, hub.timezone), format="medium", locale=DAY_FIRST.get(ctx.language, ctx.language)
    )


def _published(ctx: Context, entry: Entry) -> list[str]:
    if entry.published is None:
        return []
    date_ = date.fromisoformat(entry.published)
    return [format_date(date_, format="medium", locale=DAY_FIRST.get(ctx.language, ctx.language))]


def hub_of(ctx: Context, entry: Entry) -> Hub:
    return next(hub for hub in ctx.hubs if hub.id == entry.shelf.hub)


def title(ctx: Context, entry: Entry) -> str:
    """The title of a result, escaped."""
    hub = hub_of(ctx, entry)
    words = in_language(dict(entry.title), ctx.language, *hub.languages) if entry.title else _untitled(entry)
    return escape(tidy(words, LONGEST_LABEL)) or escape(display.site(entry.url))


def _untitled(entry: Entry) -> str:
    """A title for a page without one: from its address, or the sharer's words if the address has none."""
    from_url = display.title(entry.url)
    note = labels.strip_labels((entry.note or "").partition(APART)[0])
    return note if entry.own_note and " " in note and display.says_nothing(from_url, entry.url) else from_url


def _quoted(ctx: Context, text: str) -> str:
    return ctx.t("“{words}”", words=escape(text))


def _site(entry: Entry) -> str:
    if entry.attachment is not None:
        size = entry.attachment.get("size")
        kind = str(entry.kind or "").upper()
        return f"{kind}, {_size(size)}" if isinstance(size, int) else kind
    site = display.site(entry.url)
    return f"{site} ({entry.kind.upper()})" if entry.kind else site


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1000))} kB"


def _link(ctx: Context, entry: Entry) -> str:
    """A file is shown by its name, a page as a link."""
    words = title(ctx, entry)
    if entry.attachment is not None:
        return f"{words} ({escape(str(entry.attachment.get('name', '')))})"
    return _markdown_link(words, entry.url)


def _version(ctx: Context, version: Version) -> str:
    link = _markdown_link(escape(display.site(version.url)), version.url)
    return f"- {language_name(ctx, version.language)} · {link}" if version.language else f"- {link}"


def _markdown_link(words: str, url: str) -> str:
    """A Markdown link. An address with a secret (a token, a signature) is masked and not linked."""
    if display.has_secret(url):
        return f"{words} ({escape(display.shown(url))})"
    # `@room` in the plain body would notify the whole room; %40 is the same character in an address.
    return f"[{words}]({escape(re.sub('@(?=room)', '%40', url, flags=re.IGNORECASE))})"
