"""Fetching an address: who is reached, how much is read, how long it takes, and what it gives."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import ssl
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from plugins.knowledge.fetch.facts import Facts, FetchError, Reason, retry_after
from plugins.knowledge.fetch.fetcher import Limits
from plugins.knowledge.fetch.http_client import USER_AGENT, HttpClient, system_resolver
from plugins.knowledge.fetch.ssrf_guard import IP, is_public
from tests.knowledge.fetch.site import INNER, PUBLIC, Script, Web, dripping, endless, page, running, to
from tests.tiers import examples

QUICK = Limits(pause=0, seconds=0.4)
SHORT = "<title>Gifts and hospitality</title>"
ALL_ALLOWED = page(content_type="text/plain", body="User-agent: *\nDisallow:\n")


async def refused(web: Web, url: str, **options: object) -> FetchError:
    async with web.fetcher(**options) as fetcher:  # type: ignore[arg-type]  # a test's own options
        with pytest.raises(FetchError) as caught:
            await fetcher.facts(url)
    assert isinstance(caught.value.reason, Reason)
    return caught.value


async def facts(web: Web, url: str, **options: object) -> Facts:
    async with web.fetcher(**options) as fetcher:  # type: ignore[arg-type]  # a test's own options
        return await fetcher.facts(url)


async def test_a_page_gives_its_facts(web: Web) -> None:
    web.public.pages["/a"] = page(SHORT.replace(">G", " lang=es>G"), etag="x")
    assert await facts(web, web.url("/a#part")) == Facts(web.url("/a#part"), "html", "Gifts and hospitality")
    assert web.public.asked == ["GET /robots.txt", "GET /a"]


async def test_a_request_says_who_asks_and_nothing_else(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookies, no credentials of the machine, no proxy of the environment."""
    monkeypatch.setenv("http_proxy", f"http://{INNER}:{web.port}")
    monkeypatch.setenv("HTTP_PROXY", f"http://{INNER}:{web.port}")
    web.public.pages |= {"/a": to("/b"), "/b": page(SHORT, set_cookie="b=2"), "/c": page(SHORT)}
    web.public.pages["/a"] = page(status="302 Found", location="/b", set_cookie="a=1; Domain=example.org")
    async with web.fetcher() as fetcher:
        await fetcher.facts(web.url("/a"))
        await fetcher.facts(web.url("/c"))
    assert not web.inner.connections
    for request in web.public.requests:
        lines = request.lower().split("\r\n")
        fields = {line.partition(":")[0] for line in lines[1:] if line}
        assert fields <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert f"user-agent: {USER_AGENT}".lower() in lines


# Who is reached

NAMED = {
    "localhost": ["127.0.0.1"], "internal.example.org": [INNER], "v6.example.org": ["::1"],
    "mixed.example.org": [PUBLIC, INNER], "mixed6.example.org": [PUBLIC, "::1"], "zoned.example.org": ["fe80::1%lo"],
    "mapped.example.org": ["::ffff:127.0.0.1"], "nat64.example.org": ["64:ff9b::7f00:1"],
    "odd.example.org": ["127.1"],
    "127.0.0.1.nip.io": ["127.0.0.1"], "0x7f.1": ["127.0.0.1"],
}  # fmt: skip
HOSTS = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "127.0.0.1", "127.0.0.2", "0", "2130706433", "127.1", "0177.0.0.1", "0x7f000001", "0x7f.1", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1%251]", "①②⑦.⓪.⓪.①", "127。0。0。1", "user:pw@127.0.0.1", "example.com@127.0.0.1",
    "127.0.0.1\\@site.example.org", "127.0.0.1%00.site.example.org", *NAMED,
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
async def test_no_private_address_is_reached_however_it_is_named(web: Web, host: str) -> None:
    web.names |= NAMED
    for site in (web.public, web.inner):
        site.pages["/"] = page(SHORT)
    error = await refused(web, web.url("/", host), public=is_public)
    assert error.reason is Reason.BLOCKED
    assert error.permanent
    assert not web.public.connections + web.inner.connections


@pytest.mark.parametrize("host", HOSTS)
async def test_no_redirect_reaches_a_private_address(web: Web, host: str) -> None:
    web.names |= NAMED | {"localhost": [INNER], "127.0.0.2.nip.io": [INNER], "0x7f.1": [INNER]}
    web.public.pages["/a"] = to(web.url("/b", host.replace("127.0.0.1", INNER)))
    error = await refused(web, web.url("/a"))
    assert error.reason is Reason.BLOCKED
    assert not web.inner.connections
    assert "GET /b" not in web.public.asked


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "http://[", "//a:b@x/"]
)
async def test_no_redirect_leaves_the_web(web: Web, location: str) -> None:
    web.public.pages["/a"] = to(location)
    assert (await refused(web, web.url("/a"))).reason is Reason.BLOCKED


