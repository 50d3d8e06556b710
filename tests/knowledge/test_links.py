"""A message shares the links a person sees in it, each page once, in the sharer's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.links import LONGEST_LINK, LONGEST_NOTE, MOST, Link, shared

PLAIN = [
    ("see https://example.org/a.", ["https://example.org/a"]),
    ("https://example.org/a, https://example.org/b; and https://example.org/c!", ["a", "b", "c"]),
    ("(https://example.org/a)", ["https://example.org/a"]),
    ("(see https://example.org/wiki/A_(b))", ["https://example.org/wiki/A_(b)"]),
    ("“https://example.org/a…”", ["https://example.org/a"]),
    ("«https://example.org/a»", ["https://example.org/a"]),
    ("‘https://example.org/a’", ["https://example.org/a"]),
    ("<https://example.org/a>", ["https://example.org/a"]),
    ("HTTPS://EXAMPLE.ORG/A?", ["HTTPS://EXAMPLE.ORG/A"]),
    ("[the guide](https://example.org/a), new", ["https://example.org/a"]),
    ("**https://example.org/a**", ["https://example.org/a"]),
    ("https://example.org/a\u200b now", ["https://example.org/a"]),
    ("见https://example.org/a", ["https://example.org/a"]),
    ("https://ana:pw@example.org/a", ["https://example.org/a"]),
    ("https://example.org/?sCodigo=C-314/12", ["https://example.org/?sCodigo=C-314/12"]),
    ("http://example.org/a http://example.org/a#2", ["http://example.org/a"]),
    ("README.md and it.to and xhttps://example.org and https://", []),
    ("> https://example.org/quoted\nmine: https://example.org/a", ["https://example.org/a"]),
    ("`https://example.org/code` https://example.org/a", ["https://example.org/a"]),
    ("```\nhttps://example.org/code\n```\nhttps://example.org/a", ["https://example.org/a"]),
    ("https://matrix.to/#/@ana:example.org https://hs.example.org/_matrix/media/v3/download/x/y", []),
    ("mxc://example.org/abc matrix:u/ana:example.org ftp://example.org javascript:alert(1)", []),
    ("https://example.org/secret !nolog", []),
    ("!NoLog https://example.org/secret", []),
    ("we discussed !nologs https://example.org/a", ["https://example.org/a"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), PLAIN)
def test_links_in_plain_text(body: str, expected: list[str]) -> None:
    whole = [url if "://" in url.lower() else f"https://example.org/{url}" for url in expected]
    assert [link.url for link in shared(body).links] == whole


FORMATTED = [
    ('<a href="https://example.org/a">the guide</a>', [("https://example.org/a", "the guide")]),
    ("<A HREF='https://example.org/?a=1&amp;b=2'>x</A>", [("https://example.org/?a=1&b=2", "x")]),
    ("<a title='href=x' href=https://example.org/a>x</a>", [("https://example.org/a", "x")]),
    ("<a href=\"https://example.org/a\">https://example.org/a</a>", [("https://example.org/a", None)]),
    ("<p>see https://example.org/a.</p>", [("https://example.org/a", None)]),
    ("<b>https://example.org/?a=1&amp;b=2</b>", [("https://example.org/?a=1&b=2", None)]),
    ("https://example.org/a<br>next", [("https://example.org/a", None)]),
    ("<mx-reply><blockquote>https://example.org/q</blockquote></mx-reply>https://example.org/a",
     [("https://example.org/a", None)]),
    ("<pre><code>https://example.org/code</code></pre>https://example.org/a", [("https://example.org/a", None)]),
    ("<code><a href='https://example.org/code'>x</a></code>", []),
    ("<!-- https://example.org/comment -->https://example.org/a", [("https://example.org/a", None)]),
    ("<a href='https://matrix.to/#/@ana:example.org'>Ana</a>", []),
    ("<a href='javascript:alert(1)'>x</a><a>y</a><a name='https://example.org'>z</a>", []),
    ("<a href='https://example.org/a'>unclosed", [("https://example.org/a", "unclosed")]),
    ("1 < 2 https://example.org/a", [("https://example.org/a", None)]),
    ("<a href='https://example.org/a'>x</a> <b>!nolog</b>", []),
]  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), FORMATTED)
def test_links_in_formatted_text(html: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(link.url, link.label) for link in shared("body", html).links] == expected


def test_the_formatted_text_counts_where_there_is_one() -> None:
    """It is what a person sees."""
    assert shared("https://example.org/plain", "<i>https://example.org/a</i>").links == (
        Link("https://example.org/a", "https://example.org/a"),
    )


@pytest.mark.parametrize(
    ("body", "html", "note"),
    [
        ("A good guide: https://example.org/a (short)", None, "A good guide: (short)"),
        ("[The guide](https://example.org/a) helps", None, "The guide helps"),
        ("(https://example.org/a)", None, ""),
        ("> somebody's words\nhttps://example.org/a mine", None, "mine"),
        ("x", "<p>One <b>good</b></p><p><a href='https://example.org/a'>guide</a></p>", "One good guide"),
        ("no link here", None, ""),
        ("https://example.org/a \u202eevil\u202c\x07 words", None, "evil words"),
    ],
)
def test_the_note_is_the_message_without_the_link(body: str, html: str | None, note: str) -> None:
    assert shared(body, html).note == note


def test_a_long_note_is_cut_at_a_word() -> None:
    note = shared("https://example.org/a " + "palabra " * 100).note
    assert len(note) <= LONGEST_NOTE
    assert note.endswith("palabra…")


def test_a_message_is_bounded() -> None:
    many = " ".join(f"https://example.org/{number}" for number in range(500))
    assert len(shared(many).links) == MOST
    long = "https://example.org/" + "a" * LONGEST_LINK
    assert shared(f"{long} https://example.org/b").links == (Link("https://example.org/b", "https://example.org/b"),)


HOSTILE = [
    "<a " * 30_000, "<a \"" * 20_000, "<a '\"" * 20_000, "<!--" * 20_000, "</" * 40_000, "<a href='" * 10_000,
    "<a " + "x=" * 40_000, "<a " + "'" * 60_000, "<a" + " " * 65_000, "<pre>" * 15_000, "&" * 65_000,
    "<a href='https://example.org/" + ")" * 65_000, "`" * 65_000, "` " * 30_000, "[" * 65_000, "[](" * 20_000,
    "https://" * 9_000, "https://a" + ")" * 65_000, "https://a.org/" + ").," * 600, "```\n" * 15_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_read_in_one_go(text: str) -> None:
    """It ends (the suite's time limit is the judge)."""
    shared(text)
    shared("body", text)


@given(st.text(), st.none() | st.text(st.sampled_from("<a href='https://x.y/\">`&;![]()")))
def test_any_message_can_be_read(body: str, html: str | None) -> None:
    found = shared(body, html)
    assert len({link.canonical for link in found.links}) == len(found.links)
