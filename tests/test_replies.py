"""What people read: replies as plain text and as HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.replies import MOST_BYTES, TOO_LONG, escape, harmless, render

ALLOWED_TAGS = """a b blockquote br caption code del details div em h1 h2 h3 h4 h5 h6 hr i li ol p pre s span strong
sub summary sup table tbody td th thead tr u ul""".split()  # noqa: SIM905 - a column of quotes reads worse
"""Client-Server API, "m.room.message msgtypes", without `img`."""

PIECES = """* ** _ ` [ ]( ) < > \\ ! # | ~~ &#8238; javascript:alert(1) data:text/html,x https://example.org/a?b=c
mailto:a@example.org <b> <script> @room é word""".split()  # noqa: SIM905 - as above
BLANKS = (
    "\n",
    "\n\n",
    " ",
    "    ",
    "\t",
    "```\n",
    "- ",
    "1. ",
    "3) ",
    "---\n",
    "> ",
    "[a]: https://example.org\n",
)
INVISIBLE = ("\u202e", "\u200b", "\x00", "\ud800")
MARKDOWN = st.lists(st.sampled_from((*PIECES, *BLANKS, *INVISIBLE)) | st.text(max_size=5)).map("".join)
"""Text that is more often Markdown than chance would have it."""


class Reading(HTMLParser):
    """Tags, addresses and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("markdown", "plain", "html"),
    [
        ("Hi **you**, *and* you", "Hi you, and you", "<p>Hi <strong>you</strong>, <em>and</em> you</p>"),
        ("one\ntwo", "one\ntwo", "<p>one<br>two</p>"),
        ("one\n\ntwo", "one\n\ntwo", "<p>one</p><p>two</p>"),
        ("## Title\ntext", "Title\n\ntext", "<h2>Title</h2><p>text</p>"),
        ("Links:\n- a\n- b\n  - c\n\nend", "Links:\n- a\n- b\n  - c\n\nend",
         "<p>Links:</p><ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>end</p>"),
        ("3. a\n1. b", "3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("- a\n\n- b", "- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("-\n- b", "-\n- b", "<ul><li></li><li>b</li></ul>"),
        ("> wise\n> words\n\nsaid", "> wise\n> words\n\nsaid",
         "<blockquote><p>wise<br>words</p></blockquote><p>said</p>"),
        ("write `!find <words>`", "write !find <words>", "<p>write <code>!find &lt;words&gt;</code></p>"),
        ("```\na *b*\n  c\n```", "a *b*\n  c", "<pre><code>a *b*\n  c\n</code></pre>"),
        ("[Guide](https://example.org/g)", "Guide (https://example.org/g)", '<p><a href="https://example.org/g">Guide</a></p>'),
        ("<https://example.org/é>", "https://example.org/%C3%A9",
         '<p><a href="https://example.org/%C3%A9">https://example.org/é</a></p>'),
        ("<ana@example.org>", "ana@example.org",
         '<p><a href="mailto:ana@example.org">ana@example.org</a></p>'),
        ("[Ana](https://matrix.to/#/@ana:example.org) said", "Ana said",
         '<p><a href="https://matrix.to/#/@ana:example.org">Ana</a> said</p>'),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_reply_reads_well_as_text_and_as_html(markdown: str, plain: str, html: str) -> None:
    assert render(markdown) == (plain, html)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", "x"]
)
def test_other_addresses_are_no_links(address: str) -> None:
    assert "<a" not in render(f"[click]({address})")[1]


def test_raw_html_is_text() -> None:
    plain, html = render("<script>alert(1)</script> <b>x</b>")
    assert plain == "<script>alert(1)</script> <b>x</b>"
    assert Reading(html).tags == {"p"}


def test_an_image_becomes_a_link_that_nobody_fetches_unasked() -> None:
    assert "<img" not in render("![x](https://example.org/x.png)")[1]


@pytest.mark.slow
def test_deep_nesting_is_no_trouble() -> None:
    render("*a " * 9_000 + "a* " * 9_000)
    render("> " * 9_000 + "x")
    render("- " * 9_000 + "x")


@given(MARKDOWN)
def test_whatever_is_said_the_html_is_safe(markdown: str) -> None:
    """`render` never raises, writes allowed tags only, and links to web, mail and Matrix addresses only."""
    plain, html = render(markdown)
    json.dumps([plain, html], ensure_ascii=False).encode()
    read = Reading(html)
    assert read.tags <= set(ALLOWED_TAGS)
    for tag, name, value in read.attributes:
        assert (tag, name) in {("a", "href"), ("ol", "start")}
        assert re.match(r"https?://|mailto:|matrix:|\d+$", value or "", re.IGNORECASE)


@given(st.text() | MARKDOWN)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """A title, a name, a query: it neither becomes Markdown nor HTML, and stays on its line."""
    plain, html = render(escape(text))
    assert plain == harmless(text)
    read = Reading(html)
    assert read.text == harmless(text)
    assert read.tags <= {"p"}


@given(st.text() | MARKDOWN)
def test_escaped_text_stays_within_its_place(text: str) -> None:
    plain, html = render(f"- **Title:** {escape(text)}, shared by [Ana](https://example.org)\n- next")
    assert plain == f"- Title: {harmless(text)}, shared by Ana (https://example.org)\n- next"
    assert html.count("<li>") == 2
    assert html.count("<a ") == 1


def test_an_escaped_address_can_be_linked() -> None:
    address = "https://example.org/a_(b)?q=*x*&amp;y=[1]"
    plain, html = render(f"[Title]({escape(address)})")
    assert plain == "Title (https://example.org/a_(b)?q=*x*&amp;y=%5B1%5D)"
    assert Reading(html).attributes == [("a", "href", "https://example.org/a_(b)?q=*x*&amp;y=%5B1%5D")]


def test_what_cannot_be_seen_is_removed() -> None:
    assert harmless("a\u202eb\u200bc\x00d\ud800e\r\n\tf\u2028g\xad") == "abcde f g"


def test_nobody_calls_the_whole_room_through_the_bot() -> None:
    plain, html = render(escape("@room @ROOM: look"))
    assert "@room" not in plain.casefold()
    assert "@room" not in html.casefold()


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["word ", "line\n", "paragraph\n\n", '<&>"', "😀", "- item\n", "\\", "\\*"])
def test_a_reply_that_is_too_long_says_so_and_fits_an_event(piece: str) -> None:
    plain, html = render(piece * 60_000)
    assert len(json.dumps([plain, html], ensure_ascii=False).encode()) <= MOST_BYTES
    assert plain.endswith(f"\n\n{TOO_LONG}")
    assert html.endswith(f"<p>{TOO_LONG}</p>")
    assert len(plain) > 3_000


def test_an_answer_that_fits_is_not_cut() -> None:
    plain, _ = render("word " * 3_500)
    assert plain == ("word " * 3_500).strip()
