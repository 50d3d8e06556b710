"""Rooms the bot makes: others can govern them, and the bot never takes back what humans decided."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from bot.core.events import StateChange
from bot.core.permissions import power_level
from bot.hubs import Hub
from bot.runtime.room_membership import RoomMembership
from bot.storage import made_rooms, rooms
from bot.storage.alarms import due_job, finish_job
from bot.testing.story import BOT, Story, story
from tests.runtime.test_room_membership import membership_of

ANA, MOD, OP, EVE = "@ana:example.org", "@mod:example.org", "@op:example.org", "@eve:example.org"
ALIAS = "#made:example.org"


def hub(*, moderators: Sequence[str] = (MOD,), **room: object) -> Hub:
    coordinators = [{"user": ANA}]
    rooms = [{"alias": ALIAS, "create": True, **room}]
    return Hub.model_validate(
        {"id": "made", "title": "Gifts", "rooms": rooms, "moderators": moderators, "coordinators": coordinators}
    )


@asynccontextmanager
async def telling(made: Hub, operators: Sequence[str] = (OP,)) -> AsyncIterator[tuple[Story, RoomMembership]]:
    async with story([], [made], operators=operators) as s:
        yield s, membership_of(s)


async def work(s: Story, membership: RoomMembership) -> None:
    """All core jobs are done."""
    while job := await due_job(s.db.reading(), s.clock.now()):
        await membership.core_jobs[job.name](job)
        async with s.db.transaction() as tx:
            await finish_job(tx, job)


async def hear_of(s: Story, room: str) -> None:
    """The sync tells what the room is like now."""
    async with s.db.transaction() as tx:
        await rooms.mark_joined(tx, room)
        for change in await s.transport.state(room):
            await rooms.apply_state(tx, change)


async def power_in(s: Story, room: str, user: str) -> float:
    state = {change.type: change.content for change in await s.transport.state(room)}
    return power_level(user, state["m.room.power_levels"], state["m.room.create"])


async def set_power(s: Story, room: str, **users: int) -> None:
    levels = {f"@{name}:example.org": level for name, level in users.items()}
    s.transport.add(s.transport.rooms[room], OP, "m.room.power_levels", {"users": levels}, state_key="")


async def made(s: Story, membership: RoomMembership) -> str:
    assert await membership.join_all() == []
    room = str(await rooms.room_of_alias(s.db.reading(), ALIAS))
    await work(s, membership)
    await hear_of(s, room)
    return room


def state_of(s: Story, room: str) -> Mapping[str, Mapping[str, object]]:
    return {raw["type"]: raw["content"] for _, raw in s.transport.rooms[room].events if "state_key" in raw}


def invited(s: Story, room: str) -> set[str]:
    return {user for user, membership in s.transport.rooms[room].members.items() if membership == "invite"}


async def test_operators_and_moderators_can_govern_a_room_the_bot_makes() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        assert [await power_in(s, room, user) for user in (OP, MOD, ANA)] == [100, 50, 0]
        assert invited(s, room) == {MOD, ANA}  # operators come in on their own word
        state = state_of(s, room)
        assert state["m.room.guest_access"] == {"guest_access": "forbidden"}
        assert "m.room.encryption" in state


async def test_a_room_is_made_with_its_own_name_and_topic_and_without_encryption_if_the_yaml_says_so() -> None:
    async with telling(hub(encrypted=False, title="Gift desk", topic="All about gifts")) as (s, membership):
        state = state_of(s, await made(s, membership))
        assert state["m.room.name"] == {"name": "Gift desk"}
        assert state["m.room.topic"] == {"topic": "All about gifts"}
        assert "m.room.encryption" not in state


async def test_without_encryption_no_room_is_made_that_the_bot_could_not_read() -> None:
    async with telling(hub()) as (s, membership):
        s.transport.encrypts = False
        [line] = await membership.join_all()
        assert "encrypted: false" in line
        assert "create_room" not in s.transport.requests


async def again(s: Story, room: str, changed: Hub) -> None:
    """The bot starts again with another configuration."""
    s.services.directory.__init__([changed])  # type: ignore[misc]  # in place: all parts keep the same directory
    membership = membership_of(s)
    await membership.recall()
    await hear_of(s, room)
    await membership.look_again()
    await work(s, membership)


async def test_who_becomes_a_moderator_is_raised_and_invited_at_the_next_start() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        await again(s, room, hub(moderators=[MOD, EVE]))
        assert await power_in(s, room, EVE) == 50
        assert EVE in invited(s, room)


async def test_what_a_human_set_stays() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        await set_power(s, room, mod=0, ana=75)
        s.transport.member(s.transport.rooms[room], ANA, ANA, "leave")
        await again(s, room, hub())
        assert [await power_in(s, room, user) for user in (MOD, ANA)] == [0, 75]
        assert ANA not in invited(s, room)


async def test_who_is_no_moderator_any_more_keeps_the_power_until_a_human_takes_it() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        await again(s, room, hub(moderators=[]))
        assert await power_in(s, room, MOD) == 50
        assert await made_rooms.grants(s.db.reading(), room) == {OP: 100, MOD: 50}
        await set_power(s, room, mod=0, op=100)
        await again(s, room, hub(moderators=[]))
        assert await made_rooms.grants(s.db.reading(), room) == {OP: 100}
        await again(s, room, hub())  # named anew, so given anew
        assert await power_in(s, room, MOD) == 50


async def test_rooms_that_others_made_are_left_to_them() -> None:
    async with telling(hub(create=False)) as (s, membership):
        room = s.transport.open_room("!theirs:example.org", alias=ALIAS, members=[EVE])
        assert await membership.join_all() == []
        await hear_of(s, room)
        await again(s, room, hub(create=False))
        assert await power_in(s, room, MOD) == 0
        assert invited(s, room) == set()


async def test_a_room_that_a_stranger_made_under_the_alias_is_not_joined() -> None:
    async with telling(hub()) as (s, membership):
        s.transport.open_room("!trap:example.org", alias=ALIAS, members=[EVE])
        [line] = await membership.join_all()
        assert "somebody else made the room !trap:example.org" in line
        assert "write its id" in line
        assert "join" not in s.transport.requests
        assert await rooms.room_of_alias(s.db.reading(), ALIAS) is None


async def test_an_operator_may_vouch_for_it_by_inviting_the_bot() -> None:
    async with telling(hub()) as (s, membership):
        room = s.transport.open_room("!fine:example.org", alias=ALIAS, members=[EVE, OP])
        s.transport.invite(OP, room)
        async with s.db.transaction() as tx:
            schedule = s.services.core_schedule(tx, s.clock.now())
            await schedule.job("invite", f"invite/{room}", room=room, sender=OP, direct=0)
        await work(s, membership)
        assert await membership.join_all() == []
        assert await rooms.room_of_alias(s.db.reading(), ALIAS) == room


async def test_a_room_the_bot_made_before_it_lost_its_data_is_found_again() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        async with s.db.transaction() as tx:
            await tx.execute("DELETE FROM core_aliases")
            await tx.execute("DELETE FROM core_rooms")
        assert await membership.join_all() == []
        assert await rooms.room_of_alias(s.db.reading(), ALIAS) == room


async def test_an_alias_that_leads_elsewhere_is_not_followed() -> None:
    async with telling(hub()) as (s, membership):
        room = await made(s, membership)
        s.transport.rooms[room].alias = None
        trap = s.transport.open_room("!trap:example.org", alias=ALIAS, members=[EVE])
        await again(s, room, hub())
        assert await made_rooms.elsewhere(s.db.reading(), ALIAS) == trap
        assert s.services.directory.place(trap) is None
        s.transport.rooms[trap].alias, s.transport.rooms[room].alias = None, ALIAS
        await again(s, room, hub())
        assert await made_rooms.elsewhere(s.db.reading(), ALIAS) is None


async def test_the_bot_itself_is_never_named_among_levels_it_may_not_be_named_in() -> None:
    async with telling(hub(moderators=[MOD, BOT])) as (s, membership):
        room = await made(s, membership)
        assert BOT not in dict(state_of(s, room)["m.room.power_levels"]["users"])  # type: ignore[call-overload]
        assert isinstance(next(iter(await s.transport.state(room))), StateChange)
