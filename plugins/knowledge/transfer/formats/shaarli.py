"""Shaarli: reads the response of its REST API to `GET /api/v1/links`, a list.

`description` is the owner's text, so it becomes the note; `created` is the date of the only share. Private links become
`amber`. Notes without a web page (their address begins with `?` or `/`) are reported as skipped. Shaarli's HTML export
is read by `netscape`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.foreign_json import read_bookmark, unique_tags
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.json_file import read_document


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link; raises `ExchangeError` if this is not a response of Shaarli."""
    content = read_document(stream)
    if not isinstance(content, list):
        raise ExchangeError(Text("This is not a Shaarli export."), 1)
    for link in content:
        yield from read_bookmark(link, "created", _item)


def _item(link: Mapping[str, object]) -> dict[str, object]:
    return {
        "url": link.get("url"),
        "title": link.get("title"),
        "note": link.get("description"),
        "topics": unique_tags(link.get("tags")),
        "label": "amber" if link.get("private") is True else None,
    }
