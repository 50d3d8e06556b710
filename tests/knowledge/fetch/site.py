"""Web sites on this machine that say what a test wants, honest or not, and names that lead to them.

`public` is at 127.0.0.1, which these tests take for the internet; `inner` at 127.0.0.2 and the same port stands for the
machines that nobody may reach through the bot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from plugins.knowledge.fetch.fetcher import Fetcher, Limits
from plugins.knowledge.fetch.ssrf_guard import IP, Policy

PUBLIC = "127.0.0.1"
INNER = "127.0.0.2"
TLS_HANDSHAKE = b"\x16"  # RFC 8446, section 5.1
MOST_SENT = 100_000_000  # bytes: what has no end here ends all the same

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def page(body: str | bytes = "", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer. `content_length="3"` and the like replace what would be true."""
    data = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "text/html; charset=utf-8", "content-length": str(len(data))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def to(location: str, status: str = "302 Found") -> bytes:
    return page(status=status, location=location)


def endless(start: bytes, more: bytes) -> Script:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _ in range(MOST_SENT // len(more)):
            writer.write(more)
            await writer.drain()

    return send


def dripping(start: bytes, drop: bytes) -> Script:
    """A byte now and then, for as long as anybody listens (a minute at most)."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _ in range(1_200):
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return send


@dataclass
class Site:
    """One server: what it answers at which path (or at `METHOD path`), and what it was asked."""

    pages: dict[str, bytes | Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()  # also when the loop of a test ends first
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        if first == TLS_HANDSHAKE:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        request = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = request.split(" ", 2)
        self.asked.append(f"{method} {path}")
        self.requests.append(request)
        self.was_asked.set()
        answer = self.pages.get(f"{method} {path}", self.pages.get(path, page(status="404 Not Found")))
        if isinstance(answer, bytes):
            writer.write(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else answer)
            await writer.drain()
        else:
            await answer(writer)


@dataclass
class Web:
    """The two sites, and the names in front of them."""

    port: int
    public: Site
    inner: Site
    names: dict[str, Sequence[str]]
    turns: dict[str, Iterator[Sequence[str]]] = field(default_factory=dict)
    """Names that lead to something else each time they are asked for."""

    def url(self, path: str, host: str = "site.example.org") -> str:
        return f"http://{host}:{self.port}{path}"

    async def resolve(self, host: str) -> Sequence[str]:
        if host in self.turns:
            return next(self.turns[host])
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def fetcher(self, policy: Mapping[str, Any] | None = None, **options: Any) -> Fetcher:
        """A fetcher for which 127.0.0.1 is the internet; it waits for nothing unless told."""
        usual: dict[str, Any] = {
            "limits": Limits(pause=0, seconds=5),
            "resolve": self.resolve,
            "public": _on_the_internet,
        }
        return Fetcher(Policy(ports=frozenset((self.port,)), **(policy or {})), **(usual | options))


def _on_the_internet(ip: IP) -> bool:
    return str(ip) == PUBLIC


@asynccontextmanager
async def running() -> AsyncIterator[Web]:
    public, inner = Site(), Site()
    async with await asyncio.start_server(public.serve, PUBLIC, 0) as first:
        port: int = first.sockets[0].getsockname()[1]
        async with await asyncio.start_server(inner.serve, INNER, port):
            names = {"site.example.org": [PUBLIC], "other.example.org": [PUBLIC], "inner.example.org": [INNER]}
            yield Web(port, public, inner, dict(names))


@dataclass
class Beats:
    """A clock that stands still but while somebody waits for it."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
