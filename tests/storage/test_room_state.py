"""What encrypting needs to know of rooms is what we stored ourselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.errors import Unavailable
from bot.core.events import StateChange
from bot.runtime.migrations import open_database
from bot.storage import alarms, rooms
from bot.storage.alarms import PluginSchedule
from bot.storage.database import SqliteDatabase
from bot.storage.room_state import StoredRoomState

ANA, BEN, CARLA = "@ana:example.org", "@ben:example.org", "@carla:example.org"
HALL = "!hall:example.org"
MEGOLM = "m.megolm.v1.aes-sha2"


@pytest.fixture
async def db() -> AsyncIterator[SqliteDatabase]:
    async with open_database(None, []) as (database, _):
        async with database.transaction() as tx:
            await rooms.mark_joined(tx, HALL)
        yield database


async def state(db: SqliteDatabase, type_: str, key: str = "", **content: object) -> None:
    async with db.transaction() as tx:
        await rooms.apply_state(tx, StateChange(HALL, type_, key, ANA, "$state", content))


async def test_the_rules_of_an_encrypted_room_are_given_as_they_are(db: SqliteDatabase) -> None:
    room_state = StoredRoomState(db)
    assert await room_state.encryption(HALL) is None
    await state(db, "m.room.encryption", algorithm=MEGOLM, rotation_period_msgs=2)
    assert await room_state.encryption(HALL) == {"algorithm": MEGOLM, "rotation_period_msgs": 2}
    assert await room_state.encrypted_rooms() == {HALL}


async def test_members_are_those_who_came_and_those_asked_in(db: SqliteDatabase) -> None:
    room_state = StoredRoomState(db)
    await state(db, "m.room.member", ANA, membership="join")
    await state(db, "m.room.member", BEN, membership="invite")
    await state(db, "m.room.member", CARLA, membership="knock")
    assert await room_state.members(HALL) == {ANA, BEN}
    assert await rooms.rooms_of(db.reading(), BEN) == set()
    await state(db, "m.room.member", BEN, membership="join")
    await state(db, "m.room.member", ANA, membership="leave")
    assert await room_state.members(HALL) == {BEN}
    assert await rooms.rooms_of(db.reading(), BEN) == {HALL}


async def test_an_invite_that_is_withdrawn_counts_no_more(db: SqliteDatabase) -> None:
    await state(db, "m.room.member", BEN, membership="invite")
    await state(db, "m.room.member", BEN, membership="leave")
    assert await StoredRoomState(db).members(HALL) == frozenset()


async def test_nothing_is_encrypted_for_a_list_that_is_not_complete(db: SqliteDatabase) -> None:
    """Whoever is missing from it could not read the message, and would not be given its key later."""
    room_state = StoredRoomState(db)
    async with db.transaction() as tx:
        await PluginSchedule(tx, "core", 0).job("members", f"members/{HALL}", room=HALL)
    with pytest.raises(Unavailable):
        await room_state.members(HALL)
    job = await alarms.due_job(db.reading(), 0)
    assert job
    async with db.transaction() as tx:
        await rooms.set_members(tx, HALL, [ANA], [BEN])
        await alarms.finish_job(tx, job)
    assert await room_state.members(HALL) == {ANA, BEN}


async def test_a_room_that_was_left_has_nobody(db: SqliteDatabase) -> None:
    await state(db, "m.room.encryption", algorithm=MEGOLM)
    await state(db, "m.room.member", BEN, membership="invite")
    async with db.transaction() as tx:
        await rooms.mark_left(tx, HALL)
    room_state = StoredRoomState(db)
    assert (await room_state.encryption(HALL), await room_state.members(HALL)) == (None, frozenset())
