"""Who is in the rooms, as the bot comes to know it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.events import Batch, RoomUpdate, StateChange
from bot.hubs import Hub, Room
from bot.i18n.catalog import Catalogs
from bot.ports import OutboxRow
from bot.runtime.directory import Directory
from bot.runtime.dispatcher import Dispatcher, Limits
from bot.runtime.job_runner import JobRunner
from bot.runtime.migrations import open_database
from bot.runtime.pipeline import Pipeline
from bot.runtime.plugins import bind
from bot.runtime.room_membership import RoomMembership
from bot.runtime.services import Services
from bot.storage import alarms, rooms
from bot.storage.database import SqliteDatabase
from bot.storage.outbox import StoredOutbox
from bot.storage.room_state import StoredRoomState
from bot.testing.clock import FakeClock
from bot.testing.transport import FakeTransport

BOT, ANA, BEN = "@faro:example.org", "@ana:example.org", "@ben:example.org"
HALL = "!hall:example.org"
HUB = Hub(id="transparency", title={"": "Transparency"}, languages=("en",), rooms=(Room(id=HALL),))


class Office:
    """A pipeline and the room membership over a homeserver in memory."""

    def __init__(self, db: SqliteDatabase, transport: FakeTransport, clock: FakeClock) -> None:
        self.db, self.transport, self.clock = db, transport, clock
        services = Services(Directory([HUB]), bind([], {})[0], Catalogs({}), BOT, "Faro")
        dispatcher = Dispatcher(services, clock, Limits())
        self.membership = RoomMembership(db=db, clock=clock, transport=transport, services=services, invites_from=())
        self.pipeline = Pipeline(
            db=db, clock=clock, services=services, dispatcher=dispatcher, answer_within=0, decrypt=transport.decrypt
        )
        core = self.membership.core_jobs
        self.job_runner = JobRunner(
            db=db, clock=clock, transport=transport, services=services, dispatcher=dispatcher, core=core
        )
        self.token: str | None = None

    async def read(self) -> None:
        batch = await self.transport.sync(self.token)
        await self.pipeline.handle(batch)
        self.token = batch.token

    async def work(self) -> None:
        """Does all jobs."""
        while await self.job_runner.run_next():
            pass

    async def notices(self) -> dict[str, OutboxRow]:
        """What waits to be sent, by room."""
        return {row.room: row for row in await StoredOutbox(self.db).pending()}

    async def encrypt(self) -> None:
        async with self.db.transaction() as tx:
            rules = {"algorithm": "m.megolm.v1.aes-sha2"}
            await rooms.apply_state(tx, StateChange(HALL, "m.room.encryption", "", ANA, "$rules", rules))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    clock = FakeClock()
    transport = FakeTransport(BOT, clock)
    transport.open_room(HALL, members=[ANA, BOT])
    async with open_database(None, []) as (db, _):
        yield Office(db, transport, clock)


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as lines:
        yield lines


async def test_after_joining_the_members_and_those_asked_in_are_known(office: Office) -> None:
    office.transport.ask_in(ANA, HALL, BEN)
    await office.read()
    assert not await rooms.has_member_lists(office.db.reading(), HALL)
    await office.job_runner.run_next()
    assert await StoredRoomState(office.db).members(HALL) == {ANA, BOT, BEN}


async def test_who_comes_while_the_list_is_on_its_way_is_not_forgotten(office: Office) -> None:
    """The list may have been made before they came: it is asked for again."""
    await office.read()
    job = await alarms.due_job(office.db.reading(), office.clock.now())
    assert job
    office.clock.advance(1)
    office.transport.ask_in(ANA, HALL, BEN)
    await office.read()
    async with office.db.transaction() as tx:
        await rooms.set_members(tx, HALL, [ANA, BOT], [])  # what was on its way
        await alarms.finish_job(tx, job)
    assert not await rooms.has_member_lists(office.db.reading(), HALL)
    await office.job_runner.run_next()
    assert await StoredRoomState(office.db).members(HALL) == {ANA, BOT, BEN}


async def test_without_encryption_a_room_that_cannot_be_read_is_named_once(
    office: Office, logged: list[MutableMapping[str, Any]]
) -> None:
    office.transport.encrypts = False
    await office.read()
    await office.membership.recall()
    assert not [line for line in logged if "encryption" in line["event"]]
    await office.encrypt()
    await office.membership.recall()
    await office.membership.recall()
    (line,) = [line for line in logged if "encryption does not work here" in line["event"]]
    assert (line["log_level"], line["hub"], line["room"]) == ("error", "transparency", HALL)


async def test_without_encryption_people_read_one_plain_sentence_in_each_encrypted_room(office: Office) -> None:
    """In the hub's room when it becomes encrypted, in a chat when the bot joins it; never twice, nor in other rooms."""
    office.transport.encrypts = False
    chat, plain = "!chat:example.org", "!plain:example.org"
    office.transport.open_room(plain, members=[ANA, BOT])
    await office.read()
    await office.work()
    assert await office.notices() == {}
    rules = {"algorithm": "m.megolm.v1.aes-sha2"}
    changed = StateChange(HALL, "m.room.encryption", "", ANA, "$rules", rules)
    await office.pipeline.handle(Batch("x", (RoomUpdate(HALL, events=(changed,)),)))
    new = StateChange(chat, "m.room.encryption", "", BEN, "$more", rules)
    office.transport.open_room(chat, members=[BEN, BOT])
    await office.pipeline.handle(Batch("y", (RoomUpdate(chat, state=(new,)),)))
    await office.work()
    await office.membership.recall()
    notices = await office.notices()
    assert set(notices) == {HALL, chat}
    for row in notices.values():
        assert row.plain
        assert row.content["msgtype"] == "m.notice"
        assert "encryption does not work where I run" in str(row.content["body"])
    for row in notices.values():
        await StoredOutbox(office.db).sent(row.id, "$sent")
    await office.membership.recall()
    assert await office.notices() == {}


async def test_with_encryption_nothing_needs_saying(office: Office, logged: list[MutableMapping[str, Any]]) -> None:
    await office.read()
    await office.encrypt()
    await office.membership.recall()
    assert not [line for line in logged if "encryption" in line["event"]]
