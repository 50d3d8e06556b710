"""Markdown to be read by people: one list, a link per item.

Shown are one title, the address, the site, the date of the first share, the topics and one note. Sharers and their
words are left out, because such a page is made to be passed on. An address that opens a door (a token, a signature) is
shown without that, and is no link.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from bot.api import escape
from plugins.knowledge.transfer.formats.dates import utc
from plugins.knowledge.transfer.formats.item import Item, Meta, first_shared, shown
from plugins.knowledge.urls.display import has_secret, masked
from plugins.knowledge.urls.display import site as host
from plugins.knowledge.urls.display import title as title_of


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items and says how many there were."""
    _put(stream, f"# {_line(meta.title)}\n\n")
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        _put(stream, _entry(item))
    _put(stream, f"\n{_line(meta.hub)}, {utc(meta.at):%Y-%m-%d}\n")
    return count


def _put(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("utf-8", "replace"))


def _entry(item: Item) -> str:
    title = _line(shown(item.title, item.language)) or _line(title_of(item.url))
    link = (
        f"{title} (`{masked(item.url).replace('`', '%60')}`)"
        if has_secret(item.url)
        else f"[{title}]({_address(item.url)})"
    )
    date = first_shared(item)
    about = [
        _line(item.site or host(item.url)),
        *([] if date is None else [f"{utc(date):%Y-%m-%d}"]),
        *(_line(f"#{topic}") for topic in item.topics),
    ]
    note = _line(shown(item.note, item.language))
    return f"- {link} · {' · '.join(about)}\n" + (f"  {note}\n" if note else "")


def _line(text: str) -> str:
    return escape(" ".join(text.split()))


def _address(url: str) -> str:
    """In the angle brackets of CommonMark, where only these three and line ends end an address."""
    safe = "".join(f"%{ord(char):02X}" if char in "<>\\" or char.isspace() else char for char in url)
    return f"<{safe}>"