async def test_a_name_that_turns_private_after_it_was_public_is_not_followed(web: Web) -> None:
    """DNS rebinding: names are asked for once per connection, and each answer is checked."""
    web.turns["rebound.example.org"] = itertools.chain([[PUBLIC]], itertools.repeat([INNER]))
    error = await refused(web, web.url("/", "rebound.example.org"))
    assert error.reason is Reason.BLOCKED
    assert web.public.asked == ["GET /robots.txt"]
    assert not web.inner.connections


async def test_a_resolver_that_lies_to_the_first_check_is_caught_at_the_socket(web: Web) -> None:
    checks = itertools.count()

    def fooled_once(ip: IP) -> bool:
        return str(ip) == PUBLIC or next(checks) == 0

    error = await refused(web, web.url("/", "inner.example.org"), public=fooled_once)
    assert error.reason is Reason.BLOCKED
    assert next(checks) > 1
    assert not web.inner.connections


@pytest.mark.parametrize("host", [INNER, "inner.example.org"])
async def test_the_door_itself_connects_to_public_addresses_only(web: Web, host: str) -> None:
    """Even where somebody forgot the guard."""
    async with HttpClient(web.resolve, lambda ip: str(ip) == PUBLIC) as client:
        with pytest.raises(FetchError) as caught:
            async with client.request("GET", URL(web.url("/", host))):
                pass
    assert caught.value.reason is Reason.BLOCKED
    assert not web.inner.connections


async def test_the_machines_own_resolver_is_checked_like_any_other(web: Web) -> None:
    assert "127.0.0.1" in await system_resolver("localhost")
    async with HttpClient(system_resolver, is_public) as client:
        with pytest.raises(FetchError) as caught:
            async with client.request("GET", URL(web.url("/", "localhost"))):
                pass
    assert caught.value.reason is Reason.BLOCKED
    assert not web.public.connections


async def test_an_unknown_name_is_a_matter_of_dns(web: Web) -> None:
    error = await refused(web, web.url("/", "nowhere.example.org"))
    assert (error.reason, error.permanent) == (Reason.DNS, False)


@pytest.mark.parametrize("trouble", [UnicodeError("label too long"), OSError(), TimeoutError(), ValueError("x")])
async def test_whatever_a_resolver_raises_becomes_a_fetch_error(web: Web, trouble: Exception) -> None:
    async def resolve(host: str) -> list[str]:
        raise trouble

    assert not (await refused(web, web.url("/"), resolve=resolve)).permanent


async def test_a_site_that_nobody_serves_is_unreachable(web: Web) -> None:
    web.names["gone.example.org"] = ["127.0.0.3"]
    error = await refused(web, web.url("/", "gone.example.org"), public=lambda ip: True)
    assert (error.reason, error.permanent) == (Reason.UNREACHABLE, False)


async def test_a_site_without_the_tls_it_promises_is_a_matter_of_tls(web: Web) -> None:
    error = await refused(web, web.url("/").replace("http:", "https:"))
    assert (error.reason, error.permanent) == (Reason.TLS, False)


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(web: Web, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path / "both.pem"))
    async with await asyncio.start_server(web.inner.serve, "127.0.0.3", web.port, ssl=context):
        web.names["site.example.org"] = ["127.0.0.3"]
        error = await refused(web, web.url("/").replace("http:", "https:"), public=lambda ip: True)
    assert (error.reason, web.inner.asked) == (Reason.TLS, [])


