"""Requests to the homeserver, and how their responses become values or errors.

nio's client sends the request; responses are interpreted here, because nio returns errors as values and retries
without end.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import structlog
from nio import AsyncClient

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.matrix.pacing import LONGEST, SHORT, Pacing
from bot.ports import Clock

log = structlog.get_logger()

T = TypeVar("T")

MAX_RESPONSE = 64 * 1024 * 1024  # bytes of a response; a first sync of very many rooms is far smaller
INVALID_SESSION = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
RETRYABLE = frozenset({408, 425, 429})
TOO_LARGE = frozenset({413, 414})
UPLOAD_TIMEOUT = 120  # seconds
DOWNLOAD_TIMEOUT = 60  # seconds; the file may be on another homeserver
REMOTE_FAILURE = frozenset({502, 504})  # with a JSON error: the file's own homeserver does not answer
JSON = "application/json"
OK = 200
SECOND = 1000  # ms
MAX_REFUSALS = 5  # of one request by the rate limit, should its waits be too short
MAX_WAIT = 3600.0  # seconds a homeserver can make us wait at once


class NeedsAuth(Refused):
    """The homeserver wants the account's owner to prove who they are (spec: user-interactive authentication)."""

    def __init__(self, code: str, reason: str, answer: Mapping[str, Any]) -> None:
        super().__init__(code, reason)
        self.session = str(answer.get("session", ""))
        flows = answer.get("flows")
        stages = [flow.get("stages") for flow in flows if isinstance(flow, dict)] if isinstance(flows, list) else []
        self.flows = tuple(tuple(map(str, one)) for one in stages if isinstance(one, list))
        """Ways to do it; each is the stages that must be passed."""


class Limited(Unavailable):
    """The homeserver limits the rate, and said until when (`retry_after` is never None)."""


