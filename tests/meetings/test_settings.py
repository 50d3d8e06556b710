"""What is wrong with a meeting in YAML is said with its place and a remedy."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from pydantic import ValidationError

from bot.hubs import Room
from tests.meetings.hubs import hub, meeting


def problem(**keys: object) -> tuple[str, str]:
    """The key that is wrong, and the English sentence."""
    with pytest.raises(ValidationError) as caught:
        meeting(**keys)
    (error,) = caught.value.errors()
    return str(error["loc"][0]), str(error["msg"]).format(**error.get("ctx", {}))


def test_a_first_meeting_that_does_not_fit_names_the_nearest_dates() -> None:
    key, said = problem(starts="2027-01-06 10:00", rrule="FREQ=WEEKLY;BYDAY=TU")
    assert key == "starts"
    assert "2027-01-05" in said
    assert "2027-01-12" in said


@pytest.mark.parametrize(
    ("keys", "nearest"),
    [
        ({"repeats": "every 2 weeks on tuesday", "starts": "2027-01-06 10:00"}, "2027-01-05, 2027-01-12"),
        ({"repeats": "first tuesday of the month", "starts": "2027-01-06 10:00"}, "2027-01-05, 2027-02-02"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=3", "starts": "2027-01-05 10:00"}, "2026-03-05, 2027-03-05"),
        ({"rrule": "FREQ=WEEKLY;BYMONTH=3", "starts": "2027-01-05 10:00"}, "2026-03-31, 2027-03-02"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "starts": "2027-01-05 10:00"}, "2024-02-29, 2028-02-29"),
    ],
)
def test_the_nearest_dates_are_those_of_the_rule(keys: dict[str, object], nearest: str) -> None:
    key, said = problem(**keys)
    assert (key, said.rpartition("are ")[2]) == ("starts", nearest)


@pytest.mark.parametrize(
    ("rrule", "said"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "would never take place"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "would never take place"),
        ("FREQ=WEEKLY;BYMONTHDAY=99", "would never take place"),
        ("FREQ=HOURLY", "at most once a day"),
        ("FREQ=MINUTELY;INTERVAL=5", "at most once a day"),
        ("FREQ=WEEKLY;BYHOUR=3", "'starts'"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=WEEKLY;BYDAY=1TU", "needs FREQ=MONTHLY"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270301", "both COUNT and UNTIL"),
        ("FREQ=WEEKLY;UNTIL=20271399", "is not a recurrence rule"),
        ("FREQ=WEEKLY;FREQ=DAILY", "twice"),
        ("BYDAY=TU", "how often"),
        ("FREQ=WEEKLY\nRDATE:20270101", "is not part of"),
        ("every week", "FREQ=MONTHLY;BYDAY=1TU"),
        ("", "FREQ=MONTHLY;BYDAY=1TU"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rrule: str, said: str) -> None:
    key, sentence = problem(rrule=rrule)
    assert key == "rrule"
    assert said in sentence


def test_rare_rules_are_accepted() -> None:
    assert meeting(rrule="RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", starts="2044-02-29 10:00")
    assert meeting(rrule="freq=yearly;interval=100;bymonth=2;bymonthday=29", starts="2028-02-29 10:00")


@pytest.mark.parametrize(
    ("keys", "key", "said"),
    [
        ({"repeats": "fortnightly"}, "repeats", "every 2 weeks on tuesday"),
        ({"repeats": "every week", "rrule": "FREQ=WEEKLY"}, "rrule", "not both"),
        ({"repeats": "every week", "until": "2027-02-01", "count": 3}, "count", "not both"),
        ({"repeats": "every week", "until": "2026-12-31"}, "until", "before the first meeting"),
        ({"repeats": "every week", "until": "soon"}, "until", "2027-04-06"),
        ({"rrule": "FREQ=WEEKLY;COUNT=3", "count": 3}, "count", "remove 'count'"),
        ({"until": "2027-12-31"}, "until", "add 'repeats'"),
        ({"count": 3}, "count", "add 'repeats'"),
        ({"repeats": "every week", "skip": ["2027-01-13"]}, "skip", "2027-01-12, 2027-01-19"),
        ({"repeats": "every week", "count": 2, "skip": ["2027-01-19"]}, "skip", "2027-01-12"),
        ({"starts": "2027-01-05"}, "starts", "2027-01-05 10:00"),
        ({"starts": "2027-01-05 10:00+01:00"}, "starts", "2027-01-05 10:00"),
        ({"starts": "tomorrow at ten"}, "starts", "2027-01-05 10:00"),
        ({"starts": 20270105}, "starts", "2027-01-05 10:00"),
        ({"starts": "1815-06-18 10:00"}, "starts", "2000"),
        ({"timezone": "EST"}, "timezone", "America/New_York"),
        ({"timezone": "UTC-5"}, "timezone", "America/Jamaica"),
        ({"timezone": "america/new_york"}, "timezone", "America/New_York"),
        ({"timezone": "Etc/GMT+5"}, "timezone", "America/Jamaica"),
        ({"call": "javascript:alert(1)"}, "call", "https://"),
        ({"call": "https://"}, "call", "https://"),
        ({"call": "https://[bad"}, "call", "https://"),
        ({"remind": ["1 week", "7 days"]}, "remind", "twice"),
        ({"remind": ["2 years"]}, "remind", "10 minutes"),
        ({"remind": ["60 weeks"]}, "remind", "53 weeks"),
        ({"remind": ["0 minutes"]}, "remind", "before the meeting"),
        ({"duration": "2 days"}, "duration", "up to one day"),
        ({"duration": "0 minutes"}, "duration", "'0 minutes' is not possible"),
    ],
)
def test_each_mistake_is_told_at_its_key(keys: dict[str, object], key: str, said: str) -> None:
    where, sentence = problem(**keys)
    assert where == key
    assert said in sentence


def test_dates_may_come_as_text_or_as_dates() -> None:
    one = meeting(
        repeats="every week", starts=datetime(2027, 1, 5, 10), skip=[date(2027, 1, 12)], until=date(2027, 2, 1)
    )
    assert one == meeting(repeats="every week", skip=["2027-01-12"], until="2027-02-01")


def test_old_names_of_zones_are_accepted() -> None:
    assert meeting(timezone="America/Buenos_Aires").timezone == "America/Buenos_Aires"


def test_two_meetings_of_a_hub_need_different_ids() -> None:
    with pytest.raises(ValidationError, match="'monthly'") as caught:
        hub(meeting(), meeting(title="Another"))
    assert [error["loc"] for error in caught.value.errors()] == [("meetings", 1, "id")]


def test_reminders_need_a_coordinators_room() -> None:
    alone = (Room(id="!hall:example.org"),)
    with pytest.raises(ValidationError, match="role: coordinators") as caught:
        hub(meeting(), meeting(id="weekly", remind=["1 hour"]), rooms=alone)
    assert [error["loc"] for error in caught.value.errors()] == [("meetings", 1, "remind")]
    assert hub(meeting(remind=[]), rooms=alone).meetings


def test_a_day_and_24_hours_before_are_different_leads() -> None:
    assert len(meeting(remind=["1 day", "24h"]).remind) == 2
