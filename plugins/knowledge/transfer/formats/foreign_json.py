"""What the JSON of other programs has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bot.api import Text
from plugins.knowledge.transfer.formats.dates import BadDate, instant
from plugins.knowledge.transfer.formats.item import Item, Skipped
from plugins.knowledge.transfer.formats.validation import admitted, beginning, told


def dated(
    found: object, date: str, item: Callable[[Mapping[str, object]], Mapping[str, object]]
) -> Iterator[Item | Skipped]:
    """A link of another program, with the date under the key `date` as its only share."""
    if not isinstance(found, Mapping):
        yield from admitted(found)
        return
    at, bad_date = None, None
    try:
        at = instant(str(found.get(date) or ""))
    except BadDate:
        bad_date = beginning(str(found[date]))
    yield from admitted({**item(found), "shares": [] if at is None else [{"sent_at": at}]})
    if bad_date is not None:
        why = Text("Read without its date, which is not understood: {date}", date=bad_date)
        yield Skipped(None, told(str(found.get("url"))), why)


def listed(tags: object) -> object:
    """Tags, each once and without the `#` some people write before them."""
    if not isinstance(tags, list):
        return tags
    named = (tag.strip().removeprefix("#") if isinstance(tag, str) else tag for tag in tags)
    return list({str(tag): tag for tag in named if tag != ""}.values())
