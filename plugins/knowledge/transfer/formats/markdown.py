"""Writes Markdown for people: a list with one link per item.

It shows one title, the address, the site, the date of the first share, the topics and one note. It omits sharers and
their words, because such a page is meant to be passed on. An address with a secret (token, signature) is masked, and
not linked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from bot.api import escape
from plugins.knowledge.transfer.formats.dates import to_datetime
from plugins.knowledge.transfer.formats.item import Item, Meta, first_shared, shown_text
from plugins.knowledge.urls.display import has_secret, masked
from plugins.knowledge.urls.display import site as host
from plugins.knowledge.urls.display import title as title_of


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items; returns their number."""
    _put(stream, f"# {_line(meta.title)}\n\n")
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        _put(stream, _entry(item))
    _put(stream, f"\n{_line(meta.hub)}, {to_datetime(meta.at):%Y-%m-%d}\n")
    return count


def _put(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("utf-8", "replace"))


def _entry(item: Item) -> str:
    title = _line(shown_text(item.title, item.language)) or _line(title_of(item.url))
    link = (
        f"{title} (`{masked(item.url).replace('`', '%60')}`)"
        if has_secret(item.url)
        else f"[{title}]({_address(item.url)})"
    )
    date = first_shared(item)
    about = [
        _line(item.site or host(item.url)),
        *([] if date is None else [f"{to_datetime(date):%Y-%m-%d}"]),
        *(_line(f"#{topic}") for topic in item.topics),
    ]
    note = _line(shown_text(item.note, item.language))
    return f"- {link} · {' · '.join(about)}\n" + (f"  {note}\n" if note else "")


def _line(text: str) -> str:
    return escape(" ".join(text.split()))


def _address(url: str) -> str:
    """A CommonMark link destination in angle brackets; only `<`, `>`, `\\` and white space need escaping there."""
    safe = "".join(f"%{ord(char):02X}" if char in "<>\\" or char.isspace() else char for char in url)
    return f"<{safe}>"
