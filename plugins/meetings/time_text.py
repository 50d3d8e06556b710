"""Dates, times and spans as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.dates import format_date, format_timedelta

from bot.api import Duration

_LOCALES = {"en": "en_GB"}  # day before month, as most readers of English here write it
_ONE_UNIT = 1e9  # a threshold no number reaches, so that Babel keeps to the unit it is told


def day(local: datetime, language: str) -> str:
    """Tuesday, 5 January 2027."""
    return format_date(local, "full", locale=_LOCALES.get(language, language))


def clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def city(zone: str) -> str:
    """The place a zone is named after: America/El_Salvador → El Salvador."""
    return zone.rpartition("/")[2].replace("_", " ")


def offset(local: datetime) -> str:
    """UTC-06:00. Offsets instead of zone names: names in CLDR may be behind the zone database."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def lasting(span: Duration, language: str) -> str:
    """1 week; 90 minutes."""
    return _say(span.milliseconds, span.unit, language, direction=False)


def ahead(span: Duration, language: str) -> str:
    """In 1 week; in 90 minutes."""
    return _say(span.milliseconds, span.unit, language, direction=True)


def relative(milliseconds: int, language: str) -> str:
    """In 5 minutes; 5 minutes ago (for what is negative)."""
    minutes = max(1, round(abs(milliseconds) / 60_000))
    sign = 1 if milliseconds > 0 else -1
    return _say(sign * minutes * 60_000, _unit(minutes), language, direction=True)


def _unit(minutes: int) -> str:
    """The unit that says it well enough: 90 minutes, 5 hours, 10 days, 2 weeks, 18 days."""
    if minutes < 120 and minutes != 60:
        return "minute"
    if minutes < 48 * 60 and minutes != 1440:
        return "hour"
    days = round(minutes / 1440)
    return "week" if days % 7 == 0 or days > 28 else "day"


def _say(milliseconds: int, unit: str, language: str, *, direction: bool) -> str:
    return format_timedelta(
        timedelta(milliseconds=milliseconds),
        granularity=unit,  # type: ignore[arg-type]  # one of the names Babel knows
        threshold=_ONE_UNIT,
        add_direction=direction,
        locale=_LOCALES.get(language, language),
    )
