"""Builds an entry (columns, topics and words) from the resolved statements and the rules of its hub. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from plugins.knowledge.index import facets
from plugins.knowledge.index.analysis import TextAnalysis
from plugins.knowledge.index.hub_rules import HubRules
from plugins.knowledge.index.thesaurus import token
from plugins.knowledge.store.access import ADDRESSES, ENCRYPTED, MEMBERS, Shelf
from plugins.knowledge.store.resolve import Resolved
from plugins.knowledge.store.tlp import AMBER
from plugins.knowledge.urls import display, variants

MOST_TOPICS = 12  # of an entry
COLUMNS = ("facets", "title", "topics", "notes", "about", "address", "stems", "concepts")
TEXT_COLUMNS = ("title", "topics", "notes", "about", "address")  # columns that hold plain words, not tokens

_KIND = re.compile(r"^https?://[^/?#]+/[^?#]*\.(pdf|docx?|xlsx?|pptx?|od[tsp]|epub|csv)(?:$|[?#])")
_PLAIN_HOST = re.compile(r"https?://(?:www\.)?([a-z0-9.-]+)(?=[/?#]|$)")


@dataclass(frozen=True, slots=True)
class BuiltEntry:
    """An entry: the columns of `knowledge_entries`, its topics, and the columns of `knowledge_entry_words` ({} if it is
    hidden)."""

    entry: Mapping[str, object]
    topics: Sequence[str]
    words: Mapping[str, str]


def build(rules: HubRules, shelf: Shelf, resolved: Resolved) -> BuiltEntry:
    thesaurus = rules.thesaurus
    titles, labels = resolved.titles, _labels(resolved)
    noted = TextAnalysis(thesaurus, dict.fromkeys((*resolved.notes, *resolved.other_titles)))
    titled = TextAnalysis(thesaurus, titles.values())
    labelled = titled if list(titles.values()) == labels[:1] else TextAnalysis(thesaurus, labels)
    topics = _topics(rules, resolved, [*noted.topic_mentions, *labelled.topic_mentions])
    urls = resolved.urls
    newest = next((share for share in resolved.shares if not share.bare), None)
    languages = _languages(resolved)
    entry: dict[str, object] = {
        "newest": newest.id if newest else None,
        "facts": next((row["page"] for row in resolved.facts), None),
        "url": None if newest and resolved.url == newest.url else resolved.url,
        "title": None if newest and titles == {"": newest.label} else json.dumps(titles, ensure_ascii=False),
        "note": json.dumps(resolved.note, ensure_ascii=False) if resolved.note else None,
        "languages": " ".join(languages) or None,
        "kind": _kind(resolved),
        "recommended": int(resolved.recommended),
        "pinned": int(resolved.pinned),
        "hidden": int(resolved.hidden),
        "label": resolved.label,
        "votes": resolved.votes,
        "shared_at": newest.sent_at if newest else None,
    }
    if resolved.hidden:
        return BuiltEntry(entry, topics, {})
    about = dict.fromkeys(
        row[name] for row in resolved.facts for name in ("description", "site", "author") if row[name]
    )
    topical = TextAnalysis(thesaurus, (_topic_words(rules, topic) for topic in topics))
    described = TextAnalysis(thesaurus, about)
    addressed = TextAnalysis(
        thesaurus, dict.fromkeys(display.words(url).replace("-", " ") for url in urls if _is_web(url))
    )
    words = {
        "facets": " ".join(dict.fromkeys(_facets(rules, shelf, resolved, entry, topics, languages, urls))),
        "title": titled.words,
        "topics": topical.words,
        "notes": noted.words,
        "about": described.words,
        "address": addressed.words,
        "stems": _with_levels(titled.stems | topical.stems, noted.stems | described.stems | addressed.stems),
        "concepts": _with_levels(
            titled.concepts | topical.concepts | {token(topic) for topic in topics},
            noted.concepts | described.concepts | addressed.concepts,
        ),
    }
    return BuiltEntry(entry, topics, words)


def vocabulary_words(words: Mapping[str, str], topics: Iterable[str]) -> set[str]:
    """The keys under which the vocabulary counts an entry: its words, its concepts as `=token`, its topics as `#topic`,
    `=` for itself, and `=good` if it is good (facets.py)."""
    if not words:
        return set()
    counted_words = {word for column in TEXT_COLUMNS for word in words[column].split()}
    counted_words.update(f"#{topic}" for topic in topics)
    counted_words.update(f"={concept[1:]}" for concept in words["concepts"].split())
    counted_words.add("=")
    if f" {facets.GOOD} " in f" {words['facets']} ":
        counted_words.add(f"={facets.GOOD}")
    return counted_words


def _with_levels(first: set[str], second: set[str]) -> str:
    """Tokens prefixed with their level: `1` in title or topics, `2` elsewhere."""
    return " ".join([*(f"1{word}" for word in sorted(first)), *(f"2{word}" for word in sorted(second - first))])


def _is_web(url: str) -> bool:
    """Whether an address has words worth indexing; that of a file on a homeserver has none."""
    return not url.startswith("mxc:")


def _topics(rules: HubRules, resolved: Resolved, mentioned: Iterable[tuple[str, ...]]) -> list[str]:
    """The topics of an entry: given by people, by the YAML, as hashtags, and by concepts that people mention; without
    those that people removed."""
    topics: dict[str, None] = {}
    for row in resolved.recommendations:
        topics |= dict.fromkeys(json.loads(row["topics"]))
    for share in resolved.shares:
        for tag in json.loads(share.topics or "[]"):
            topics[rules.topics_by_name.get(tag) or rules.topics_by_name.get(tag.replace("-", " ")) or tag] = None
    for concepts in mentioned:
        if len(concepts) == 1:  # an ambiguous acronym gives no topic
            topics |= dict.fromkeys(rules.topics_of(concepts))
    given = [topic for topic, sign in resolved.topics.items() if sign == "+"]
    kept = [topic for topic in topics if resolved.topics.get(topic) != "-"]
    return list(dict.fromkeys([*given, *kept]))[:MOST_TOPICS]


def _labels(resolved: Resolved) -> list[str]:
    """The link texts of the page's shares, those of the first page of the entry first."""
    if len(resolved.shown) == 1:
        return [share.label for share in resolved.shares if share.label]
    rank = {part.page: position for position, part in enumerate(resolved.shown)}
    return [share.label for share in sorted(resolved.shares, key=lambda share: rank[share.page]) if share.label]


