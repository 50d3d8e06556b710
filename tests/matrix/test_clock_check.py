"""Do the clocks agree? Asked of whatever answers at the homeserver's address."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.matrix.clock_check import clock_skew
from bot.testing.clock import START, FakeClock

THEIRS = "Fri, 15 Jan 2027 08:00:00 GMT"  # START


@pytest.fixture
async def homeserver() -> AsyncIterator[dict[str, str]]:
    """Answers with the `Date` under "date"; where it is stands under "url"."""
    answers = {"date": THEIRS}

    async def versions(_: web.Request) -> web.Response:
        return web.json_response({}, headers={"Date": answers["date"]})

    app = web.Application()
    app.router.add_get("/_matrix/client/versions", versions)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answers["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield answers
    await runner.cleanup()


@pytest.mark.parametrize("ahead", [0, 90, -3600])
async def test_the_difference_is_known_to_a_second(homeserver: dict[str, str], ahead: int) -> None:
    found = await clock_skew(homeserver["url"], FakeClock(START + ahead * 1000))
    assert found is not None
    assert abs(found - ahead) <= 1


async def test_an_answer_without_a_time_and_no_answer_say_nothing(homeserver: dict[str, str]) -> None:
    homeserver["date"] = "yesterday"
    assert await clock_skew(homeserver["url"], FakeClock()) is None
    assert await clock_skew("http://127.0.0.1:9", FakeClock()) is None
