"""A hub as its moderators write it in YAML: rooms, coordinators, topics. Plugins add their own keys (see `bot.api`)."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.core.durations import Duration
from bot.core.durations import parse as parse_duration
from bot.core.texts import Text
from bot.core.zones import suggest
from bot.replies import harmless

Language = Literal["en", "es", "fr", "pt"]


class Settings(BaseModel):
    """The base class (pydantic) of everything that can be set in YAML. Unknown keys are errors; values are immutable.
    The docstring under a key becomes its description in the JSON Schema.

    Example::

        class WishesSettings(Settings):
            most: int = 10
            \"\"\"How many wishes a person may have.\"\"\"
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


S = TypeVar("S", bound=Settings)


def invalid(template: str, **values: object) -> PydanticCustomError:
    """The error that validators of settings raise: an English sentence with `{placeholders}`, translated when it is
    shown with file and line.

    Example::

        raise invalid("'{value}' is not a colour; write one like 'blue'", value=value)
    """
    return PydanticCustomError("faro", template, {**values, "sentence": Text(template, **values)})


def matching(pattern: str, otherwise: Text) -> tuple[AfterValidator, WithJsonSchema]:
    """The annotation of a text that a regular expression must match as a whole; `otherwise` is the error, with
    `{value}`.

    Example::

        Colour = Annotated[str, *matching(r"[a-z]+", Text("'{value}' is not a colour; write one like 'blue'"))]
    """
    written = re.compile(pattern)

    def check(value: str) -> str:
        if not written.fullmatch(value):
            raise invalid(otherwise.template, value=value)
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


@cache
def _zones() -> frozenset[str]:
    """Zones named after a place. `EST`, `Cuba`, `Etc/GMT+5` are in the database, too, but kept only for old files."""
    return frozenset(
        zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
    )


def _zone(name: str) -> str:
    if name in _zones() or name == "UTC":
        return name
    if suggestion := suggest(name, _zones()):
        raise invalid("'{zone}' is not a time zone; did you mean '{suggestion}'?", zone=name, suggestion=suggestion)
    raise invalid("'{zone}' is not a time zone; write one like 'America/Guatemala'", zone=name)


def _localized(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


def _languages_known(text: dict[str, str]) -> dict[str, str]:
    known = get_args(Language)
    for language in text:
        if language not in known and language:
            raise invalid("language '{language}' is not available; available: {known}", language=language,
                          known=", ".join(known))  # fmt: skip
    cleaned = {language: _cleaned(part) for language, part in text.items()}
    if not all(part.strip() for part in cleaned.values()):
        raise invalid("the text is empty")
    return cleaned


def _cleaned(text: str) -> str:
    """A text of a YAML file as harmless as what people write; its line breaks stay."""
    return "\n".join(harmless(line) for line in text.splitlines())


def _span(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ValueError:
        raise invalid(
            "'{value}' is not a duration; write a whole number and a unit, such as '10 minutes' or '1 week'",
            value=value,
        ) from None


Zone = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["America/Guatemala"]})]
"""An IANA zone name, as `America/Guatemala`. Offsets and abbreviations are refused with a suggestion."""

Localized = Annotated[
    dict[str, str],
    BeforeValidator(_localized),
    Field(min_length=1),
    AfterValidator(_languages_known),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {language: {"type": "string"} for language in get_args(Language)},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]
"""One text, or one per language: `Transparency`, or `{en: Transparency, es: Transparencia}`."""

Span = Annotated[
    Duration, BeforeValidator(_span), WithJsonSchema({"type": "string", "examples": ["10 minutes", "24h", "1 week"]})
]
"""A `Duration` as people write it: `1 week`, `10 minutes`, `24h`, `2 días`."""

UserId = Annotated[
    str, *matching(r"@[^:\s]+:[^\s]+", Text("'{value}' is not a user id; write one like '@ana:example.org'"))
]
Identifier = Annotated[
    str,
    *matching(
        r"[a-z0-9][a-z0-9-]*",
        Text(
            "'{value}' is not a valid id; use lowercase letters without accents, digits and '-', as in 'customs-reform'"
        ),
    ),
]
"""Names a thing for good, in commands and in the database: `transparency`."""


