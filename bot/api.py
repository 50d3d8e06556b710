"""The public door: everything a plugin may use. `__all__` is the promise to plugin authors.

A plugin is a class with handlers. Handlers are quick: they run inside the one transaction of the batch that
brought their event, so they only compute and touch the database. Slow work (a request, a big scan) is a *job*.
Handlers return what they want to say; only `matrix/outbound.py` sends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_origin

from bot.core.commands import CommandHelp, nearest, normalize
from bot.core.durations import Duration
from bot.core.errors import ConfigError, PluginError, UsageError, UserError
from bot.core.events import Edit, Event, Message, Reaction, Redaction, StateChange
from bot.core.files import Attachment, File
from bot.core.permissions import Role
from bot.core.recurrence import Timeliness, in_gap, reminder_due, timeliness, to_instant, to_local
from bot.core.texts import Text
from bot.hubs import (
    Coordinator,
    Hub,
    Identifier,
    Language,
    Localized,
    Room,
    Settings,
    Span,
    Topic,
    UserId,
    Zone,
    in_language,
    invalid,
    matching,
    section,
)  # fmt: skip
from bot.ports import Database, Reader, Row, SyncReader, SyncTransaction, Transaction, Translator
from bot.replies import escape, harmless

if TYPE_CHECKING:  # the shell hook is typed by click, which a running bot need not load
    import click

__all__ = [
    "AlarmContext", "Announcement", "Attachment", "CommandHelp", "ConfigError", "Context", "Coordinator", "Database",
    "Duration", "Edit", "Event", "File", "Hub", "Identifier", "JobContext", "Language", "Localized", "Message",
    "Offline", "Plugin", "PluginError", "Reaction", "Reader", "Redaction", "RefreshContext", "Reply", "Role", "Room",
    "RoomView", "Row", "Schedule", "Settings", "Shell", "Span", "StateChange", "SyncReader", "SyncTransaction",
    "Text", "Timeliness", "Topic", "Transaction", "Translator", "UsageError", "UserError", "UserId", "Zone", "alarm",
    "command", "escape", "fallback", "harmless", "in_gap", "in_language", "invalid", "job", "listen", "matching",
    "nearest", "normalize", "reminder_due", "section", "timeliness", "to_instant", "to_local",
]  # fmt: skip

S = TypeVar("S", bound=Settings)
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in Markdown. `mentions` are pinged besides nobody; name them in the text as well.

    A `file` comes in the same message, with the text beside it (which may be "").
    """

    text: str
    mentions: tuple[str, ...] = ()
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message nobody asked for just now (a reminder): `reply` goes to the Matrix room `room`."""

    room: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RoomView:
    """The room something happened in. `settings` is None in a direct chat and in rooms no hub names."""

    id: str
    direct: bool
    settings: Room | None


class Schedule(Protocol):
    """Alarms and jobs of one plugin, written in the current transaction.

    A `key` is unique per plugin and names the thing for good: an alarm that fired is not armed again under its key.
    """

    async def alarm(self, name: str, key: str, due: int, hub: str, **payload: str | int) -> None:
        """Arms the handler `@alarm(name)` for the instant `due`; a pending alarm of this key is moved."""
        ...

    async def cancel(self, key: str) -> None: ...

    async def pending(self, name: str) -> Mapping[str, int]:
        """Keys of the alarms still to come, with their due instants."""
        ...

    async def job(self, name: str, key: str, *, after: int = 0, **payload: str | int) -> None:
        """Asks for the handler `@job(name)` to run once, soon or `after` milliseconds; it may answer what caused it.

        Asked again under the same key before it ran, it runs once, with the last payload.
        """
        ...


class Context(Protocol):
    """What a command or a listener gets."""

    @property
    def db(self) -> Transaction:
        """The batch's transaction."""
        ...

    @property
    def now(self) -> int: ...

    @property
    def sender(self) -> str: ...

    @property
    def role(self) -> Role: ...

    @property
    def message(self) -> Message:
        """What was said (after an edit: as it reads now, under the id of the original)."""
        ...

    @property
    def edit_id(self) -> str | None:
        """The id of the edit that gave the message its present text; None if it was not edited."""
        ...

    @property
    def room(self) -> RoomView: ...

    @property
    def hub(self) -> Hub:
        """The hub of the room; in a direct chat the asker's first. Raises `UserError` where there is none."""
        ...

    @property
    def hubs(self) -> Sequence[Hub]:
        """Hubs whose content may be shown here: the room's own and those shared with it; in a direct chat those
        the asker is a member of now."""
        ...

    @property
    def language(self) -> str: ...

    @property
    def bot_name(self) -> str:
        """What people call the bot."""
        ...

    @property
    def schedule(self) -> Schedule: ...

    def t(self, template: str | Text, **values: object) -> str:
        """Translates for the asker; see `bot.ports.Translator`."""
        ...

    def n(self, singular: str, plural: str, count: int, **values: object) -> str: ...

    def translator(self, language: str) -> Translator: ...

    def manual(self) -> Sequence[CommandHelp]:
        """The commands the asker may use here, in their language."""
        ...

    def privacy_notices(self) -> Sequence[str]:
        """What members of this hub should know the plugins do (`Plugin.privacy_notices`); in a direct chat:
        of all their hubs."""
        ...

    async def react(self, sign: str) -> None:
        """Answers the message with a reaction: a word or a sign beside it, for which no phone rings."""
        ...

    async def unreact(self) -> None:
        """Takes the reaction back, if there is one. The message gets no other."""
        ...

    async def set_language(self, language: str | None) -> None:
        """Remembers the sender's choice (None: forget it)."""
        ...

    async def forget_sender(self) -> Sequence[str]:
        """Erases what the core and every plugin hold about the sender. Returns the names of plugins that do not run now
        and erase their part when they do."""
        ...


