"""Two addresses meet exactly if they are one page, as the rules in `canonical` say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from plugins.knowledge.urls.canonical import canonical, without_credentials

ADDRESSES = [
    resource["url"]
    for resource in yaml.safe_load((Path(__file__).parents[2] / "data/resources.yaml").read_text(encoding="utf-8"))
]

SAME = [
    ("https://Example.ORG/a", "HTTPS://example.org/a"),
    ("https://example.org", "https://example.org/"),
    ("https://example.org:443/a", "https://example.org/a"),
    ("http://example.org:80/a", "http://example.org/a"),
    ("http://example.org:/a", "http://example.org/a"),
    ("https://example.org./a", "https://example.org/a"),
    ("https://münchen.de/", "https://xn--mnchen-3ya.de/"),
    ("https://MÜNCHEN.de/", "https://xn--MNCHEN-3ya.DE/"),
    ("https://mu\u0308nchen.de/", "https://xn--mnchen-3ya.de/"),
    ("https://m%C3%BCnchen.de/", "https://xn--mnchen-3ya.de/"),
    ("https://aduanas。example/", "https://aduanas.example/"),
    ("https://example.org/a/./b/../c", "https://example.org/a/c"),
    ("https://example.org/a/%2e%2E/c", "https://example.org/c"),
    ("https://example.org/../../c", "https://example.org/c"),
    ("https://example.org/a/b/..", "https://example.org/a/"),
    ("https://example.org/%7Eana/%c3%a9", "https://example.org/~ana/é"),
    ("https://example.org/100%", "https://example.org/100%25"),
    ("https://example.org/a#section-2", "https://example.org/a"),
    ("https://example.org/a?utm_source=x&UTM_Medium=y", "https://example.org/a"),
    ("https://example.org/a?p=1&fbclid=x&q=2", "https://example.org/a?p=1&q=2"),
    ("https://example.org/a?utm%5Fsource=x&p=1", "https://example.org/a?p=1"),
    ("https://example.org/a?", "https://example.org/a"),
    ("https://youtu.be/abc?si=xyz", "https://youtu.be/abc"),
    ("https://www.youtube.com/watch?v=abc&si=xyz", "https://www.youtube.com/watch?v=abc"),
    ("https://open.spotify.com/episode/1?si=xyz", "https://open.spotify.com/episode/1"),
    ("https://user:secret@example.org/a", "https://example.org/a"),
    ("https://[2001:DB8::0:1]/", "https://[2001:db8::1]/"),
    ("https://[::ffff:192.0.2.1]/", "https://[::FFFF:C000:201]/"),
    ("https://☃\ufe0f.example/", "https://xn--n3h.example/"),
    ("https://exa\u00admple.org/", "https://example.org/"),
    ("https://ｅｘａｍｐｌｅ．ｏｒｇ/", "https://example.org/"),
    ("http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"),
    ("https://x.com/ana/status/1?s=20&t=abc", "https://x.com/ana/status/1"),
    ("https://www.instagram.com/p/abc/?igsh=xyz", "https://www.instagram.com/p/abc/"),
    ("https://www.linkedin.com/posts/abc?utm_source=share&rcm=xyz", "https://www.linkedin.com/posts/abc"),
    ("https://www.youtube.com/watch?v=abc&feature=youtu.be&pp=xyz", "https://www.youtube.com/watch?v=abc"),
]

DIFFERENT = [
    ("http://example.org/", "https://example.org/"),
    ("https://example.org/", "https://www.example.org/"),
    ("https://example.org/a", "https://example.org/a/"),
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org:8443/", "https://example.org/"),
    ("https://example.org/a//b", "https://example.org/a/b"),
    ("https://example.org/?a=1&b=2", "https://example.org/?b=2&a=1"),
    ("https://example.org/?x=", "https://example.org/"),
    ("https://example.org/?x=", "https://example.org/?x"),
    ("https://example.org/?u=a%2Fb", "https://example.org/?u=a/b"),
    ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ("https://example.org/?q=a+b", "https://example.org/?q=a%2Bb"),
    ("https://example.org/?si=1", "https://example.org/?si=2"),
    ("https://example.org/?s=gifts&t=1", "https://example.org/?s=policy&t=1"),
    ("https://example.org/?feature=a&trk=b", "https://example.org/"),
    ("https://notx.com/?s=1", "https://notx.com/?s=2"),
    ("https://notyoutube.com/?si=1", "https://notyoutube.com/?si=2"),
    ("https://example.org/?ref=1", "https://example.org/"),
    ("https://oas.org/p.asp?sCodigo=C-314/12", "https://oas.org/p.asp?sCodigo=C-026/16"),
    ("https://www.youtube.com/watch?v=abc", "https://www.youtube.com/watch?v=abd"),
    ("https://app.example.org/#!/a", "https://app.example.org/#!/b"),
    ("https://app.example.org/#/a", "https://app.example.org/"),
    ("https://faß.de/", "https://fass.de/"),
    ("https://example.org/%2525", "https://example.org/%25"),
]

NO_LINK = [
    "", "example.org", "//example.org/x", "ftp://example.org/", "javascript:alert(1)", "file:///etc/passwd",
    "mxc://example.org/abc", "matrix:r/room:example.org", "https://", "https:///x", "https://a..b/", "http://.../",
    "https://exa mple.org/", "https://example.org/a\nb", "https://example.org:99999/", "https://example.org:0/",
    "https://example.org:x/", "http://127.0.0.1\\@example.com/", "http://127.0.0.1%00.example.com/",
    f"https://{'a' * 64}.org/", "https://[::1/", "https://[fe80::1%25eth0]/", "https://[nonsense]/",
    "https://exa<mple.org/", "https://a%ff.org/", "see https://example.org/",
    "https://a\u202eb.org/", "https://\u2100.example/", f"https://{'a.' * 127}org/", f"https://{'é.' * 60}org/",
    "https://user@/", "https://%2F/", "https://[::1%1]/",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_pages_meet(one: str, other: str) -> None:
    assert canonical(one) == canonical(other) is not None


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_pages_do_not_meet(one: str, other: str) -> None:
    assert None not in (canonical(one), canonical(other))
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize("text", NO_LINK)
def test_what_is_no_web_address_has_no_key(text: str) -> None:
    assert canonical(text) is None


@given(st.text())
@example("http://\ud800/")
@example("https://\u2100.example/")
def test_any_text_has_a_key_or_none(text: str) -> None:
    for address in (text, "https://" + text, "https://example.org/" + text):
        key = canonical(address)
        assert key is None or canonical(key) == key


letters = st.text("abcxyzABC019-", min_size=1, max_size=8)
hosts = st.builds("{}.{}".format, st.text("abcñüéжم漢019", min_size=1, max_size=12), st.sampled_from(["org", "int"]))
segments = st.lists(st.text("aB9-._~!$'()*+,;=:@é%[]{}|^", max_size=6), max_size=4)
pairs = st.lists(
    st.builds("{}={}".format, letters, st.text("aB9-/?:@é%+", max_size=6)).filter(
        lambda pair: not pair.lower().startswith("si=")
    ),
    max_size=4,
)
tracking = st.sampled_from(["utm_source=x", "utm_x", "fbclid=1", "GCLID=2", "mc_eid=", "_hsmi=7"])


@given(hosts, segments, pairs)
def test_keys_are_stable(host: str, path: list[str], query: list[str]) -> None:
    """A key is the key of itself, however odd the address."""
    key = canonical(f"https://{host}/{'/'.join(path)}?{'&'.join(query)}")
    assert key is not None
    assert canonical(key) == key


@given(hosts, segments, pairs, st.data())
def test_tracking_credentials_fragment_and_case_change_nothing(
    host: str, path: list[str], query: list[str], data: st.DataObject
) -> None:
    clean = f"https://{host}/{'/'.join(path)}?{'&'.join(query)}"
    noisy = list(query)
    for extra in data.draw(st.lists(tracking, max_size=3)):
        noisy.insert(data.draw(st.integers(0, len(noisy))), extra)
    other = f"HTTPS://ana:pw@{host.upper()}.:443/x/../{'/'.join(path)}?{'&'.join(noisy)}#part-1"
    assert canonical(other) == canonical(clean)


@given(hosts, st.lists(pairs, min_size=2, max_size=2, unique_by=tuple))
def test_queries_that_differ_are_different_pages(host: str, queries: list[list[str]]) -> None:
    one, other = ("&".join(query) for query in queries)
    keys = {canonical(f"https://{host}/?{query}") for query in (one, other)}
    assert len(keys) == 2 or _meaning(one) == _meaning(other)


def _meaning(query: str) -> str:
    """Only a lone `%`, which is the same as `%25`, may make two spellings of these alphabets one."""
    return query.replace("%", "%25").replace("%2525", "%25")


@pytest.mark.parametrize("url", ADDRESSES)
def test_real_addresses_keep_all_that_tells_them_apart(url: str) -> None:
    """None of the sample resources has anything to lose but its spelling."""
    assert canonical(url) == url
    spelled = url.replace("https://", "HTTPS://ana@", 1).replace("http://", "HTTP://ana@", 1)
    assert canonical(f"{spelled}#page-2") == url


@given(st.text(st.sampled_from("aZ.:@[]%-_/?#&=;éß漢。\u200d\u202e\\ \t"), max_size=60))
def test_hostile_hosts_have_a_key_or_none(text: str) -> None:
    for address in (f"https://{text}", f"http://{text}/", f"https://example.org{text}"):
        key = canonical(address)
        assert key is None or (key.isascii() and canonical(key) == key)


def test_credentials_leave_a_posted_address() -> None:
    assert without_credentials("https://ana:pw@example.org/a@b?c=@d#e") == "https://example.org/a@b?c=@d#e"
    assert without_credentials("https://example.org/a@b") == "https://example.org/a@b"
