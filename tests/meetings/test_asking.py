"""`!meetings` and `!next` show what is coming in the asker's own time, and only where it may be seen."""

from __future__ import annotations

import pytest

from bot.hubs import Room
from bot.storage import people
from bot.testing.clock import FakeClock
from bot.testing.story import story
from plugins.meetings import Meetings
from tests.core.test_recurrence import utc
from tests.meetings.hubs import ANA, EVA, HALL, PLAIN, hub, meeting

NOW = utc("2027-01-04 12:00")
MONTHLY = meeting(
    repeats="first tuesday of the month",
    title={"en": "Monthly call", "es": "Reunión mensual"},
    call="https://meet.example.org/faro_room",
)
CALL = "Call: https://meet.example.org/faro_room"


async def test_the_next_meeting_is_shown_in_the_hubs_time() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        assert await s.say(PLAIN, "!next") == (
            f"Monthly call: Tuesday, 5 January 2027, 10:00 (Guatemala, UTC-06:00), in 28 hours\n{CALL}"
        )


async def test_the_next_five_are_listed_in_order() -> None:
    weekly = meeting(id="weekly", title="Weekly call", repeats="every week", starts="2027-01-06 15:00", count=3)
    async with story([Meetings], [hub(MONTHLY, weekly)], clock=FakeClock(NOW)) as s:
        answer = await s.say(PLAIN, "!meetings") or ""
        assert [line[2:].partition(" 2027")[0] for line in answer.splitlines() if line.startswith("- ")] == [
            "Monthly call: Tuesday, 5 January",
            "Weekly call: Wednesday, 6 January",
            "Weekly call: Wednesday, 13 January",
            "Weekly call: Wednesday, 20 January",
            "Monthly call: Tuesday, 2 February",
        ]


async def test_the_zone_of_the_profile_comes_first_then_the_coordinators_entry() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        s.transport.profiles[ANA] = {"m.tz": "Europe/Paris"}
        assert "17:00 (Paris, UTC+01:00)" in str(await s.say(ANA, "!next"))
        assert "11:00 (Quito, UTC-05:00)" in str(await s.say(EVA, "!next"))


@pytest.mark.parametrize("zone", ["Not/AZone", "", "EST", "UTC-5", 7, None, ["America/Lima"], "../../etc/passwd"])
async def test_a_profile_with_nonsense_is_read_in_the_hubs_time(zone: object) -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        s.transport.profiles[PLAIN] = {"m.tz": zone}
        assert "10:00 (Guatemala, UTC-06:00)" in str(await s.say(PLAIN, "!next"))


async def test_an_old_name_of_a_zone_in_the_profile_is_known() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        s.transport.profiles[PLAIN] = {"m.tz": "America/Buenos_Aires"}
        assert "13:00 (Buenos Aires, UTC-03:00)" in str(await s.say(PLAIN, "!next"))


async def test_a_profile_is_read_once_a_day_and_forgotten_on_request() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        s.transport.profiles[PLAIN] = {"m.tz": "America/Lima"}
        assert "Lima" in str(await s.say(PLAIN, "!next"))
        s.transport.profiles[PLAIN] = {"m.tz": "America/Bogota"}
        assert "Lima" in str(await s.say(PLAIN, "!next"))
        await s.advance(24 * 3_600_000)
        assert "Bogota" in str(await s.say(PLAIN, "!next"))
        async with s.db.transaction() as tx:
            await s.services.forget(tx, PLAIN, s.clock.now())
        assert await s.db.reading().value("SELECT count(*) FROM meetings_asker_zones") == 0
        await s.say(PLAIN, "!next")
        await s.advance(48 * 3_600_000)
        await s.pipeline.refresh()
        assert await s.db.reading().value("SELECT count(*) FROM meetings_asker_zones") == 0


async def test_the_answer_is_in_the_language_of_the_asker() -> None:
    async with story([Meetings], [hub(MONTHLY, languages=("es", "en"))], clock=FakeClock(NOW)) as s:
        assert "Reunión mensual: martes, 5 de enero de 2027, 10:00" in str(await s.say(PLAIN, "!proxima"))


@pytest.mark.parametrize(
    "word",
    ["meetings", "reuniones", "réunions", "reunioes", "reuniões", "next", "proxima", "próxima", "prochaine"],
)
async def test_every_language_has_its_word(word: str) -> None:
    async with story([Meetings], [hub()], clock=FakeClock(NOW)) as s:
        assert await s.say(PLAIN, f"!{word}") == "No meetings are planned."


async def test_a_title_that_lacks_the_askers_language_is_in_the_hubs_first() -> None:
    async with story([Meetings], [hub(MONTHLY, languages=("es", "en"))], clock=FakeClock(NOW)) as s:
        async with s.db.transaction() as tx:
            await people.set_language(tx, PLAIN, "fr")
        assert "Reunión mensual" in str(await s.say(PLAIN, "!prochaine"))


async def test_another_hubs_meetings_stay_there() -> None:
    other = hub(meeting(title="Secret call"), id_="other", rooms=(Room(id="!other:example.org"),))
    async with story([Meetings], [hub(MONTHLY), other], clock=FakeClock(NOW)) as s:
        assert "Secret" not in str(await s.say(PLAIN, "!meetings", room=HALL))
        assert "Secret" in str(await s.say(PLAIN, "!meetings", room="!other:example.org"))


async def test_a_direct_chat_shows_the_hubs_one_is_in_by_name() -> None:
    other = hub(meeting(title="Secret call"), id_="other", rooms=(Room(id="!other:example.org"),))
    third = hub(meeting(title="Third call"), id_="third", rooms=(Room(id="!third:example.org"),))
    async with story([Meetings], [hub(MONTHLY), other, third], clock=FakeClock(NOW)) as s:
        room = await s.direct(PLAIN)
        for joined in (HALL, "!other:example.org"):
            await s.join(PLAIN, joined)
        answer = str(await s.say(PLAIN, "meetings", room=room))
        assert "Monthly call (Transparency)" in answer
        assert "Secret call (Transparency)" in answer
        assert "Third" not in answer


async def test_a_running_meeting_is_shown_with_its_link() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(utc("2027-01-05 16:10"))) as s:
        assert await s.say(PLAIN, "!next") == (
            f"Monthly call: Tuesday, 5 January 2027, 10:00 (Guatemala, UTC-06:00), 10 minutes ago\n{CALL}"
        )


async def test_a_clock_change_is_told_where_it_moves_a_meeting() -> None:
    night = meeting(starts="2027-03-14 02:30", timezone="America/New_York")
    async with story([Meetings], [hub(night, timezone="America/New_York")], clock=FakeClock(NOW)) as s:
        answer = str(await s.say(PLAIN, "!next"))
        assert "03:30 (New York, UTC-04:00)" in answer
        assert "Clock change: 02:30 does not exist in New York that day" in answer


async def test_utc_is_called_utc() -> None:
    async with story([Meetings], [hub(MONTHLY, timezone="UTC")], clock=FakeClock(NOW)) as s:
        assert "10:00 (UTC)" in str(await s.say(PLAIN, "!next"))


async def test_an_edited_question_edits_its_answer() -> None:
    async with story([Meetings], [hub(MONTHLY)], clock=FakeClock(NOW)) as s:
        asked = s.message(PLAIN, "!next")
        await s.hear(asked)
        await s.edit(asked, "!meetings")
        assert len(s.sent) == 2
        assert s.sent[1].replaces == s.sent[0].key
