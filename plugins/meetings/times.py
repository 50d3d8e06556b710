"""Dates, times and spans as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.dates import format_date, format_timedelta

from bot.api import Duration

_LOCALES = {"en": "en_GB"}  # day before month, as most readers of English here write it
_MINUTES = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}
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


def in_lead(lead: Duration, language: str) -> str:
    """In 1 week; in 90 minutes."""
    return _relative(lead.amount, lead.unit, language)


def relative(milliseconds: int, language: str) -> str:
    """In 5 minutes; 5 minutes ago (for what is negative)."""
    minutes = max(1, round(abs(milliseconds) / 60_000))
    unit = _unit(minutes)
    amount = round(minutes / _MINUTES[unit])
    return _relative(amount if milliseconds > 0 else -amount, unit, language)


def lasting(lead: Duration, language: str) -> str:
    """1 week; 90 minutes."""
    span = timedelta(minutes=lead.amount * _MINUTES[lead.unit])
    return format_timedelta(span, granularity=lead.unit, threshold=_ONE_UNIT, locale=_LOCALES.get(language, language))  # type: ignore[arg-type]  # one of the units


def _unit(minutes: int) -> str:
    """The unit that says it well enough: 90 minutes, 5 hours, 10 days, 3 weeks."""
    if minutes < 120:
        return "hour" if minutes == 60 else "minute"
    if minutes < 48 * 60 and minutes != 1440:
        return "hour"
    days = round(minutes / 1440)
    return "week" if days == 7 or days > 13 else "day"


def _relative(amount: int, unit: str, language: str) -> str:
    return format_timedelta(
        timedelta(minutes=amount * _MINUTES[unit]),
        granularity=unit,  # type: ignore[arg-type]  # one of the units
        threshold=_ONE_UNIT,
        add_direction=True,
        locale=_LOCALES.get(language, language),
    )
