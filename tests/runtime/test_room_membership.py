"""Getting into rooms: what could not be joined is told, and how soon it is tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.errors import Refused, Unavailable
from bot.hubs import Coordinator, Hub, Room
from bot.runtime.job_runner import INVITE_TRIES, TRIES
from bot.runtime.room_membership import RoomMembership
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
