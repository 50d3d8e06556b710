"""Reminders ring when they should, once, whatever happens to the bot, the configuration or the clock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.api import Span
from bot.core.durations import Duration
from bot.hubs import Coordinator, Hub
from bot.testing.clock import FakeClock
from bot.testing.story import Story, story
from plugins.meetings import Meetings
from plugins.meetings.reminders import HORIZON, plan
from plugins.meetings.settings import lead_id
from tests.core.test_recurrence import utc
from tests.meetings.hubs import ANA, DESK, EVA, LUIS, hub, meeting

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NEW_YORK = "America/New_York"


def after(pending: Mapping[str, int], hubs: list[Hub], now: int) -> dict[str, int]:
    """The pending alarms once the plan is carried out."""
    changes = plan(hubs, now, pending)
    kept = {key: due for key, due in pending.items() if key not in changes.cancel}
    return kept | {reminder.key: reminder.due for reminder in changes.arm}


NOW = utc("2027-03-10 12:00")
MONTHLY = meeting(repeats="first tuesday of the month", remind=["1 week", "1 day", "1 hour", "10 minutes"])


def test_reminders_of_the_next_weeks_are_armed_under_lasting_names() -> None:
    assert after({}, [hub(MONTHLY)], NOW) == {
        "transparency/monthly/20270406T100000/P7D": utc("2027-03-30 16:00"),
        "transparency/monthly/20270406T100000/P1D": utc("2027-04-05 16:00"),
        "transparency/monthly/20270406T100000/PT3600S": utc("2027-04-06 15:00"),
        "transparency/monthly/20270406T100000/PT600S": utc("2027-04-06 15:50"),
    }


def test_a_day_before_is_the_same_time_on_the_clock_and_24_hours_are_24_hours() -> None:
    once = meeting(starts="2027-03-14 10:00", timezone=NEW_YORK, remind=["1 day", "24h"])
    armed = after({}, [hub(once)], NOW)
    assert sorted(armed.values()) == [utc("2027-03-13 14:00"), utc("2027-03-13 15:00")]


def test_two_leads_that_fall_together_are_one_message() -> None:
    once = meeting(starts="2027-03-20 10:00", remind=["1 day", "24h"])
    assert list(after({}, [hub(once)], NOW).values()) == [utc("2027-03-19 16:00")]


def test_a_skipped_day_loses_its_reminders_and_the_others_keep_theirs() -> None:
    weekly = meeting(repeats="every week", remind=["1 hour"])
    armed = after({}, [hub(weekly)], NOW)
    skipped = meeting(repeats="every week", remind=["1 hour"], skip=["2027-03-23"])
    gone = armed.keys() - after(armed, [hub(skipped)], NOW).keys()
    assert gone == {"transparency/monthly/20270323T100000/PT3600S"}


def test_another_zone_moves_what_is_pending_and_a_renamed_or_removed_meeting_is_cancelled() -> None:
    armed = after({}, [hub(MONTHLY)], NOW)
    moved = after(armed, [hub(MONTHLY, timezone="America/Jamaica")], NOW)
    assert moved == {key: due - HOUR for key, due in armed.items()}
    renamed = meeting(id="other", repeats="first tuesday of the month", remind=["1 day"])
    assert list(after(armed, [hub(renamed)], NOW)) == ["transparency/other/20270406T100000/P1D"]
    assert after(armed, [], NOW) == {}


def test_what_is_overdue_is_left_to_ring_and_nothing_is_armed_for_the_past() -> None:
    armed = after({}, [hub(MONTHLY)], NOW)
    late = utc("2027-04-06 15:30")
    assert plan([hub(MONTHLY)], late, armed).cancel == ()
    assert {reminder.key for reminder in plan([hub(MONTHLY)], late, armed).arm} == {
        "transparency/monthly/20270504T100000/P7D",
        "transparency/monthly/20270504T100000/P1D",
        "transparency/monthly/20270504T100000/PT3600S",
        "transparency/monthly/20270504T100000/PT600S",
    }


leads = st.lists(
    st.builds(Duration, st.integers(1, 40), st.sampled_from(["minute", "hour", "day", "week"])),
    max_size=4,
    unique_by=lead_id,
)
meetings_ = st.builds(
    lambda zone, repeats, remind, at: meeting(
        repeats=repeats, timezone=zone, starts=f"2027-01-05 {at:02}:30", remind=tuple(remind)
    ),
    st.sampled_from([NEW_YORK, "America/Santiago", "America/Havana", "America/Guatemala"]),
    st.sampled_from(["every day", "every week", "every month", "first tuesday of the month", "every year"]),
    leads,
    st.integers(0, 23),
)


@given(meetings_, st.integers(utc("2026-12-01 00:00"), utc("2028-06-01 00:00")))
def test_planning_twice_changes_nothing(one: object, now: int) -> None:
    hubs: list[Hub] = [hub(one)]  # type: ignore[arg-type]  # a Meeting; lambda results are not typed by hypothesis
    armed = after({}, hubs, now)
    assert all(now < due <= now + HORIZON for due in armed.values())
    again = plan(hubs, now, armed)
    assert (again.arm, again.cancel) == ((), ())


@given(
    meetings_, st.integers(utc("2026-12-01 00:00"), utc("2028-06-01 00:00")), st.lists(st.integers(0, 40), max_size=5)
)
def test_daily_planning_arms_everything_that_falls_due_later(one: object, now: int, pauses: list[int]) -> None:
    """Pauses shorter than the horizon lose no reminder."""
    hubs: list[Hub] = [hub(one)]  # type: ignore[arg-type]  # as above
    armed: dict[str, int] = {}
    for pause in [0, *pauses]:
        now += min(pause, 34) * DAY
        armed = after(armed, hubs, now)
    fresh = after({}, hubs, now)
    assert fresh.items() <= armed.items()


# -- through the pipeline -----------------------------------------------------------------------------------------


def said(s: Story) -> list[tuple[str, str]]:
    """Rooms and first lines of what the bot said."""
    return [(row.room, str(row.content["body"]).splitlines()[0]) for row in s.sent]


CALL = meeting(
    starts="2027-01-15 08:00",
    title={"en": "Monthly *call*", "es": "Reunión mensual"},
    call="https://meet.example.org/faro_room",
    remind=["1 day", "1 hour", "10 minutes"],
)


async def at(s: Story, instant: str) -> None:
    await s.advance(utc(instant) - s.clock.now())


async def test_coordinators_are_reminded_in_their_room_with_their_local_times() -> None:
    async with story([Meetings], [hub(CALL)], clock=FakeClock(utc("2027-01-13 12:00"))) as s:
        await at(s, "2027-01-14 14:00:05")
        (row,) = s.sent
        assert row.room == DESK
        assert row.content["body"] == (
            "Monthly *call* starts in 1 day (Friday, 15 January 2027).\n"
            "08:00 Guatemala, San Salvador · 09:00 Kingston, Quito\n"
            "Call: https://meet.example.org/faro_room"
        )
        assert row.content["m.mentions"] == {"user_ids": [ANA, LUIS, EVA, "@kim:example.org"]}
        await at(s, "2027-01-15 13:00:00")
        await at(s, "2027-01-15 13:50:10")
        await at(s, "2027-01-15 20:00:00")
        assert [line for _, line in said(s)[1:]] == [
            "Monthly *call* starts in 1 hour.",
            "Monthly *call* starts in 10 minutes.",
        ]


async def test_the_first_language_of_the_hub_is_used() -> None:
    async with story([Meetings], [hub(CALL, languages=("es", "en"))], clock=FakeClock(utc("2027-01-13 12:00"))) as s:
        await at(s, "2027-01-14 14:00:05")
        line = said(s)[0][1]
        assert "Reunión mensual" in line
        assert "dentro de 1 día" in line
        assert "viernes, 15 de enero de 2027" in line


@pytest.mark.parametrize(
    ("back", "lines"),
    [
        ("13:55", ["Monthly *call* starts in 5 minutes."]),
        ("14:00:10", ["Monthly *call* starts now."]),
        ("14:05", ["Monthly *call* started 5 minutes ago."]),
        ("14:20", []),
    ],
)
async def test_after_a_pause_one_message_says_how_things_stand(tmp_path: Path, back: str, lines: list[str]) -> None:
    database, hubs = tmp_path / "faro.db", [hub(CALL)]
    async with story([Meetings], hubs, database=database, clock=FakeClock(utc("2027-01-15 12:50"))):
        pass
    async with story([Meetings], hubs, database=database, clock=FakeClock(utc(f"2027-01-15 {back}"))) as s:
        await s.advance(0)
        assert [line for _, line in said(s)] == lines
        await s.pipeline.refresh()
        await s.advance(0)
        assert len(s.sent) == len(lines)


@pytest.mark.parametrize("days", [20, 365])
async def test_reminders_survive_a_clock_that_jumps_ahead_and_back(days: int) -> None:
    async with story([Meetings], [hub(CALL)], clock=FakeClock(utc("2027-01-14 12:00"))) as s:
        s.clock.advance(days * 86_400)
        await s.pipeline.refresh()
        await s.advance(0)
        assert s.sent == []
        s.clock.advance(-days * 86_400)
        await s.pipeline.refresh()
        await at(s, "2027-01-14 14:00:05")
        await at(s, "2027-01-15 13:00:05")
        await at(s, "2027-01-15 13:50:05")
        assert len(s.sent) == 3


async def test_a_clock_put_back_repeats_nothing() -> None:
    async with story([Meetings], [hub(CALL)], clock=FakeClock(utc("2027-01-14 12:00"))) as s:
        await at(s, "2027-01-15 13:00:05")
        assert len(s.sent) == 1
        s.clock.advance(-2 * 3600)
        await s.pipeline.refresh()
        await at(s, "2027-01-15 13:00:05")
        assert len(s.sent) == 1
        await at(s, "2027-01-15 13:50:05")
        assert len(s.sent) == 2


async def test_a_skip_written_in_time_silences_the_reminder(tmp_path: Path) -> None:
    weekly = {"repeats": "every week", "starts": "2027-01-15 08:00", "remind": ["1 hour"]}
    database, clock = tmp_path / "faro.db", FakeClock(utc("2027-01-15 12:50"))
    async with story([Meetings], [hub(meeting(**weekly))], database=database, clock=clock):
        pass
    skipped = hub(meeting(**weekly, skip=["2027-01-15"]))
    async with story([Meetings], [skipped], database=database, clock=clock) as s:
        await at(s, "2027-01-15 13:00:05")
        assert s.sent == []
        await at(s, "2027-01-22 13:00:05")
        assert len(s.sent) == 1


async def test_a_missed_reminder_of_a_meeting_since_removed_says_nothing(tmp_path: Path) -> None:
    database = tmp_path / "faro.db"
    async with story([Meetings], [hub(CALL)], database=database, clock=FakeClock(utc("2027-01-15 12:50"))):
        pass
    async with story([Meetings], [hub()], database=database, clock=FakeClock(utc("2027-01-15 13:55"))) as s:
        await s.advance(0)
        assert s.sent == []


async def test_a_lead_added_while_the_bot_was_away_does_not_silence_the_missed_one(tmp_path: Path) -> None:
    database, once = tmp_path / "faro.db", {"starts": "2027-01-15 08:00"}
    before, since = hub(meeting(**once, remind=["1 hour"])), hub(meeting(**once, remind=["1 hour", "10 minutes"]))
    async with story([Meetings], [before], database=database, clock=FakeClock(utc("2027-01-15 12:50"))):
        pass
    async with story([Meetings], [since], database=database, clock=FakeClock(utc("2027-01-15 13:55"))) as s:
        await s.advance(0)
        assert [line for _, line in said(s)] == ["Monthly call starts in 5 minutes."]


async def test_a_clock_change_and_another_day_are_said() -> None:
    night = meeting(starts="2027-03-14 02:30", timezone=NEW_YORK, remind=["1 hour"])
    people = (Coordinator(user=ANA, timezone="America/Los_Angeles"), Coordinator(user=LUIS, timezone=NEW_YORK))
    async with story([Meetings], [hub(night, coordinators=people)], clock=FakeClock(utc("2027-03-14 00:00"))) as s:
        await at(s, "2027-03-14 06:30:05")
        assert str(s.sent[0].content["body"]).splitlines()[1:] == [
            "Saturday, 13 March 2027, 23:30 Los Angeles · 03:30 New York",
            "Clock change: 02:30 does not exist in New York that day, so the meeting starts at 03:30 there.",
        ]


async def test_local_times_follow_each_zones_own_clock_changes() -> None:
    zones = [
        "America/Lima", "America/Barbados", "America/Mexico_City", "America/Argentina/Buenos_Aires",
        "America/Santiago", "America/Port-au-Prince",
    ]  # fmt: skip
    people = tuple(Coordinator(user=f"@p{n}:example.org", timezone=zone) for n, zone in enumerate(zones))
    monthly = meeting(repeats="first tuesday of the month", timezone=NEW_YORK, remind=["1 hour"])
    async with story([Meetings], [hub(monthly, coordinators=people)], clock=FakeClock(utc("2027-03-01 00:00"))) as s:
        await at(s, "2027-03-02 14:00:05")
        await s.pipeline.refresh()
        await at(s, "2027-04-06 13:00:05")
        march, april = (str(row.content["body"]).splitlines()[1] for row in s.sent)
    assert march == "09:00 Mexico City · 10:00 Lima, Port-au-Prince · 11:00 Barbados · 12:00 Buenos Aires, Santiago"
    assert april == "08:00 Mexico City · 09:00 Lima · 10:00 Barbados, Port-au-Prince, Santiago · 11:00 Buenos Aires"


def test_leads_that_mean_the_same_have_one_name() -> None:
    read = TypeAdapter(Span).validate_python
    assert lead_id(read("1 week")) == lead_id(read("7 days")) == "P7D"
    assert lead_id(read("1 hour")) == lead_id(read("60 minutes")) == "PT3600S"
    assert lead_id(read("1 day")) != lead_id(read("24h"))
