"""HTML is split as a browser splits it, in time proportional to its length, whatever stands in it.

Linear time is not measured: a quadratic tokenizer would exceed the time limit of a test on the hostile inputs.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.knowledge.text.html_tokens import LONGEST_TAG, Tag, UnclosedTag, tokens, unescaped
from tests.tiers import examples

RAW = ("script", "title")
CHUNK = 65_536  # characters, about which it reads at once


def split(*texts: str) -> list[Tag | UnclosedTag | str]:
    """The tokens, with neighbouring texts as one."""
    joined: list[Tag | UnclosedTag | str] = []
    for token in tokens(texts, raw=RAW):
        if isinstance(token, str) and joined and isinstance(joined[-1], str):
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def a(line: int = 1, /, **attributes: str) -> Tag:
    return Tag("a", line, attributes)


TAGS = [
    ("<A HREF='x'>y</A>", [a(href="x"), "y", Tag("/a", 1, {})]),
    ('<a href = "x>y" title=\'"\'>', [a(href="x>y", title='"')]),
    ("<a href=x/>", [a(href="x/")]),
    ("<a/href=x/title>", [a(href="x/title")]),
    ("<a hidden href=''>", [a(hidden="", href="")]),
    ("<a href=x HREF=y>", [a(href="x")]),
    ("<a href='x'title='y'>", [a(href="x", title="y")]),
    ("<a b\"c=d e'>f", [Tag("a", 1, {'b"c': "d", "e'": ""}), "f"]),
    ("<a href==x>", [a(href="=x")]),
    ("<a =x='y'>", [Tag("a", 1, {"=x": "y"})]),
    ("<a <b href=x>", [Tag("a", 1, {"<b": "", "href": "x"})]),
    ("<a\thref\n=\r\n'x'\f>", [a(href="x")]),
    ("<a\xa0b>", [Tag("a\xa0b", 1, {})]),
    ("<mx-reply><o:p>", [Tag("mx-reply", 1, {}), Tag("o:p", 1, {})]),
    ("</a href='>'>x", [Tag("/a", 1, {}), "x"]),
]


@pytest.mark.parametrize(("html", "expected"), TAGS)
def test_tags_and_attributes_are_those_a_browser_sees(html: str, expected: list[Tag | str]) -> None:
    assert split(html) == expected


@pytest.mark.parametrize("text", ["1 < 2", "<3", "a << b", "<>", "x <", "x </", "< a>", "&lt;a&gt;", "<é>", "\0"])
def test_what_begins_no_tag_is_text(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    "left_out",
    ["<!-- <a> -->", "<!-->", "<!--->", "<!DOCTYPE html>", "<![CDATA[ >", "<?xml version='1.0'?>", "</>", "</3 >"],
)
def test_comments_and_declarations_are_left_out(left_out: str) -> None:
    assert split(f"x{left_out}y<a>") == ["xy", a()]


@pytest.mark.parametrize("begun", ["<!-- <a> --", "<!--", "<!", "<!DOCTYPE html", "<?", "</3"])
def test_a_comment_or_declaration_without_end_goes_to_the_end(begun: str) -> None:
    assert split(f"x{begun}") == ["x"]


def test_raw_elements_hold_text_up_to_their_end_tag() -> None:
    script, end = Tag("script", 1, {}), Tag("/script", 1, {})
    inside = "<a></title></scripted><!-- "
    assert split(f"<script>{inside}</SCRIPT >x<a>") == [script, inside, end, "x", a()]
    assert split(f"<script>{inside}") == [script, inside]
    assert split("<script></ſcript></script>") == [script, "</ſcript>", end]
    assert split("<b><a></b>") == [Tag("b", 1, {}), a(), Tag("/b", 1, {})]


def test_each_tag_has_the_line_where_it_begins() -> None:
    assert split("\n<a\nhref='\n'><!--\n--><a>\n", "x\n<script>\n</script><a>") == [
        "\n", a(2, href="\n"), a(5), "\nx\n", Tag("script", 7, {}), "\n", Tag("/script", 8, {}), a(8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("?a=1&amp;b=2", "?a=1&b=2"),
        ("?a=1&section=2&copy=3&notit=4", "?a=1&section=2&copy=3&notit=4"),
        ("&lt&amp &#65;&#x41;&eacute;&nothing;", "<& AAé&nothing;"),
        ("&#0000000065;", "A"),
        ("&#99999999;", "\ufffd"),
        ("&#" + "9" * 50_000 + ";", "\ufffd"),
    ],
)
def test_entities_of_attributes_are_read_but_parameters_of_an_address_are_none(value: str, read: str) -> None:
    assert split(f'<a href="{value}">') == [a(href=read)]


def test_entities_of_texts_are_left_to_read_once_the_text_is_whole() -> None:
    assert split("&am", "p;<a>") == ["&amp;", a()]
    assert unescaped("&amp;&#" + "0" * 50_000 + "65;&notit") == "&\ufffd¬it"


def test_a_tag_that_does_not_end_is_handed_over_with_its_text() -> None:
    assert split("x\n<a href='y>z</a>") == ["x\n", UnclosedTag("<a href='y>z</a>", 2)]
    icon = "i" * (LONGEST_TAG - 20)
    assert split(f"<a href='{icon}'>", "x") == [a(href=icon), "x"]


def test_a_tag_without_end_hides_little_of_a_long_file() -> None:
    lines = ["<a href='\n", *(["x" * 1_000 + "\n"] * 5_000), "'<b>"]
    first, *_, last = split(*lines)
    assert isinstance(first, UnclosedTag)
    assert LONGEST_TAG < len(first.text) < 3 * LONGEST_TAG
    assert last == Tag("b", 5_002, {})


SCRAPS = st.sampled_from(
    ["<", ">", "/", "=", '"', "'", " ", "\n", "!", "--", "<!--", "-->", "?", "</", "a", "<a ", "<b c='", "d=", "&amp;",
     "<script>", "</script", "</title>", "<title>", "x" * 50]
)  # fmt: skip


@given(st.lists(SCRAPS, max_size=15), st.integers(1, 200))
@settings(max_examples=examples(200), deadline=None)
def test_nothing_depends_on_where_the_file_is_cut(scraps: list[str], missing: int) -> None:
    """The first text ends shortly before as much is read as is read at once, which cuts the others anywhere."""
    first = "x" * (CHUNK - missing)
    assert split(first, *"".join(scraps)) == split(first + "".join(scraps))


PATTERNS = [
    "<", "</", "<!", "<?", "<!--", "--", "<a ", "<a '", "<a b='", "<a b=\"'", "<a b=", "=", "= ", "a=\n", "a=b", "' ",
    "\"'", "a  ", "<a>", "<a/", "<script>", "</script", "&", "&#9", "&amp", "&a=", "x", " ", "\n", "<a b='c' d=e f>",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("opening", ["", "<a ", "<a b=", "<a b='", "<!--", "<script>"])
def test_any_pattern_is_read_in_linear_time(opening: str) -> None:
    for pattern in PATTERNS:
        html = opening + pattern * (300_000 // len(pattern))
        for texts in ([html], [html[at : at + 100] for at in range(0, len(html), 100)]):
            for token in tokens(texts, raw=RAW):
                assert token
