"""Extracts the metadata elements of an HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from plugins.knowledge.text.html_tokens import Tag, UnclosedTag, tokens

_MOST_TOKENS = 40_000  # a normal head has a few hundred
_LONGEST_SCRIPT = 131_072

# Raw text, as browsers read it; a `<title>` inside the others is not the page's.
_RAW_TEXT = frozenset(("script", "style", "title", "textarea", "noscript", "template", "svg"))
_META_ELEMENTS = frozenset(("html", "base", "meta", "link", "title", "script"))


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its lower-case name, its attributes, and its text with entities not yet decoded."""

    name: str
    attributes: dict[str, str]
    text: str = ""


def elements(html: str) -> Iterator[Element]:
    """`html`, `base`, `meta`, `link` and `title` of the head, and JSON-LD scripts of the whole page, in order."""
    in_head = True
    page = islice(tokens([html], raw=_RAW_TEXT), _MOST_TOKENS)
    for tag in page:
        if not isinstance(tag, Tag):
            continue
        if tag.name in ("/head", "body"):
            in_head = False
        if tag.name in _META_ELEMENTS and (in_head or tag.name == "script"):
            element = Element(tag.name, tag.attributes, _text_content(page) if tag.name in _RAW_TEXT else "")
            if tag.name != "script" or _is_json_ld(element):
                yield element


def _text_content(page: Iterator[Tag | UnclosedTag | str]) -> str:
    """The text up to the end tag."""
    texts: list[str] = []
    for token in page:
        if not isinstance(token, str):
            break
        texts.append(token)
    return "".join(texts)


def _is_json_ld(script: Element) -> bool:
    kind = script.attributes.get("type", "").partition(";")[0].strip().lower()
    return kind == "application/ld+json" and len(script.text) <= _LONGEST_SCRIPT
