"""What is an entry, given everything that was said about a page on one shelf? Pure: rows in, what is stored out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row
from plugins.knowledge.capture import attachments
from plugins.knowledge.index import facets
from plugins.knowledge.index.analysis import Texts
from plugins.knowledge.index.hub_rules import HubRules
from plugins.knowledge.index.thesaurus import token
from plugins.knowledge.store.access import AMBER, GREEN, LABELS, MEMBERS, Shelf
from plugins.knowledge.urls import display, variants

MOST_TOPICS = 12  # of an entry
COLUMNS = ("facets", "title", "topics", "notes", "about", "address", "stems", "concepts")
SEEN = ("title", "topics", "notes", "about", "address")  # columns that hold words as people write them


@dataclass(frozen=True, slots=True)
class Said:
    """Everything known of a page on one shelf. `shares` newest first; rows as their tables have them, and
    with each share the `strictest` label of all. `resource` is the page itself: others were joined to it."""

    resource: int
    shares: Sequence[Row] = ()
    curations: Sequence[Row] = ()
    corrections: Mapping[str, str] | None = None
    facts: Sequence[Row] = ()
    """What the page and its other versions say of themselves, the page's own first."""
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """An entry: the columns of `entries`, its topics, and the columns of `entry_words` ({} if it is hidden)."""

    entry: Mapping[str, object]
    topics: Sequence[str]
    words: Mapping[str, str]


def make(rules: HubRules, shelf: Shelf, said: Said) -> Made:
    terms = rules.thesaurus
    corrections = said.corrections or {}
    titles, more_titles = _titles(said, corrections)
    noted = Texts(terms, dict.fromkeys((*_notes(said, corrections), *more_titles)))
    titled = Texts(terms, titles.values())
    labelled = titled if list(titles.values()) == _labels(said)[:1] else Texts(terms, _labels(said))
    topics = _topics(rules, said, corrections, [*noted.mentioned, *labelled.mentioned])
    about = dict.fromkeys(row[name] for row in said.facts for name in ("description", "site", "author") if row[name])
    urls = _urls(said, corrections)
    label = LABELS.index(corrections["label"]) if "label" in corrections else _strictest(said.shares)
    newest = said.shares[0] if said.shares else None
    url = urls[0] if said.curations or "url" in corrections else min(_own_urls(said) or urls, key=len, default="")
    languages = _languages(said)
    entry = {
        "url": None if newest and url == newest["url"] else url,
        "title": None if newest and titles == {"": newest["label"]} else json.dumps(titles, ensure_ascii=False),
        "languages": " ".join(languages) or None,
        "kind": _kind(said),
        "curated": int(bool(said.curations)),
        "pinned": int("pinned" in corrections),
        "hidden": int("hidden" in corrections),
        "label": label,
        "votes": said.votes + int(corrections.get("votes", "0")),
        "shared_at": newest["sent_at"] if newest else None,
        "shared_by": newest["sender"] if newest else None,
    }
    if entry["hidden"]:
        return Made(entry, topics, {})
    topical = Texts(terms, (_topic_words(rules, topic) for topic in topics))
    told = Texts(terms, about)
    addressed = Texts(terms, dict.fromkeys(display.words(url).replace("-", " ") for url in urls if _is_web(url)))
    words = {
        "facets": " ".join(dict.fromkeys(_facets(rules, shelf, said, entry, topics, languages, urls))),
        "title": titled.words,
        "topics": topical.words,
        "notes": noted.words,
        "about": told.words,
        "address": addressed.words,
        "stems": _levels(titled.stems | topical.stems, noted.stems | told.stems | addressed.stems),
        "concepts": _levels(
            titled.concepts | topical.concepts | {token(topic) for topic in topics},
            noted.concepts | told.concepts | addressed.concepts,
        ),
    }
    return Made(entry, topics, words)


def counted(words: Mapping[str, str], topics: Iterable[str]) -> set[str]:
    """What of an entry counts in `vocabulary`: its words, its concepts as `=token`, its topics as `#topic`, itself as
    `=`, and as `=good` if it is (facets.py)."""
    if not words:
        return set()
    found = {word for column in SEEN for word in words[column].split()}
    found.update(f"#{topic}" for topic in topics)
    found.update(f"={concept[1:]}" for concept in words["concepts"].split())
    found.add("=")
    if f" {facets.GOOD} " in f" {words['facets']} ":
        found.add(f"={facets.GOOD}")
    return found


_KIND = re.compile(r"^https?://[^/?#]+/[^?#]*\.(pdf|docx?|xlsx?|pptx?|od[tsp]|epub|csv)(?:$|[?#])")


_PLAIN_HOST = re.compile(r"https?://(?:www\.)?([a-z0-9.-]+)(?=[/?#]|$)")


def by_language(corrections: Mapping[str, str], field: str) -> dict[str, str]:
    """A text a file brought in (transfer/importer.py): `title:es`, and `title:` where the language is not known. What
    people set by command (`title`) counts before it."""
    return {name.partition(":")[2]: text for name, text in corrections.items() if name.startswith(f"{field}:")}


def _levels(first: set[str], second: set[str]) -> str:
    """What stands in the title or topics is marked `1`, the rest `2`."""
    return " ".join([*(f"1{word}" for word in sorted(first)), *(f"2{word}" for word in sorted(second - first))])


