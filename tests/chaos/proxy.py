"""A reverse proxy on loopback between the bot and the homeserver, which fails as it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from yarl import URL

SLOW, STALL = 3, 40  # seconds


@dataclass(slots=True)
class Seen:
    at: float  # monotonic seconds
    method: str
    path: str
    failed: bool
    status: int | None = None  # of the answer; None: there was none


@dataclass(frozen=True, slots=True)
class Trouble:
    """What to do with requests whose path holds `where`, so many times.

    `how`: an HTTP status, or "garbage", "nothing useful" (JSON without what was asked for), "drop" (before
    the homeserver hears of it), "drop after" (the homeserver has done it, its answer is lost), "slow" (the answer takes
    seconds), "stall" (nothing comes for longer than anybody waits).
    """

    how: int | str
    where: str = ""
    times: int = 1
    body: str = ""


class Proxy:
    """`url` is the homeserver's address for the bot."""

    def __init__(self, homeserver: str) -> None:
        self._homeserver = homeserver
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._troubles: list[Trouble] = []
        self._left = 0
        self._mischief: Callable[[str], Trouble | None] | None = None
        self.url = ""
        self.seen: list[Seen] = []

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._http:
            await self._http.close()

    def make(self, *troubles: Trouble) -> None:
        """These troubles, one after another; then all is well again."""
        self._troubles = list(troubles)
        self._left = troubles[0].times if troubles else 0

    def misbehave(self, mischief: Callable[[str], Trouble | None] | None) -> None:
        """Asks for each request's path what to do with it, until it is told otherwise."""
        self._mischief = mischief

    @property
    def well(self) -> bool:
        return not self._troubles

    def failures(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.failed]

    def _trouble(self, path: str) -> Trouble | None:
        if self._mischief:
            return self._mischief(path)
        if not self._troubles or self._troubles[0].where not in path:
            return None
        trouble = self._troubles[0]
        self._left -= 1
        if self._left <= 0:
            self._troubles.pop(0)
            self._left = self._troubles[0].times if self._troubles else 0
        return trouble

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        trouble = self._trouble(request.path)
        seen = Seen(time.monotonic(), request.method, request.path, trouble is not None)
        self.seen.append(seen)
        answer = await self._answer(request, trouble)
        seen.status = answer.status
        return answer

    async def _answer(self, request: web.Request, trouble: Trouble | None) -> web.StreamResponse:
        match trouble:
            case None:
                return await self._forward(request)
            case Trouble(how=int(status), body=body):
                kind = "application/json" if body.startswith("{") else "text/html"
                return web.Response(status=status, text=body or "<h1>trouble</h1>", content_type=kind)
            case Trouble(how="garbage"):
                return web.Response(text='{"next_batch": [[[', content_type="application/json")
            case Trouble(how="nothing useful"):
                return web.json_response({})
            case Trouble(how="drop after"):
                await self._forward(request)
            case Trouble(how="slow"):
                await asyncio.sleep(SLOW)
                return await self._forward(request)
            case Trouble(how="stall"):
                await asyncio.sleep(STALL)
        if request.transport:
            request.transport.close()
        return web.Response(status=500)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        assert self._http
        hop = {"host", "content-length", "transfer-encoding", "connection", "keep-alive"}
        headers = {name: value for name, value in request.headers.items() if name.lower() not in hop}
        try:
            async with self._http.request(
                request.method,
                URL(self._homeserver + request.raw_path, encoded=True),
                data=await request.read(),
                headers=headers,
                allow_redirects=False,
            ) as got:
                kept = {name: value for name, value in got.headers.items() if name.lower() not in hop}
                return web.Response(status=got.status, body=await got.read(), headers=kept)
        except aiohttp.ClientError:
            return web.Response(status=502, text="away")


def matrix_error(code: str, **more: object) -> str:
    return json.dumps({"errcode": code, "error": "as a test wants it", **more})


@asynccontextmanager
async def proxy(homeserver: str) -> AsyncIterator[Proxy]:
    made = Proxy(homeserver)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
