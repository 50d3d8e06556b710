"""What becomes of one request, whatever stands at the other end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from nio import AsyncClient

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.matrix.http import MAX_REFUSALS, MAX_RESPONSE, Http
from bot.testing.clock import START, FakeClock
from tests.matrix.conftest import Answer, Script

PATH = "/_matrix/client/v3/account/whoami"


def error(code: str, **more: object) -> dict[str, object]:
    return {"errcode": code, "error": "because", **more}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(error("M_UNKNOWN_TOKEN"), 401),
        Answer(error("M_UNKNOWN_TOKEN", soft_logout=True), 401),
        Answer(error("M_MISSING_TOKEN"), 401),
        Answer(error("M_USER_DEACTIVATED"), 403),
    ],
)
async def test_a_session_that_is_gone_says_what_to_do(http: Http, script: Script, answer: Answer) -> None:
    script.will_answer(answer)
    with pytest.raises(LoggedOut, match=r"session\.json"):
        await http.request("GET", PATH)


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (Answer(error("M_LIMIT_EXCEEDED", retry_after_ms=1500), 429), 1.5),
        (Answer(error("M_LIMIT_EXCEEDED"), 429, {"Retry-After": "7"}), 7),
        (Answer(error("M_LIMIT_EXCEEDED"), 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), None),
        (Answer(error("M_LIMIT_EXCEEDED", retry_after_ms="soon"), 429), None),
        (Answer(error("M_LIMIT_EXCEEDED", retry_after_ms=-5), 429), 0),
        (Answer(error("M_LIMIT_EXCEEDED", retry_after_ms=10**400), 429), 3600),
        (Answer(raw=b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": NaN}', status=429), 0),
        (Answer(raw=b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": Infinity}', status=429), 3600),
        (Answer(raw=b"slow down", status=429, headers={"Retry-After": "3"}), 3),
        (Answer(error("M_UNKNOWN"), 502), None),
        (Answer(raw=b"<html>Bad gateway</html>", status=502), None),
        (Answer(raw=b"<html>Maintenance</html>", status=503, headers={"Retry-After": "120"}), 120),
        (Answer(raw=b"<html>Welcome to nginx</html>"), None),
        (Answer(raw=b""), None),
        (Answer(["a list"]), None),
        (Answer({}, 404), None),
        (Answer({"message": "no such route"}, 404), None),
        (Answer(raw=b"<html>Not found</html>", status=404), None),
        (Answer(raw=b"<html>Blocked</html>", status=403), None),
        (Answer(raw=b"[" * 100_000), None),
        (Answer(raw=b"\xff\xfe"), None),
    ],
)
async def test_what_may_pass_is_unavailable_with_the_wait_that_was_asked_for(
    http: Http, script: Script, answer: Answer, retry_after: float | None
) -> None:
    script.will_answer(*[answer] * MAX_REFUSALS)
    with pytest.raises(Unavailable) as unavailable:
        await http.request("GET", PATH)
    assert unavailable.value.retry_after == retry_after


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(error("M_FORBIDDEN"), 403), "M_FORBIDDEN"),
        (Answer(error("M_NOT_FOUND"), 404), "M_NOT_FOUND"),
        (Answer(raw=b"<html>Request Entity Too Large</html>", status=413), "M_TOO_LARGE"),
    ],
)
async def test_a_no_is_refused_with_its_code(http: Http, script: Script, answer: Answer, code: str) -> None:
    script.will_answer(answer)
    with pytest.raises(Refused) as refused:
        await http.request("GET", PATH)
    assert refused.value.code == code


async def test_an_outage_is_told_at_once(http: Http, script: Script) -> None:
    """Trying again is the caller's: nio's own retries have no end."""
    script.will_answer(Answer(status=502, raw=b""), Answer({"user_id": "@x:y"}))
    with pytest.raises(Unavailable):
        await http.request("GET", PATH)
    assert len(script.requests) == 1


def limit(milliseconds: int) -> Answer:
    return Answer(error("M_LIMIT_EXCEEDED", retry_after_ms=milliseconds), 429)


async def test_a_short_rate_limit_is_waited_out_and_then_kept_to(http: Http, script: Script, clock: FakeClock) -> None:
    script.will_answer(limit(3000), *[Answer({})] * 6)
    await http.request("GET", PATH)
    assert (len(script.requests), clock.now() - START) == (2, 3000)
    await asyncio.gather(*(http.request("GET", PATH) for _ in range(4)))
    assert (len(script.requests), clock.now() - START) == (6, 15_000), "one in three seconds"
    clock.advance(60)
    await http.request("GET", PATH)
    assert clock.now() - START == 75_000, "who asked nothing for a while need not wait"


async def test_a_rate_limit_that_promises_too_much_ends_in_unavailable(http: Http, script: Script) -> None:
    script.will_answer(*[limit(0)] * MAX_REFUSALS)
    with pytest.raises(Unavailable):
        await http.request("GET", PATH)
    assert len(script.requests) == MAX_REFUSALS


async def test_a_long_rate_limit_is_for_its_subject_which_is_not_asked_about_before(
    http: Http, script: Script, clock: FakeClock
) -> None:
    script.will_answer(limit(333_000), *[Answer({})] * 2)
    for _ in range(3):
        with pytest.raises(Unavailable) as unavailable:
            await http.request("GET", PATH, subject="Ana")
        assert unavailable.value.retry_after == 333
    assert len(script.requests) == 1
    await http.request("GET", PATH, subject="Ben")
    assert clock.now() == START
    clock.advance(333)
    await http.request("GET", PATH, subject="Ana")


async def test_a_rate_limit_of_one_kind_delays_no_other(http: Http, script: Script, clock: FakeClock) -> None:
    script.will_answer(limit(60_000), *[Answer({})] * 3)
    with pytest.raises(Unavailable):
        await http.request("GET", PATH)
    await asyncio.gather(*(http.request("GET", "/_matrix/client/versions") for _ in range(3)))
    assert clock.now() == START


async def test_a_homeserver_that_does_not_answer_is_unavailable(http: Http, script: Script) -> None:
    script.will_answer(Answer(hangs=True))
    with pytest.raises(Unavailable, match="no answer"):
        await http.request("GET", PATH, timeout=0.2)


async def test_a_homeserver_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    client = AsyncClient(f"http://127.0.0.1:{unused_tcp_port}", "@faro:example.org")
    try:
        with pytest.raises(Unavailable, match="no connection"):
            await Http(client, FakeClock()).request("GET", PATH)
    finally:
        await client.close()


async def test_an_answer_without_end_is_not_read_to_the_end(http: Http, script: Script) -> None:
    script.will_answer(Answer(raw=b" " * (MAX_RESPONSE + 1)))
    with pytest.raises(Refused, match="larger"):
        await http.request("GET", PATH)


async def test_names_in_a_path_cannot_change_the_path(http: Http, client: AsyncClient, script: Script) -> None:
    script.will_answer(Answer({}))
    client.access_token = "secret"
    await http.request("PUT", "/rooms/{}/send/{}", "!a/../b?c#d%2F {}:x", "é", body={"k": "v"}, query={"q": "a&b=c"})
    (request,) = script.requests
    assert request.path == "/rooms/!a%2F..%2Fb%3Fc%23d%252F%20%7B%7D:x/send/%C3%A9"
    assert (request.query, request.body) == ({"q": "a&b=c"}, {"k": "v"})
    assert request.authorization == "Bearer secret"


async def test_a_stopped_bot_does_not_wait_for_the_answer(http: Http, script: Script) -> None:
    script.will_answer(Answer(hangs=True))
    task = asyncio.create_task(http.request("GET", PATH))
    await script.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_while_the_homeserver_errs_all_requests_together_go_one_a_second(
    client: AsyncClient, script: Script
) -> None:
    clock = FakeClock()
    http = Http(client, clock)
    script.will_answer(*[Answer(status=502, raw=b"")] * 4, *[Answer({})] * 3)

    async def ask() -> None:
        with contextlib.suppress(Unavailable):
            await http.request("GET", PATH)

    await ask()
    await asyncio.gather(*(ask() for _ in range(4)))
    assert clock.now() - START == 4000
    well = clock.now()
    await asyncio.gather(ask(), ask())
    assert clock.now() == well, "once it answers again nobody waits"


async def test_a_clock_that_is_set_back_stops_no_request(client: AsyncClient, script: Script) -> None:
    clock = FakeClock()
    http = Http(client, clock)
    script.will_answer(Answer(status=502, raw=b""), Answer({}))
    with pytest.raises(Unavailable):
        await http.request("GET", PATH)
    clock.advance(-86_400)
    before = clock.now()
    await http.request("GET", PATH)
    assert clock.now() - before <= 1000
