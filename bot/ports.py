"""What the runtime needs from the outside world: the smallest Protocols, with one real and one fake adapter each.

Instants are UTC milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from bot.core.events import Batch, Event, Invite, Message, StateChange, Undecryptable
from bot.core.files import File
from bot.core.texts import Text

Row = Mapping[str, Any]  # Any: SQLite columns are dynamically typed; the SQL beside the call says which type


Params = ParamSpec("Params")
Answer = TypeVar("Answer")


class Clock(Protocol):
    def now(self) -> int:
        """The wall clock, UTC milliseconds."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SyncReader(Protocol):
    """The synchronous `Reader`, for functions given to `Reader.run`.

    Example::

        def count(db: SyncReader, hub: str) -> int:
            return int(db.value("SELECT count(*) FROM wishes_wishes WHERE hub = :hub", hub=hub))
    """

    def value(self, sql: str, /, **params: object) -> Any:
        """The first column of the first row, or None."""
        ...

    def row(self, sql: str, /, **params: object) -> Row | None:
        """The first row, or None."""
        ...

    def rows(self, sql: str, /, **params: object) -> Sequence[Row]:
        """All rows."""
        ...


class SyncTransaction(SyncReader, Protocol):
    """The synchronous `Transaction`, for functions given to `Transaction.run`.

    Example::

        def grant(tx: SyncTransaction, ids: Sequence[int]) -> None:
            tx.execute_many("UPDATE wishes_wishes SET granted = 1 WHERE id = :id", ({"id": id_} for id_ in ids))
    """

    def execute(self, sql: str, /, **params: object) -> int:
        """Runs one statement; returns the number of rows it changed."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> None:
        """Runs one statement for each set of parameters; much faster than one by one."""
        ...

    def erase(self) -> None:
        """See `Transaction.erase`."""
        ...


class Reader(Protocol):
    """Reads from the database. Parameters are named; rows are mappings by column.

    Example::

        row = await db.row("SELECT title, granted FROM wishes_wishes WHERE id = :id", id=7)
        title = row["title"] if row else "?"
    """

    async def run(
        self,
        work: Callable[Concatenate[SyncReader, Params], Answer],
        /,
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Answer:
        """Calls `work(reader, *args, **kwargs)` in the database's thread and returns its result: many statements for
        the cost of one call. `work` is a plain function, not a coroutine.

        Not cancellable: if the caller times out, the work still runs to completion and blocks later transactions."""
        ...

    async def value(self, sql: str, /, **params: object) -> Any:
        """The first column of the first row, or None."""
        ...

    async def row(self, sql: str, /, **params: object) -> Row | None:
        """The first row, or None."""
        ...

    async def rows(self, sql: str, /, **params: object) -> Sequence[Row]:
        """All rows."""
        ...


class Transaction(Reader, Protocol):
    """Reads and writes in one transaction. Whoever opened it commits it; an error rolls it back.

    Example::

        await tx.execute("INSERT INTO wishes_wishes (hub, title) VALUES (:hub, :title)", hub="audit", title="Coffee")
    """

    async def run(
        self,
        work: Callable[Concatenate[SyncTransaction, Params], Answer],
        /,
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Answer:
        """`Reader.run` with a function that may write."""
        ...

    async def execute(self, sql: str, /, **params: object) -> int:
        """Runs one statement; returns the number of rows it changed."""
        ...

    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> None:
        """Runs one statement for each set of parameters; much faster than one by one."""
        ...

    async def erase(self) -> None:
        """Makes sure that what this transaction deletes leaves the disk: after the commit the write-ahead log, which
        still contains it, is written back and truncated as soon as no reader needs it."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Rolls back only what happens inside if it raises; the error propagates."""
        ...


class Database(Protocol):
    """The database, for shell commands that open their own transactions; handlers and jobs are given theirs.

    Example::

        async with offline.writing() as db, db.transaction() as tx:
            await tx.execute("DELETE FROM wishes_wishes WHERE granted = 1")
    """

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Opens a transaction; there is one writer at a time. Commits at the end of the block, rolls back on an
        error."""
        ...

    async def transact(self, work: Callable[[Transaction], Coroutine[Any, Any, Answer]]) -> Answer:
        """Runs `work` as one transaction in the database's thread, on an event loop there: however many statements, for
        the cost of one trip. Commits when it returns, rolls back if it raises.

        `work` must not await what belongs to the caller's event loop. Not cancellable: if the caller is cancelled, the
        work still runs to completion."""
        ...

    def reading(self) -> Reader:
        """Reads the last committed state."""
        ...


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A private room to be made, to which nobody comes uninvited. `levels`: the power of its people, but for the
    bot's."""

    name: str
    alias: str | None = None
    topic: str = ""
    encrypted: bool = True
    levels: Mapping[str, int] = field(default_factory=dict, hash=False)


