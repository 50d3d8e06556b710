"""linkding: reads a response of its REST API to `GET /api/bookmarks/`, or the `results` of many pages as a list.

`tag_names` become topics, `notes` the note, `description` (else the website's) the description, `date_added` the date
of the only share; `is_archived` means hidden. An unshared bookmark becomes `amber`, as linkding shows it to its owner
only. linkding's HTML export is read by `netscape`, tables with its column names by `csv_file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.foreign_json import read_bookmark, unique_tags
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.json_file import read_document


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every bookmark; raises `ExchangeError` if this is not a response of linkding."""
    content = read_document(stream)
    results = content.get("results") if isinstance(content, Mapping) else content
    if not isinstance(results, list):
        raise ExchangeError(Text("This is not a linkding export."), 1)
    for bookmark in results:
        yield from read_bookmark(bookmark, "date_added", _item)


def _item(bookmark: Mapping[str, object]) -> dict[str, object]:
    return {
        "url": bookmark.get("url"),
        "title": bookmark.get("title") or bookmark.get("website_title"),
        "note": bookmark.get("notes"),
        "description": bookmark.get("description") or bookmark.get("website_description") or None,
        "topics": unique_tags(bookmark.get("tag_names")),
        "label": "amber" if bookmark.get("shared") is False else None,
        "hidden": bookmark.get("is_archived"),
    }
