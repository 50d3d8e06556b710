"""What JSON-LD (schema.org) in a page says about it. Never trusted to be well-formed, small or flat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_NODES = 200
_MOST_AUTHORS = 3
# What a page may be about as a whole, the most telling first; organisations, breadcrumbs and the like are not it.
_TELLING = (
    "NewsArticle", "ScholarlyArticle", "Report", "BlogPosting", "TechArticle", "Article", "Book", "Dataset", "Course",
    "Event", "VideoObject", "PodcastEpisode", "DigitalDocument", "CreativeWork", "WebPage", "FAQPage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Linked:
    """As written in the page: not tidied, but all of it text."""

    title: str = ""
    description: str = ""
    author: str = ""
    published: str = ""
    language: str = ""
    publisher: str = ""


def read(scripts: Sequence[str]) -> Linked:
    """What the most telling node of these scripts says."""
    best, rank = Linked(), len(_TELLING)
    for script in scripts:
        try:
            document: object = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(document):
            kinds = [_TELLING.index(kind) for kind in _listed(node.get("@type")) if kind in _TELLING]
            if kinds and min(kinds) < rank:
                best, rank = _said(node), min(kinds)
    return best


def _nodes(document: object) -> Iterator[dict[str, object]]:
    for outer in _listed(document)[:_MOST_NODES]:
        if isinstance(outer, dict):
            yield outer
            for inner in _listed(outer.get("@graph"))[:_MOST_NODES]:
                if isinstance(inner, dict):
                    yield inner


def _said(node: dict[str, object]) -> Linked:
    return Linked(
        title=_text(node.get("headline")) or _text(node.get("name")),
        description=_text(node.get("description")),
        author=", ".join(filter(None, map(_text, _listed(node.get("author"))[:_MOST_AUTHORS]))),
        published=_text(node.get("datePublished")),
        language=_text(node.get("inLanguage")),
        publisher=_text(node.get("publisher")),
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    """A text, the first of several, or the name of a thing."""
    for part in _listed(value)[:1]:
        if isinstance(part, dict):
            part = part.get("name") or part.get("alternateName")
        if isinstance(part, str):
            return part[:4_000]
    return ""
