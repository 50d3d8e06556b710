"""Who may do what. Power levels are read from state we parsed ourselves, and fail closed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import IntEnum

MODERATOR_LEVEL = 50
CREATORS_ARE_ABOVE_ALL = frozenset({"12"})  # room versions where creators have no level but every right (MSC4289)

_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,16}\s*")  # levels as old rooms may hold them (spec, room version 1)


class Role(IntEnum):
    """A person's role in a hub, from least to most.

    >>> Role.MODERATOR >= Role.COORDINATOR
    True
    """

    MEMBER = 0
    COORDINATOR = 1
    MODERATOR = 2
    OPERATOR = 3


def power_level(user: str, levels: Mapping[str, object] | None, create: Mapping[str, object] | None) -> float:
    """A user's power in a room, from the contents of `m.room.power_levels` and `m.room.create`.

    Old rooms may hold levels as strings of digits; anything else that is not an integer counts as 0.
    In room version 12 and later the creators stand above every number (spec, room version 12).
    """
    create = create or {}
    version = create.get("room_version", "1")
    above_all = isinstance(version, str) and version in CREATORS_ARE_ABOVE_ALL
    if above_all and user in _creators(create):
        return float("inf")
    if levels is None:
        return 100 if not above_all and user == create.get("creator") else 0
    users = levels.get("users")
    own = users.get(user) if isinstance(users, Mapping) else None
    return _level(own if own is not None else levels.get("users_default"))


def is_moderator(user: str, levels: Mapping[str, object] | None, create: Mapping[str, object] | None) -> bool:
    """Whether a user's power in a room makes them its moderator, by the same contents as `power_level`."""
    return power_level(user, levels, create) >= MODERATOR_LEVEL


def may_send(user: str, type_: str, levels: Mapping[str, object] | None, create: Mapping[str, object] | None) -> bool:
    """Whether a user's power suffices for a message event of a type, by the same contents as `power_level`."""
    return power_level(user, levels or None, create) >= _needed(type_, levels, "events_default", 0)


def may_set(user: str, type_: str, levels: Mapping[str, object] | None, create: Mapping[str, object] | None) -> bool:
    """Whether a user's power suffices for a state event of a type, by the same contents as `power_level`."""
    return power_level(user, levels or None, create) >= _needed(type_, levels, "state_default", MODERATOR_LEVEL)


def _needed(type_: str, levels: Mapping[str, object] | None, default_key: str, default: int) -> float:
    """The power an event of a type needs."""
    levels = levels or {}
    events = levels.get("events")
    needed = events.get(type_) if isinstance(events, Mapping) else None
    return _level(needed if needed is not None else levels.get(default_key, default))


def role_of(
    user: str,
    *,
    operators: Collection[str],
    moderators: Collection[str],
    coordinators: Collection[str],
    power: float,
) -> Role:
    """The highest role that applies."""
    if user in operators:
        return Role.OPERATOR
    if user in moderators or power >= MODERATOR_LEVEL:
        return Role.MODERATOR
    if user in coordinators:
        return Role.COORDINATOR
    return Role.MEMBER


def _creators(create: Mapping[str, object]) -> set[str]:
    """`m.room.create` content carries the sender under `creator` here: `inbound` puts it there for every version."""
    creators = {creator} if isinstance(creator := create.get("creator"), str) else set()
    more = create.get("additional_creators")
    if isinstance(more, list):
        creators.update(user for user in more if isinstance(user, str))
    return creators


def _level(value: object) -> float:
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return 0
