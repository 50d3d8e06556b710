"""Which hub a Matrix room belongs to, and whose content may be seen where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bot.core.texts import Text
from bot.hubs import Hub, Room


@dataclass(frozen=True, slots=True)
class Place:
    """A hub's room: the hub and what its YAML says about this room."""

    hub: Hub
    room: Room


class Directory:
    """The configured hubs, and which Matrix room ids their rooms turned out to have."""

    def __init__(self, hubs: Sequence[Hub]) -> None:
        self.hubs = tuple(hubs)
        self._places: dict[str, Place] = {}
        self._openings: dict[str, Sequence[Text]] = {}
        self._replaced: set[str] = set()
        for hub in hubs:
            for room in hub.rooms:
                if room.id:
                    self._places[room.id] = Place(hub, room)

    def bind(self, room_id: str, place: Place) -> None:
        """An alias led to this room."""
        self._places[room_id] = place

    def replace(self, room_id: str, place: Place) -> None:
        """A room was replaced by another: what happened there is still the hub's, and nothing new happens there."""
        self._places[room_id] = place
        self._replaced.add(room_id)

    def is_replaced(self, room_id: str) -> bool:
        return room_id in self._replaced

    def set_openings(self, room_id: str, openings: Sequence[Text]) -> None:
        """How a room is more open than its hub; nothing if it is not."""
        self._openings[room_id] = tuple(openings)

    def openings(self, room_id: str) -> Sequence[Text]:
        """How a room is more open than its hub (`bot/core/openness.py`): what may be shown to all of the hub may not be
        shown there."""
        return self._openings.get(room_id, ())

    def place(self, room_id: str) -> Place | None:
        return self._places.get(room_id)

    def hub(self, hub_id: str) -> Hub | None:
        return next((hub for hub in self.hubs if hub.id == hub_id), None)

    def rooms_of(self, hub: Hub, role: str | None = None) -> list[str]:
        """Known room ids of a hub, in the order of its YAML, but for those that were replaced or are more
        open than the hub."""
        order = {id(room): number for number, room in enumerate(hub.rooms)}
        found = [
            (order[id(place.room)], room_id)
            for room_id, place in self._places.items()
            if place.hub is hub and (role is None or place.room.role == role)
            if room_id not in self._replaced and not self._openings.get(room_id)
        ]
        return [room_id for _, room_id in sorted(found)]

    def seen_from(self, hub: Hub) -> tuple[Hub, ...]:
        """Hubs whose content may be shown in this hub's rooms: its own; those it is named by; if it is shared, the
        other shared ones."""
        return (hub, *(other for other in self.hubs if other is not hub and _may_see(hub, other)))

    def hubs_among(self, rooms: Collection[str]) -> tuple[Hub, ...]:
        """Hubs that have at least one of these rooms, in configured order."""
        return tuple(hub for hub in self.hubs if any(room in rooms for room in self.rooms_of(hub)))

    def people(self) -> Iterable[str]:
        """Coordinators and moderators of every hub."""
        for hub in self.hubs:
            yield from (coordinator.user for coordinator in hub.coordinators)
            yield from hub.moderators


def _may_see(hub: Hub, other: Hub) -> bool:
    if other.visibility == "restricted":
        return hub.id in other.visible_to
    return other.visibility == hub.visibility == "shared"
