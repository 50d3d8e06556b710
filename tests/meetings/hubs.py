"""Hubs with meetings, for the tests beside this file."""

from __future__ import annotations

from bot.hubs import Coordinator, Hub, Language, Room
from plugins.meetings.settings import Meeting, MeetingsHub

HALL, DESK = "!hall:example.org", "!desk:example.org"
ANA, LUIS, EVA, PLAIN = "@ana:example.org", "@luis:example.org", "@eva:example.org", "@plain:example.org"


class MeetingHub(MeetingsHub, Hub):
    """As the configuration makes it."""


def meeting(**keys: object) -> Meeting:
    return Meeting.model_validate({"id": "monthly", "title": "Monthly call", "starts": "2027-01-05 10:00", **keys})


def hub(
    *meetings: Meeting,
    id_: str = "transparency",
    timezone: str = "America/Guatemala",
    languages: tuple[Language, ...] = ("en",),
    coordinators: tuple[Coordinator, ...] | None = None,
    rooms: tuple[Room, ...] = (Room(id=HALL), Room(id=DESK, role="coordinators")),
) -> MeetingHub:
    if coordinators is None:
        coordinators = (
            Coordinator(user=ANA),
            Coordinator(user=LUIS, timezone="America/El_Salvador", city="San Salvador"),
            Coordinator(user=EVA, timezone="America/Guayaquil", city="Quito"),
            Coordinator(user="@kim:example.org", timezone="America/Jamaica", city="Kingston"),
        )
    return MeetingHub(
        id=id_,
        title={"en": "Transparency", "es": "Transparencia"},
        languages=languages,
        timezone=timezone,
        rooms=rooms,
        coordinators=coordinators,
        meetings=meetings,
    )
