"""What the state of a hub's room tells about its health: for `faro doctor`, which reads what the bot stored, and for
`faro check --live`, which asks the homeserver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core import openness, room_powers
from bot.core.permissions import may_send
from bot.core.texts import Text
from bot.hubs import Hub, Room, in_language

Level = Literal["ok", "note", "trouble"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    code: str  # the same in every language and version, for machines
    text: Text
    hub: str | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class RoomOfHub:
    """A room the bot is in. `state`: type → content. `granted`: the power the bot gave people there."""

    hub: Hub
    room: Room
    id: str
    state: Mapping[str, Mapping[str, object]]
    granted: Mapping[str, int]

    @property
    def name(self) -> str:
        return self.room.alias or self.room.id or ""

    @property
    def encrypted(self) -> bool:
        return "m.room.encryption" in self.state

    @property
    def names(self) -> Mapping[str, object]:
        """For the sentence of a finding."""
        return {"hub": self.hub.id, "room": self.name}

    def finding(self, level: Level, code: str, text: Text) -> Finding:
        return Finding(level, code, text, self.hub.id, self.name)


def check(room: RoomOfHub, bot: str, operators: Sequence[str]) -> Iterator[Finding]:
    """Whether the bot can work in the room, and what only humans should change in one that it made."""
    if room.encrypted:
        yield room.finding("ok", "joined", Text("Hub {hub}: the bot is in {room} (encrypted).", **room.names))
    else:
        yield room.finding("ok", "joined", Text("Hub {hub}: the bot is in {room}.", **room.names))
    yield from _writing(room, bot)
    if room.hub.visibility != "shared":
        for opening in openness.openings(room.state):
            text = Text("Hub {hub}: {room} is more open than the hub. {why}", why=opening, **room.names)
            yield room.finding("trouble", "open", text)
    if room.state.get("m.room.create", {}).get("creator") == bot:
        yield from _proposals(room, operators)


def leads_elsewhere(hub: Hub, room: str, other: str) -> Finding:
    """An alias of the hub leads to another room than the one the bot knows."""
    text = Text(
        "Hub {hub}: {room} leads to another room now ({other}); the bot stays in the one it knows.",
        hub=hub.id,
        room=room,
        other=other,
    )
    return Finding("trouble", "elsewhere", text, hub.id, room)


def _writing(room: RoomOfHub, bot: str) -> Iterator[Finding]:
    type_ = "m.room.encrypted" if room.encrypted else "m.room.message"
    levels, create = room.state.get("m.room.power_levels"), room.state.get("m.room.create")
    if "m.room.tombstone" in room.state:
        text = Text(
            "Hub {hub}: {room} was replaced by another room, and the bot could not follow it there. Invite the bot "
            "there, or name the new room in the hub's YAML.",
            **room.names,
        )
        yield room.finding("trouble", "replaced", text)
    elif not may_send(bot, type_, levels, create):
        text = Text("Hub {hub}: the bot's power level does not allow it to write in {room}.", **room.names)
        yield room.finding("trouble", "mute", text)


def _proposals(room: RoomOfHub, operators: Sequence[str]) -> Iterator[Finding]:
    """What differs from the YAML in a room the bot made, and would take something from somebody."""
    levels, create = room.state.get("m.room.power_levels", {}), room.state.get("m.room.create", {})
    wanted = room_powers.wanted(operators, room.hub.moderators)
    for user, power in room_powers.too_powerful(levels, create, wanted, room.granted).items():
        text = Text(
            "Hub {hub}: in {room}, {user} still has the power level {power}, which the YAML no longer gives. Lower it "
            "in the room's settings.",
            user=user,
            power=power,
            **room.names,
        )
        yield room.finding("note", "power", text)
    name = in_language(room.room.title or room.hub.title, room.hub.languages[0])
    given = room.state.get("m.room.name", {}).get("name")
    if given and given != name:
        text = Text(
            "Hub {hub}: {room} is called “{given}”, but the YAML says “{name}”. Change one of them if that is not "
            "intended.",
            given=given,
            name=name,
            **room.names,
        )
        yield room.finding("note", "name", text)
