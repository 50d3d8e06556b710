"""Helpers for the JSON of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bot.api import Text
from plugins.knowledge.transfer.formats.dates import BadDate, parse_date
from plugins.knowledge.transfer.formats.item import Item, Skipped
from plugins.knowledge.transfer.formats.validation import excerpt, safe_address, validate


def read_bookmark(
    bookmark: object, date_key: str, to_item: Callable[[Mapping[str, object]], Mapping[str, object]]
) -> Iterator[Item | Skipped]:
    """Validates a bookmark of another program; the date under `date_key` becomes its only share."""
    if not isinstance(bookmark, Mapping):
        yield from validate(bookmark)
        return
    at, bad_date = None, None
    try:
        at = parse_date(str(bookmark.get(date_key) or ""))
    except BadDate:
        bad_date = excerpt(str(bookmark[date_key]))
    yield from validate({**to_item(bookmark), "shares": [] if at is None else [{"sent_at": at}]})
    if bad_date is not None:
        why = Text("Imported without the date “{date}”: unknown format", date=bad_date)
        yield Skipped(None, safe_address(str(bookmark.get("url"))), why)


def unique_tags(tags: object) -> object:
    """Deduplicates tags, and strips a leading `#`."""
    if not isinstance(tags, list):
        return tags
    named = (tag.strip().removeprefix("#") if isinstance(tag, str) else tag for tag in tags)
    return list({str(tag): tag for tag in named if tag != ""}.values())
