"""A conversation through the real pipeline on a real database, without a homeserver.

```python
async with story([Wishes], hub()) as s:
    assert await s.say("@ana:x", "!wish a 3D printer") == "Noted: a 3D printer"
```
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.core.events import Batch, Edit, Event, Message, Redaction, RoomUpdate, StateChange, Withheld
from bot.core.files import Attachment, File
from bot.hubs import Hub, Settings
from bot.i18n.catalog import Catalogs
from bot.ports import Database, OutboxRow
from bot.runtime.directory import Directory
from bot.runtime.dispatcher import Dispatcher, Limits
from bot.runtime.job_runner import JobRunner
from bot.runtime.migrations import open_database
from bot.runtime.pipeline import Pipeline
from bot.runtime.plugins import PluginType, bind, folder
from bot.runtime.recheck import Recheck
from bot.runtime.services import Services
from bot.storage import absent_plugins, rooms
from bot.storage.outbox import StoredOutbox
from bot.testing.clock import FakeClock
from bot.testing.transport import FakeTransport

BOT = "@faro:example.org"


@dataclass(slots=True)
class Story:
    """What a test can do: people talk, time passes, the bot's answers are read back."""

    db: Database
    clock: FakeClock
    services: Services
    pipeline: Pipeline
    job_runner: JobRunner
    transport: FakeTransport
    outbox: StoredOutbox
    sent: list[OutboxRow] = field(default_factory=list)
    """Everything the bot wanted to send, in order."""
    files: list[File] = field(default_factory=list)
    """The files among it."""
    encrypted: set[str] = field(default_factory=set)
    """Rooms that are encrypted: see `encrypt`."""
    _count: int = 0

    async def say(
        self, user: str, body: str, *, room: str | None = None, html: str | None = None, thread: str | None = None
    ) -> str | None:
        """Somebody writes in a room (the first hub's first one if not said); answers what the bot answered."""
        return await self.hear(self.message(user, body, room=room, html=html, thread=thread))

    def message(
        self, user: str, body: str, *, room: str | None = None, html: str | None = None, thread: str | None = None
    ) -> Message:
        """A message that was not sent yet; its `event_id` serves to edit or redact it later."""
        self._count += 1
        at = self.clock.now()
        room = room or self.first_room
        encrypted = room in self.encrypted
        return Message(room, f"$event{self._count}", user, at, body, html, thread=thread, encrypted=encrypted)

    def file(self, user: str, file: File, words: str = "", *, room: str | None = None) -> Message:
        """A message with a file that was not sent yet, perhaps with words beside it; jobs can fetch it."""
        message = self.message(user, words or file.name, room=room)
        url = f"mxc://example.org/m{self._count}"
        said = Attachment(file.name, file.mimetype, len(file.content), url)
        message = replace(message, kind="m.file", attachment=said)
        self.transport.carried[message.event_id] = (message, file)
        return message

    async def hear(self, *events: Event, catching_up: bool = False) -> str | None:
        """These events arrive in one batch; answers the body of the last thing the bot said because of them."""
        by_room: dict[str, list[Event]] = {}
        for event in events:
            by_room.setdefault(event.message.room if isinstance(event, Edit) else event.room, []).append(event)
        self._count += 1
        updates = tuple(RoomUpdate(room, events=tuple(found)) for room, found in by_room.items())
        await self.pipeline.handle(Batch(f"t{self._count}", updates, catching_up=catching_up))
        return await self.settle()

    async def hear_sealed(self, *messages: Message, session: str = "session", beside: Edit | None = None) -> str | None:
        """These messages arrive encrypted, and their key does not; `beside` them in the same batch, an edit that can
        be read."""
        self._count += 1
        closed = tuple(self.transport.seal(message, session) for message in messages)
        updates = (RoomUpdate(beside.message.room, events=(beside,)),) if beside else ()
        await self.pipeline.handle(Batch(f"t{self._count}", updates, undecryptable=closed))
        return await self.settle()

    async def key_arrives(self, room: str | None = None, session: str = "session") -> str | None:
        """The key of what was sealed in a room arrives; answers what the bot answered."""
        self._count += 1
        found = (room or self.first_room, session)
        self.transport.has_key(*found)
        await self.pipeline.handle(Batch(f"t{self._count}", keys=frozenset({found})))
        return await self.settle()

    async def withhold(self, user: str, *, room: str | None = None, code: str = "m.unverified") -> str | None:
        """A person's app says that the bot does not get its key."""
        self._count += 1
        notice = Withheld(room or self.first_room, user, f"session{self._count}", code)
        await self.pipeline.handle(Batch(f"t{self._count}", withheld=(notice,)))
        return await self.settle()

    async def edit(self, original: Message, body: str, *, by: str | None = None) -> str | None:
        self._count += 1
        message = replace(original, event_id=f"$edit{self._count}", body=body, sender=by or original.sender)
        return await self.hear(Edit(original.event_id, message))

    async def redact(self, original: Message) -> str | None:
        self._count += 1
        now = self.clock.now()
        return await self.hear(Redaction(original.room, f"$gone{self._count}", original.sender, now, original.event_id))

    async def join(self, user: str, room: str) -> None:
        """A person is now a member of a room."""
        async with self.db.transaction() as tx:
            await rooms.mark_joined(tx, room)
            await tx.execute("INSERT INTO core_members VALUES (:r, :u) ON CONFLICT DO NOTHING", r=room, u=user)

    async def encrypt(self, room: str) -> None:
        """A room is encrypted from now on, and so is what people say in it."""
        self.encrypted.add(room)
        content = {"algorithm": "m.megolm.v1.aes-sha2"}
        async with self.db.transaction() as tx:
            await rooms.apply_state(tx, StateChange(room, "m.room.encryption", "", BOT, "$encrypted", content))

    async def direct(self, user: str) -> str:
        """A direct chat with a person; answers its room id."""
        room = f"!direct-{user}"
        async with self.db.transaction() as tx:
            await rooms.mark_direct(tx, room)
            await rooms.mark_joined(tx, room)
        return room

    async def advance(self, milliseconds: int) -> str | None:
        """Time passes; alarms ring and jobs run."""
        self.clock.advance(milliseconds / 1000)
        await self.pipeline.ring()
        return await self.settle()

    async def settle(self) -> str | None:
        """Jobs run and the outbox empties; answers the last body sent meanwhile."""
        while await self.job_runner.run_next():
            pass
        last: str | None = None
        while rows := await self.outbox.pending():
            for row in rows:
                self.sent.append(row)
                if row.has_file and (file := await self.outbox.file(row.id)):
                    self.files.append(file)
                await self.outbox.sent(row.id, f"$bot{row.id}")
                last = str(row.content.get("body", "")) if row.action == "send" else last
        return last

    @property
    def first_room(self) -> str:
        """The first hub's first room."""
        return str(self.services.directory.hubs[0].rooms[0].id)


