"""Whose clock a person reads: their profile's, else their coordinator entry's, else the hub's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from bot.api import Hub, Reader, Transaction, Zone
from plugins.meetings import time_text

KEPT = 86_400_000  # ms a profile's zone is believed
_ZONE: TypeAdapter[str] = TypeAdapter(Zone)


@dataclass(frozen=True, slots=True)
class Known:
    """What the profile said lately; `zone` is None where it names none."""

    zone: str | None


def in_profile(profile: Mapping[str, object]) -> str | None:
    """The zone of a Matrix profile (`m.tz`, spec v1.16). Homeservers store any text there."""
    try:
        return _ZONE.validate_python(profile.get("m.tz"))
    except ValidationError:
        return None


async def known(db: Reader, user: str, now: int) -> Known | None:
    """None if the profile has to be asked (again)."""
    row = await db.row(
        "SELECT zone FROM meetings_asker_zones WHERE user = :user AND fetched_at > :since", user=user, since=now - KEPT
    )
    return Known(row["zone"]) if row else None


async def remember(db: Transaction, user: str, zone: str | None, now: int) -> None:
    await db.execute(
        "INSERT INTO meetings_asker_zones (user, zone, fetched_at) VALUES (:user, :zone, :now)"
        " ON CONFLICT (user) DO UPDATE SET zone = excluded.zone, fetched_at = excluded.fetched_at",
        user=user,
        zone=zone,
        now=now,
    )


async def forget(db: Transaction, user: str) -> None:
    await db.execute("DELETE FROM meetings_asker_zones WHERE user = :user", user=user)


async def forget_old(db: Transaction, now: int) -> None:
    await db.execute("DELETE FROM meetings_asker_zones WHERE fetched_at <= :before", before=now - KEPT)


def of_asker(user: str, profile_zone: str | None, hub: Hub) -> tuple[str, str]:
    """The zone to show this hub's meetings in, and the city to call it by."""
    if profile_zone:
        return profile_zone, time_text.city(profile_zone)
    for person in hub.coordinators:
        if person.user == user and person.timezone:
            return person.timezone, person.city or time_text.city(person.timezone)
    return hub.timezone, time_text.city(hub.timezone)
