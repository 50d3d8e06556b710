"""`faro meetings` prints every meeting and reminder of a time without any network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.api import Database, Hub, Offline, Reader, Transaction, Translator
from bot.i18n.catalog import Catalogs
from plugins.meetings import Meetings
from tests.core.test_recurrence import utc
from tests.meetings.hubs import hub, meeting


@dataclass(frozen=True, slots=True)
class FakeShell:
    """`bot.api.Shell` and the `Offline` it opens."""

    hubs: Sequence[Hub]
    now: int = utc("2027-01-01 00:00")

    @property
    def translator(self) -> Translator:
        return Catalogs({}).translator("meetings", "en")

    def open(self, config: Path) -> Offline:
        return self

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        raise NotImplementedError

    def writing(self) -> AbstractAsyncContextManager[Database]:
        raise NotImplementedError

    async def keep_erasure(self, db: Transaction, kind: str, subject: str) -> None:
        raise NotImplementedError

    def confirm(self, question: str) -> bool:
        raise NotImplementedError

    async def forget(self, user_id: str) -> bool:
        raise NotImplementedError


MONTHLY = meeting(repeats="first tuesday of the month", remind=["1 week", "1 day", "1 hour", "10 minutes"])


def run(hubs: Sequence[Hub], *arguments: str) -> Result:
    (command,) = Meetings.shell
    result = CliRunner(env={"COLUMNS": "160"}).invoke(command, ["config.yaml", *arguments], obj=FakeShell(hubs))
    assert result.exit_code == 0, result.output
    return result


def test_json_holds_every_meeting_and_reminder() -> None:
    found = json.loads(run([hub(MONTHLY)], "--from", "2027-01-01", "--until", "2027-12-31", "--json").stdout)
    assert len(found) == 12
    assert found[0] == {
        "hub": "transparency",
        "series": "monthly",
        "recurrence_id": "20270105T100000",
        "starts": "2027-01-05T16:00:00Z",
        "local": "2027-01-05T10:00:00-06:00",
        "reminders": [
            {"lead": "1 week", "due": "2026-12-29T16:00:00Z"},
            {"lead": "1 day", "due": "2027-01-04T16:00:00Z"},
            {"lead": "1 hour", "due": "2027-01-05T15:00:00Z"},
            {"lead": "10 minutes", "due": "2027-01-05T15:50:00Z"},
        ],
    }
    assert [one["starts"] for one in found] == sorted(one["starts"] for one in found)


def test_days_are_counted_in_the_zone_of_the_meeting_and_the_last_is_included() -> None:
    late = meeting(starts="2027-01-05 23:30", timezone="America/Guatemala")  # in UTC already the 6th
    for first, last, count in (("05", "05", 1), ("06", "31", 0), ("01", "04", 0)):
        found = run([hub(late)], "--from", f"2027-01-{first}", "--until", f"2027-01-{last}", "--json").stdout
        assert len(json.loads(found)) == count


def test_clock_changes_and_both_kinds_of_leads_are_worked_out() -> None:
    once = meeting(starts="2027-03-14 10:00", timezone="America/New_York", remind=["1 day", "24h"])
    (found,) = json.loads(run([hub(once)], "--json").stdout)
    assert found["local"] == "2027-03-14T10:00:00-04:00"
    assert found["reminders"] == [
        {"lead": "24 hours", "due": "2027-03-13T14:00:00Z"},
        {"lead": "1 day", "due": "2027-03-13T15:00:00Z"},
    ]


def test_several_hubs_are_in_one_order_by_start() -> None:
    other = hub(meeting(id="other", starts="2027-01-05 09:59"), id_="automation")
    found = json.loads(run([hub(MONTHLY), other], "--until", "2027-02-28", "--json").stdout)
    assert [one["series"] for one in found] == ["other", "monthly", "monthly"]


def test_without_dates_it_is_a_year_from_today() -> None:
    daily = meeting(repeats="every day", starts="2026-01-01 10:00")
    found = json.loads(run([hub(daily)], "--json").stdout)
    assert (found[0]["recurrence_id"][:8], found[-1]["recurrence_id"][:8]) == ("20270101", "20280101")
    assert json.loads(run([hub(daily)], "--from", "2027-02-01", "--until", "2027-01-01", "--json").stdout) == []


def test_people_get_a_table() -> None:
    night = meeting(id="night", title="Night call", starts="2027-03-14 02:30", timezone="America/New_York")
    output = run([hub(MONTHLY, night)], "--until", "2027-03-31").stdout
    assert "2027-01-05 10:00" in output
    assert "1 week, 1 day, 1 hour, 10 minutes" in output
    assert "2027-03-14 03:30 (clock change)" in output
    assert "New York, UTC-04:00" in output
    assert "4 meetings." in output


@pytest.mark.parametrize("day", ["tomorrow", "2027-13-01"])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    (command,) = Meetings.shell
    assert CliRunner().invoke(command, ["config.yaml", "--from", day], obj=FakeShell([])).exit_code == 2
