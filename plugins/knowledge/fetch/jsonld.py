"""Reads JSON-LD (schema.org) metadata of a page; it may be malformed, huge or deeply nested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_NODES = 200
_MOST_AUTHORS = 3
# Types that describe the page as a whole, most specific first; organisations, breadcrumbs and the like do not.
_TYPES = (
    "NewsArticle", "ScholarlyArticle", "Report", "BlogPosting", "TechArticle", "Article", "Book", "Dataset", "Course",
    "Event", "VideoObject", "PodcastEpisode", "DigitalDocument", "CreativeWork", "WebPage", "FAQPage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JsonLd:
    """The values as the page has them: text, but not tidied."""

    title: str = ""
    description: str = ""
    author: str = ""
    published: str = ""
    language: str = ""
    publisher: str = ""


def read(scripts: Sequence[str]) -> JsonLd:
    """The metadata of the most specific node in these scripts."""
    best, rank = JsonLd(), len(_TYPES)
    for script in scripts:
        try:
            document: object = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(document):
            kinds = [_TYPES.index(kind) for kind in _as_list(node.get("@type")) if kind in _TYPES]
            if kinds and min(kinds) < rank:
                best, rank = _from_node(node), min(kinds)
    return best


def _nodes(document: object) -> Iterator[dict[str, object]]:
    for outer in _as_list(document)[:_MOST_NODES]:
        if isinstance(outer, dict):
            yield outer
            for inner in _as_list(outer.get("@graph"))[:_MOST_NODES]:
                if isinstance(inner, dict):
                    yield inner


def _from_node(node: dict[str, object]) -> JsonLd:
    return JsonLd(
        title=_text(node.get("headline")) or _text(node.get("name")),
        description=_text(node.get("description")),
        author=", ".join(filter(None, map(_text, _as_list(node.get("author"))[:_MOST_AUTHORS]))),
        published=_text(node.get("datePublished")),
        language=_text(node.get("inLanguage")),
        publisher=_text(node.get("publisher")),
    )


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    """A text, the first text of a list, or the name of an object."""
    for part in _as_list(value)[:1]:
        if isinstance(part, dict):
            part = part.get("name") or part.get("alternateName")
        if isinstance(part, str):
            return part[:4_000]
    return ""
