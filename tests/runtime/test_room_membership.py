"""Getting into rooms: what could not be joined is told, and how soon it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.core.errors import Refused, Unavailable
from bot.core.events import Batch, Invite
from bot.hubs import Coordinator, Hub, Room
from bot.runtime.dispatcher import Dispatcher, Limits
from bot.runtime.job_runner import INVITE_TRIES, TRIES, JobRunner
from bot.runtime.room_membership import INVITES_AN_HOUR, RoomMembership
from bot.storage.alarms import due_job, retry_job
from bot.testing.story import Story, story

HUB = Hub(id="transparency", title={"": "Transparency"}, rooms=(Room(alias="#hall:example.org"), Room(id="!desk:x")))


def membership_of(told: Story) -> RoomMembership:
    return RoomMembership(
        db=told.db, clock=told.clock, transport=told.transport, services=told.services, invites_from=()
    )


async def test_a_room_whose_homeserver_did_not_answer_is_waited_for_and_stops_no_other() -> None:
    async with story([], [HUB]) as told:
        async with told.db.transaction() as tx:
            await tx.execute("UPDATE core_rooms SET joined = 0")
        told.transport.open_room("!hall:example.org", alias="#hall:example.org")
        told.transport.open_room("!desk:x")
        membership = membership_of(told)
        told.transport.fail_next(Unavailable("HTTP 502"))
        lines = await membership.join_all()
        assert len(lines) == 1
        assert "It is tried again later." in lines[0]
        assert membership.waiting
        assert told.transport.requests.count("join") == 1
        assert await membership.join_all() == []
        assert not membership.waiting


async def test_a_coordinator_whose_homeserver_stays_away_is_given_up_after_some_tries() -> None:
    """The room is made all the same, and the operator reads in the log whom to invite."""
    carol = Coordinator(user="@carol:away.example")
    made = Hub(id="made", title={"": "Made"}, rooms=(Room(alias="#made:x", create=True),), coordinators=(carol,))
    async with story([], [made]) as told:
        membership = membership_of(told)
        assert await membership.join_all() == []
        ask = membership.core_jobs["coordinator"]
        for _ in range(TRIES - 1):
            job = await due_job(told.db.reading(), told.clock.now())
            assert job is not None
            told.transport.fail_next(Unavailable("HTTP 502"))
            with pytest.raises(Unavailable):
                await ask(job)
            async with told.db.transaction() as tx:
                await retry_job(tx, job, told.clock.now())
        job = await due_job(told.db.reading(), told.clock.now())
        assert job is not None
        told.transport.fail_next(Unavailable("HTTP 502"))
        await ask(job)


async def test_an_invite_that_its_own_server_does_not_know_yet_is_tried_again_for_hours() -> None:
    """Over federation the invite may arrive before the inviting server has stored it."""
    async with story([], [HUB], operators=["@ana:away.example"]) as told:
        membership = membership_of(told)
        told.transport.open_room("!chat:away.example")
        async with told.db.transaction() as tx:
            schedule = told.services.core_schedule(tx, told.clock.now())
            await schedule.job("invite", "invite/1", room="!chat:away.example", sender="@ana:away.example", direct=1)
        accept = membership.core_jobs["invite"]
        job = await due_job(told.db.reading(), told.clock.now())
        assert job is not None
        for tries in (0, 1, INVITE_TRIES - 1):
            told.transport.fail_next(Refused("M_FORBIDDEN", "You are not invited to this room."))
            with pytest.raises(Unavailable):
                await accept(replace(job, tries=tries))
        told.transport.fail_next(Refused("M_FORBIDDEN", "You are not invited to this room."))
        await accept(replace(job, tries=INVITE_TRIES))
        await accept(job)
        assert told.transport.rooms["!chat:away.example"].members[told.transport.user_id] == "join"


async def invited_by(told: Story, sender: str, rooms: Sequence[str]) -> None:
    for room in rooms:
        told.transport.open_room(room, members=[sender])
        told.transport.invite(sender, room)
    invites = tuple(Invite(room, sender, direct=False) for room in rooms)
    await told.pipeline.handle(Batch(f"after {rooms[-1]}", invites=invites))


async def answer_invites(told: Story, membership: RoomMembership) -> Sequence[str]:
    """Does what is due of them; answers the rooms the bot is in then."""
    runner = JobRunner(
        db=told.db,
        clock=told.clock,
        transport=told.transport,
        services=told.services,
        dispatcher=Dispatcher(told.services, told.clock, Limits()),
        core=membership.core_jobs,
    )
    while await runner.run_next("rooms"):
        pass
    return [room.id for room in told.transport.rooms.values() if room.members.get(told.transport.user_id) == "join"]


async def test_many_invites_of_one_person_wait_for_their_turn_and_the_log_says_so_once() -> None:
    rooms = [f"!room{number}:away.example" for number in range(60)]
    async with story([], [HUB], operators=["@ana:away.example", "@ben:away.example"]) as told:
        membership = membership_of(told)
        await invited_by(told, "@ana:away.example", rooms)
        await invited_by(told, "@ben:away.example", ["!of-ben:away.example"])
        with capture_logs() as logs:
            joined = await answer_invites(told, membership)
            assert joined == [*rooms[:INVITES_AN_HOUR], "!of-ben:away.example"]
            told.clock.advance(1800)
            assert await answer_invites(told, membership) == joined
            told.clock.advance(1800)
            assert len(await answer_invites(told, membership)) == 2 * INVITES_AN_HOUR + 1
            told.clock.advance(3600)
            assert len(await answer_invites(told, membership)) == 61
        assert [line["event"] for line in logs].count("many invites by one person; the rest is accepted later") == 1


async def test_invites_to_rooms_of_a_hub_never_wait() -> None:
    rooms = [f"!room{number}:away.example" for number in range(INVITES_AN_HOUR + 5)]
    hub = Hub(id="transparency", title={"": "Transparency"}, rooms=tuple(Room(id=room) for room in rooms))
    async with story([], [hub], operators=["@ana:away.example"]) as told:
        await invited_by(told, "@ana:away.example", rooms)
        assert len(await answer_invites(told, membership_of(told))) == len(rooms)


async def test_an_invite_that_is_taken_back_is_not_tried_any_more() -> None:
    async with story([], [HUB], operators=["@ana:away.example"]) as told:
        await invited_by(told, "@ana:away.example", ["!room:away.example"])
        await told.pipeline.handle(Batch("later", left=("!room:away.example",)))
        assert await answer_invites(told, membership_of(told)) == []
        assert "join" not in told.transport.requests


async def test_a_start_looks_at_all_open_invites() -> None:
    """Also at one that was given up."""
    async with story([], [HUB], operators=["@ana:away.example"]) as told:
        told.transport.open_room("!room:away.example", members=["@ana:away.example"])
        told.transport.open_room("!trap:away.example", members=["@stranger:away.example"])
        told.transport.invite("@ana:away.example", "!room:away.example")
        told.transport.invite("@stranger:away.example", "!trap:away.example")
        membership = membership_of(told)
        told.transport.fail_next(Unavailable("HTTP 502"))
        await membership.plan_open_invites()
        assert await answer_invites(told, membership) == []
        told.clock.advance(60)
        assert await answer_invites(told, membership) == ["!room:away.example"]
        assert await told.transport.invites() == []


async def test_a_coordinator_who_is_in_the_room_already_needs_no_invite() -> None:
    carol = Coordinator(user="@carol:example.org")
    made = Hub(id="made", title={"": "Made"}, rooms=(Room(alias="#made:x", create=True),), coordinators=(carol,))
    async with story([], [made]) as told:
        membership = membership_of(told)
        assert await membership.join_all() == []
        (room,) = [room for room in told.transport.rooms.values() if room.alias == "#made:x"]
        told.transport.member(room, carol.user, carol.user, "join")
        with capture_logs() as logs:
            await answer_invites(told, membership)
        assert [one for one in logs if one["log_level"] != "debug"] == []