class AlarmContext(Protocol):
    """What an alarm's handler gets. It answers with announcements."""

    @property
    def db(self) -> Transaction: ...

    @property
    def now(self) -> int: ...

    @property
    def due(self) -> int: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def payload(self) -> Mapping[str, str | int]: ...

    @property
    def schedule(self) -> Schedule: ...

    def rooms(self, role: str) -> Sequence[str]:
        """Ids of the hub's joined rooms of that role ("coordinators", "members")."""
        ...

    def translator(self, language: str) -> Translator: ...


class JobContext(Protocol):
    """What a job's handler gets. It runs outside any transaction, may be run again after a crash, and may answer."""

    @property
    def now(self) -> int: ...

    @property
    def payload(self) -> Mapping[str, str | int]: ...

    async def profile(self, user: str) -> Mapping[str, object]:
        """A user's public Matrix profile; {} if it cannot be seen."""
        ...

    async def fetch(self, room: str, event_id: str) -> tuple[Message, File]:
        """A message and the file it carries, decrypted and checked. Its name, its type and who sent it (see
        `Message.sender_known`) are what the message says. Raises `UserError` where there is no file to be had."""
        ...

    def answering(self) -> AbstractAsyncContextManager[Context]:
        """A transaction with the context of the message that asked for this job."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of its own: keep it short, everything else waits for it."""
        ...

    @property
    def hubs(self) -> Sequence[Hub]:
        """The hubs as they are configured now."""
        ...

    def schedule(self, db: Transaction) -> Schedule:
        """Alarms and jobs to be written in a transaction of this job's. They answer nobody."""
        ...


class RefreshContext(Protocol):
    """What `refresh` gets: the hubs as they are configured now."""

    @property
    def db(self) -> Transaction: ...

    @property
    def now(self) -> int: ...

    @property
    def hubs(self) -> Sequence[Hub]: ...

    @property
    def schedule(self) -> Schedule: ...


class Offline(Protocol):
    """A configuration opened from the shell, with no network."""

    @property
    def hubs(self) -> Sequence[Hub]: ...

    @property
    def now(self) -> int: ...

    @property
    def translator(self) -> Translator:
        """For the person at the terminal."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        """The bot's database, read-only; where the bot has not run yet, one in memory made from the configuration."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Database]:
        """The bot's database to be changed, also while the bot runs: transactions must be short, and after each the
        bot has as long for its own. It is made if the bot has not run yet."""
        ...

    async def forget(self, user_id: str) -> bool:
        """Erases what the core and every plugin hold about a person; whether there was anything."""
        ...


class Shell(Protocol):
    """`obj` of a plugin's click commands (`click.pass_obj`)."""

    def open(self, config: Path) -> Offline:
        """Reads the configuration; problems in it end the command with exit code 2."""
        ...

    def scratch(self, file: Path | None = None) -> AbstractAsyncContextManager[Database]:
        """A database with nothing but the tables of the command's plugin, for measuring: in a temporary folder, or in
        `file`, which stays and may be there already."""
        ...


