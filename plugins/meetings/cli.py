"""`faro meetings CONFIG`: every meeting and reminder of a time, printed without any network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bot.api import Shell, Translator, in_language, to_local
from plugins.meetings import series, time_text
from plugins.meetings.reminders import reminders
from plugins.meetings.series import Occurrence

_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command("meetings")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "first", type=_DATE, help="First day, in each meeting's own zone (default: today).")
@click.option("--until", "last", type=_DATE, help="Last day, included (default: a year after the first).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_obj
def meetings_command(shell: Shell, config: Path, first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """Print the meetings of a configuration and their reminders."""
    offline = shell.open(config)
    start = first.date() if first else to_local(offline.now, "UTC").date()
    end = last.date() if last else _a_year_after(start)
    found = series.on_days(offline.hubs, start, end)
    if as_json:
        click.echo(json.dumps([_as_json(occurrence) for occurrence in found], indent=2))
    else:
        _print(found, offline.translator)


def _a_year_after(day: date) -> date:
    return day.replace(year=day.year + 1) if (day.month, day.day) != (2, 29) else date(day.year + 1, 3, 1)


def _as_json(occurrence: Occurrence) -> dict[str, object]:
    return {
        "hub": occurrence.hub.id,
        "series": occurrence.meeting.id,
        "recurrence_id": occurrence.recurrence_id,
        "starts": _utc(occurrence.starts),
        "local": to_local(occurrence.starts, occurrence.zone).isoformat(),
        "reminders": [{"lead": str(reminder.lead), "due": _utc(reminder.due)} for reminder in reminders(occurrence)],
    }


def _utc(instant: int) -> str:
    return f"{to_local(instant, 'UTC').astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _print(found: Sequence[Occurrence], words: Translator) -> None:
    table = Table()
    headings = (words.t("Local time"), words.t("Place"), words.t("Hub"), words.t("Meeting"), words.t("Reminders"))
    for heading in headings:
        table.add_column(heading)
    for occurrence in found:
        local = to_local(occurrence.starts, occurrence.zone)
        at = f"{local:%Y-%m-%d %H:%M}"
        table.add_row(
            at if not occurrence.moved_by_clocks else words.t("{time} (clock change)", time=at),
            f"{time_text.city(occurrence.zone)}, {time_text.offset(local)}",
            occurrence.hub.id,
            in_language(occurrence.meeting.title, words.language, *occurrence.hub.languages),
            ", ".join(time_text.lasting(reminder.lead, words.language) for reminder in reminders(occurrence)),
        )
    Console().print(table)
    click.echo(words.n("{count} meeting.", "{count} meetings.", len(found)))
