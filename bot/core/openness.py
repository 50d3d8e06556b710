"""Is a room more open than a hub that is not for everybody may be? Read from the contents of its state."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.texts import Text

CLOSED = frozenset({"invite", "knock", "restricted", "knock_restricted", "private"})
"""Join rules by which somebody inside, or a room inside, lets people in (spec, `m.room.join_rules`)."""
STATE = frozenset({"m.room.join_rules", "m.room.history_visibility", "m.room.guest_access"})
"""The state that says how open a room is."""

ANYONE_JOINS = Text("Anyone can join it. Set who can join to “invite only”.")
ANYONE_READS = Text("Anyone can read its history without joining. Set who can read the history to “members”.")
GUESTS_JOIN = Text("Guests without an account can join it. Turn guest access off.")


def openings(state: Mapping[str, Mapping[str, object]]) -> tuple[Text, ...]:
    """How a room is too open for a private or restricted hub: sentences with the remedy, none if it is not.

    `state`: type → content. What is missing has the specification's default. Guest access is no opening of a room that
    is joined by invite alone, as a guest needs the invite, too, and most clients allow guests in every room they make.
    """
    rule = state.get("m.room.join_rules", {}).get("join_rule", "invite")
    ways = [] if isinstance(rule, str) and rule in CLOSED else [ANYONE_JOINS]
    if state.get("m.room.history_visibility", {}).get("history_visibility") == "world_readable":
        ways.append(ANYONE_READS)
    if rule != "invite" and state.get("m.room.guest_access", {}).get("guest_access") == "can_join":
        ways.append(GUESTS_JOIN)
    return tuple(ways)
