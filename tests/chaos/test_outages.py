"""Whatever stands between the bot and its homeserver does, every question is answered once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.chaos.proxy import Proxy, Trouble, matrix_error, proxy
from tests.running import RunningBot, running
from tests.town import Town

TROUBLES = [
    Trouble(502),
    Trouble(429, body=matrix_error("M_LIMIT_EXCEEDED", retry_after_ms=700)),
    Trouble(500, body=matrix_error("M_UNKNOWN")),
    Trouble(404),
    Trouble("garbage"),
    Trouble("nothing useful"),
    Trouble("drop"),
    Trouble("drop after"),
]
GONE = matrix_error("M_UNKNOWN_TOKEN", soft_logout=False)


@pytest.fixture
async def way(town: Town) -> AsyncIterator[Proxy]:
    """The bot's way to the homeserver."""
    async with proxy(town.homeserver.url) as made:
        town.settings["homeserver"] = made.url
        town.write()
        yield made


async def answered(town: Town, *rooms: str) -> Counter[str]:
    """How often the bot answered each question, as the rooms show it."""
    events = [event for room in rooms for event in await town.ana.messages(room)]
    said = [event for event in events if event["sender"] == town.bot.user_id and event["type"] == "m.room.message"]
    return Counter(str(event["content"]["m.relates_to"]["m.in_reply_to"]["event_id"]) for event in said)


async def test_every_question_is_answered_once_through_troubles_of_sending(town: Town, way: Proxy) -> None:
    async with running(town.config):
        asked = []
        for trouble in TROUBLES:
            if trouble.how == 404:
                continue  # of a single message it is a refusal: this room is not there
            way.make(Trouble(trouble.how, "/send/", body=trouble.body))
            asked.append(await town.ana.send(town.hall, "!help find"))
            await town.ana.answer_to(asked[-1])
            assert way.well
    assert await answered(town, town.hall) == Counter(asked)


async def test_every_question_is_answered_once_through_troubles_of_reading(town: Town, way: Proxy) -> None:
    async with running(town.config) as bot:
        asked = []
        for trouble in TROUBLES:
            way.make(Trouble(trouble.how, "/sync", body=trouble.body))
            asked.append(await town.ana.send(town.hall, "!help find"))
            await town.ana.answer_to(asked[-1])
        await bot.logged("sync works again")
    assert await answered(town, town.hall) == Counter(asked)


async def test_while_the_homeserver_errs_there_is_no_more_than_one_request_a_second(town: Town, way: Proxy) -> None:
    """Several rooms have something to send, and the bot reads and works besides."""
    async with running(town.config):
        rooms = [town.hall, town.desk]
        way.make(Trouble(502, times=7))
        asked = [await town.ana.send(room, words) for words in ("!help find", "!next") for room in rooms]
        for question in asked:
            await town.ana.answer_to(question, within=30)
        assert way.well
    assert await answered(town, *rooms) == Counter(asked)
    first, *erring = [seen.at for seen in way.failures()]
    known = [at for at in erring if at > first + 0.5]  # what was on its way at first could not know yet
    assert len(known) >= 3
    assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(known))


@pytest.mark.parametrize("where", ["/sync", "/send/", "/profile/", "/join/", "/joined_members"])
async def test_a_revoked_session_ends_the_bot_whatever_it_was_doing(town: Town, way: Proxy, where: str) -> None:
    """The exit code is 3 and the reason is told; `/sync` alone goes on, so that nothing else can have noticed."""
    bot = RunningBot(town.config)
    gone = Trouble(401, where, times=1000, body=GONE)
    if where in ("/sync", "/join/", "/joined_members"):
        way.make(gone)
    await bot.start()
    try:
        if where in ("/send/", "/profile/"):
            await bot.ready()
            way.make(gone)
            await town.ana.send(town.hall, "!next")
        assert await bot.ended() == 3
        assert "M_UNKNOWN_TOKEN" in "\n".join(bot.lines[-3:])
    finally:
        await bot.kill()


@pytest.mark.parametrize("body", [matrix_error("M_FORBIDDEN"), "<html>Blocked by the proxy</html>"])
async def test_what_is_refused_for_a_moment_is_sent_all_the_same(town: Town, way: Proxy, body: str) -> None:
    async with running(town.config) as bot:
        way.make(Trouble(403, "/send/", body=body))
        first = await town.ana.send(town.hall, "!help find")
        await bot.logged("sending a message")
        second = await town.ana.send(town.hall, "!help find")
        await town.ana.answer_to(second)
    assert await answered(town, town.hall) == Counter([first, second])
