"""Sends single HTTP requests, to public addresses only. Follows no redirects; raises only `FetchError`.

Addresses are checked twice against SSRF: at the resolver (one address that is not public rejects all of them), and when
the socket is created, which also covers IP addresses that need no resolver. The checked address is the one connected
to: names are not resolved again in between, so DNS rebinding has no effect.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import LineTooLong
from yarl import URL

from plugins.knowledge.fetch.facts import FetchError, Reason
from plugins.knowledge.fetch.ssrf_guard import IsPublic

AGENT = "faro-bot"  # our name in robots.txt
USER_AGENT = f"{AGENT}/1 (reads the titles of links that people shared in a chat)"
_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
_LONGEST_FIELD = 16_384  # bytes of a header line; Content-Security-Policy alone often has 8,000
_MOST_FIELDS = 128
_CHUNK = 65_536

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Resolves a host name to IP addresses, as text; raises `OSError` if there are none."""


async def system_resolver(host: str) -> Sequence[str]:
    addresses = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in addresses))


class Response:
    """The head of a response; its body is read on demand."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._body = bytearray()
        self.status = response.status
        self.content_type = response.headers.get("Content-Type", "")[:200]

    @property
    def location(self) -> str | None:
        """The target of a redirect; None if it is not one."""
        if self.status in (301, 302, 303, 307, 308):
            return self._response.headers.get("Location")
        return None

    async def body(self, most: int) -> bytes:
        """The first `most` bytes, decompressed. A body that breaks off is kept as far as it came."""
        while len(self._body) < most:
            try:
                chunk = await self._response.content.read(min(_CHUNK, most - len(self._body)))
            except aiohttp.ClientPayloadError as error:
                if not self._body:
                    raise FetchError(Reason.UNREADABLE, "broken body") from error
                break
            except _FAILURES as error:
                raise _as_fetch_error(error) from error
            if not chunk:
                break
            self._body += chunk
        return bytes(self._body[:most])


class HttpClient:
    """Sends requests; an async context manager."""

    def __init__(self, resolve: Resolve, public: IsPublic) -> None:
        self._resolve = resolve
        self._public = public

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=_CheckedResolver(self._resolve, self._public),
            socket_factory=self._socket,
            use_dns_cache=False,
            force_close=True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None),  # the caller's time limit covers several requests
            trust_env=False,  # a proxy would bypass the checks of addresses
            max_line_size=_LONGEST_FIELD,
            max_field_size=_LONGEST_FIELD,
            max_headers=_MOST_FIELDS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def request(self, method: str, url: URL) -> AsyncIterator[Response]:
        """Requests an address that the SSRF guard has accepted. The caller limits the time."""
        try:
            response = await self._session.request(method, url, allow_redirects=False)
        except _FAILURES as error:
            raise _as_fetch_error(error) from error
        try:
            yield Response(response)
        finally:
            response.close()  # the rest of the body is never read

    def _socket(self, address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, endpoint = address
        _require_public([str(endpoint[0])], self._public)
        return socket.socket(family, kind, protocol)


class _NotPublicError(OSError):
    """An `OSError`, as only that passes from the resolver or socket through aiohttp with its type intact."""

    def __init__(self) -> None:
        super().__init__("not a public address")


class _CheckedResolver(AbstractResolver):
    def __init__(self, resolve: Resolve, public: IsPublic) -> None:
        self._resolve = resolve
        self._public = public

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            ips = await self._resolve(host)
        except UnicodeError as error:
            raise OSError("no name for DNS") from error
        if not ips:
            raise OSError("no addresses")
        _require_public(ips, self._public)
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in ips
        ]

    async def close(self) -> None:
        return None


def _require_public(ips: Sequence[str], public: IsPublic) -> None:
    try:
        if all(public(ip_address(ip)) for ip in ips):
            return
    except ValueError:
        pass
    raise _NotPublicError


# What aiohttp raises on hostile hosts and responses. ValueError includes UnicodeError; LookupError, unknown encodings.
_FAILURES = (aiohttp.ClientError, OSError, ValueError, LookupError, zlib.error)


def _as_fetch_error(error: BaseException) -> FetchError:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, _NotPublicError):
        return FetchError(Reason.BLOCKED, "not a public address", permanent=True)
    if isinstance(cause, TimeoutError):
        return FetchError(Reason.TIMEOUT)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchError(Reason.DNS)
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return FetchError(Reason.TLS)
    if isinstance(error, aiohttp.ClientConnectorError):
        return FetchError(Reason.UNREACHABLE)
    if any(isinstance(cause, LineTooLong) or "Too many headers" in str(cause) for cause in _causes(error)):
        return FetchError(Reason.TOO_LARGE, "header", permanent=True)
    return FetchError(Reason.UNREADABLE, type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
