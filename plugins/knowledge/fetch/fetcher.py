"""What does a shared address lead to, and is it still there? Over the network, safely and politely."""

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
from plugins.knowledge.fetch.block_pages import is_wall
from plugins.knowledge.fetch.facts import Facts, FetchError, Health, Reason, State
from plugins.knowledge.fetch.file_type import SNIFFED, kind_of
from plugins.knowledge.fetch.http_client import AGENT, Answer, Door, Resolve, system_resolver
from plugins.knowledge.fetch.robots import Robots
from plugins.knowledge.fetch.ssrf_guard import IsPublic, Policy, checked, is_public, may_use_up, redirected
from plugins.knowledge.fetch.throttle import Pace

log = structlog.get_logger()

_ROBOTS_KEPT = 64  # sites whose robots.txt is remembered
_PERMANENT = (301, 308)
_HOME = re.compile(r"/?(?:[a-z]{2}(?:-[a-z]{2})?/?)?(?:(?:index|default|home)\.\w{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float = 10.0
    """For one call of `facts` or `health` with all its requests; waiting for a turn at a host is not counted."""
    body: int = 2 * 1024 * 1024
    """Bytes of one answer after decompression. Longer pages and files are read so far."""
    redirects: int = 5
    pause: float = 1.0
    """Seconds between two requests to a host."""
    robots: float = 86_400.0
    """Seconds a robots.txt is remembered; RFC 9309, section 2.4, allows a day."""
    pdf: pdf.Limits = field(default_factory=pdf.Limits)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """The answer at the end of the redirects."""

    answer: Answer
    url: URL
    final: str
    """The address to be told: the last one that holds no secret, the first one as it was asked for."""
    moved: str | None
    """Where the redirects lead as long as they are permanent."""


class Fetcher:
    """Fetches pages; an async context manager. One may be shared by many tasks of an event loop."""

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
        self._door = Door(resolve, public)
        self._pace = Pace(self._limits.pause, clock, sleep)
        self._robots: OrderedDict[str, tuple[float, Robots]] = OrderedDict()
        self._one_pdf = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._door.__aexit__(kind, error, trace)

    async def facts(self, url: str) -> Facts:
        """What the address leads to. Raises `FetchError` and nothing else (but `CancelledError`)."""
        with _translated():
            async with self._in_time() as limit, self._arrival("GET", url, limit) as arrival:
                answer = arrival.answer
                _expect_success(answer.status)
                kind = kind_of(answer.content_type, await answer.body(SNIFFED), arrival.url.raw_path)
                body = await answer.body({"html": html_meta.LONGEST, "pdf": self._limits.body}.get(kind, 0))
            if kind == "html":
                return _page(arrival.final, html_meta.read(body, answer.content_type, str(arrival.url)))
            if kind == "pdf":
                async with self._one_pdf:
                    paper = await pdf.read(body, self._limits.pdf)
                return Facts(
                    arrival.final, kind, paper.title, paper.description, None, paper.author, None, paper.language
                )
            return Facts(arrival.final, kind)

    async def health(self, url: str) -> Health:
        """Is the page still there? Raises nothing (but `CancelledError`): what cannot be told is `unsure`."""
        try:
            with _translated():
                return await self._health(url)
        except FetchError as error:
            return Health(State.UNSURE, url, reason=error.reason)

    async def _health(self, url: str) -> Health:
        async with self._in_time() as limit:
            try:
                health = await self._asked_how(url, "HEAD", limit)
            except FetchError as error:
                if error.reason is not Reason.UNREADABLE:
                    raise
                health = None
            if health is None or health.state not in (State.OK, State.MOVED):
                health = await self._asked_how(url, "GET", limit)  # not all servers answer HEAD truthfully
            return health

    async def _asked_how(self, url: str, method: str, limit: asyncio.Timeout) -> Health:
        async with self._arrival(method, url, limit) as arrival:
            status, final = arrival.answer.status, arrival.final
        if status in (404, 410):
            return Health(State.GONE, final, status)
        if not 200 <= status < 300:
            return Health(State.UNSURE, final, status)
        if _is_home(arrival.url) and not _is_home(URL(url, encoded=True)):
            return Health(State.UNSURE, final, status)  # many sites send to their home page what they no longer have
        if arrival.moved:
            return Health(State.MOVED, arrival.moved, status)
        return Health(State.OK, final, status)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[asyncio.Timeout]:
        try:
            async with asyncio.timeout(self._limits.seconds) as limit:
                yield limit
        except TimeoutError:
            raise FetchError(Reason.TIMEOUT) from None

    @asynccontextmanager
    async def _arrival(
        self, method: str, url: str, limit: asyncio.Timeout, *, mind_robots: bool = True
    ) -> AsyncIterator[_Arrival]:
        """Follows redirects, each of which is checked like the first address."""
        asked = checked(url, self._policy, self._public)
        final = url
        moved: str | None = None
        permanent = True
        for _ in range(self._limits.redirects + 1):
            if mind_robots:
                await self._mind_robots(asked, limit)
            async with self._asked(method, asked, limit) as answer:
                if answer.location is None:
                    yield _Arrival(answer, asked, final, moved)
                    return
            asked = redirected(asked, answer.location, self._policy, self._public)
            permanent = permanent and answer.status in _PERMANENT
            if not may_use_up(str(asked)):
                final = str(asked)
                moved = final if permanent else moved
        raise FetchError(Reason.TOO_MANY_REDIRECTS)

    @asynccontextmanager
    async def _asked(self, method: str, url: URL, limit: asyncio.Timeout) -> AsyncIterator[Answer]:
        """One answer, when it is our turn at the host; the time until then is not counted."""
        loop = asyncio.get_running_loop()
        left = (limit.when() or loop.time()) - loop.time()
        limit.reschedule(None)
        async with self._pace.turn(url.raw_host or ""):
            limit.reschedule(loop.time() + left)
            async with self._door.ask(method, url) as answer:
                yield answer

    async def _mind_robots(self, url: URL, limit: asyncio.Timeout) -> None:
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
        """RFC 9309, section 2.3.1: no such file (4xx) allows everything, a server in trouble (5xx) nothing for now."""
        try:
            async with self._arrival("GET", f"{site}/robots.txt", limit, mind_robots=False) as arrival:
                status = arrival.answer.status
                if status == 429 or status >= 500:
                    raise FetchError(Reason.UNAVAILABLE, "robots.txt")
                if 200 <= status < 300:
                    return robots.parse(await arrival.answer.body(robots.LONGEST), AGENT)
        except FetchError as error:
            # It was sent away to where we may not go; if that is true of the site itself, its page will say so.
            if error.reason not in (Reason.BLOCKED, Reason.TOO_MANY_REDIRECTS):
                raise
        return Robots()


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever a hostile answer, or our own machine, brings about: one address is not read, the others are."""
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


def _page(address: str, page: html_meta.Head) -> Facts:
    if page.title and is_wall(page.title):
        raise FetchError(Reason.REFUSED, "another page stands in front of it")
    return Facts(
        address,
        "html",
        page.title,
        page.description,
        page.site,
        page.author,
        page.published,
        page.language,
        page.canonical,
        page.alternates,
    )


def _is_home(url: URL) -> bool:
    return bool(_HOME.fullmatch(url.raw_path)) and not url.raw_query_string
