"""linkding: what its REST API answers to `GET /api/bookmarks/`, as one page, or the `results` of many as a list.

`tag_names` become topics, `notes` the note, `description` stays one (else the website's own), `date_added` is the date
of the only share, `is_archived` means hidden. A bookmark that is not shared there is `amber` here, as linkding shows it
to its owner only. linkding's HTML export is read by `netscape`, tables with its names by `csv_file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.foreign_json import dated, listed
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.json_file import document


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every bookmark; raises `ExchangeError` if this is no answer of linkding."""
    found = document(stream)
    results = found.get("results") if isinstance(found, Mapping) else found
    if not isinstance(results, list):
        raise ExchangeError(Text("This is not a list of bookmarks from linkding."), 1)
    for bookmark in results:
        yield from dated(bookmark, "date_added", _item)


def _item(bookmark: Mapping[str, object]) -> dict[str, object]:
    return {
        "url": bookmark.get("url"),
        "title": bookmark.get("title") or bookmark.get("website_title"),
        "note": bookmark.get("notes"),
        "description": bookmark.get("description") or bookmark.get("website_description") or None,
        "topics": listed(bookmark.get("tag_names")),
        "label": "amber" if bookmark.get("shared") is False else None,
        "hidden": bookmark.get("is_archived"),
    }