def _urls(said: Said, corrections: Mapping[str, str]) -> list[str]:
    """Every address of it: where it moved to, as people accepted that; the YAML's; as it was shared."""
    corrected = [corrections["url"]] if "url" in corrections else []
    return list(dict.fromkeys((*corrected, *(row["url"] for row in (*said.curations, *said.shares)))))


def _own_urls(said: Said) -> list[str]:
    """As the page itself was shared, not those that were joined to it."""
    return [share["url"] for share in said.shares if share["resource"] == said.resource]


def _is_web(url: str) -> bool:
    """An address of the web says something to readers; that of a file on a homeserver does not."""
    return not url.startswith("mxc:")


def _titles(said: Said, corrections: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The title by language, and other words the page is called by. What people set counts before what pages say."""
    offered: list[dict[str, str]] = []
    if "title" in corrections:
        offered.append({"": corrections["title"]})
    curated: dict[str, str] = {}
    for row in said.curations:
        curated = {**curated, **json.loads(row["title"]), **curated}  # the first that has a language, in their order
    offered += [curated, by_language(corrections, "title")]
    told: dict[str, str] = {}
    for row in said.facts:
        if row["title"]:
            told.setdefault(row["language"] or "", row["title"])
    offered += [told, *({"": row["title"]} for row in said.facts if row["title"] and row["title"] not in told.values())]
    offered += [{"": label} for label in _labels(said)]
    offered += [{"": attachments.title(json.loads(share["file"])["name"])} for share in said.shares if share["file"]]
    offered = [titles for titles in offered if titles]
    if not offered:
        return {}, []
    return offered[0], [text for titles in offered[1:] for text in titles.values()]


def _notes(said: Said, corrections: Mapping[str, str]) -> list[str]:
    notes = [corrections["note"]] if "note" in corrections else []
    notes += [text for row in said.curations for text in json.loads(row["note"]).values()]
    notes += by_language(corrections, "note").values()
    return notes + [share["note"] for share in said.shares if share["note"]]


def _topics(
    rules: HubRules, said: Said, corrections: Mapping[str, str], mentioned: Iterable[tuple[str, ...]]
) -> list[str]:
    """What moderators set, the YAML's, hashtags, and the concepts people's words speak of; without what was taken
    away."""
    found: dict[str, None] = {}
    for row in said.curations:
        found |= dict.fromkeys(json.loads(row["topics"]))
    for share in said.shares:
        for tag in json.loads(share["topics"] or "[]"):
            found[rules.topics_by_name.get(tag) or rules.topics_by_name.get(tag.replace("-", " ")) or tag] = None
    for concepts in mentioned:
        if len(concepts) == 1:  # an acronym of two meanings says nothing sure
            found |= dict.fromkeys(rules.topics_of(concepts))
    set_ = {field[6:]: value for field, value in corrections.items() if field.startswith("topic:")}
    kept = [topic for topic in found if set_.get(topic) != "-"]
    return list(dict.fromkeys([*(topic for topic, value in set_.items() if value == "+"), *kept]))[:MOST_TOPICS]


def _labels(said: Said) -> list[str]:
    """The page's own first."""
    shares = sorted(said.shares, key=lambda share: share["resource"] != said.resource)
    return [share["label"] for share in shares if share["label"]]


def _topic_words(rules: HubRules, topic: str) -> str:
    """What a topic is found by; that of a concept as the concept, too."""
    return " ".join((topic, *rules.topics.get(topic, {}).values()))


def _strictest(shares: Sequence[Row]) -> int:
    """The label of all shares, also of those that are too old to be read."""
    return shares[0]["strictest"] if shares else GREEN


def _languages(said: Said) -> list[str]:
    found = [row["language"] for row in said.curations if row["language"]]
    found += [row["language"] for row in said.facts if row["language"]]
    urls = {row["url"] for row in (*said.curations, *said.shares)}
    if len(urls) > 1:  # joined: versions of one page
        found += sorted(code for url in urls if (code := variants.language_of_address(url)))
    elif not found:
        found += [code for url in urls if (code := display.language(url))]
    return list(dict.fromkeys(found))


def _kind(said: Said) -> str | None:
    for share in said.shares:
        if share["file"]:
            return str(json.loads(share["file"])["kind"])
    for row in said.facts:
        if row["kind"] not in (None, "html", "other"):
            return str(row["kind"])
    for row in (*said.curations, *said.shares):
        if kind := _KIND.search(row["url"].lower()):
            return kind[1]
    return None


def _facets(
    rules: HubRules, shelf: Shelf, said: Said, entry: Mapping[str, object], topics: Sequence[str],
    languages: Sequence[str], urls: Iterable[str],
) -> Iterable[str]:  # fmt: skip
    yield facets.shelf(shelf.id)
    if shelf.circle == MEMBERS and entry["label"] != AMBER:
        yield facets.open_part(shelf.id)
        if rules.shared:
            yield facets.SHARED
    if entry["curated"] or entry["pinned"] or entry["votes"]:
        yield facets.GOOD
    yield from map(facets.topic, topics)
    yield from map(facets.language, languages)
    if entry["kind"]:
        yield facets.kind(str(entry["kind"]))
    for host in dict.fromkeys(map(_host, filter(_is_web, urls))):
        yield from facets.sites(host)
    yield from (facets.sharer(share["sender"]) for share in said.shares if share["sender"] is not None)
    yield from facets.times(share["sent_at"] for share in said.shares)


def _host(url: str) -> str:
    """`address.host`, quickly for most addresses."""
    plain = _PLAIN_HOST.match(url)
    return plain[1] if plain else display.host(url)
