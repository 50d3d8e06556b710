"""A hub as its moderators write it in YAML: rooms, coordinators, topics. Plugins add their own keys (see `bot.api`)."""

from __future__ import annotations

import zoneinfo
from difflib import get_close_matches
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bot.core.durations import Duration
from bot.core.durations import parse as parse_duration

zoneinfo.reset_tzpath(to=[])  # every machine agrees: zones come from the tzdata package, never from the system


class Settings(BaseModel):
    """The base of everything that can be set in YAML: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


S = TypeVar("S", bound=Settings)


def invalid(template: str, **values: object) -> PydanticCustomError:
    """The error a validator raises: a sentence for the moderator with `{placeholders}`, translated where shown."""
    return PydanticCustomError("faro", template, values)


def _zone(name: str) -> str:
    known = zoneinfo.available_timezones()
    if name in known and "/" in name and not name.startswith("Etc/"):
        return name
    if name in ("UTC", "Etc/UTC"):
        return "UTC"
    suggestion = _suggest_zone(name, known)
    if suggestion:
        raise invalid(
            "'{zone}' is not a place whose clock is known; did you mean '{suggestion}'?",
            zone=name,
            suggestion=suggestion,
        )
    raise invalid("'{zone}' is not a place whose clock is known; write one like 'America/Guatemala'", zone=name)


# People write offsets and abbreviations; each of these means a clock without its rules for summer time.
_MEANT = {
    "EST": "America/New_York", "EDT": "America/New_York", "EST5EDT": "America/New_York",
    "CST": "America/Guatemala", "CST6CDT": "America/Chicago", "MST": "America/Denver", "PST": "America/Los_Angeles",
    "AST": "America/Antigua", "GMT": "Europe/London", "CET": "Europe/Brussels", "WET": "Europe/Lisbon",
    "UTC-3": "America/Argentina/Buenos_Aires", "UTC-4": "America/Guyana", "UTC-5": "America/Jamaica",
    "UTC-6": "America/Guatemala", "UTC+0": "UTC", "UTC+1": "Europe/Brussels",
}  # fmt: skip


def _suggest_zone(name: str, known: set[str]) -> str | None:
    plain = name.upper().replace("ETC/", "").replace("GMT", "UTC") if name.upper() != "GMT" else "GMT"
    if meant := _MEANT.get(plain):
        return meant
    by_lower = {zone.lower(): zone for zone in known if "/" in zone}
    wanted = name.lower().replace(" ", "_")
    if wanted in by_lower:
        return by_lower[wanted]
    by_city = {zone.rpartition("/")[2]: zone for zone in sorted(by_lower)}
    if wanted in by_city:
        return by_lower[by_city[wanted]]
    close = get_close_matches(wanted, by_lower, n=1, cutoff=0.75)
    return by_lower[close[0]] if close else None


def _span(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ValueError:
        raise invalid(
            "'{value}' is not a length of time; write a whole number and a unit, like '10 minutes' or '1 week'",
            value=value,
        ) from None


def _localized(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
"""An IANA zone name, as `America/Guatemala`. Offsets and abbreviations are refused with a suggestion."""

Localized = Annotated[dict[str, str], BeforeValidator(_localized), Field(min_length=1)]
"""One text, or one per language: `Transparency`, or `{en: Transparency, es: Transparencia}`."""

Span = Annotated[Duration, BeforeValidator(_span)]
"""A `Duration` as people write it: `1 week`, `10 minutes`, `24h`, `2 días`."""

UserId = Annotated[str, Field(pattern=r"^@[^:\s]+:[^\s]+$")]
Language = Literal["en", "es", "fr", "pt"]


def in_language(text: dict[str, str], *languages: str) -> str:
    """The first of the languages that `text` has, else whatever it has."""
    return next((text[language] for language in (*languages, "", "en") if language in text), next(iter(text.values())))


class Room(Settings):
    """One Matrix room of a hub."""

    alias: Annotated[str, Field(pattern=r"^#[^:\s]+:[^\s]+$")] | None = None
    id: Annotated[str, Field(pattern=r"^![^\s]+$")] | None = None
    via: tuple[str, ...] = ()
    role: Literal["members", "coordinators"] = "members"
    create: bool = False
    encrypted: bool = False
    title: Localized | None = None


class Coordinator(Settings):
    """A person who looks after a hub."""

    user: UserId
    name: str | None = None
    city: str | None = None
    timezone: Zone | None = None


class Topic(Settings):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Localized


class Hub(Settings):
    """A topic with its people. Plugins' hub settings are mixed in when the configuration is read."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Localized
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en",)
    timezone: Zone = "UTC"
    visibility: Literal["private", "shared"] = "private"
    rooms: Annotated[tuple[Room, ...], Field(min_length=1)]
    coordinators: tuple[Coordinator, ...] = ()
    moderators: tuple[UserId, ...] = ()
    topics: tuple[Topic, ...] = ()


def section(settings: Hub | Room, kind: type[S]) -> S:
    """A plugin's own keys of a hub or room: `section(hub, MeetingsHub).meetings`."""
    if not isinstance(settings, kind):
        raise TypeError(f"{kind.__name__} was not mixed into {type(settings).__name__}")
    return settings
