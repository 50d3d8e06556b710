"""Which reminders are due when, and which alarms to arm or cancel so that they ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.api import Duration, Hub, reminder_due
from plugins.meetings import series
from plugins.meetings.series import Occurrence
from plugins.meetings.settings import lead_id

ALARM = "remind"
HORIZON = 35 * 86_400_000  # ms; alarms are armed so far ahead, and again every day


@dataclass(frozen=True, slots=True)
class Reminder:
    """One message that is due before a meeting."""

    occurrence: Occurrence
    lead: Duration
    due: int

    @property
    def key(self) -> str:
        """Names it for good, whatever instant it is due at."""
        occurrence = self.occurrence
        return f"{occurrence.hub.id}/{occurrence.meeting.id}/{occurrence.recurrence_id}/{lead_id(self.lead)}"

    @property
    def payload(self) -> Mapping[str, str]:
        """What the alarm needs to find it again."""
        return {
            "series": self.occurrence.meeting.id,
            "recurrence_id": self.occurrence.recurrence_id,
            "lead": lead_id(self.lead),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What to change so that the pending alarms are the right ones."""

    arm: tuple[Reminder, ...]
    cancel: tuple[str, ...]


def reminders(occurrence: Occurrence) -> list[Reminder]:
    """The reminders of a meeting, first to last."""
    found = [
        Reminder(occurrence, lead, reminder_due(occurrence.slot, occurrence.zone, lead))
        for lead in occurrence.meeting.remind
    ]
    return sorted(found, key=lambda reminder: reminder.due)


def to_ring(occurrence: Occurrence) -> list[Reminder]:
    """The same without those that fall together with another ("1 day" and "24 hours", most days)."""
    return list({reminder.due: reminder for reminder in reminders(occurrence)}.values())


def plan(hubs: Sequence[Hub], now: int, pending: Mapping[str, int]) -> Plan:
    """Compares what should ring in the next weeks with the alarms pending (key → due).

    A reminder whose time has passed is not armed any more: a meeting added late is not announced late. One that is
    pending and overdue rings first, and is judged then.
    """
    longest = max((lead.milliseconds for lead in _leads(hubs)), default=0)
    wanted = {
        reminder.key: reminder
        for occurrence in series.between(hubs, now, now + HORIZON + longest)
        for reminder in to_ring(occurrence)
        if reminder.due <= now + HORIZON
    }
    return Plan(
        arm=tuple(
            reminder
            for key, reminder in wanted.items()
            if pending.get(key) != reminder.due and (key in pending or reminder.due > now)
        ),
        cancel=tuple(key for key, due in pending.items() if key not in wanted and due > now),
    )


def _leads(hubs: Sequence[Hub]) -> list[Duration]:
    return [lead for hub in hubs for meeting in series.meetings(hub) for lead in meeting.remind]
