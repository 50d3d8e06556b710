"""Everything an operator sets in `config.yaml`, and its defaults. A hub's own settings are in `bot.hubs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from bot.core.durations import Duration
from bot.core.texts import Text
from bot.hubs import Hub, Settings, Span, UserId, invalid, matching

_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
_SERVER = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def _homeserver(url: str) -> str:
    try:
        parts = urlsplit(url)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        ok = False
    if ok:
        return url.rstrip("/")
    if _SERVER.fullmatch(url):
        suggestion = f"https://{url}"
        raise invalid("'{value}' is not a web address; did you mean '{suggestion}'?", value=url, suggestion=suggestion)
    raise invalid("'{value}' is not a web address; write one like 'https://matrix.example.org'", value=url)


def _inviter(name: str) -> str:
    if (name.startswith("@") and ":" in name) or _SERVER.fullmatch(name):
        return name
    raise invalid("'{value}' is neither a user ('@ana:example.org') nor a server ('example.org')", value=name)


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Invites(Settings):
    """Whose invites the bot accepts, besides operators, and the hubs' coordinators and moderators."""

    allow: tuple[Annotated[str, AfterValidator(_inviter)], ...] = ()
    """Users (`"@ana:example.org"`) and servers (`example.org`)."""


class Cooldown(Settings):
    """How many commands a minute are answered. What changes something is done without an answer."""

    per_person: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Commands of one person."""
    per_room: Annotated[int, Field(ge=1, le=10_000)] = 60
    """Commands in one room."""


class Log(Settings):
    """What the bot tells the operator while it runs."""

    format: Literal["text", "json"] = "text"
    """`text` for people, `json` for machines."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages to show."""


def _listening(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if address == "off" or (
        colon and _HOST.fullmatch(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65536
    ):
        return address
    raise invalid("'{value}' is neither 'off' nor an address and port, such as '127.0.0.1:9465'", value=address)


class Health(Settings):
    """What machines may ask the running bot: `/healthz`, `/readyz`, `/metrics`."""

    listen: Annotated[str, AfterValidator(_listening)] = "off"
    """Address and port to answer on: `127.0.0.1:9465`; `off` answers nobody."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None if it is off."""
        host, _, port = self.listen.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None


class BotConfig(Settings):
    """The whole configuration. Paths are relative to the file they stand in."""

    homeserver: Annotated[str, AfterValidator(_homeserver)]
    """Where the bot's account is: `https://matrix.example.org`."""
    user: UserId
    """The bot's account: `"@faro:example.org"`."""
    password: SecretStr | None = None
    """The account's password. Better not here but in the environment: `${FARO_PASSWORD}`."""
    password_file: Path | None = None
    """A file that holds the password."""
    access_token: SecretStr | None = None
    """An access token instead of a password."""
    access_token_file: Path | None = None
    """A file that holds the access token."""
    device_name: Annotated[str, Field(min_length=1)] = "Faro"
    """What the bot's session is called in the account's list of sessions."""
    display_name: Annotated[str, Field(min_length=1)] = "Faro"
    """The name people see, and can call it by: `Faro: help`."""
    data_dir: Path = Path("data")
    """The folder for the database and the session."""
    prefix: Annotated[
        str,
        *matching(
            r"[^\s\w#@/]{1,3}",
            Text("'{value}' is not a valid command prefix; use one to three symbols, such as '!' or '?'"),
        ),
    ] = "!"
    """What a command begins with."""
    operators: tuple[UserId, ...] = ()
    """People who may do everything."""
    invites: Invites = Invites()
    """Whose invites the bot accepts."""
    answer_within: Span = Duration(10, "minute")
    """After a pause, questions older than this are not answered. Commands that change something always are."""
    cooldown: Cooldown = Cooldown()
    """Limits against floods of commands."""
    plugin_dirs: tuple[Path, ...] = ()
    """Folders with plugins of your own."""
    plugins: dict[str, Any] = Field(default_factory=dict)  # Any: each plugin has a settings class of its own
    """Settings of plugins by name; `false` leaves a plugin out."""
    include: Globs = ()
    """Files with one hub each: `hubs/*.yaml`."""
    hubs: tuple[Hub, ...] = ()
    """Hubs that stand in this file."""
    health: Health = Health()
    """What machines may ask the running bot: `/healthz`, `/readyz`, `/metrics`."""
    log: Log = Log()
    """What the bot tells the operator while it runs."""
