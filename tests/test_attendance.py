"""Getting into rooms: what could not be joined is told, and how soon it is tried again."""

from __future__ import annotations

from bot.attendance import Attendance
from bot.core.errors import Unavailable
from bot.hubs import Hub, Room
from bot.testing.story import story

HUB = Hub(id="transparency", title={"": "Transparency"}, rooms=(Room(alias="#hall:example.org"), Room(id="!desk:x")))


async def test_a_room_whose_homeserver_did_not_answer_is_waited_for_and_stops_no_other() -> None:
    async with story([], [HUB]) as told:
        async with told.db.transaction() as tx:
            await tx.execute("UPDATE rooms SET joined = 0")
        told.transport.open_room("!hall:example.org", alias="#hall:example.org")
        told.transport.open_room("!desk:x")
        attendance = Attendance(db=told.db, clock=told.clock, transport=told.transport, desk=told.desk, invites_from=())
        told.transport.fail_next(Unavailable("HTTP 502"))
        lines = await attendance.join_all()
        assert len(lines) == 1
        assert "It is tried again later." in lines[0]
        assert attendance.waiting
        assert told.transport.requests.count("join") == 1
        assert await attendance.join_all() == []
        assert not attendance.waiting
