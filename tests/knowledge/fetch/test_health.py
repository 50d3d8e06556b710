"""Is a page still there? `moved` and `gone` are said only where the site says so itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plugins.knowledge.fetch.facts import FetchError, Health, Reason, State
from plugins.knowledge.fetch.fetcher import Limits
from tests.knowledge.fetch.site import Web, dripping, page, to

PAGE = page("<title>Gifts and hospitality</title>")
MOVED = "301 Moved Permanently"


async def health(web: Web, path: str, limits: Limits | None = None) -> Health:
    async with web.fetcher(limits=limits or Limits(pause=0)) as fetcher:
        return await fetcher.health(web.url(path))


async def test_a_page_that_is_there_is_asked_for_its_head_only(web: Web) -> None:
    web.public.pages["/a"] = PAGE
    assert await health(web, "/a") == Health(State.OK, web.url("/a"), 200)
    assert web.public.asked == ["GET /robots.txt", "HEAD /a"]


@pytest.mark.parametrize("status", ["400 x", "403 x", "404 x", "405 x", "500 x", "501 x"])
async def test_a_server_that_answers_no_head_is_asked_again_as_a_reader_would(web: Web, status: str) -> None:
    web.public.pages |= {"HEAD /a": page(status=status), "/a": PAGE}
    assert await health(web, "/a") == Health(State.OK, web.url("/a"), 200)
    assert web.public.asked[1:] == ["HEAD /a", "GET /a"]


async def test_a_server_that_breaks_off_at_a_head_is_asked_again_too(web: Web) -> None:
    web.public.pages |= {"HEAD /a": dripping(b"nonsense\r\n\r\n", b""), "/a": PAGE}
    assert (await health(web, "/a")).state is State.OK


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_its_site_no_longer_has_is_gone(web: Web, status: int) -> None:
    web.public.pages["/a"] = page(status=f"{status} x")
    assert await health(web, "/a") == Health(State.GONE, web.url("/a"), status)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_page_that_is_not_shown_is_not_gone(web: Web, status: int) -> None:
    web.public.pages["/a"] = page(status=f"{status} x")
    assert await health(web, "/a") == Health(State.UNSURE, web.url("/a"), status)


async def test_a_page_behind_permanent_redirects_has_moved(web: Web) -> None:
    web.public.pages |= {"/a": to("/b", MOVED), "/b": to("/c", "308 Permanent Redirect"), "/c": PAGE}
    assert await health(web, "/a") == Health(State.MOVED, web.url("/c"), 200)


async def test_a_page_behind_a_temporary_redirect_has_not_moved(web: Web) -> None:
    web.public.pages |= {"/a": to("/b"), "/b": PAGE}
    assert await health(web, "/a") == Health(State.OK, web.url("/b"), 200)


async def test_a_page_has_moved_as_far_as_its_redirects_are_permanent(web: Web) -> None:
    web.public.pages |= {"/a": to("/b", MOVED), "/b": to("/c"), "/c": PAGE}
    assert await health(web, "/a") == Health(State.MOVED, web.url("/b"), 200)


@pytest.mark.parametrize("home", ["/", "/es/", "/index.html", "/en-gb"])
async def test_who_is_sent_to_a_home_page_cannot_be_sure(web: Web, home: str) -> None:
    web.public.pages |= {"/guide/gifts": to(home, MOVED), home: PAGE}
    assert (await health(web, "/guide/gifts")).state is State.UNSURE


async def test_a_home_page_may_move_to_another(web: Web) -> None:
    web.public.pages |= {"/": to("/es/", MOVED), "/es/": PAGE}
    assert (await health(web, "/")).state is State.MOVED


async def test_a_redirect_to_a_missing_page_is_gone(web: Web) -> None:
    web.public.pages["/a"] = to("/b", MOVED)
    assert await health(web, "/a") == Health(State.GONE, web.url("/b"), 404)


@pytest.mark.parametrize(
    ("location", "reason"), [("http://127.0.0.2/", Reason.BLOCKED), ("/a", Reason.TOO_MANY_REDIRECTS)]
)
async def test_what_cannot_be_followed_is_unsure_and_says_why(web: Web, location: str, reason: Reason) -> None:
    web.public.pages["/a"] = to(location)
    assert await health(web, "/a") == Health(State.UNSURE, web.url("/a"), reason=reason)
    assert not web.inner.connections


async def test_a_server_that_says_nothing_is_unsure(web: Web) -> None:
    web.public.pages |= {"/robots.txt": page(status="404 x"), "/a": dripping(b"", b"")}
    silent = await health(web, "/a", Limits(pause=0, seconds=0.3))
    assert silent == Health(State.UNSURE, web.url("/a"), reason=Reason.TIMEOUT)


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1/", "file:///etc/passwd", "http://a\ud800/", "http://" + "a" * 70]
)
async def test_an_address_that_may_not_be_asked_is_unsure(web: Web, url: str) -> None:
    async with web.fetcher() as fetcher:
        assert await fetcher.health(url) == Health(State.UNSURE, url, reason=Reason.BLOCKED)


async def test_our_own_trouble_with_one_page_is_no_trouble_for_the_others(web: Web) -> None:
    """Where a machine has no threads left, say: nothing but `FetchError` comes out, so that a job goes on."""

    async def no_thread(host: str) -> Sequence[str]:
        raise RuntimeError("can't start new thread")

    async with web.fetcher(limits=Limits(pause=0), resolve=no_thread) as fetcher:
        assert await fetcher.health(web.url("/a")) == Health(State.UNSURE, web.url("/a"), reason=Reason.UNREADABLE)
        with pytest.raises(FetchError, match="RuntimeError"):
            await fetcher.facts(web.url("/a"))
