"""Shaarli: what its REST API answers to `GET /api/v1/links`, a list.

`description` is what the owner wrote, so it becomes the note; `created` is the date of the only share. What is private
there is `amber` here. Notes without a page of their own (their address begins with `?` or `/`) are told as left out.
Shaarli's HTML export is read by `netscape`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.foreign_json import dated, listed
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.json_file import document


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link; raises `ExchangeError` if this is no answer of Shaarli."""
    found = document(stream)
    if not isinstance(found, list):
        raise ExchangeError(Text("This is not a list of links from Shaarli."), 1)
    for link in found:
        yield from dated(link, "created", _item)


def _item(link: Mapping[str, object]) -> dict[str, object]:
    return {
        "url": link.get("url"),
        "title": link.get("title"),
        "note": link.get("description"),
        "topics": listed(link.get("tags")),
        "label": "amber" if link.get("private") is True else None,
    }
