"""The outbox becomes events: each once, in order within a room, whatever the homeserver does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.core.files import File
from bot.matrix.outbound import MAX_CONCURRENT_ROOMS, Outbound
from bot.ports import OutboxRow
from bot.testing.clock import START, FakeClock
from bot.testing.patience import patient
from bot.testing.transport import FakeTransport

BOT = "@faro:example.org"
HALL, DESK = "!hall:example.org", "!desk:example.org"
HOUR = 3_600_000


class MemoryOutbox:
    """`bot.ports.Outbox`. `done` holds what became of each row."""

    def __init__(self) -> None:
        self.rows: dict[int, OutboxRow] = {}
        self.done: dict[str, str | None] = {}
        self.reasons: dict[str, str] = {}
        self.files: dict[int, File] = {}
        self._failing: list[str] = []

    def fail(self, *methods: str) -> None:
        """The disk is full when these are called next, in this order."""
        self._failing += methods

    def _disk(self, method: str) -> None:
        if self._failing[:1] == [method]:
            self._failing.pop(0)
            raise OSError("disk full")

    def put(self, key: str, body: str = "x", *, room: str = HALL, replaces: str | None = None, **row: object) -> None:
        content = {"msgtype": "m.notice", "body": body}
        made = OutboxRow(len(self.rows) + 1, key, room, "send", "m.room.message", content, replaces)
        self.rows[made.id] = replace(made, **row)  # type: ignore[arg-type]  # fields of OutboxRow

    def put_redaction(self, key: str, *, replaces: str | None = None, target: str | None = None) -> None:
        number = len(self.rows) + 1
        self.rows[number] = OutboxRow(number, key, HALL, "redact", "", {}, replaces, target)

    async def pending(self) -> Sequence[OutboxRow]:
        self._disk("pending")
        oldest: dict[str, OutboxRow] = {}
        for row in self.rows.values():
            if row.key not in self.done:
                oldest.setdefault(row.room, row)
        for _ in range(5):  # a query takes its time, and others go on meanwhile
            await asyncio.sleep(0)
        return list(oldest.values())

    async def file(self, id_: int) -> File | None:
        return self.files.get(id_)

    async def trying(self, id_: int, device: str, now: int) -> None:
        self._disk("trying")
        row = self.rows[id_]
        self.rows[id_] = replace(row, tries=row.tries + 1, first_try=row.first_try or now, device=row.device or device)

    async def sent(self, id_: int, event_id: str | None) -> None:
        self._disk("sent")
        self.done[self.rows[id_].key] = event_id

    async def failed(self, id_: int, reason: str) -> None:
        self.done[self.rows[id_].key] = None
        self.reasons[self.rows[id_].key] = reason

    async def event_of(self, key: str) -> str | None:
        return self.done.get(key)


class Desk:
    """An outbox, a homeserver with two rooms, and the worker between them."""

    def __init__(self, transport: FakeTransport | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.outbox = MemoryOutbox()
        self.transport = transport or FakeTransport(BOT, self.clock)
        self.steps: list[str] = []
        self.outbound = Outbound(self.outbox, self.transport, self.clock, self._checkpoint)
        for room in (HALL, DESK):
            self.transport.open_room(room, members=[BOT])

    def _checkpoint(self, name: str) -> None:
        self.steps.append(f"{name}:{len(self.outbox.done)}")

    def said(self, room: str = HALL) -> list[str]:
        return [str(content["body"]) for content in self.transport.said(room)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.outbound.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_done(desk: Desk, count: int) -> None:
    async with asyncio.timeout(patient(10)):
        while len(desk.outbox.done) < count:  # noqa: ASYNC110 - the outbox is a table; it has no event to wait for
            await asyncio.sleep(0)


# -- sending ----------------------------------------------------------------------------------------------------------


async def test_a_row_is_sent_with_its_key_and_marked_with_its_event(desk: Desk) -> None:
    desk.outbox.put("reply.1", "hello")
    await desk.outbound.drain()
    (content,) = desk.transport.said(HALL)
    assert content == {"msgtype": "m.notice", "body": "hello", "org.faro.key": "reply.1"}
    assert desk.outbox.done["reply.1"]


async def test_an_answer_whose_thread_is_looked_up_stands_in_it(desk: Desk) -> None:
    relation = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$root"}}
    inside = desk.transport.say("@ana:x", HALL, "!hlep", **{"m.relates_to": relation})
    outside = desk.transport.say("@ana:x", HALL, "!hlep")
    for question in (inside, outside, "$gone"):
        content = {"body": question, "m.relates_to": {"m.in_reply_to": {"event_id": question}}}
        desk.outbox.put(question, thread_of=question, content=content)
    await desk.outbound.drain()
    relations = [content["m.relates_to"] for content in desk.transport.said(HALL)]
    threads = [(one["m.in_reply_to"]["event_id"], one.get("rel_type"), one.get("event_id")) for one in relations]
    assert threads == [(inside, "m.thread", "$root"), (outside, None, None), ("$gone", None, None)]


async def test_the_places_where_a_crash_matters_are_marked(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    await desk.outbound.drain()
    assert desk.steps == ["sent:0", "marked:1"]


async def test_a_room_hears_in_order(desk: Desk) -> None:
    for number in range(10):
        desk.outbox.put(f"reply.{number}", str(number))
    async with working(desk):
        await until_done(desk, 10)
    assert desk.said() == [str(number) for number in range(10)]


class DistantTransport(FakeTransport):
    """Some rooms are slower than others."""

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        for _ in range(8 if room == HALL else 3):
            await asyncio.sleep(0)
        return await super().send(room, type_, content, txn_id, plain=plain)


async def test_what_was_sent_while_the_outbox_was_read_is_not_sent_again() -> None:
    desk = Desk(DistantTransport(BOT))
    for number in range(10):
        desk.outbox.put(f"reply.h{number}", room=HALL)
        desk.outbox.put(f"reply.d{number}", room=DESK)
    async with working(desk):
        await until_done(desk, 20)
    assert desk.transport.requests.count("send") == 20


async def test_a_row_marked_as_plain_is_sent_readable_and_others_are_not(desk: Desk) -> None:
    desk.outbox.put("notice.1", plain=True)
    desk.outbox.put("reply.1")
    await desk.outbound.drain()
    assert desk.transport.plain == ["notice.1"]


async def test_what_is_written_later_is_sent_after_a_wake(desk: Desk) -> None:
    async with working(desk):
        await asyncio.sleep(0)
        desk.outbox.put("reply.1", "late")
        desk.outbound.wake()
        await until_done(desk, 1)
    assert desk.said() == ["late"]


class SlowTransport(FakeTransport):
    """Holds every message back until told; counts how many it holds."""

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.held, self.most = 0, 0
        self.go = asyncio.Event()

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        self.held += 1
        self.most = max(self.most, self.held)
        await self.go.wait()
        self.held -= 1
        return await super().send(room, type_, content, txn_id, plain=plain)


async def test_rooms_are_served_side_by_side_but_not_all_at_once() -> None:
    transport = SlowTransport(BOT)
    desk = Desk(transport)
    rooms = [f"!room{number}:example.org" for number in range(MAX_CONCURRENT_ROOMS + 4)]
    for room in rooms:
        transport.open_room(room, members=[BOT])
        desk.outbox.put(f"reply.{room}", room=room)
    async with working(desk):
        async with asyncio.timeout(patient(10)):
            while transport.held < MAX_CONCURRENT_ROOMS:  # noqa: ASYNC110 - a count of the fake's
                await asyncio.sleep(0)
        transport.go.set()
        await until_done(desk, len(rooms))
    assert transport.most == MAX_CONCURRENT_ROOMS


# -- trouble ----------------------------------------------------------------------------------------------------------


async def test_an_outage_is_waited_out_and_told_once(desk: Desk) -> None:
    desk.outbox.put("reply.1", "hello")
    desk.transport.fail_next(*[Unavailable("HTTP 502")] * 5)
    with capture_logs() as logs:
        await desk.outbound.drain()
    assert desk.said() == ["hello"]
    assert desk.clock.now() - START >= 31_000
    assert [line["log_level"] for line in logs] == ["warning", "debug"], "told once, then sent"


async def test_a_rate_limit_is_kept_to(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.transport.fail_next(Unavailable("HTTP 429", retry_after=90))
    await desk.outbound.drain()
    assert desk.clock.now() - START >= 90_000


async def test_a_refused_message_is_told_and_the_room_goes_on(desk: Desk) -> None:
    desk.outbox.put("reply.1", "no")
    desk.outbox.put("reply.2", "yes")
    desk.transport.fail_next(Refused("M_TOO_LARGE", "too large"))
    with capture_logs() as logs:
        await desk.outbound.drain()
    assert desk.said() == ["yes"]
    assert desk.outbox.reasons == {"reply.1": "M_TOO_LARGE: too large"}
    assert [(line["log_level"], line["key"]) for line in logs] == [("error", "reply.1"), ("debug", "reply.2")]


async def test_a_session_that_is_gone_ends_the_worker(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.transport.fail_next(LoggedOut("gone"))
    with pytest.raises(ExceptionGroup) as group:
        await desk.outbound.run()
    assert group.group_contains(LoggedOut)
    assert desk.outbox.done == {}, "it is sent after the next login"


async def test_a_row_that_could_not_be_marked_is_tried_again_and_heard_once(desk: Desk) -> None:
    """The disk is full for a while: after the homeserver has the message, and when the outbox is read."""
    desk.outbox.put("reply.1", "hello")
    desk.outbox.fail("sent", "pending", "trying", "sent")
    async with working(desk):
        await until_done(desk, 1)
    assert desk.said() == ["hello"]


# -- after a crash ----------------------------------------------------------------------------------------------------


async def test_a_row_sent_but_not_marked_is_sent_again_under_its_id_and_heard_once(desk: Desk) -> None:
    first = await desk.transport.send(HALL, "m.room.message", {"body": "hello"}, "reply.1")
    desk.outbox.put("reply.1", "hello", first_try=START, device=desk.transport.device_id)
    await desk.outbound.drain()
    assert desk.said() == ["hello"]
    assert desk.outbox.done["reply.1"] == first
    assert "find_sent" not in desk.transport.requests


@pytest.mark.parametrize(
    ("first_try", "device"),
    [
        pytest.param(START - 24 * HOUR, "FAKE", id="the homeserver has forgotten the id"),
        pytest.param(START - 60_000, "OLD", id="another device sent it"),
    ],
)
async def test_where_the_id_no_longer_protects_the_room_is_searched_first(
    desk: Desk, first_try: int, device: str
) -> None:
    desk.clock.advance((first_try - START) / 1000)
    content = {"msgtype": "m.notice", "body": "hello", "org.faro.key": "reply.1"}
    first = await desk.transport.send(HALL, "m.room.message", content, "under-another-id")
    desk.clock.advance((START - first_try) / 1000)
    desk.outbox.put("reply.1", "hello", first_try=first_try, device=device)
    desk.outbox.put("reply.2", "never sent", first_try=first_try, device=device)
    await desk.outbound.drain()
    assert desk.said() == ["hello", "never sent"]
    assert desk.outbox.done["reply.1"] == first


# -- edits and redactions ---------------------------------------------------------------------------------------------


async def test_a_row_that_replaces_another_edits_its_event(desk: Desk) -> None:
    desk.outbox.put("reply.1", "old")
    desk.outbox.put("edit.1", "new", replaces="reply.1")
    await desk.outbound.drain()
    _, edit = desk.transport.said(HALL)
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": desk.outbox.done["reply.1"]}
    assert edit["m.new_content"] == {"msgtype": "m.notice", "body": "new"}
    assert (edit["body"], edit["msgtype"], edit["org.faro.key"]) == ("* new", "m.notice", "edit.1")
    assert edit["m.mentions"] == {}, "nobody is called twice"


async def test_where_the_first_answer_was_never_sent_the_new_one_is_an_answer(desk: Desk) -> None:
    desk.outbox.put("reply.1", "old")
    desk.outbox.put("edit.1", "new", replaces="reply.1")
    desk.transport.fail_next(Refused("M_TOO_LARGE", "no"))
    await desk.outbound.drain()
    (content,) = desk.transport.said(HALL)
    assert content["body"] == "new"
    assert "m.relates_to" not in content


async def test_an_answer_is_redacted(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.outbox.put_redaction("redact.1", replaces="reply.1")
    await desk.outbound.drain()
    assert desk.said() == []
    assert desk.outbox.done["redact.1"]


async def test_an_answer_that_was_never_sent_need_not_be_redacted(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.outbox.put_redaction("redact.1", replaces="reply.1")
    desk.transport.fail_next(Refused("M_TOO_LARGE", "no"))
    await desk.outbound.drain()
    assert desk.outbox.done["redact.1"] is None
    assert "redact" not in desk.transport.requests
    assert "redact.1" not in desk.outbox.reasons


async def test_an_event_can_be_redacted_by_its_id(desk: Desk) -> None:
    event = await desk.transport.send(HALL, "m.room.message", {"body": "x"}, "reply.0")
    desk.outbox.put_redaction("redact.1", target=event)
    await desk.outbound.drain()
    assert desk.said() == []


# -- files ------------------------------------------------------------------------------------------------------------

NOTE = File("note.txt", "text/plain", b"gifts first")


def put_file(desk: Desk, key: str, *, first_try: int | None = None, device: str | None = None) -> None:
    desk.outbox.put(key, "note.txt", has_file=True, first_try=first_try, device=device)
    desk.outbox.files[len(desk.outbox.rows)] = NOTE


async def test_a_file_is_uploaded_before_its_message_is_sent(desk: Desk) -> None:
    put_file(desk, "reply.1")
    await desk.outbound.drain()
    (content,) = desk.transport.said(HALL)
    assert desk.transport.media[content["url"]] == b"gifts first"
    assert desk.steps == ["uploaded:0", "sent:0", "marked:1"]


class FlakyTransport(FakeTransport):
    """The homeserver goes away after it took a file."""

    async def upload(self, room: str, file: File) -> Mapping[str, object]:
        uploaded = await super().upload(room, file)
        self.fail_next(*[Unavailable("HTTP 502")] * 3)
        return uploaded


async def test_an_outage_after_the_upload_does_not_carry_the_bytes_again() -> None:
    desk = Desk(FlakyTransport(BOT))
    put_file(desk, "reply.1")
    await desk.outbound.drain()
    assert desk.transport.requests == ["upload", "send", "send", "send", "send"]
    assert desk.said() == ["note.txt"]


async def test_a_file_sent_but_not_marked_is_heard_once(desk: Desk) -> None:
    put_file(desk, "reply.1")
    await desk.outbound.drain()
    (heard,) = desk.transport.said(HALL)
    event = desk.outbox.done.pop("reply.1")
    again = Outbound(desk.outbox, desk.transport, desk.clock)  # the process was killed before it marked the row
    await again.drain()
    assert desk.transport.said(HALL) == [heard]
    assert desk.outbox.done["reply.1"] == event


async def test_where_a_file_is_refused_its_asker_is_told_so(desk: Desk) -> None:
    desk.outbox.put("reply.1", "The plan.", has_file=True, instead={"msgtype": "m.notice", "body": "Too large."})
    desk.outbox.files[1] = NOTE
    desk.transport.fail_next(Refused("M_TOO_LARGE", "too large"))
    await desk.outbound.drain()
    (content,) = desk.transport.said(HALL)
    assert (content["msgtype"], content["body"], "url" in content) == ("m.notice", "Too large.", False)
    assert desk.transport.requests == ["upload", "send"]


async def test_a_file_that_is_found_in_the_room_is_not_uploaded_again(desk: Desk) -> None:
    content = {"msgtype": "m.file", "body": "note.txt", "org.faro.key": "reply.1"}
    await desk.transport.send(HALL, "m.room.message", content, "under-another-id")
    put_file(desk, "reply.1", first_try=START, device="OLD")
    await desk.outbound.drain()
    assert "upload" not in desk.transport.requests
    assert desk.said() == ["note.txt"]


async def test_a_file_the_homeserver_does_not_take_is_told_and_the_room_goes_on(desk: Desk) -> None:
    put_file(desk, "reply.1")
    desk.outbox.put("reply.2", "yes")
    desk.transport.fail_next(Refused("M_TOO_LARGE", "too large"))
    with capture_logs() as logs:
        await desk.outbound.drain()
    assert desk.said() == ["yes"]
    assert [line["log_level"] for line in logs if line["log_level"] != "debug"] == ["error"]


async def test_what_is_forbidden_for_a_moment_is_sent_later(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.transport.fail_next(*[Refused("M_FORBIDDEN", "not in room")] * 3)
    await desk.outbound.drain()
    assert desk.said() == ["x"]


async def test_what_stays_forbidden_is_given_up_and_told_to_the_operator(desk: Desk) -> None:
    desk.outbox.put("reply.1")
    desk.transport.fail_next(*[Refused("M_FORBIDDEN", "not in room")] * 30)
    with capture_logs() as logs:
        await desk.outbound.drain()
    assert desk.outbox.reasons["reply.1"] == "M_FORBIDDEN: not in room"
    assert [line["log_level"] for line in logs if "was refused" in line["event"]] == ["warning", "error"]
