"""Parses dates as people and programs write them to UTC milliseconds, and formats them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EARLIEST = 0
LATEST = 7_258_118_400_000  # the year 2200; later values are in another unit or of another epoch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,17}(?:\.[0-9]{1,9})?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:,?\s+(\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)
_NO_DATE = frozenset({"", "0", "-1"})


class BadDate(ValueError):  # noqa: N818 - a wrong value, reported to people as a Skipped
    """Not a date between 1970 and 2200."""


def parse_date(text: str) -> int | None:
    """UTC milliseconds; None for "", `0` and `-1`, by which programs mean "unknown". Raises `BadDate`.

    Accepts ISO 8601, `31/12/2026 18:30` (day first, as in Spanish, French and Portuguese), and seconds, milliseconds or
    microseconds since 1970, distinguished by magnitude. Without a time zone, it is UTC.
    """
    return parse_timestamp(f"{text.strip()}-01-01") if _YEAR.fullmatch(text.strip()) else parse_timestamp(text)


def parse_timestamp(text: str) -> int | None:
    """Like `parse_date`, but four digits are a number of seconds, not a year."""
    text = text.strip()
    if text in _NO_DATE:
        return None
    if len(text) > 40:
        raise BadDate
    at = _from_epoch(float(text)) if _NUMBER.fullmatch(text) else _parse_written(text)
    if not EARLIEST <= at <= LATEST:
        raise BadDate
    return at


def to_iso(at: int) -> str:
    """`2026-12-31T18:30:00.000Z`; may raise OverflowError for instants that no reader accepts."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_datetime(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)


def _from_epoch(number: float) -> int:
    """Until 2200 seconds have up to 10 digits, milliseconds up to 13, microseconds up to 16."""
    if number < 1e11:
        return int(number * 1000)
    return int(number) if number < 1e14 else int(number / 1000)


def _parse_written(text: str) -> int:
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
