"""Writes RSS 2.0, for feed readers.

Each item carries one title, the address, one note (else the page's description), the topics, the date of the first
share, and in Dublin Core the language and the author of the page. It omits sharers and their words, because a feed is
meant to be passed on, and addresses with a secret (token, signature). Characters that XML 1.0 forbids are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import format_datetime
from typing import BinaryIO
from urllib.parse import quote
from xml.sax.saxutils import escape

from plugins.knowledge.transfer.formats.dates import to_datetime
from plugins.knowledge.transfer.formats.item import Item, Meta, first_shared, shown_text
from plugins.knowledge.urls.display import has_secret
from plugins.knowledge.urls.display import title as title_of

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_NOT_IN_ADDRESS = re.compile(r"[^\x21-\x7e]|[<>\"{}|\\^`]")


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items; returns their number."""
    link = meta.link or f"urn:faro:hub:{_address(meta.hub)}"  # RSS requires one, and a hub may have no web address
    _put(
        stream,
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">\n<channel>\n'
        + _tag("title", meta.title)
        + _tag("link", link)
        + _tag("description", meta.title)
        + _tag("lastBuildDate", _date(meta.at))
        + _tag("generator", "Faro"),
    )
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        _put(stream, _entry(item, link))
    _put(stream, "</channel>\n</rss>\n")
    return count


def _put(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("utf-8"))


def _entry(item: Item, channel: str) -> str:
    secret = has_secret(item.url)
    date = first_shared(item)
    text = shown_text(item.note, item.language) or item.description
    name = f'<guid isPermaLink="false">{_text(f"{channel}#{item.number}")}</guid>\n' if item.number is not None else ""
    return "".join(
        [
            "<item>\n",
            _tag("title", shown_text(item.title, item.language) or title_of(item.url)),
            "" if secret else _tag("link", _address(item.url)),
            name or ("" if secret else _tag("guid", _address(item.url))),
            _tag("description", text),
            *(_tag("category", topic) for topic in item.topics),
            "" if date is None else _tag("pubDate", _date(date)),
            _tag("dc:language", item.language),
            _tag("dc:creator", item.author),
            "</item>\n",
        ]
    )


def _tag(name: str, text: str | None) -> str:
    return f"<{name}>{_text(text)}</{name}>\n" if text else ""


def _text(text: str) -> str:
    return escape(_NOT_IN_XML.sub("", text))


def _address(url: str) -> str:
    """Converts an IRI to the URI that RSS requires."""
    return _NOT_IN_ADDRESS.sub(lambda match: quote(match[0], safe="", errors="replace"), url)


def _date(at: int) -> str:
    return format_datetime(to_datetime(at))
