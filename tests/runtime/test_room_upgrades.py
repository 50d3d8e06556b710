"""A hub's room that is upgraded keeps its place, its links and its people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.errors import Refused
from bot.core.events import StateChange
from bot.hubs import Hub
from bot.runtime.room_upgrades import RoomUpgrades
from bot.storage import made_rooms, rooms
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.runtime.test_made_rooms import hear_of

MOD, EVE, ANA = "@mod:example.org", "@eve:example.org", "@ana:example.org"
OLD, NEW, DESK = "!old:example.org", "!new:example.org", "!desk:example.org"
TOMBSTONE = {"replacement_room": NEW, "body": "upgraded"}


def made_hub() -> Hub:
    rooms = [{"id": OLD, "log_links": True}, {"id": DESK, "role": "coordinators"}]
    return hub("gifts", rooms=rooms, moderators=[MOD])


@asynccontextmanager
async def upgrading(database: Path | None = None) -> AsyncIterator[tuple[Story, RoomUpgrades]]:
    async with story([Knowledge], [made_hub()], database=database) as s:
        upgrades = RoomUpgrades(db=s.db, clock=s.clock, transport=s.transport, services=s.services)
        s.job_runner._core = {**s.job_runner._core, **upgrades.core_jobs}
        for room in (OLD, DESK):
            s.transport.open_room(room, members=[MOD, "@faro:example.org"])
        await hear_of(s, OLD)
        await upgrades.recall()
        yield s, upgrades


def successor(s: Story, predecessor: str | None = OLD) -> None:
    s.transport.open_room(NEW, members=[MOD])
    create = {"room_version": "12"} | ({"predecessor": {"room_id": predecessor}} if predecessor else {})
    s.transport.add(s.transport.rooms[NEW], MOD, "m.room.create", create, state_key="")


async def upgrade(s: Story, sender: str = MOD) -> str | None:
    said = await s.hear(StateChange(OLD, "m.room.tombstone", "", sender, "$tombstone", TOMBSTONE))
    if NEW in s.transport.rooms and s.transport.rooms[NEW].members.get("@faro:example.org") == "join":
        await hear_of(s, NEW)
    return said


async def test_the_bot_follows_with_links_and_numbers_and_says_so_once() -> None:
    async with upgrading() as (s, _):
        shared = s.message(ANA, "Gift rules https://example.org/gifts", room=OLD)
        await s.hear(shared)
        successor(s)
        said = await upgrade(s)
        assert "was upgraded" in str(said)
        assert [row.room for row in s.sent] == [DESK]
        assert "1." in str(await s.say(ANA, "!find gift rules", room=NEW))
        await s.say(ANA, "More rules https://example.org/more", room=NEW)
        assert "2." in str(await s.say(ANA, "!find more rules", room=NEW))
        await s.redact(shared)  # what happened in the old room is still followed
        assert "Nothing found" in str(await s.say(ANA, "!show 1", room=NEW)) or "no result" in str(
            await s.say(ANA, "!show 1", room=NEW)
        )
        assert s.services.directory.rooms_of(s.services.directory.hubs[0]) == [NEW, DESK]
        assert await upgrade(s) is None


async def test_the_successor_keeps_the_place_after_a_restart(tmp_path: Path) -> None:
    async with upgrading(tmp_path / "faro.db") as (s, _):
        successor(s)
        await upgrade(s)
    async with upgrading(tmp_path / "faro.db") as (s, _):
        assert s.services.directory.rooms_of(s.services.directory.hubs[0]) == [NEW, DESK]
        place = s.services.directory.place(NEW)
        assert place is not None
        assert place.room.id == OLD


@pytest.mark.parametrize("predecessor", [None, "!other:example.org"])
async def test_a_room_that_does_not_name_its_predecessor_is_not_followed_to(predecessor: str | None) -> None:
    async with upgrading() as (s, _):
        successor(s, predecessor)
        assert await upgrade(s) is None
        assert s.services.directory.place(NEW) is None
        assert s.transport.rooms[NEW].members["@faro:example.org"] == "leave"


async def test_a_tombstone_of_somebody_without_the_power_for_it_changes_nothing() -> None:
    async with upgrading() as (s, _):
        successor(s)
        assert await upgrade(s, sender=EVE) is None
        assert s.services.directory.place(NEW) is None


async def test_a_successor_that_waits_for_an_invite_is_followed_to_later_also_after_a_restart(tmp_path: Path) -> None:
    async with upgrading(tmp_path / "faro.db") as (s, _):
        successor(s)
        s.transport.fail_next(Refused("M_FORBIDDEN", "You are not invited to this room."))
        assert await upgrade(s) is None
        assert s.services.directory.place(NEW) is None
    async with upgrading(tmp_path / "faro.db") as (s, _):
        successor(s)
        async with s.db.transaction() as tx:
            await tx.execute("DELETE FROM core_jobs")  # it was given up meanwhile
            content = '{"replacement_room": "!new:example.org"}'
            await tx.execute(
                "INSERT INTO core_room_state VALUES (:room, 'm.room.tombstone', '', :content) ON CONFLICT DO NOTHING",
                room=OLD,
                content=content,
            )
        upgrades = RoomUpgrades(db=s.db, clock=s.clock, transport=s.transport, services=s.services)
        await upgrades.recall()
        assert "was upgraded" in str(await s.settle())


async def test_after_two_upgrades_and_a_restart_deletions_in_the_first_room_are_followed(tmp_path: Path) -> None:
    async with upgrading(tmp_path / "faro.db") as (s, _), s.db.transaction() as tx:
        await made_rooms.succeed(tx, "!middle:example.org", NEW)
        await made_rooms.succeed(tx, OLD, "!middle:example.org")
    async with upgrading(tmp_path / "faro.db") as (s, _):
        for room in (OLD, "!middle:example.org", NEW):
            assert s.services.directory.place(room) is not None
        assert s.services.directory.rooms_of(s.services.directory.hubs[0]) == [NEW, DESK]


async def test_a_successor_and_its_predecessor_that_are_open_show_nothing_after_a_restart(tmp_path: Path) -> None:
    async with upgrading(tmp_path / "faro.db") as (s, _):
        successor(s)
        await upgrade(s)
        async with s.db.transaction() as tx:
            for room in (OLD, NEW):
                change = StateChange(room, "m.room.join_rules", "", MOD, "$open", {"join_rule": "public"})
                await rooms.apply_state(tx, change)
    async with upgrading(tmp_path / "faro.db") as (s, _):
        assert s.services.directory.openings(OLD)
        assert s.services.directory.openings(NEW)


async def test_another_room_of_a_hub_is_no_successor() -> None:
    async with upgrading() as (s, _):
        await s.hear(StateChange(OLD, "m.room.tombstone", "", MOD, "$wrong", {"replacement_room": DESK}))
        assert s.transport.rooms[DESK].members["@faro:example.org"] == "join"
        assert s.services.directory.rooms_of(s.services.directory.hubs[0]) == [OLD, DESK]
