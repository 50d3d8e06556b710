"""A homeserver on loopback that answers what a test wrote down, however wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from nio import AsyncClient, AsyncClientConfig

from bot.matrix.http import Http
from bot.testing.clock import FakeClock

BOT = "@faro:example.org"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: JSON, or `raw` bytes instead. `hangs` answers only when the server ends."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str  # as it was sent, still quoted
    query: Mapping[str, str]
    body: Any
    authorization: str | None
    type: str | None


@dataclass(slots=True)
class Script:
    """Answers in turn; when none is left, `M_NOTHING_LEFT`."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    def will_answer(self, *answers: Answer) -> None:
        self.answers += answers

    async def answer(self, request: web.Request) -> web.Response:
        path = request.raw_path.partition("?")[0]
        sent = await request.read()
        body = json.loads(sent) if sent and request.content_type == "application/json" else sent or None
        authorization, type_ = request.headers.get("Authorization"), request.headers.get("Content-Type")
        self.requests.append(Request(request.method, path, dict(request.query), body, authorization, type_))
        self.asked.set()
        given = self.answers.pop(0) if self.answers else Answer({"errcode": "M_NOTHING_LEFT", "error": ""}, 400)
        if given.hangs:
            await self._end.wait()
        raw = json.dumps(given.body).encode() if given.raw is None else given.raw
        return web.Response(body=raw, status=given.status, headers=given.headers)

    def end(self) -> None:
        self._end.set()


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.end()
    await runner.cleanup()


@pytest.fixture
async def client(script: Script) -> AsyncIterator[AsyncClient]:
    config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, encryption_enabled=False)
    made = AsyncClient(script.url, BOT, config=config)
    yield made
    await made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def http(client: AsyncClient, clock: FakeClock) -> Http:
    return Http(client, clock)
