"""The public API for plugins. `__all__` is the promise to plugin authors.

A plugin is a class with handlers. Handlers run inside the transaction of the batch that brought their event, so they
must be quick: compute, and touch the database. Slow work (a request, a large scan) is a *job*. Handlers return what
they want to say; only `bot/matrix/outbound.py` sends it.

Instants are milliseconds since 1970 (UTC), as in Matrix.
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
from bot.core.events import Edit, Event, Message, Reaction, Redaction, StateChange, Superseded
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
    "RoomView", "Row", "Schedule", "Settings", "Shell", "Span", "StateChange", "Superseded", "SyncReader",
    "SyncTransaction", "Text", "Timeliness", "Topic", "Transaction", "Translator", "UsageError", "UserError", "UserId",
    "Zone", "alarm", "command", "escape", "fallback", "harmless", "in_gap", "in_language", "invalid", "job", "listen",
    "matching", "nearest", "normalize", "reminder_due", "section", "timeliness", "to_instant", "to_local",
]  # fmt: skip

S = TypeVar("S", bound=Settings)
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `text` in Markdown, at most one message long (a longer one is cut, and says so).

    `mentions` are the user ids to notify; name these people in the text too. `file` is sent in the same message, with
    `text` (which may be "") as its caption. Use `escape` for anything people wrote.

    Example::

        Reply(f"Thanks, {escape(name)}!", mentions=("@ana:example.org",))
    """

    text: str
    mentions: tuple[str, ...] = ()
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message that nobody asked for just now, such as a reminder: `reply`, for the Matrix room with the id `room`.

    Example::

        [Announcement(room, Reply("The call starts now.")) for room in ctx.rooms("coordinators")]
    """

    room: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RoomView:
    """The room something happened in: its id, whether it is a direct chat, its settings in the hub's YAML (None in
    direct chats and in rooms that belong to no hub), and whether it is encrypted.

    Example::

        if ctx.room.direct:
            return Reply("Ask me in your hub's room.")
    """

    id: str
    direct: bool
    settings: Room | None
    encrypted: bool = False


class Schedule(Protocol):
    """Schedules the alarms and jobs of one plugin, as part of the current transaction.

    A `key` is unique within the plugin and permanent: an alarm that has fired is not scheduled again under its key.

    Example::

        await ctx.schedule.alarm("remind", f"{meeting.id}/{day}", due, ctx.hub.id, meeting=meeting.id)
        await ctx.schedule.job("scan", ctx.message.event_id, room=ctx.room.id)
    """

    async def alarm(self, name: str, key: str, due: int, hub: str, **payload: str | int) -> None:
        """Schedules the handler `@alarm(name)` for the instant `due`, for the hub with the id `hub`. A pending alarm
        with the same key is replaced."""
        ...

    async def cancel(self, key: str) -> None:
        """Cancels the alarm with this key, if it is pending."""
        ...

    async def pending(self, name: str) -> Mapping[str, int]:
        """The pending alarms of the handler `@alarm(name)`: due instants by key."""
        ...

    async def job(self, name: str, key: str, *, after: int = 0, **payload: str | int) -> None:
        """Schedules the handler `@job(name)` to run once, as soon as possible or after `after` milliseconds. Scheduled
        again under the same key before it ran, it runs once, with the last payload."""
        ...


class Context(Protocol):
    """What the handlers of commands and events receive.

    Example::

        async def hello(self, ctx: Context) -> Reply:
            count = await ctx.db.value("SELECT count(*) FROM wishes_wishes WHERE hub = :hub", hub=ctx.hub.id)
            return Reply(ctx.n("{count} wish", "{count} wishes", count))
    """

    @property
    def db(self) -> Transaction:
        """The transaction of the batch; the core commits it."""
        ...

    @property
    def now(self) -> int:
        """The instant at which the batch is handled."""
        ...

    @property
    def sender(self) -> str:
        """The user id of whoever sent the event."""
        ...

    @property
    def role(self) -> Role:
        """The sender's role in `hub`."""
        ...

    @property
    def message(self) -> Message:
        """The message; after an edit its current text, with the id of the original."""
        ...

    @property
    def edit_id(self) -> str | None:
        """The id of the edit that gave the message its current text; None if it was not edited."""
        ...

    @property
    def room(self) -> RoomView:
        """The room of the event."""
        ...

    @property
    def hub(self) -> Hub:
        """The hub of the room; in a direct chat the sender's first hub. Raises `UserError` if there is none."""
        ...

    @property
    def hubs(self) -> Sequence[Hub]:
        """The hubs whose content may be shown here: the room's own and those shared with it; in a direct chat those
        the sender is a member of."""
        ...

    @property
    def encrypted_hubs(self) -> frozenset[str]:
        """Ids of the hubs of which what encrypted rooms hold may be shown here: in an encrypted room, its hub's; in an
        encrypted direct chat, that of hubs the sender shares an encrypted room with."""
        ...

    @property
    def language(self) -> str:
        """The language of the answer: `en`, `es`, `fr` or `pt`."""
        ...

    @property
    def bot_name(self) -> str:
        """The bot's display name."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Schedules alarms and jobs of this plugin."""
        ...

    def t(self, template: str | Text, **values: object) -> str:
        """Translates a sentence into `language`; see `Translator`."""
        ...

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        """Translates a sentence with a count into `language`; see `Translator`."""
        ...

    def translator(self, language: str) -> Translator:
        """This plugin's sentences in another language."""
        ...

    def manual(self) -> Sequence[CommandHelp]:
        """The commands the sender may use here, in their language."""
        ...

    def privacy_notices(self) -> Sequence[str]:
        """What the plugins disclose to the members of this hub (`Plugin.privacy_notices`); in a direct chat, of all the
        sender's hubs."""
        ...

    async def react(self, sign: str) -> None:
        """Reacts to the message with a word or sign; nobody is notified."""
        ...

    async def unreact(self) -> None:
        """Removes the bot's reaction, if there is one; the message gets no other."""
        ...

    async def set_language(self, language: str | None) -> None:
        """Stores the sender's choice of language; None removes it."""
        ...

    async def forget_sender(self) -> Sequence[str]:
        """Erases what the core and every plugin store about the sender. Returns the names of plugins that are not
        running and erase their part once they are."""
        ...


