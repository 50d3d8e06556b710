"""Power levels in the rooms the bot makes: operators and moderators can govern them without the bot."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.core.permissions import CREATORS_ARE_ABOVE_ALL, MODERATOR_LEVEL, power_level

OPERATOR_LEVEL = 100

_EVENTS = {
    "m.room.name": 50,
    "m.room.topic": 50,
    "m.room.avatar": 50,
    "m.room.canonical_alias": 50,
    "m.room.join_rules": 100,
    "m.room.history_visibility": 100,
    "m.room.guest_access": 100,
    "m.room.encryption": 100,
    "m.room.power_levels": 100,
    "m.room.server_acl": 100,
    "m.room.tombstone": 100,  # version 12 asks for more than anybody but the creator has
}


def wanted(operators: Collection[str], moderators: Collection[str]) -> Mapping[str, int]:
    """The power that people of a hub have in a room the bot makes; the others have the room's default."""
    return {**dict.fromkeys(moderators, MODERATOR_LEVEL), **dict.fromkeys(operators, OPERATOR_LEVEL)}


def of_new_room(creator: str, levels: Mapping[str, int], version: str) -> Mapping[str, object]:
    """What `createRoom` is given as `power_level_content_override`. In version 12 creators may not be named in it: they
    are above all levels."""
    users = {user: level for user, level in levels.items() if user != creator}
    if version not in CREATORS_ARE_ABOVE_ALL:
        users[creator] = OPERATOR_LEVEL
    return {"users": users, "events": dict(_EVENTS)}


def raised(
    levels: Mapping[str, object],
    create: Mapping[str, object],
    wanted: Mapping[str, int],
    granted: Mapping[str, int],
) -> Mapping[str, object] | None:
    """The content of `m.room.power_levels` with the power of those raised who are to have more; None if nobody is.

    `granted`: the power the bot gave people before. Whoever has less than that now was lowered by a human, and stays.
    """
    users = levels.get("users")
    new = dict(users) if isinstance(users, Mapping) else {}
    for user, level in wanted.items():
        if level > granted.get(user, 0) and power_level(user, levels, create) < level:
            new[user] = level
    return None if new == users else {**levels, "users": new}


def too_powerful(
    levels: Mapping[str, object],
    create: Mapping[str, object],
    wanted: Mapping[str, int],
    granted: Mapping[str, int],
) -> Mapping[str, int]:
    """Those who still have the power the bot once gave them, though they should have less now: user → that power."""
    return {
        user: level
        for user, level in granted.items()
        if level > wanted.get(user, 0) and power_level(user, levels, create) >= level
    }
