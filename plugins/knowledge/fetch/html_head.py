"""The few elements of an HTML page that say what it is about, read in one pass.

The parsers there are need quadratic time and worse on hostile pages. Here every character is looked at a bounded
number of times: tags are matched as the HTML standard's tokenizer reads them, with possessive patterns that can only
fail where the page ends, and there the reading ends too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_MOST_TAGS = 20_000  # an honest head has a hundred
_MOST_ATTRIBUTES = 32
_LONGEST_VALUE = 4_000  # characters; `html.unescape` raises on numbers of more than 4,300 digits
_LONGEST_SCRIPT = 131_072

_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]{0,40}+)[^\s/>]*+
        (?P<attributes>(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+))*+)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s=>/]++)(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s>]*+)))?+""",
    re.VERBOSE,
)
_ENDS = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "noscript", "template", "svg")
}
_SAYING = frozenset(("html", "base", "meta", "link", "title", "script"))


@dataclass(frozen=True, slots=True)
class Element:
    """An element's lower-case name, its attributes (lower-case names, values unescaped), and what is in it."""

    name: str
    attributes: dict[str, str]
    text: str = ""


def elements(html: str) -> Iterator[Element]:
    """`html`, `base`, `meta`, `link` and `title` of the head, and JSON-LD scripts of the whole page, in order."""
    position = 0
    in_head = True
    for _ in range(_MOST_TAGS):
        start = html.find("<", position)
        if start < 0:
            return
        tag = _TAG.match(html, start)
        if tag is None:
            position = _behind(html, start)
            if position < 0:
                return
            continue
        position = tag.end()
        name = tag["name"].lower()
        if (tag["end"] and name == "head") or name == "body":
            in_head = False
        if tag["end"]:
            continue
        text = ""
        if end := _ENDS.get(name):
            closing = end.search(html, position)
            text = html[position : closing.start() if closing else len(html)]
            position = closing.end() if closing else len(html)
        if name in _SAYING and (in_head or name == "script"):
            element = Element(name, _attributes(tag["attributes"]), text)
            if name != "script" or _is_json_ld(element):
                yield element


def plain(markup: str) -> str:
    """The text of something short in which entities are written, such as a title."""
    return unescape(markup[:_LONGEST_VALUE])


def _behind(html: str, start: int) -> int:
    """Where what begins with `<` and is no tag ends; -1 if the page ends first."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 2)
        return -1 if end < 0 else end + 3
    if html.startswith(("<!", "<?", "</"), start):
        return html.find(">", start) + 1 or -1
    if html[start + 1 : start + 2].isascii() and html[start + 1 : start + 2].isalpha():
        return -1  # a tag that does not end
    return start + 1


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in _ATTRIBUTE.finditer(text):
        value = attribute["double"] or attribute["single"] or attribute["bare"] or ""
        found.setdefault(attribute["name"].lower()[:40], plain(value))
        if len(found) == _MOST_ATTRIBUTES:
            break
    return found


def _is_json_ld(script: Element) -> bool:
    kind = script.attributes.get("type", "").partition(";")[0].strip().lower()
    return kind == "application/ld+json" and len(script.text) <= _LONGEST_SCRIPT