def _topic_words(rules: HubRules, topic: str) -> str:
    """The words that a topic is found by."""
    return " ".join((topic, *rules.topics.get(topic, {}).values()))


def _languages(resolved: Resolved) -> list[str]:
    languages = [row["language"] for row in resolved.recommendations if row["language"]]
    languages += [row["language"] for row in resolved.facts if row["language"]]
    urls = {row["url"] for row in resolved.recommendations} | {share.url for share in resolved.shares}
    if len(urls) > 1:  # merged: versions of one page
        languages += sorted(code for url in urls if (code := variants.language_of_address(url)))
    elif not languages:
        languages += [code for url in urls if (code := display.language(url))]
    return list(dict.fromkeys(languages))


def _kind(resolved: Resolved) -> str | None:
    for share in resolved.shares:
        if share.attachment:
            return str(json.loads(share.attachment)["kind"])
    for row in resolved.facts:
        if row["kind"] not in (None, "html", "other"):
            return str(row["kind"])
    for url in chain((row["url"] for row in resolved.recommendations), (share.url for share in resolved.shares)):
        if kind := _KIND.search(url.lower()):
            return kind[1]
    return None


def _facets(
    rules: HubRules, shelf: Shelf, resolved: Resolved, entry: Mapping[str, object], topics: Sequence[str],
    languages: Sequence[str], urls: Iterable[str],
) -> Iterable[str]:  # fmt: skip
    yield facets.shelf(shelf.id)
    if resolved.label != AMBER and (shelf.circle == MEMBERS or shelf.kind == ADDRESSES):
        yield facets.open_part(shelf.id)
        if rules.shared and shelf.circle == MEMBERS and (shelf.kind != ENCRYPTED or rules.opens_words):
            yield facets.SHARED
    if resolved.recommended or resolved.pinned or resolved.votes:
        yield facets.GOOD
    yield from map(facets.topic, topics)
    yield from map(facets.language, languages)
    if entry["kind"]:
        yield facets.kind(str(entry["kind"]))
    for host in dict.fromkeys(map(_host, filter(_is_web, urls))):
        yield from facets.sites(host)
    yield from (facets.sharer(share.sender) for share in resolved.shares if share.sender is not None)
    yield from facets.times(share.sent_at for share in resolved.shares if not share.bare)


def _host(url: str) -> str:
    """The same as `display.host`, quicker for most addresses."""
    plain = _PLAIN_HOST.match(url)
    return plain[1] if plain else display.host(url)