class Http:
    """Requests as one user. `Any` in answers: untrusted JSON, which the caller validates.

    Rate limits are honoured here, for all requests: after a limit that passes within seconds the request is made again,
    and its kind is paced; a longer one is `Unavailable`, at once and without asking until its `retry_after` is over.
    While the homeserver fails, all requests together are limited to one a second.
    """

    def __init__(self, client: AsyncClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._pacing = Pacing()
        self._failing = False
        self._throttle = asyncio.Lock()
        self._last = 0  # ms: the last request while the homeserver fails

    async def request(
        self,
        method: str,
        path: str,
        *segments: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        timeout: float = 30,
        subject: str = "",
    ) -> dict[str, Any]:
        """`path` with its `{}` filled by quoted `segments`. Raises `Unavailable`, `Refused` or `LoggedOut`.

        `subject`: what a long rate limit is about; without it, this very request.
        """
        url, data = _url(path, segments, query), None if body is None else json.dumps(body)

        async def ask() -> dict[str, Any]:
            return _parse_response(*await self._send(method, url, data, JSON, timeout, MAX_RESPONSE))

        return await self._in_turn(f"{method} {path}", subject or f"{method} {url}", ask)

    async def request_list(self, path: str, *segments: str) -> list[Any]:
        """A `GET` that is answered with a JSON array; else the same as `request`."""
        url = _url(path, segments, None)

        async def ask() -> list[Any]:
            status, raw, retry_after = await self._send("GET", url, None, JSON, 30, MAX_RESPONSE)
            if status == OK and isinstance(answer := _json(raw), list):
                return answer
            _parse_response(status, raw, retry_after)
            raise Unavailable("an answer that is no list")

        return await self._in_turn(f"GET {path}", f"GET {url}", ask)

    async def upload(self, path: str, content: bytes, type_: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Bytes instead of JSON as the body; else the same."""
        url = _url(path, (), query)

        async def ask() -> dict[str, Any]:
            return _parse_response(*await self._send("POST", url, content, type_, UPLOAD_TIMEOUT, MAX_RESPONSE))

        return await self._in_turn(f"POST {path}", f"POST {path}", ask)

    async def download(self, path: str, *segments: str, most: int) -> bytes:
        """Bytes instead of JSON as the answer; else the same. More than `most` of them are `M_TOO_LARGE`.

        A timeout or a failure of the file's own homeserver is `Refused`, because it may be permanent.
        """
        url = _url(path, segments, None)

        async def ask() -> bytes:
            try:
                status, raw, retry_after = await self._send("GET", url, None, JSON, DOWNLOAD_TIMEOUT, most)
            except Unavailable as error:
                if isinstance(error.__cause__, TimeoutError):
                    raise Refused("FARO_TOO_SLOW", str(error)) from error
                raise
            if status in REMOTE_FAILURE and (error_body := _object(raw)) is not None:
                raise Refused(str(error_body.get("errcode", "M_UNKNOWN")), f"HTTP {status}")
            if status != OK:
                _parse_response(status, raw, retry_after)
                raise Unavailable(f"HTTP {status} where a file was expected")
            return raw

        return await self._in_turn(f"GET {path}", f"GET {url}", ask)

    async def _in_turn(self, kind: str, subject: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks when the rate limits allow it."""
        waited = refused = 0
        begun = time.perf_counter()
        while True:
            wait = self._pacing.wait(kind, subject, self._clock.now())
            if wait + waited > LONGEST:
                raise Unavailable("the homeserver limits how often this is asked", wait / 1000)
            if wait:
                await self._clock.sleep(wait / 1000)
                waited += wait
            try:
                async with self._throttled_while_failing():
                    answer = await ask()
            except Limited as error:
                wait = round((error.retry_after or 0) * 1000)
                self._pacing.limited(kind, subject, self._clock.now(), wait)
                refused += 1
                if wait > SHORT or refused == MAX_REFUSALS:
                    raise
            else:
                self._pacing.succeeded(kind, self._clock.now())
                log.debug("homeserver answered", request=kind, ms=round(1000 * (time.perf_counter() - begun)))
                return answer

    @asynccontextmanager
    async def _throttled_while_failing(self) -> AsyncIterator[None]:
        await self._wait_turn()
        try:
            yield
        except Unavailable as error:
            self._failing = not isinstance(error, Limited)  # then it is well, and only wants less of this kind
            self._last = self._clock.now()
            raise
        self._failing = False

    async def _wait_turn(self) -> None:
        if not self._failing:
            return
        async with self._throttle:
            early = self._last + SECOND - self._clock.now()
            if self._failing and early > 0:
                await self._clock.sleep(min(early, SECOND) / 1000)  # no longer, should the clock be set back
            self._last = self._clock.now()

    async def _send(
        self, method: str, url: str, data: str | bytes | None, content_type: str, timeout: float, most: int
    ) -> tuple[int, bytes, str | None]:
        """Status, body and `Retry-After` of the answer."""
        headers = {"Content-Type": content_type}
        if self._client.access_token:
            headers["Authorization"] = f"Bearer {self._client.access_token}"
        try:
            async with (
                asyncio.timeout(timeout),
                await self._client.send(method, url, data, headers, timeout=timeout) as got,
            ):
                raw = bytearray()
                async for chunk in got.content.iter_any():
                    raw += chunk
                    if len(raw) > most:
                        raise Refused("M_TOO_LARGE", f"the answer is larger than {most} bytes")
                return got.status, bytes(raw), got.headers.get("Retry-After")
        except TimeoutError as error:
            raise Unavailable(f"no answer within {timeout:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"no connection: {error}") from error


def _url(path: str, segments: tuple[str, ...], query: Mapping[str, Any] | None) -> str:
    filled = path.format(*(quote(segment, safe="") for segment in segments))
    return f"{filled}?{urlencode(query, doseq=True)}" if query else filled


def text(answer: Mapping[str, Any], name: str) -> str:
    """A string that must be in an answer. Raises `Unavailable`: this is not (or not yet) a homeserver."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Unavailable(f"an answer without {name}")
    return value


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _object(raw: bytes) -> dict[str, Any] | None:
    answer = _json(raw)
    return answer if isinstance(answer, dict) else None


def _parse_response(status: int, raw: bytes, retry_after: str | None) -> dict[str, Any]:
    answer = _object(raw)
    if status in TOO_LARGE:  # a proxy says so, too, and asking again changes nothing
        raise Refused("M_TOO_LARGE", f"HTTP {status}")
    if answer is None or (status >= 300 and "errcode" not in answer and "flows" not in answer):
        # A proxy in front of the homeserver, or something else at its address.
        raise Unavailable(f"HTTP {status}, which the homeserver itself did not say", _seconds(retry_after))
    if status < 300:
        return answer
    code, reason = str(answer.get("errcode", "M_UNKNOWN")), str(answer.get("error", f"HTTP {status}"))
    if code in INVALID_SESSION:
        raise LoggedOut(
            f"the homeserver no longer accepts the bot's session ({code}: {reason}). "
            "Remove session.json from the data folder, check the password or access token, and start the bot again."
        )
    if status == 401 and "flows" in answer:
        raise NeedsAuth(code, reason, answer)
    if status in RETRYABLE or status >= 500 or code == "M_LIMIT_EXCEEDED":
        wait = answer.get("retry_after_ms")
        seconds = _bounded(wait) if isinstance(wait, int | float) else _seconds(retry_after)
        limited = code == "M_LIMIT_EXCEEDED" and seconds is not None
        raise (Limited if limited else Unavailable)(f"HTTP {status} {code}", seconds)
    raise Refused(code, reason)


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds; its other form, a date, is left to our own back-off."""
    digits = header is not None and header.isascii() and header.isdigit() and len(header) < 10
    return _bounded(int(header) * 1000) if header and digits else None


def _bounded(milliseconds: float) -> float:
    """In seconds. JSON may hold anything: NaN (here 0), and huge numbers."""
    return max(0, min(milliseconds, MAX_WAIT * 1000)) / 1000