class AlarmContext(Protocol):
    """What the handler of an alarm receives; it returns announcements.

    Example::

        async def ring(self, ctx: AlarmContext) -> Sequence[Announcement]:
            words = ctx.translator(ctx.hub.languages[0])
            return [Announcement(room, Reply(words.t("It is time."))) for room in ctx.rooms("coordinators")]
    """

    @property
    def db(self) -> Transaction:
        """The transaction in which the alarm is marked as fired; the core commits it."""
        ...

    @property
    def now(self) -> int:
        """The current instant."""
        ...

    @property
    def due(self) -> int:
        """The instant the alarm was scheduled for; long ago if the bot was down."""
        ...

    @property
    def hub(self) -> Hub:
        """The hub the alarm was scheduled for."""
        ...

    @property
    def payload(self) -> Mapping[str, str | int]:
        """What `Schedule.alarm` was given."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Schedules alarms and jobs of this plugin."""
        ...

    def rooms(self, role: str) -> Sequence[str]:
        """The ids of the hub's joined rooms with this role, "coordinators" or "members"."""
        ...

    def translator(self, language: str) -> Translator:
        """This plugin's sentences in a language."""
        ...


class JobContext(Protocol):
    """What the handler of a job receives. A job runs outside any transaction, may take long, and runs again after a
    crash; what it returns answers the message that scheduled it.

    Example::

        async def work(self, ctx: JobContext) -> Reply | None:
            message, file = await ctx.fetch(str(ctx.payload["room"]), str(ctx.payload["event"]))
            async with ctx.transaction() as tx:
                await tx.execute("INSERT INTO wishes_files (name) VALUES (:name)", name=file.name)
            return None
    """

    @property
    def now(self) -> int:
        """The current instant."""
        ...

    @property
    def payload(self) -> Mapping[str, str | int]:
        """What `Schedule.job` was given."""
        ...

    async def profile(self, user: str) -> Mapping[str, object]:
        """A user's public Matrix profile; {} if it is not visible."""
        ...

    async def fetch(self, room: str, event_id: str) -> tuple[Message, File]:
        """Downloads a message and its file, decrypted and verified. The file's name and type are what the message
        claims, and so is the sender (see `Message.sender_known`). Raises `UserError` if there is no such file."""
        ...

    def answering(self) -> AbstractAsyncContextManager[Context]:
        """Opens a transaction with the context of the message that scheduled this job."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Opens a transaction. Keep it short: everything else waits for it."""
        ...

    @property
    def hubs(self) -> Sequence[Hub]:
        """All hubs, as configured now."""
        ...

    def schedule(self, db: Transaction) -> Schedule:
        """Schedules alarms and jobs in a transaction of this job; they answer nobody."""
        ...