class Plugin(Generic[S]):
    """A feature. Subclass it as `class Wishes(Plugin[WishesSettings])`; handlers carry the decorators below.

    `schema/NNNN_name.sql` beside the class's file creates its tables, whose names begin with the plugin's name and an
    underscore; `locales/` holds its translations.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Settings]] = Settings
    hub_settings: ClassVar[type[Settings] | None] = None
    """Keys this plugin adds to every hub."""
    room_settings: ClassVar[type[Settings] | None] = None
    """Keys this plugin adds to every room of a hub."""
    shell: ClassVar[Sequence[click.Command]] = ()
    """Commands this plugin adds to `faro`; they get a `Shell` as `obj`."""

    settings: S
    handlers: Sequence[object] = ()
    """Objects whose decorated methods are handlers, too: a large plugin is composed of them. Set in `__init__`."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Plugin and isinstance(kind := get_args(base)[0], type):
                cls.settings_type = kind

    def __init__(self, settings: S) -> None:
        self.settings = settings

    def privacy_notices(self, hub: Hub) -> Sequence[Text]:
        """What members of a hub should know this does, beside answering: they read it at the end of `!help`."""
        return ()

    async def refresh(self, ctx: RefreshContext) -> None:
        """Called at start, after a change of configuration, and once a day: bring own tables and alarms up to date."""

    async def forget(self, db: Transaction, user_id: str) -> None:
        """Erases everything held about a person. A plugin with tables must define it; one without holds nothing."""


@dataclass(frozen=True, slots=True)
class CommandMark:
    """What `@command` leaves on a handler."""

    name: str
    help: str
    aliases: Mapping[str, str]
    role: Role
    anywhere: bool
    rooms_only: bool
    examples: Sequence[str]


def command(
    name: str,
    *,
    help: str,  # noqa: A002 - the word every command-line library uses for it
    aliases: Mapping[str, str] | None = None,
    role: Role = Role.MEMBER,
    anywhere: bool = False,
    rooms_only: bool = False,
    examples: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Makes a method answer `!name`. Its signature is its grammar, after `ctx`:

    positional parameters take one word each (`str` or `int`; with a default: optional); a keyword-only `str` takes
    the rest of the line; a keyword-only `T | None = None` is a filter `name:value` (a trailing `_` in the
    parameter's name is dropped: `from_` is written `from:`).
    `help` is a sentence in English (translated through the plugin's catalogue); `aliases` maps a language to the
    command's word in it; `role` is the least role that may use it; `anywhere` allows it outside hubs;
    `rooms_only` refuses it in direct chats, where nobody else sees it, nor which hub it is for.
    """

    def mark(handler: Handler) -> Handler:
        left = CommandMark(name, help, aliases or {}, role, anywhere, rooms_only, tuple(examples))
        handler.__faro_command__ = left  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def fallback(handler: Handler) -> Handler:
    """Makes a method answer what people say to the bot that is no command:

    `async def answer(self, ctx: Context, line: str) -> Reply`. `line` is what they said, without the bot's name or the
    prefix; "" if they said only its name. Of all plugins one method may do that.
    """
    handler.__faro_fallback__ = True  # type: ignore[attr-defined]  # a mark on a function
    return handler


def listen(*kinds: type[Event]) -> Callable[[Handler], Handler]:
    """Shows a method what happens in hub rooms: `async def on_event(self, ctx, event)`, events of these types.

    Listeners do not see messages that are commands; an `Edit` that makes a message a command says so. Handlers answer
    None: content nobody asked for is never posted.
    """

    def mark(handler: Handler) -> Handler:
        handler.__faro_listens__ = kinds  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def alarm(name: str) -> Callable[[Handler], Handler]:
    """Makes a method the handler of alarms of that name:

    `async def ring(self, ctx: AlarmContext) -> Sequence[Announcement]`.
    """

    def mark(handler: Handler) -> Handler:
        handler.__faro_alarm__ = name  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def job(name: str) -> Callable[[Handler], Handler]:
    """Makes a method the handler of jobs of that name: `async def work(self, ctx: JobContext) -> Reply | None`."""

    def mark(handler: Handler) -> Handler:
        handler.__faro_job__ = name  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark
