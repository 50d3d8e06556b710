"""A polite visitor: robots.txt is kept to, and no host is asked twice at once or too quickly."""

from __future__ import annotations

import asyncio

import pytest

from plugins.knowledge.fetch import robots
from plugins.knowledge.fetch.facts import FetchError, Reason
from plugins.knowledge.fetch.fetcher import Limits
from plugins.knowledge.fetch.throttle import HostThrottle
from tests.knowledge.fetch.site import Beats, Web, page, to

PAGE = page("<title>Gifts and hospitality</title>")
STAY_OUT = page(content_type="text/plain", body="User-agent: *\nDisallow: /private/\n")


async def test_what_a_site_keeps_from_programs_is_not_asked_for(web: Web) -> None:
    web.public.pages |= {"/robots.txt": STAY_OUT, "/private/a": PAGE, "/b": PAGE, "/c": to("/private/a")}
    async with web.fetcher() as fetcher:
        assert (await fetcher.facts(web.url("/b"))).title
        for path in ("/private/a", "/c"):
            with pytest.raises(FetchError) as caught:
                await fetcher.facts(web.url(path))
            assert (caught.value.reason, caught.value.permanent) == (Reason.ROBOTS, True)
        assert (await fetcher.health(web.url("/private/a"))).reason is Reason.ROBOTS
    assert web.public.asked == ["GET /robots.txt", "GET /b", "GET /c"]


@pytest.mark.parametrize("status", ["401 x", "403 x", "404 x", "410 x"])
async def test_a_site_without_rules_allows_everything(web: Web, status: str) -> None:
    web.public.pages |= {"/robots.txt": page(status=status, body="User-agent: *\nDisallow: /"), "/a": PAGE}
    async with web.fetcher() as fetcher:
        assert (await fetcher.facts(web.url("/a"))).title


@pytest.mark.parametrize("status", ["429 x", "500 x", "503 x"])
async def test_a_site_in_trouble_is_left_alone_for_now(web: Web, status: str) -> None:
    web.public.pages |= {"/robots.txt": page(status=status), "/a": PAGE}
    async with web.fetcher() as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.facts(web.url("/a"))
        assert (caught.value.reason, caught.value.permanent) == (Reason.UNAVAILABLE, False)
        web.public.pages["/robots.txt"] = STAY_OUT
        assert (await fetcher.facts(web.url("/a"))).title
    assert "GET /a" in web.public.asked


async def test_rules_are_read_behind_redirects(web: Web) -> None:
    web.public.pages |= {"/robots.txt": to("/rules"), "/rules": STAY_OUT, "/private/a": PAGE}
    async with web.fetcher() as fetcher:
        with pytest.raises(FetchError):
            await fetcher.facts(web.url("/private/a"))


@pytest.mark.parametrize("location", ["/robots.txt", "http://127.0.0.2/", "file:///etc/passwd"])
async def test_rules_that_lead_nowhere_are_none(web: Web, location: str) -> None:
    web.public.pages |= {"/robots.txt": to(location), "/a": PAGE}
    async with web.fetcher() as fetcher:
        assert (await fetcher.facts(web.url("/a"))).title
    assert not web.inner.connections


async def test_rules_are_asked_for_once_a_day(web: Web) -> None:
    beats = Beats()
    web.public.pages["/a"] = PAGE
    async with web.fetcher(clock=beats, sleep=beats.sleep) as fetcher:
        for hour in (0, 23, 25):
            beats.now = hour * 3_600
            await fetcher.facts(web.url("/a"))
    assert web.public.asked.count("GET /robots.txt") == 2


async def test_a_host_is_asked_again_after_a_pause_and_another_at_once(web: Web) -> None:
    beats = Beats()
    web.public.pages["/a"] = PAGE
    async with web.fetcher(limits=Limits(pause=7), clock=beats, sleep=beats.sleep) as fetcher:
        await fetcher.facts(web.url("/a"))
        assert beats.waits == [7]  # between its robots.txt and the page
        beats.now += 5
        await fetcher.facts(web.url("/a"))
        assert beats.waits == [7, 2]
        await fetcher.facts(web.url("/a", "other.example.org"))
        assert beats.waits == [7, 2, 7]


async def test_waiting_for_a_turn_does_not_use_up_the_time_of_a_request(web: Web) -> None:
    beats = Beats()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0.4)

    web.public.pages["/a"] = PAGE
    async with web.fetcher(limits=Limits(pause=7, seconds=0.3), clock=beats, sleep=sleep) as fetcher:
        assert (await fetcher.facts(web.url("/a"))).title


async def test_a_host_is_asked_by_one_at_a_time() -> None:
    beats = Beats()
    throttle = HostThrottle(1, beats, beats.sleep)
    inside: list[str] = []

    async def visit(host: str) -> int:
        async with throttle.turn(host):
            inside.append(host)
            await asyncio.sleep(0)
            most = inside.count(host)
            inside.remove(host)
            return most

    assert set(await asyncio.gather(*(visit(f"{number % 3}.example.org") for number in range(30)))) == {1}


async def test_whoever_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    beats = Beats()
    throttle = HostThrottle(1, beats, beats.sleep)

    async def visit() -> bool:
        async with throttle.turn("example.org"):
            return True

    async with throttle.turn("example.org"):
        waiting = [asyncio.create_task(visit()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    assert await asyncio.gather(*waiting[1:]) == [True, True]


async def test_hosts_are_not_remembered_for_ever() -> None:
    beats = Beats()
    throttle = HostThrottle(1, beats, beats.sleep)
    for number in range(3_000):
        async with throttle.turn(f"{number}.example.org"):
            pass
    async with throttle.turn("0.example.org"):
        assert not beats.waits


RULES = b"""\xef\xbb\xbf# comments
User-agent: other-bot
User-Agent: FARO-BOT # us
Disallow: /a
Allow: /a/b$
Disallow: /*.pdf$
Disallow: /q?x=
Disallow:
Disallow: /%c3%a9t\xc3\xa9
nonsense
Crawl-delay: 10

User-agent: *
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/a", False), ("/abc", False), ("/a/b", True), ("/a/b/c", False), ("/x.pdf", False),
    ("/x.pdf?y", True),
     ("/A", True), ("/q?x=1", False), ("/q?y=1", True), ("/%C3%A9t%C3%A9", False), ("/été", False)],
)  # fmt: skip
def test_the_longest_rule_of_our_own_group_decides(path: str, allowed: bool) -> None:
    assert robots.parse(RULES, "faro-bot").allow(path) is allowed


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /\nAllow: /p", "/page", True),
        ("User-agent: *\nDisallow: /page\nAllow: /page", "/page", True),
        ("User-agent: *\nDisallow: *", "/", False),
        ("User-agent: *\nDisallow: /a*b*c$", "/a-b-c", False),
        ("User-agent: *\nDisallow: /a*b*c$", "/a-b-cd", True),
        ("User-agent: *\nDisallow: /a*bc$", "/abc", False),
        ("User-agent: *\nDisallow: /ab*bc$", "/abc", True),
        ("User-agent: faro-bot\nAllow: /\nUser-agent: *\nDisallow: /", "/a", True),
        ("User-agent: faro-bot\nDisallow: /a\nUser-agent: faro-bot\nDisallow: /b", "/b", False),
        ("User-agent: faro-bot-extra\nDisallow: /", "/a", True),
        ("Disallow: /", "/a", True),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent *\nDisallow /", "/a", True),
        ("<html><title>User-agent: *</title>", "/a", True),
    ],
)
def test_rules_are_read_as_rfc_9309_has_them(text: str, path: str, allowed: bool) -> None:
    assert robots.parse(text.encode(), "faro-bot").allow(path) is allowed


@pytest.mark.parametrize(
    "data",
    [b"User-agent: *\n" + b"Disallow: /" + b"*a" * 250_000, b"User-agent: *\n" + b"Disallow: /*a*a*a*a*b$\n" * 25_000,
     b"User-agent: *\n" * 40_000, b"\xff\xfe" * 300_000, b":" * 600_000],
)  # fmt: skip
def test_hostile_rules_are_read_in_bounded_time(data: bytes) -> None:
    """Bounded by the test's own time limit; patterns are matched without backtracking."""
    for _ in range(5):
        robots.parse(data, "faro-bot").allow("/" + "a" * 2_000)