class RefreshContext(Protocol):
    """What `Plugin.refresh` receives.

    Example::

        async def refresh(self, ctx: RefreshContext) -> None:
            await ctx.schedule.alarm("tidy", "tidy", ctx.now + 86_400_000, ctx.hubs[0].id)
    """

    @property
    def db(self) -> Transaction:
        """A transaction; the core commits it."""
        ...

    @property
    def now(self) -> int:
        """The current instant."""
        ...

    @property
    def hubs(self) -> Sequence[Hub]:
        """All hubs, as configured now."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Schedules alarms and jobs of this plugin."""
        ...


class Offline(Protocol):
    """A configuration opened by a shell command, without the network.

    Example::

        async def count(offline: Offline) -> int:
            async with offline.reading() as db:
                return int(await db.value("SELECT count(*) FROM wishes_wishes"))
    """

    @property
    def hubs(self) -> Sequence[Hub]:
        """All hubs of the configuration."""
        ...

    @property
    def now(self) -> int:
        """The current instant."""
        ...

    @property
    def translator(self) -> Translator:
        """This plugin's sentences in the language of the terminal."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        """Opens the bot's database read-only; before the first start, a database in memory made from the
        configuration."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Database]:
        """Opens the bot's database for writing, also while the bot runs; creates it before the first start. Keep
        transactions short: after each, the bot gets as much time for its own."""
        ...

    def confirm(self, question: str) -> bool:
        """Asks a translated question at the terminal; a yes or no in any of the bot's languages counts."""
        ...

    async def forget(self, user_id: str) -> bool:
        """Erases what the core and every plugin store about a person; returns whether there was anything."""
        ...


class Shell(Protocol):
    """What a plugin's click commands receive as `obj` (`click.pass_obj`).

    Example::

        @click.command("wishes")
        @click.argument("config", type=click.Path(path_type=Path))
        @click.pass_obj
        def wishes(shell: Shell, config: Path) -> None:
            click.echo(asyncio.run(count(shell.open(config))))
    """

    def open(self, config: Path) -> Offline:
        """Reads the configuration; mistakes in it end the command with exit code 2."""
        ...

    def scratch(self, file: Path | None = None) -> AbstractAsyncContextManager[Database]:
        """Opens a database with only the tables of the command's plugin, for measuring: in a temporary folder, or in
        `file`, which is kept and may exist already."""
        ...


