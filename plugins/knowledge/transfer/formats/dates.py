"""Dates as people and programs write them, as UTC milliseconds and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EARLIEST = 0
LATEST = 7_258_118_400_000  # the year 2200: what lies behind it is another unit or another epoch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,17}(?:\.[0-9]{1,9})?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:,?\s+(\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)
_NO_DATE = frozenset({"", "0", "-1"})


class BadDate(ValueError):  # noqa: N818 - a value that is wrong, told to people as a Skipped
    """Not a date between 1970 and 2200."""


def instant(text: str) -> int | None:
    """UTC milliseconds; None for nothing, `0` and `-1`, as programs write "unknown". Raises `BadDate`.

    Understood are ISO 8601, `31/12/2026 18:30` (the day comes first, as in Spanish, French and Portuguese), and
    seconds, milliseconds or microseconds since 1970, told apart by their size. Without a zone it is UTC.
    """
    return stamp(f"{text.strip()}-01-01") if _YEAR.fullmatch(text.strip()) else stamp(text)


def stamp(text: str) -> int | None:
    """As `instant`, where four digits are no year but a number of seconds."""
    text = text.strip()
    if text in _NO_DATE:
        return None
    if len(text) > 40:
        raise BadDate
    found = _since_1970(float(text)) if _NUMBER.fullmatch(text) else _written(text)
    if not EARLIEST <= found <= LATEST:
        raise BadDate
    return found


def iso(at: int) -> str:
    """`2026-12-31T18:30:00.000Z`; may raise OverflowError for instants no reader lets through."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)


def _since_1970(number: float) -> int:
    """Until 2200 seconds have up to 10 digits, milliseconds up to 13, microseconds up to 16."""
    if number < 1e11:
        return int(number * 1000)
    return int(number) if number < 1e14 else int(number / 1000)


def _written(text: str) -> int:
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year, time = match.groups()
        hour, _, rest = (time or "0:00").partition(":")
        text = f"{year}-{int(month):02}-{int(day):02}T{int(hour):02}:{rest}"
    elif re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
        text += "-01"
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (at - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise BadDate from None