def in_language(text: dict[str, str], *languages: str) -> str:
    """A localized text in the first of these languages it has, else in any.

    >>> in_language({"en": "Gifts", "es": "Regalos"}, "fr", "es")
    'Regalos'
    """
    return next((text[language] for language in (*languages, "", "en") if language in text), next(iter(text.values())))


class Room(Settings):
    """A Matrix room of a hub.

    Example::

        rooms = [room for room in ctx.hub.rooms if room.role == "coordinators"]
    """

    alias: (
        Annotated[
            str,
            *matching(
                r"#[^:\s]+:[^\s]+", Text("'{value}' is not a room address; write one like '#customs:example.org'")
            ),
        ]
        | None
    ) = None
    """The room's address: `"#transparency:example.org"`."""
    id: Annotated[str, *matching(r"![^\s]+", Text("'{value}' is not a room id; room ids begin with '!'"))] | None = None
    """The room's id, as a client shows it in the room's settings: `"!abc:example.org"`. Wins over the alias."""
    via: tuple[str, ...] = ()
    """Servers that know the room, for joining one by its id on another server."""
    role: Literal["members", "coordinators"] = "members"
    """Who meets there. Reminders go to the coordinators' room."""
    create: bool = False
    """Make the room, a private one, if its alias does not exist yet. The bot invites coordinators and moderators."""
    encrypted: bool = True
    """Encrypt the room when it is made."""
    title: Localized | None = None
    """Its name when it is made; the hub's title if left out."""
    topic: Localized | None = None
    """Its topic when it is made; the hub's title if left out."""


class Coordinator(Settings):
    """A person who coordinates a hub.

    Example::

        pings = [coordinator.user for coordinator in ctx.hub.coordinators]
    """

    user: UserId
    """Their Matrix account."""
    name: Annotated[str, AfterValidator(_cleaned)] | None = None
    """How to write their name; their display name if left out."""
    city: Annotated[str, AfterValidator(_cleaned)] | None = None
    """The city their meeting times are shown for."""
    timezone: Zone | None = None
    """Their time zone; the hub's if left out."""


class Topic(Settings):
    """A topic of a hub, by which links are found.

    Example::

        titles = [in_language(topic.title, ctx.language) for topic in ctx.hub.topics]
    """

    id: Identifier
    """How it is written in commands: `topic:ethics`."""
    title: Localized
    """How it is shown."""


class Hub(Settings):
    """A hub: its rooms, people and topics.

    Plugins add keys of their own; see `section`.

    Example::

        if ctx.hub.visibility == "private":
            return Reply(in_language(ctx.hub.title, ctx.language))
    """

    id: Identifier
    """Names the hub for good: what was shared in it is stored under this name."""
    title: Localized
    """How it is shown."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en",)
    """Languages of the hub: `en`, `es`, `fr`, `pt`. The bot answers in the first unless somebody chose another."""
    timezone: Zone = "UTC"
    """The time zone of the hub's meetings and of people whose own is not known."""
    visibility: Literal["private", "restricted", "shared"] = "private"
    """Where its resources are found besides its own rooms: `private`, nowhere; `restricted`, in the hubs that
    `visible_to` names; `shared`, in all other shared hubs."""
    visible_to: tuple[Identifier, ...] = ()
    """Ids of the hubs that may find the resources of a restricted hub."""
    rooms: Annotated[tuple[Room, ...], Field(min_length=1)]
    """Its Matrix rooms."""
    coordinators: tuple[Coordinator, ...] = ()
    """People who look after it; reminders mention them."""
    moderators: tuple[UserId, ...] = ()
    """People who may use moderators' commands, besides those with power level 50 in the room."""
    topics: tuple[Topic, ...] = ()
    """Subjects of the hub."""


def section(settings: Hub | Room, kind: type[S]) -> S:
    """A plugin's own keys of a hub or room; `kind` is the plugin's `hub_settings` or `room_settings`. Raises
    `TypeError` if they were not mixed in.

    Example::

        most = section(ctx.hub, WishesHub).most
    """
    if not isinstance(settings, kind):
        raise TypeError(f"{kind.__name__} was not mixed into {type(settings).__name__}")
    return settings
