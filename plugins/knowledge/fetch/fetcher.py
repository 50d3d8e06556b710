"""Fetches facts and health of pages: redirects, robots.txt, rate limits, and parsing by kind of file."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog
from yarl import URL

from plugins.knowledge.fetch import html_meta, pdf, robots
from plugins.knowledge.fetch.block_pages import is_block_page
from plugins.knowledge.fetch.facts import Facts, FetchError, Health, Reason, State
from plugins.knowledge.fetch.file_type import SNIFFED, kind_of
from plugins.knowledge.fetch.http_client import AGENT, HttpClient, Resolve, Response, system_resolver
from plugins.knowledge.fetch.robots import Robots
from plugins.knowledge.fetch.ssrf_guard import IsPublic, Policy, check_redirect, check_url, has_side_effect, is_public
from plugins.knowledge.fetch.throttle import HostThrottle

log = structlog.get_logger()

_ROBOTS_KEPT = 64  # sites whose robots.txt is cached
_PERMANENT = (301, 308)
_HOME_PATH = re.compile(r"/?(?:[a-z]{2}(?:-[a-z]{2})?/?)?(?:(?:index|default|home)\.\w{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float = 10.0
    """For one call of `facts` or `health` with all its requests; waiting for the host throttle does not count."""
    body: int = 2 * 1024 * 1024
    """Bytes of one response after decompression; longer bodies are truncated."""
    redirects: int = 5
    pause: float = 1.0
    """Seconds between two requests to the same host."""
    robots: float = 86_400.0
    """Seconds a robots.txt is cached; RFC 9309, section 2.4, allows a day."""
    pdf: pdf.Limits = field(default_factory=pdf.Limits)


@dataclass(frozen=True, slots=True)
class _Destination:
    """The response at the end of the redirects."""

    response: Response
    url: URL
    final_url: str
    """The address to report: the last one that holds no secret; without redirects, the address as requested."""
    moved_to: str | None
    """Where the leading permanent redirects end; None if the first one is not permanent."""


class Fetcher:
    """Fetches pages; an async context manager. Tasks of one event loop may share it."""

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        limits: Limits | None = None,
        resolve: Resolve = system_resolver,
        public: IsPublic = is_public,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._policy = policy or Policy()
        self._limits = limits or Limits()
        self._public = public
        self._clock = clock
        self._client = HttpClient(resolve, public)
        self._throttle = HostThrottle(self._limits.pause, clock, sleep)
        self._robots: OrderedDict[str, tuple[float, Robots]] = OrderedDict()
        self._pdf_lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def facts(self, url: str) -> Facts:
        """The facts of a page. Raises only `FetchError` (and `CancelledError`)."""
        with _errors_as_fetch_error():
            async with self._time_limit() as limit, self._follow_redirects("GET", url, limit) as destination:
                response = destination.response
                _expect_success(response.status)
                kind = kind_of(response.content_type, await response.body(SNIFFED), destination.url.raw_path)
                body = await response.body({"html": html_meta.LONGEST, "pdf": self._limits.body}.get(kind, 0))
            if kind == "html":
                return _html_facts(
                    destination.final_url, html_meta.read(body, response.content_type, str(destination.url))
                )
            if kind == "pdf":
                async with self._pdf_lock:
                    pdf_meta = await pdf.read(body, self._limits.pdf)
                return Facts(
                    destination.final_url,
                    kind,
                    pdf_meta.title,
                    pdf_meta.description,
                    None,
                    pdf_meta.author,
                    None,
                    pdf_meta.language,
                )
            return Facts(destination.final_url, kind)

    async def health(self, url: str) -> Health:
        """Whether the page still exists. Raises nothing (but `CancelledError`): failures are `unsure`."""
        try:
            with _errors_as_fetch_error():
                return await self._health(url)
        except FetchError as error:
            return Health(State.UNSURE, url, reason=error.reason)

    async def _health(self, url: str) -> Health:
        async with self._time_limit() as limit:
            try:
                health = await self._request_health(url, "HEAD", limit)
            except FetchError as error:
                if error.reason is not Reason.UNREADABLE:
                    raise
                health = None
            if health is None or health.state not in (State.OK, State.MOVED):
                health = await self._request_health(url, "GET", limit)  # not all servers answer HEAD truthfully
            return health

    async def _request_health(self, url: str, method: str, limit: asyncio.Timeout) -> Health:
        async with self._follow_redirects(method, url, limit) as destination:
            status, final_url = destination.response.status, destination.final_url
        if status in (404, 410):
            return Health(State.GONE, final_url, status)
        if not 200 <= status < 300:
            return Health(State.UNSURE, final_url, status)
        if _is_home_page(destination.url) and not _is_home_page(URL(url, encoded=True)):
            # Many sites redirect missing pages to their home page.
            return Health(State.UNSURE, final_url, status)
        if destination.moved_to:
            return Health(State.MOVED, destination.moved_to, status)
        return Health(State.OK, final_url, status)

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[asyncio.Timeout]:
        try:
            async with asyncio.timeout(self._limits.seconds) as limit:
                yield limit
        except TimeoutError:
            raise FetchError(Reason.TIMEOUT) from None

    @asynccontextmanager
    async def _follow_redirects(
        self, method: str, url: str, limit: asyncio.Timeout, *, obey_robots: bool = True
    ) -> AsyncIterator[_Destination]:
        """Follows redirects; each target is checked like the first address."""
        target = check_url(url, self._policy, self._public)
        final_url = url
        moved_to: str | None = None
        permanent = True
        for _ in range(self._limits.redirects + 1):
            if obey_robots:
                await self._obey_robots(target, limit)
            async with self._request(method, target, limit) as response:
                if response.location is None:
                    yield _Destination(response, target, final_url, moved_to)
                    return
            target = check_redirect(target, response.location, self._policy, self._public)
            permanent = permanent and response.status in _PERMANENT
            if not has_side_effect(str(target)):
                final_url = str(target)
                moved_to = final_url if permanent else moved_to
        raise FetchError(Reason.TOO_MANY_REDIRECTS)

    @asynccontextmanager
    async def _request(self, method: str, url: URL, limit: asyncio.Timeout) -> AsyncIterator[Response]:
        """Sends one request when the host throttle permits; the wait does not count towards the time limit."""
        loop = asyncio.get_running_loop()
        left = (limit.when() or loop.time()) - loop.time()
        limit.reschedule(None)
        async with self._throttle.turn(url.raw_host or ""):
            limit.reschedule(loop.time() + left)
            async with self._client.request(method, url) as response:
                yield response

    async def _obey_robots(self, url: URL, limit: asyncio.Timeout) -> None:
        site = str(url.origin())
        until, rules = self._robots.get(site, (0.0, None))
        if rules is None or until < self._clock():
            rules = await self._read_robots(site, limit)
            self._robots[site] = (self._clock() + self._limits.robots, rules)
        self._robots.move_to_end(site)
        while len(self._robots) > _ROBOTS_KEPT:
            self._robots.popitem(last=False)
        if not rules.allow(url.raw_path_qs):
            raise FetchError(Reason.ROBOTS, permanent=True)

    async def _read_robots(self, site: str, limit: asyncio.Timeout) -> Robots:
        """RFC 9309, section 2.3.1: a missing file (4xx) allows everything, a server error (5xx) nothing for now."""
        try:
            async with self._follow_redirects("GET", f"{site}/robots.txt", limit, obey_robots=False) as destination:
                status = destination.response.status
                if status == 429 or status >= 500:
                    raise FetchError(Reason.UNAVAILABLE, "robots.txt")
                if 200 <= status < 300:
                    return robots.parse(await destination.response.body(robots.LONGEST), AGENT)
        except FetchError as error:
            # robots.txt redirects to where we may not go. If the page does so, too, its own request will fail.
            if error.reason not in (Reason.BLOCKED, Reason.TOO_MANY_REDIRECTS):
                raise
        return Robots()


@contextmanager
def _errors_as_fetch_error() -> Iterator[None]:
    """Turns any unexpected error into `FetchError`: one bad page must not stop the others."""
    try:
        yield
    except FetchError:
        raise
    except Exception as error:
        log.exception("a page could not be read")
        raise FetchError(Reason.UNREADABLE, type(error).__name__) from error


def _expect_success(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise FetchError(Reason.NOT_FOUND, str(status), permanent=status == 410)
    if status == 429 or status >= 500:
        raise FetchError(Reason.UNAVAILABLE, str(status))
    if 400 <= status < 500:
        raise FetchError(Reason.REFUSED, str(status))
    raise FetchError(Reason.UNREADABLE, str(status))


def _html_facts(address: str, head: html_meta.Head) -> Facts:
    if head.title and is_block_page(head.title):
        raise FetchError(Reason.REFUSED, "another page stands in front of it")
    return Facts(
        address,
        "html",
        head.title,
        head.description,
        head.site,
        head.author,
        head.published,
        head.language,
        head.canonical,
        head.alternates,
    )


def _is_home_page(url: URL) -> bool:
    return bool(_HOME_PATH.fullmatch(url.raw_path)) and not url.raw_query_string