class Transport(Protocol):
    """Matrix, as much of it as Faro needs. Methods raise `Unavailable`, `Refused` or `LoggedOut`."""

    @property
    def user_id(self) -> str: ...

    @property
    def device_id(self) -> str: ...

    @property
    def encrypts(self) -> bool:
        """Whether it can read and write in encrypted rooms."""
        ...

    @property
    def active_at(self) -> float:
        """When the sync loop last began something (`time.monotonic()`): it does so every few minutes, whatever the
        homeserver does, unless it hangs."""
        ...

    async def cross_signed(self) -> bool | None:
        """Whether the account's identity, which is ours, vouches for our device now; None if it cannot encrypt."""
        ...

    async def sync(self, since: str | None) -> Batch:
        """The next batch after `since`. Waits for news (about 30 s), and through outages, backing off."""
        ...

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        """Sends one event, answers its id. The same `txn_id` from the same device gives the same event.

        Encrypted where the room is; `plain` sends it readable all the same (a notice to somebody without keys).
        """
        ...

    async def upload(self, room: str, file: File) -> Mapping[str, object]:
        """Puts a file where the people of a room can get it, encrypted where the room is.

        Answers what a message has to carry so that they find it; nobody sees it before that is sent.
        """
        ...

    async def fetch(self, room: str, event_id: str, most: int) -> tuple[Message, File]:
        """A message and the file it carries, decrypted and checked against the message.

        In an encrypted room the sender of one that is not encrypted is not known.

        Raises `UserError` where there is no such file (any more), it is larger than `most` bytes, or damaged.
        """
        ...

    async def current(self, room: str, event_id: str) -> Event | Undecryptable | None:
        """A message as it is now: a `Redaction` if it was deleted, an `Edit` if it was edited. Raises `Refused`
        (`M_NOT_FOUND`) if the homeserver does not know it."""
        ...

    async def thread_of(self, room: str, event_id: str) -> str | None:
        """The thread a message is in: the id of its root. None if it is in none, or cannot be seen."""
        ...

    def decrypt(self, event: Undecryptable) -> Event | None:
        """The event, if its key is here now."""
        ...

    async def redact(self, room: str, event_id: str, txn_id: str) -> str: ...

    async def find_sent(self, room: str, key: str, since: int) -> str | None:
        """The id of our own event that carries `org.faro.key` = `key`, no older than `since`, if there is one."""
        ...

    async def resolve(self, alias: str) -> tuple[str, Sequence[str]]:
        """Room id of an alias, and servers that know the room."""
        ...

    async def join(self, room: str, via: Sequence[str]) -> str:
        """Joins by id or alias; answers the room id."""
        ...

    async def create_room(self, new: NewRoom) -> str:
        """Makes a room of version 10 to 12; answers its id."""
        ...

    async def state(self, room: str) -> Sequence[StateChange]:
        """The current state of a joined room, members included. Raises `Refused` if the bot is not in it."""
        ...

    async def set_state(self, room: str, type_: str, content: Mapping[str, object]) -> None: ...

    async def invite_person(self, room: str, user: str) -> None:
        """Raises `Refused` also for somebody who is in the room already."""
        ...

    async def leave(self, room: str) -> None:
        """Leaves, or rejects an invite."""
        ...

    async def members(self, room: str) -> Mapping[str, str]:
        """Joined members: user id → display name ("" if none)."""
        ...

    async def invites(self) -> Sequence[Invite]:
        """All open invites of the bot, also those that a sync told of long ago."""
        ...

    async def invited(self, room: str) -> frozenset[str]:
        """Who is asked in and has not come yet."""
        ...

    async def set_display_name(self, name: str) -> None: ...

    async def profile(self, user: str) -> Mapping[str, object]:
        """The public profile: `displayname`, `m.tz`… ({} if it cannot be seen)."""
        ...

    async def close(self) -> None: ...


class RoomStateReader(Protocol):
    """What the transport must know of rooms to encrypt for them; read from our own state, never from nio's."""

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        """The content of the room's `m.room.encryption`; None if it is not encrypted."""
        ...

    async def members(self, room: str) -> frozenset[str]:
        """Who is joined or invited now. Raises `Unavailable` while that is not known."""
        ...


class Translator(Protocol):
    """A plugin's sentences in one language. Templates must be literal strings, so that they can be extracted.

    Example::

        words = ctx.translator("es")
        words.t("Noted: {text}", text=escape(text))
        words.n("{count} wish", "{count} wishes", 3)
    """

    @property
    def language(self) -> str:
        """The language: `en`, `es`, `fr` or `pt`."""
        ...

    def t(self, template: str | Text, **values: object) -> str:
        """Translates a sentence and fills its `{placeholders}`. Without a translation it stays English."""
        ...

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        """Like `t`, with the form for `count`, which also fills `{count}`."""
        ...


class Translations(Protocol):
    def translator(self, owner: str, language: str) -> Translator: ...


@dataclass(frozen=True, slots=True)
class Restored:
    """That the database was put back from a copy: when the copy was made and when it was put in place; whether the
    stored messages of its rooms were put in doubt since."""

    copied_at: int
    restored_at: int
    doubted: bool


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that must be sent, or one of ours that must be removed."""

    id: int
    key: str  # also the Matrix transaction id
    room: str
    action: Literal["send", "redact"]
    type: str
    content: Mapping[str, object] = field(hash=False)
    replaces: str | None = None  # key of the row whose event this edits or redacts
    target: str | None = None  # event id to edit or redact
    first_try: int | None = None
    device: str | None = None  # that made the first try
    tries: int = 0
    plain: bool = False  # readable even in an encrypted room
    has_file: bool = False
    instead: Mapping[str, object] | None = field(default=None, hash=False)  # what is sent if the file is refused
    thread_of: str | None = None  # id of an event whose thread this goes into


class Outbox(Protocol):
    async def pending(self) -> Sequence[OutboxRow]:
        """The oldest pending row of each room that has one."""
        ...

    async def file(self, id_: int) -> File | None:
        """What a row that was not sent yet brings with it."""
        ...

    async def trying(self, id_: int, device: str, now: int) -> None: ...

    async def sent(self, id_: int, event_id: str | None) -> None:
        """Done; None if there was nothing to do."""
        ...

    async def failed(self, id_: int, reason: str) -> None: ...

    async def event_of(self, key: str) -> str | None:
        """The event a row became."""
        ...