def _self_signed(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example.org")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    return file


# Redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_five_redirects_are_followed(web: Web, status: str) -> None:
    web.public.pages |= {f"/{hop}": to(f"{hop + 1}", status) for hop in range(5)} | {"/5": page(SHORT)}
    assert (await facts(web, web.url("/0"))).final_url == web.url("/5")


@pytest.mark.parametrize("pages", [{"/0": to("/0")}, {f"/{hop}": to(f"/{hop + 1}") for hop in range(50)}])
async def test_more_redirects_are_not_followed(web: Web, pages: dict[str, bytes]) -> None:
    web.public.pages |= pages
    assert (await refused(web, web.url("/0"))).reason is Reason.TOO_MANY_REDIRECTS
    assert len(web.public.asked) == 7  # robots.txt, the address, five redirects


async def test_the_lists_of_hosts_hold_for_redirects_too(web: Web) -> None:
    web.public.pages |= {"/a": to(web.url("/b", "other.example.org")), "/b": page(SHORT)}
    assert (await refused(web, web.url("/a"), policy={"deny": ("other.example.org",)})).reason is Reason.BLOCKED
    assert (await refused(web, web.url("/a"), policy={"allow": ("site.example.org",)})).reason is Reason.BLOCKED
    assert (await facts(web, web.url("/a"))).title


async def test_a_signature_made_for_us_is_used_and_not_told(web: Web) -> None:
    """Libraries keep their files in a store and send readers there with a key of some minutes."""
    web.public.pages |= {
        "/a": to("/b", "301 x"),
        "/b": to("/c?X-Amz-Signature=abc&x=1"),
        "/c?X-Amz-Signature=abc&x=1": page(SHORT),
    }
    assert await facts(web, web.url("/a")) == Facts(web.url("/b"), "html", "Gifts and hospitality")


@pytest.mark.parametrize("location", ["/unsubscribe?u=1", "/?token=abc", "/magic-link/1", "/?sig=1&access_token=2"])
async def test_a_redirect_to_what_may_be_used_up_is_not_followed(web: Web, location: str) -> None:
    web.public.pages["/a"] = to(location)
    assert (await refused(web, web.url("/a"))).reason is Reason.BLOCKED
    assert web.public.asked == ["GET /robots.txt", "GET /a"]


# How long, and how much

SLOW: dict[str, Script] = {
    "headers": dripping(b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "more headers": dripping(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "body": dripping(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>a</title>", b"<"),
    "nothing": dripping(b"", b""),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
async def test_a_server_that_takes_its_time_gets_no_more_than_ours(web: Web, script: Script) -> None:
    web.public.pages |= {"/robots.txt": ALL_ALLOWED, "/a": script}
    error = await refused(web, web.url("/a"), limits=QUICK)
    assert (error.reason, error.permanent) == (Reason.TIMEOUT, False)


async def test_a_slow_robots_txt_and_slow_redirects_count_too(web: Web) -> None:
    web.public.pages["/robots.txt"] = SLOW["headers"]
    assert (await refused(web, web.url("/a"), limits=QUICK)).reason is Reason.TIMEOUT


async def test_a_slow_resolver_counts_too(web: Web) -> None:
    async def resolve(host: str) -> list[str]:
        await asyncio.sleep(60)
        return []

    assert (await refused(web, web.url("/a"), limits=QUICK, resolve=resolve)).reason is Reason.TIMEOUT


START = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"


@pytest.mark.parametrize("more", [b"<div>" * 10_000, b"<a " * 20_000, b"\0" * 60_000, b"<!--" * 20_000])
async def test_a_page_without_end_is_read_to_its_head(web: Web, more: bytes) -> None:
    """A hundred megabytes of nested tags and the like; nobody waits for the end."""
    web.public.pages["/a"] = endless(START + b"\r\n" + SHORT.encode(), more)
    assert (await facts(web, web.url("/a"))).title == "Gifts and hospitality"


@pytest.mark.slow
async def test_a_file_without_end_is_read_to_the_limit(web: Web) -> None:
    web.public.pages["/a"] = endless(START.replace(b"text/html", b"application/pdf") + b"\r\n%PDF-1.7\n", b"0" * 60_000)
    assert await facts(web, web.url("/a")) == Facts(web.url("/a"), "pdf")


def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(SHORT.encode()), *(packer.compress(b"<p>" * 350_000) for _ in range(megabytes))]
    return b"".join([*parts, packer.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_cut(web: Web, encoding: str) -> None:
    data = _bomb(40)
    assert len(data) < 200_000
    if encoding == "deflate":
        data = zlib.compress(SHORT.encode() + b"<p>" * 4_000_000, 9)
    web.public.pages["/a"] = page(data, content_encoding=encoding)
    assert (await facts(web, web.url("/a"))).title == "Gifts and hospitality"


async def test_bombs_in_each_other_are_not_unpacked(web: Web) -> None:
    web.public.pages["/a"] = page(gzip.compress(gzip.compress(SHORT.encode())), content_encoding="gzip, gzip")
    assert (await facts(web, web.url("/a"))).title is None


@pytest.mark.parametrize(
    "head",
    [b"x: " + b"y" * 50_000, b"".join(b"x%d: y\r\n" % number for number in range(200_000))[:-2]],
    ids=["a long line", "many lines"],
)
async def test_a_head_without_end_is_not_read(web: Web, head: bytes) -> None:
    web.public.pages["/a"] = START + head + b"\r\n\r\n" + SHORT.encode()
    assert (await refused(web, web.url("/a"))).reason is Reason.TOO_LARGE


async def test_a_line_of_fifty_megabytes_is_not_read(web: Web) -> None:
    web.public.pages["/a"] = endless(START + b"x: ", b"y" * 500_000)
    assert (await refused(web, web.url("/a"))).reason is Reason.TOO_LARGE


# Servers that lie


async def test_a_page_that_is_shorter_than_it_says_is_read_as_it_came(web: Web) -> None:
    web.public.pages["/a"] = page(SHORT, content_length=str(len(SHORT) + 1_000))
    assert (await facts(web, web.url("/a"))).title == "Gifts and hospitality"


async def test_a_page_that_is_longer_than_it_says_is_not_believed(web: Web) -> None:
    web.public.pages["/a"] = page(SHORT, content_length="3")
    assert (await refused(web, web.url("/a"))).reason is Reason.UNREADABLE


BROKEN = {
    "a negative length": page(SHORT, content_length="-1"),
    "no length": page(SHORT, content_length="x"),
    "two lengths": page(SHORT, content_length="3, 4"),
    "broken chunks": START + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "broken gzip": page(b"\x1f\x8bnonsense", content_encoding="gzip"),
    "unknown encoding": page(SHORT, content_encoding="br"),
    "no http": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "silence": b"",
    "no status": b"HTTP/1.1\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-type: text/ht",
    "not modified": page(status="304 Not Modified"),
    "another protocol": page(status="101 Switching Protocols", upgrade="websocket", connection="upgrade"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_no_http_is_unreadable(web: Web, answer: bytes) -> None:
    web.public.pages["/a"] = answer
    assert (await refused(web, web.url("/a"), limits=QUICK)).reason in (Reason.UNREADABLE, Reason.TIMEOUT)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the site is the same for all examples
@given(answer=st.one_of(st.binary(max_size=200), st.builds(lambda head, rest: START + head + b"\r\n\r\n" + rest,
       st.binary(max_size=60), st.binary(max_size=200))))  # fmt: skip
def test_nothing_but_a_fetch_error_comes_out_whatever_a_server_answers(answer: bytes) -> None:
    async def ask() -> None:
        async with running() as web:
            web.public.pages |= {"/a": answer, "/robots.txt": answer[::-1]}
            async with web.fetcher(limits=QUICK) as fetcher:
                for url in (web.url("/a"), web.url(f"/{answer!r}")):
                    with suppress(FetchError):
                        assert (await fetcher.facts(url)).kind
                    assert (await fetcher.health(url)).state

    asyncio.run(ask())


async def test_a_cancelled_fetch_is_cancelled(web: Web) -> None:
    web.public.pages["/a"] = SLOW["body"]
    async with web.fetcher() as fetcher:
        task = asyncio.create_task(fetcher.facts(web.url("/a")))
        await web.public.was_asked.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        web.public.pages["/b"] = page(SHORT)
        assert (await fetcher.facts(web.url("/b"))).title


STATUSES = {
    400: (Reason.REFUSED, False), 401: (Reason.REFUSED, False), 403: (Reason.REFUSED, False),
    404: (Reason.NOT_FOUND, False), 410: (Reason.NOT_FOUND, True), 429: (Reason.UNAVAILABLE, False),
    451: (Reason.REFUSED, False), 500: (Reason.UNAVAILABLE, False), 503: (Reason.UNAVAILABLE, False),
    999: (Reason.UNAVAILABLE, False),
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
async def test_an_error_says_whether_asking_again_may_help(web: Web, status: int) -> None:
    web.public.pages["/a"] = page(SHORT, status=f"{status} x")
    error = await refused(web, web.url("/a"))
    assert (error.reason, error.permanent) == STATUSES[status]


def test_a_failed_fetch_is_tried_again_after_an_hour_a_day_and_a_week() -> None:
    hour = 60 * 60 * 1000
    assert [retry_after(tries) for tries in (1, 2, 3, 4, 5)] == [hour, 24 * hour, 7 * 24 * hour, None, None]


@pytest.mark.parametrize("title", ["Just a moment...", "Access Denied", "Sign in - Accounts", "Página no encontrada"])
async def test_a_wall_in_front_of_a_page_is_not_taken_for_it(web: Web, title: str) -> None:
    web.public.pages["/a"] = page(f"<title>{title}</title>")
    error = await refused(web, web.url("/a"))
    assert (error.reason, error.permanent) == (Reason.REFUSED, False)


async def test_a_file_is_known_by_its_first_bytes_and_not_read_further(web: Web) -> None:
    head = START.replace(b"text/html", b"application/octet-stream") + b"\r\n"
    web.public.pages["/a"] = endless(head + b"PK\x03\x04" + b"." * 26 + b"word/document.xml", b"0" * 60_000)
    assert await facts(web, web.url("/a")) == Facts(web.url("/a"), "docx")
