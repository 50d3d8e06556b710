"""Local times become instants, and late reminders are judged, by rules that hold on every day of the year."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.durations import Duration, Unit
from bot.core.recurrence import LATE_GRACE, Timeliness, in_gap, reminder_due, timeliness, to_instant, to_local

NEW_YORK, SANTIAGO = "America/New_York", "America/Santiago"
MINUTE, HOUR = 60_000, 3_600_000
SAID = {Timeliness.ON_TIME, Timeliness.LATE, Timeliness.STARTED}


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ("2027-03-14 02:30", NEW_YORK, "2027-03-14 07:30"),  # in a gap: at 03:30 EDT
        ("2027-03-21 02:30", NEW_YORK, "2027-03-21 06:30"),
        ("2027-11-07 01:30", NEW_YORK, "2027-11-07 05:30"),  # twice that day: the first, EDT
        ("2027-09-05 00:15", SANTIAGO, "2027-09-05 04:15"),  # midnight is left out: at 01:15, the same day
        ("2027-03-02 10:00", NEW_YORK, "2027-03-02 15:00"),
        ("2027-04-06 10:00", NEW_YORK, "2027-04-06 14:00"),
        ("2027-01-05 10:00", "America/Guatemala", "2027-01-05 16:00"),
        ("2026-12-01 11:00", "America/Havana", "2026-12-01 15:00"),  # by the tzdata package, not an older system's
    ],
)
def test_a_local_time_is_an_instant(written: str, zone: str, instant: str) -> None:
    assert to_instant(local(written), zone) == utc(instant)


def test_what_clocks_show_at_an_instant_has_its_offset() -> None:
    assert to_local(utc("2027-03-14 07:30"), NEW_YORK).isoformat() == "2027-03-14T03:30:00-04:00"
    assert to_local(utc("2027-11-07 05:30"), NEW_YORK).isoformat() == "2027-11-07T01:30:00-04:00"
    assert to_local(utc("2027-09-05 04:15"), SANTIAGO).isoformat() == "2027-09-05T01:15:00-03:00"


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("2027-03-14 02:30", NEW_YORK, True),
        ("2027-03-14 01:59", NEW_YORK, False),
        ("2027-03-14 03:00", NEW_YORK, False),
        ("2027-11-07 01:30", NEW_YORK, False),
        ("2027-09-05 00:15", SANTIAGO, True),
    ],
)
def test_a_time_that_clocks_leave_out_is_known(written: str, zone: str, expected: bool) -> None:
    assert in_gap(local(written), zone) is expected


zones = st.sampled_from([NEW_YORK, SANTIAGO, "America/Havana", "America/Guatemala", "America/Asuncion", "UTC"])
locals_ = st.datetimes(local("2000-01-01"), local("2199-12-31")).map(lambda d: d.replace(second=0, microsecond=0))


@given(locals_, zones)
def test_a_local_time_outside_gaps_is_kept_and_one_in_a_gap_moves_on(written: datetime, zone: str) -> None:
    shown = to_local(to_instant(written, zone), zone).replace(tzinfo=None, fold=0)
    if in_gap(written, zone):
        assert timedelta(0) < shown - written <= timedelta(hours=1)
    else:
        assert shown == written


@pytest.mark.parametrize(
    ("amount", "unit", "due"),
    [
        (1, "day", "2027-03-13 15:00"),  # 10:00 EST: the clock says the same, 23 hours before
        (24, "hour", "2027-03-13 14:00"),  # 09:00 EST
        (1, "week", "2027-03-07 15:00"),
        (168, "hour", "2027-03-07 14:00"),
        (1, "hour", "2027-03-14 13:00"),
        (10, "minute", "2027-03-14 13:50"),
    ],
)
def test_days_are_counted_on_the_clock_and_hours_in_elapsed_time(amount: int, unit: Unit, due: str) -> None:
    assert reminder_due(local("2027-03-14 10:00"), NEW_YORK, Duration(amount, unit)) == utc(due)


@given(locals_, zones, st.integers(1, 500), st.sampled_from(["minute", "hour", "day", "week"]))
def test_a_reminder_is_due_before_its_meeting(written: datetime, zone: str, amount: int, unit: Unit) -> None:
    assert reminder_due(written, zone, Duration(amount, unit)) <= to_instant(written, zone) - MINUTE


START = utc("2027-01-05 14:00")
HOUR_BEFORE, TEN_BEFORE = START - HOUR, START - 10 * MINUTE


def judge(now: str, due: int, *others: int) -> Timeliness:
    return timeliness(now=utc(f"2027-01-05 {now}"), start=START, due=due, others=others)


def test_after_a_pause_only_the_newest_missed_reminder_is_said() -> None:
    assert judge("13:55", HOUR_BEFORE, TEN_BEFORE) is Timeliness.SUPERSEDED
    assert judge("13:55", TEN_BEFORE, HOUR_BEFORE) is Timeliness.LATE
    assert judge("14:05", TEN_BEFORE, HOUR_BEFORE) is Timeliness.STARTED
    assert judge("14:20", TEN_BEFORE, HOUR_BEFORE) is Timeliness.EXPIRED


def test_a_reminder_a_few_seconds_late_is_on_time() -> None:
    assert judge("13:50:20", TEN_BEFORE, HOUR_BEFORE) is Timeliness.ON_TIME
    assert judge("13:00:00", HOUR_BEFORE, TEN_BEFORE) is Timeliness.ON_TIME
    assert judge("13:10:00", HOUR_BEFORE, TEN_BEFORE) is Timeliness.LATE


@given(st.sets(st.integers(0, 40_000 * MINUTE), min_size=1, max_size=6), st.integers(-50_000, 1000))
def test_a_pause_of_any_length_lets_one_message_through_at_most(leads: set[int], back_at: int) -> None:
    now = START + back_at * MINUTE
    missed = [START - lead for lead in leads if START - lead <= now]
    verdicts = [
        timeliness(now=now, start=START, due=due, others=[START - lead for lead in leads if START - lead != due])
        for due in missed
    ]
    said = [verdict for verdict in verdicts if verdict in SAID]
    assert len(said) == (1 if missed and now <= START + LATE_GRACE else 0)
