"""The sync loop against a homeserver that errs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.errors import LoggedOut
from bot.core.events import Message, RoomUpdate
from bot.matrix.http import Http
from bot.matrix.sync import MAX_BACKFILLED, PAGE, Sync
from bot.testing.clock import FakeClock
from tests.matrix.conftest import BOT, Answer, Script

ROOM, ANA = "!hall:example.org", "@ana:example.org"
BAD_GATEWAY = Answer(raw=b"<html>", status=502)


@pytest.fixture
def sync(http: Http, clock: FakeClock) -> Sync:
    return Sync(http, clock, BOT)


def said(*numbers: int) -> list[dict[str, Any]]:
    content = {"msgtype": "m.text", "body": "x"}
    event = {"type": "m.room.message", "sender": ANA, "origin_server_ts": 1, "content": content}
    return [{**event, "event_id": f"${number}"} for number in numbers]


def answer(token: str, events: Sequence[object] = (), *, limited: bool = False, **timeline: object) -> Answer:
    part = {"timeline": {"events": events, "limited": limited, "prev_batch": "p0", **timeline}}
    return Answer({"next_batch": token, "rooms": {"join": {ROOM: part}}})


def page(*numbers: int, end: str | None = None) -> Answer:
    """Events of `/messages`, newest first."""
    return Answer({"chunk": said(*numbers), **({"end": end} if end else {})})


def numbers_in(update: RoomUpdate) -> list[int]:
    return [int(event.event_id[1:]) for event in update.events if isinstance(event, Message)]


# -- asking -----------------------------------------------------------------------------------------------------------


async def test_the_first_question_after_a_start_is_answered_at_once_the_next_may_wait(
    sync: Sync, script: Script
) -> None:
    script.will_answer(answer("t1"), answer("t2"))
    await sync.next("t0")
    await sync.next("t1")
    first, second = script.requests
    assert (first.query["since"], first.query["timeout"]) == ("t0", "0")
    assert (second.query["since"], second.query["timeout"]) == ("t1", "30000")


async def test_only_what_is_used_is_asked_for(sync: Sync, script: Script) -> None:
    script.will_answer(answer("t1"))
    await sync.next(None)
    (request,) = script.requests
    wanted = json.loads(request.query["filter"])
    assert wanted["room"]["state"]["lazy_load_members"] is True
    assert wanted["presence"] == wanted["account_data"] == wanted["room"]["ephemeral"] == {"types": []}
    assert "since" not in request.query
    assert request.query["set_presence"] == "offline"


@pytest.mark.parametrize(
    "body",
    [
        {"next_batch": "t1"},
        {"next_batch": "t1", "rooms": []},
        {"next_batch": "t1", "rooms": {"join": {"no room id": {}, ROOM: []}, "invite": [], "leave": None}},
        {"next_batch": "t1", "rooms": {"invite": {ROOM: 5, "x": {}}, "leave": {"#x": {}}}},
    ],
)
async def test_an_answer_of_another_shape_brings_nothing(sync: Sync, script: Script, body: object) -> None:
    script.will_answer(Answer(body))
    batch = await sync.next("t0")
    assert (batch.token, batch.rooms, batch.invites, batch.left) == ("t1", (), (), ())


@pytest.mark.parametrize("events", [None, 5, {}, [None, [], {"event_id": []}, {"event_id": {}, "type": []}]])
async def test_a_timeline_of_another_shape_is_empty(sync: Sync, script: Script, events: Any) -> None:
    script.will_answer(answer("t1", events, limited=True, prev_batch=None))
    (update,) = (await sync.next("t0")).rooms
    assert update.events == ()


# -- outages ----------------------------------------------------------------------------------------------------------


async def test_an_outage_is_waited_out_and_told_once(sync: Sync, script: Script, clock: FakeClock) -> None:
    start = clock.now()
    script.will_answer(*[BAD_GATEWAY] * 5, Answer({}, 200), answer("t1"))
    with capture_logs() as logs:
        batch = await sync.next("t0")
    assert batch.token == "t1"
    assert clock.now() - start >= 31_000, "1, 2, 4, 8, 16 seconds and more"
    assert [line["log_level"] for line in logs if line["log_level"] != "debug"] == ["warning", "warning", "info"], (
        "502; no token; well again"
    )


async def test_a_no_is_waited_out_too(sync: Sync, script: Script) -> None:
    """A proxy that is being set up answers 404; the bot must not need to be started again."""
    script.will_answer(Answer({"errcode": "M_UNRECOGNIZED", "error": ""}, 404), answer("t1"))
    assert (await sync.next("t0")).token == "t1"


async def test_a_busy_homeserver_gets_the_time_it_asks_for(sync: Sync, script: Script, clock: FakeClock) -> None:
    start = clock.now()
    busy = Answer({"errcode": "M_LIMIT_EXCEEDED", "error": "", "retry_after_ms": 40_000}, 429)
    script.will_answer(busy, answer("t1"))
    await sync.next("t0")
    assert clock.now() - start >= 40_000


async def test_a_revoked_token_ends_it(sync: Sync, script: Script) -> None:
    script.will_answer(Answer({"errcode": "M_UNKNOWN_TOKEN", "error": "gone"}, 401))
    with pytest.raises(LoggedOut):
        await sync.next("t0")
    assert len(script.requests) == 1


async def test_after_a_long_outage_the_bot_is_catching_up_after_a_short_one_it_is_not(
    sync: Sync, script: Script, clock: FakeClock
) -> None:
    script.will_answer(answer("t1"), BAD_GATEWAY, answer("t2"), answer("t3"), answer("t4"))
    assert (await sync.next("t0")).catching_up, "after a start"
    assert not (await sync.next("t1")).catching_up, "after two seconds"
    clock.advance(61)
    assert (await sync.next("t2")).catching_up
    assert not (await sync.next("t3")).catching_up


async def test_a_batch_asked_for_again_is_as_old_as_the_first_time(sync: Sync, script: Script) -> None:
    script.will_answer(answer("t1", said(1)), answer("t1", said(1)), answer("t2"))
    assert (await sync.next("t0")).catching_up
    assert (await sync.next("t0")).catching_up, "it could not be stored"
    assert not (await sync.next("t1")).catching_up


# -- gaps -------------------------------------------------------------------------------------------------------------


async def test_a_gap_of_several_pages_is_put_in_order(sync: Sync, script: Script) -> None:
    script.will_answer(answer("t1", said(7, 8), limited=True), page(6, 5, end="p1"), page(4, 3, end="p2"), page())
    (update,) = (await sync.next("t0")).rooms
    assert numbers_in(update) == [3, 4, 5, 6, 7, 8]
    assert update.old == {"$3", "$4", "$5", "$6"}
    assert (update.gap, update.incomplete) == (True, False)
    first, second, _ = script.requests[1:]
    assert (first.query["from"], first.query["to"], first.query["dir"]) == ("p0", "t0", "b")
    assert second.query["from"] == "p1"


async def test_what_is_in_the_timeline_too_is_not_old(sync: Sync, script: Script) -> None:
    script.will_answer(answer("t1", said(7, 8), limited=True), page(7, 6))
    (update,) = (await sync.next("t0")).rooms
    assert numbers_in(update) == [6, 7, 8]
    assert update.old == {"$6"}


async def test_a_page_that_fails_loses_nothing(sync: Sync, script: Script) -> None:
    whole = [answer("t1", said(7), limited=True), page(6, 5, end="p1")]
    script.will_answer(*whole, BAD_GATEWAY, *whole, page(4))
    (update,) = (await sync.next("t0")).rooms
    assert numbers_in(update) == [4, 5, 6, 7]


async def test_a_gap_without_end_is_read_so_far_and_the_rest_named_in_the_log(sync: Sync, script: Script) -> None:
    pages = [page(*range(at + PAGE, at, -1), end=f"p{at}") for at in range(MAX_BACKFILLED + 2 * PAGE, 0, -PAGE)]
    script.will_answer(answer("t1", said(99_999), limited=True), *pages)
    with capture_logs() as logs:
        (update,) = (await sync.next("t0")).rooms
    assert len(update.old) == MAX_BACKFILLED
    assert update.incomplete
    assert any("too large" in line["event"] for line in logs)


async def test_a_gap_that_may_not_be_read_leaves_the_timeline(sync: Sync, script: Script) -> None:
    no = Answer({"errcode": "M_FORBIDDEN", "error": ""}, 403)
    script.will_answer(answer("t1", said(7), limited=True), no)
    (update,) = (await sync.next("t0")).rooms
    assert (numbers_in(update), update.gap, update.incomplete) == ([7], True, True)


async def test_the_very_first_sync_reads_nothing_back(sync: Sync, script: Script) -> None:
    script.will_answer(answer("t1", said(7), limited=True))
    batch = await sync.next(None)
    assert (batch.first, batch.rooms[0].gap) == (True, False)
    assert len(script.requests) == 1


async def test_a_join_found_in_a_gap_begins_the_room(sync: Sync, script: Script) -> None:
    """What was said before it is not for the bot."""
    join = {
        "type": "m.room.member",
        "sender": BOT,
        "state_key": BOT,
        "event_id": "$5",
        "origin_server_ts": 1,
        "content": {"membership": "join"},
        "unsigned": {"prev_content": {"membership": "invite"}},
    }
    read_back = Answer({"chunk": [*said(6), join, *said(4, 3)]})
    script.will_answer(answer("t1", said(7), limited=True), read_back)
    (update,) = (await sync.next("t0")).rooms
    assert numbers_in(update) == [6, 7]