@asynccontextmanager
async def story(
    plugins: Sequence[PluginType],
    hubs: Sequence[Hub],
    *,
    settings: Mapping[str, Settings] | None = None,
    database: Path | None = None,
    clock: FakeClock | None = None,
    operators: Sequence[str] = (),
    limits: Limits | None = None,
) -> AsyncIterator[Story]:
    """A bot with these plugins and hubs (whose rooms have ids), all of its rooms joined, everything in memory."""
    clock = clock or FakeClock()
    transport = FakeTransport(BOT, clock)
    async with open_database(database, plugins) as (db, usable):
        registry, broken = bind(usable, settings or {})
        if broken:
            raise AssertionError(broken)
        catalogs = Catalogs({plugin.name: folder(plugin) for plugin in usable})
        async with db.transaction() as tx:
            absent = await absent_plugins.record(tx, registry.plugins, clock.now())
        services = Services(Directory(hubs), registry, catalogs, BOT, "Faro", operators=operators, absent=absent)
        limits = limits or Limits(per_person=10_000, per_room=10_000)
        dispatcher = Dispatcher(services, clock, limits)
        pipeline = Pipeline(
            db=db,
            clock=clock,
            services=services,
            dispatcher=dispatcher,
            answer_within=limits.answer_within,
            decrypt=transport.decrypt,
        )
        recheck = Recheck(db=db, clock=clock, transport=transport, services=services, follow=pipeline.follow)
        job_runner = JobRunner(
            db=db,
            clock=clock,
            transport=transport,
            services=services,
            dispatcher=dispatcher,
            core={"members": _nothing, "invite": _nothing, "recheck": recheck.run},
        )
        told = Story(db, clock, services, pipeline, job_runner, transport, StoredOutbox(db))
        async with db.transaction() as tx:
            for hub in hubs:
                for room in services.directory.rooms_of(hub):
                    await rooms.mark_joined(tx, room)
        await pipeline.refresh()
        yield told


async def _nothing(_: object) -> None:
    """Member lists are told by `Story.join`."""
