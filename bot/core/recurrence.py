"""What people's clocks say → instants, and what to do about reminders that are late.

Clock changes are decided here and nowhere else:
- a local time that a clock change leaves out is moved on by the length of the gap (RFC 5545 section 3.3.5: the
  offset from before the gap counts), because people still meet;
- a local time that happens twice means the first of the two;
- a lead of days or weeks goes back on the wall clock ("1 day" before 10:00 is 10:00), one of hours or minutes in
  elapsed time ("24 hours" before may be another hour of the day).

Instants are UTC milliseconds since 1970; local times are naive datetimes, with the IANA name of their zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from bot.core.durations import Duration

LATE_GRACE = 15 * 60_000  # ms after the start in which a missed reminder still says that it started
PUNCTUAL = 60_000  # ms; the alarm clock looks every 15 seconds, and the machine may be busy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = {"day": 1, "week": 7}


def to_instant(local: datetime, zone: str) -> int:
    """When the clocks of the zone show `local`."""
    # With fold=0, zoneinfo counts with the offset from before a clock change, in a gap as in an overlap (PEP 495).
    return (local.replace(tzinfo=ZoneInfo(zone), fold=0) - _EPOCH) // timedelta(milliseconds=1)


def to_local(instant: int, zone: str) -> datetime:
    """What the clocks of the zone show at an instant; it knows its offset."""
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(zone))


def in_gap(local: datetime, zone: str) -> bool:
    """Whether a clock change leaves this local time out."""
    return to_local(to_instant(local, zone), zone).replace(tzinfo=None, fold=0) != local.replace(fold=0)


def reminder_due(local: datetime, zone: str, lead: Duration) -> int:
    """When to remind of a meeting at `local`, so long before."""
    if lead.unit in _DAYS:
        return to_instant(local - timedelta(days=lead.amount * _DAYS[lead.unit]), zone)
    return to_instant(local, zone) - lead.milliseconds


class Timeliness(Enum):
    """What becomes of a reminder that rings."""

    ON_TIME = "say it"
    LATE = "say it, with the time that is really left"
    STARTED = "say that it started"
    SUPERSEDED = "say nothing: a later reminder of the same meeting is due as well"
    EXPIRED = "say nothing: it is over, or nearly"


def timeliness(*, now: int, start: int, due: int, others: Iterable[int] = ()) -> Timeliness:
    """What becomes of the reminder due at `due` of a meeting at `start`; `others` are its other reminders' instants.

    After a pause of any length this lets at most one reminder of a meeting through: the newest that is due.
    """
    if any(due < other <= now for other in others):
        return Timeliness.SUPERSEDED
    if now > start + LATE_GRACE:
        return Timeliness.EXPIRED
    if now >= start:
        return Timeliness.STARTED
    return Timeliness.ON_TIME if now - due < PUNCTUAL else Timeliness.LATE
