"""Meetings are on the days the calendar says, at the local time people agreed on."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from plugins.meetings import series
from plugins.meetings.rrule import parse, rule_of
from plugins.meetings.settings import Meeting
from tests.core.test_recurrence import utc
from tests.meetings.hubs import hub, meeting

NEW_YORK = "America/New_York"


def days(rule: str, starts: str, last: int) -> list[str]:
    one = meeting(rrule=rule, starts=starts)
    return [f"{o.slot:%Y-%m-%d}" for o in series.on_days([hub(one)], date(2000, 1, 1), date(last, 12, 31))]


def test_a_fifth_friday_is_never_another_one() -> None:
    found = days("FREQ=MONTHLY;BYDAY=5FR", "2027-01-29 10:00", 2027)
    assert found == ["2027-01-29", "2027-04-30", "2027-07-30", "2027-10-29", "2027-12-31"]
    assert days("FREQ=MONTHLY;BYDAY=-1FR", "2027-01-29 10:00", 2027)[:4] == [
        "2027-01-29", "2027-02-26", "2027-03-26", "2027-04-30",
    ]  # fmt: skip


def test_the_29th_of_february_and_the_last_of_february_are_different() -> None:
    assert days("FREQ=YEARLY", "2028-02-29 10:00", 2036) == ["2028-02-29", "2032-02-29", "2036-02-29"]
    last = days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2028-02-29 10:00", 2030)
    assert last == ["2028-02-29", "2029-02-28", "2030-02-28"]


def test_in_a_gap_there_is_one_meeting_later_on_the_clock_and_it_says_so() -> None:
    weekly = meeting(repeats="every week", starts="2027-03-07 02:30", timezone=NEW_YORK)
    found = series.on_days([hub(weekly)], date(2027, 3, 14), date(2027, 3, 21))
    assert [o.starts for o in found] == [utc("2027-03-14 07:30"), utc("2027-03-21 06:30")]
    assert [o.moved_by_clocks for o in found] == [True, False]
    assert found[0].recurrence_id == "20270314T023000"


def test_in_an_overlap_there_is_one_meeting() -> None:
    weekly = meeting(repeats="every week", starts="2027-11-07 01:30", timezone=NEW_YORK)
    found = series.between([hub(weekly)], utc("2027-11-07 00:00"), utc("2027-11-08 00:00"))
    assert [o.starts for o in found] == [utc("2027-11-07 05:30")]


def test_a_gap_at_midnight_does_not_change_the_day() -> None:
    once = meeting(starts="2027-09-05 00:15", timezone="America/Santiago")
    (found,) = series.on_days([hub(once)], date(2027, 9, 5), date(2027, 9, 5))
    assert found.starts == utc("2027-09-05 04:15")


def test_the_local_time_stays_when_the_offset_changes() -> None:
    monthly = meeting(repeats="first tuesday of the month", timezone=NEW_YORK)
    found = series.between([hub(monthly)], utc("2027-03-01 00:00"), utc("2027-04-30 00:00"))
    assert [o.starts for o in found] == [utc("2027-03-02 15:00"), utc("2027-04-06 14:00")]


def test_a_skipped_day_is_gone_and_counts() -> None:
    monthly = meeting(repeats="first tuesday of the month", count=5, skip=["2027-04-06"])
    found = series.on_days([hub(monthly)], date(2027, 1, 1), date(2028, 1, 1))
    assert [f"{o.slot:%m-%d}" for o in found] == ["01-05", "02-02", "03-02", "05-04"]
    assert series.find(hub(monthly), "monthly", "20270406T100000") is None
    assert series.find(hub(monthly), "monthly", "20270504T100000") == found[-1]
    assert series.find(hub(monthly), "weekly", "20270504T100000") is None
    assert series.find(hub(monthly), "monthly", "20270504T110000") is None


def test_the_last_day_counts_in_the_zone_of_the_meeting() -> None:
    plain = meeting(repeats="every week", starts="2027-01-05 23:30", until="2027-01-12")
    assert len(series.on_days([hub(plain)], date(2027, 1, 1), date(2028, 1, 1))) == 2
    for until, count in (("20270113T053000Z", 2), ("20270113T052959Z", 1), ("20270112", 2), ("20270112T232959", 1)):
        one = meeting(rrule=f"FREQ=WEEKLY;UNTIL={until}", starts="2027-01-05 23:30")
        assert len(series.on_days([hub(one)], date(2027, 1, 1), date(2028, 1, 1))) == count


def test_the_hubs_zone_counts_where_a_meeting_names_none() -> None:
    (found,) = series.on_days([hub(meeting(), timezone="America/Jamaica")], date(2027, 1, 1), date(2027, 12, 31))
    assert (found.zone, found.starts) == ("America/Jamaica", utc("2027-01-05 15:00"))


def test_a_running_meeting_is_still_coming_and_the_order_is_by_start() -> None:
    first = meeting(id="first", repeats="every week", duration="2 hours")
    second = meeting(id="second", repeats="every week", starts="2027-01-05 11:00")
    now = utc("2027-01-05 17:30")
    found = series.coming([hub(second), hub(first, id_="other")], now, 3)
    assert [(o.meeting.id, o.recurrence_id[:8]) for o in found] == [
        ("first", "20270105"), ("second", "20270105"), ("first", "20270112"),
    ]  # fmt: skip
    assert series.coming([hub()], now, 3) == []


def test_searching_ends_with_the_centuries_it_knows() -> None:
    daily = meeting(repeats="every day", starts="2199-12-30 10:00")
    assert len(series.coming([hub(daily)], 0, 10)) == 2
    assert len(series.on_days([hub(daily)], date(2000, 1, 1), date.max)) == 2


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
weekday = st.sampled_from(WEEKDAYS)
rules = st.one_of(
    st.just("FREQ=DAILY"),
    st.just("FREQ=WEEKLY"),
    st.just("FREQ=YEARLY"),
    st.lists(weekday, min_size=1, max_size=3, unique=True).map(lambda d: "FREQ=WEEKLY;BYDAY=" + ",".join(d)),
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, -1, -2]), weekday).map(lambda d: f"FREQ=MONTHLY;BYDAY={d[0]}{d[1]}"),
    st.sampled_from([1, 28, 31, -1]).map(lambda d: f"FREQ=MONTHLY;BYMONTHDAY={d}"),
    st.lists(weekday, min_size=2, max_size=5, unique=True).map(
        lambda d: f"FREQ=MONTHLY;BYDAY={','.join(d)};BYSETPOS=-1"
    ),
    st.tuples(st.integers(1, 12), weekday).map(lambda d: f"FREQ=YEARLY;BYMONTH={d[0]};BYDAY=2{d[1]}"),
)
starts = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(second=0, microsecond=0))


@st.composite
def series_without_gaps(draw: st.DrawFn) -> Meeting:
    """Any series in a zone whose clocks never change, with a first meeting that fits."""
    rule = draw(rules)
    if interval := draw(st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3"])):
        rule += interval
    first = parse(rule).nearest(draw(starts))[-1]
    keys: dict[str, object] = {"rrule": rule, "starts": first}
    end = draw(st.sampled_from(["", "count", "until"]))
    if end == "count":
        keys["count"] = draw(st.integers(1, 30))
    elif end == "until":
        keys["until"] = (first + timedelta(days=draw(st.integers(0, 700)))).date()
    held = [slot.date() for slot in rule_of(None, rule).slots(first, first + timedelta(days=200))][:6]
    plain = meeting(**keys)
    if "count" not in keys and "until" not in keys:
        return plain.model_copy(update={"skip": tuple(draw(st.sets(st.sampled_from(held), max_size=2)))})
    return plain.model_copy(update={"timezone": draw(st.sampled_from(["America/Guatemala", "America/Jamaica"]))})


@given(series_without_gaps())
def test_an_independent_calendar_finds_the_same_meetings(one: Meeting) -> None:
    zone = one.timezone or "America/Guatemala"
    rule = str(one.rrule)
    if one.count:
        rule += f";COUNT={one.count}"
    if one.until:
        last = datetime.combine(one.until, datetime.max.time())
        rule += f";UNTIL={last + timedelta(hours=6 if zone == 'America/Guatemala' else 5):%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20200101T000000Z",
        f"DTSTART;TZID={zone}:{one.starts:%Y%m%dT%H%M%S}", "DURATION:PT1H", f"RRULE:{rule}",
        *(f"EXDATE;TZID={zone}:{day:%Y%m%d}T{one.starts:%H%M%S}" for day in one.skip),
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    calendar = Calendar.from_ical("\r\n".join(lines))
    first, end = one.starts - timedelta(days=2), one.starts + timedelta(days=800)
    events = recurring_ical_events.of(calendar).between(first, end)
    expected = sorted(round(event["DTSTART"].dt.timestamp() * 1000) for event in events)
    found = [o.starts for o in series.on_days([hub(one)], first.date(), end.date()) if o.slot < end]
    assert found == expected


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=MONTHLY;BYDAY=1TU"])
def test_the_first_meeting_that_fits_is_the_first_of_the_series(rule: str) -> None:
    nearest = parse(rule).nearest(datetime(2027, 1, 6, 10))
    assert [next(parse(rule).slots(day, day)) for day in nearest] == nearest