class Plugin(Generic[S]):
    """The base class of plugins; the decorators below mark its handlers.

    Beside the file of the class, `schema/NNNN_name.sql` creates its tables, whose names begin with the plugin's name
    and an underscore, and `locales/` holds its translations. A plugin that cannot be used is reported at the start,
    with the reason (`PluginError`).

    Example::

        class Wishes(Plugin[Settings]):
            name = "wishes"

            @command("wish", help="Make a wish.")
            async def wish(self, ctx: Context, *, text: str) -> Reply:
                return Reply(ctx.t("Noted."))
    """

    name: ClassVar[str]
    """Names the plugin in `plugins:`, in its tables and in the log: letters, digits and underscores."""
    settings_type: ClassVar[type[Settings]] = Settings
    """The class of `settings`; taken from `Plugin[…]`."""
    hub_settings: ClassVar[type[Settings] | None] = None
    """The keys this plugin adds to every hub."""
    room_settings: ClassVar[type[Settings] | None] = None
    """The keys this plugin adds to every room of a hub."""
    shell: ClassVar[Sequence[click.Command]] = ()
    """The commands this plugin adds to `faro`; they receive a `Shell` as `obj`. Their help is translated like
    sentences."""

    settings: S
    """The plugin's own section of `config.yaml`."""
    handlers: Sequence[object] = ()
    """More objects whose decorated methods are handlers, for large plugins. Set it in `__init__`."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Plugin and isinstance(kind := get_args(base)[0], type):
                cls.settings_type = kind

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @classmethod
    def privacy_notices(cls, hub: Hub, *, encrypted: bool) -> Sequence[Text]:
        """What members of a hub should know this plugin does besides answering; shown at the end of `!help` and by
        `faro check`. `encrypted`: they read it in an encrypted room."""
        return ()

    async def refresh(self, ctx: RefreshContext) -> None:
        """Called at the start, after a change of configuration, and once a day, to bring the plugin's tables and alarms
        up to date."""

    async def forget(self, db: Transaction, user_id: str) -> None:
        """Erases everything stored about a person. A plugin with tables must define it."""

    async def doubt(self, db: Transaction, room: str) -> int:
        """Called when messages of a room may have been deleted or edited unseen. A plugin that shows what messages said
        stops showing it until `trust`; returns of how many messages that is."""
        return 0

    async def doubted(self, db: Reader, room: str, after: str, most: int) -> Sequence[str]:
        """The ids of the messages in doubt, in order, from the first one after the id `after`, at most `most`."""
        return ()

    async def trust(self, db: Transaction, room: str, event_ids: Sequence[str]) -> None:
        """What these messages said is shown again: what became of them was told to the listeners."""


@dataclass(frozen=True, slots=True)
class CommandMark:
    """What `@command` attaches to a handler."""

    name: str
    help: str
    aliases: Mapping[str, str]
    role: Role
    anywhere: bool
    rooms_only: bool
    changes: bool
    examples: Sequence[str]


def command(
    name: str,
    *,
    help: str,  # noqa: A002 - the word every command-line library uses for it
    aliases: Mapping[str, str] | None = None,
    role: Role = Role.MEMBER,
    anywhere: bool = False,
    rooms_only: bool = False,
    changes: bool = False,
    examples: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Makes a method the handler of the command `!name`. It returns a `Reply`, or None to say nothing.

    The parameters after `ctx` define the syntax: a positional `str` or `int` takes one word (optional if it has a
    default); a keyword-only `str` takes the rest of the line; a keyword-only `T | None = None` is a filter `name:value`
    (`from_` is written `from:`). The handler raises `UserError` for what the sender can correct.

    `help` is an English sentence and is translated; `aliases` are the command's words by language; `role` is the least
    role that may use it; `anywhere` also allows it outside hubs; `rooms_only` refuses it in direct chats; `changes`
    says that it changes something: then it is carried out however late the bot finds it, and also if its sender asks
    too fast; `examples` are shown by `!help name`, without the prefix.

    When a command is edited, listeners of `Superseded` take back what it did; then the new text is handled.

    Example::

        @command("wish", help="Make a wish.", aliases={"es": "deseo"}, examples=("wish more coffee",))
        async def wish(self, ctx: Context, *, text: str) -> Reply:
            return Reply(ctx.t("Noted: {text}", text=escape(text)))
    """

    def mark(handler: Handler) -> Handler:
        left = CommandMark(name, help, aliases or {}, role, anywhere, rooms_only, changes, tuple(examples))
        handler.__faro_command__ = left  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def fallback(handler: Handler) -> Handler:
    """Makes a method answer whatever people say to the bot that is not a command. Only one method of all plugins may do
    so. `line` is what they said, without the bot's name or the prefix; "" if they only said its name.

    Example::

        @fallback
        async def answer(self, ctx: Context, line: str) -> Reply:
            return Reply(ctx.t("Write !help to see what I can do."))
    """
    handler.__faro_fallback__ = True  # type: ignore[attr-defined]  # a mark on a function
    return handler


def listen(*kinds: type[Event]) -> Callable[[Handler], Handler]:
    """Makes a method the listener for these types of events in hub rooms. It returns None: nothing is posted that
    nobody asked for. Commands are not shown to listeners; an `Edit` that turns a message into a command says so
    (`became_command`).

    Example::

        @listen(Message, Edit, Redaction)
        async def on_event(self, ctx: Context, event: Event) -> None:
            await ctx.db.execute("INSERT INTO wishes_seen (room) VALUES (:room)", room=ctx.room.id)
    """

    def mark(handler: Handler) -> Handler:
        handler.__faro_listens__ = kinds  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def alarm(name: str) -> Callable[[Handler], Handler]:
    """Makes a method the handler of the alarms with this name (`Schedule.alarm`). It returns announcements.

    Example::

        @alarm("remind")
        async def ring(self, ctx: AlarmContext) -> Sequence[Announcement]:
            return [Announcement(room, Reply("It is time.")) for room in ctx.rooms("coordinators")]
    """

    def mark(handler: Handler) -> Handler:
        handler.__faro_alarm__ = name  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


def job(name: str) -> Callable[[Handler], Handler]:
    """Makes a method the handler of the jobs with this name (`Schedule.job`). What it returns answers the message that
    scheduled the job. If it raises, it is tried again, ever later.

    Example::

        @job("scan")
        async def scan(self, ctx: JobContext) -> Reply | None:
            return Reply("Done.")
    """

    def mark(handler: Handler) -> Handler:
        handler.__faro_job__ = name  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark
