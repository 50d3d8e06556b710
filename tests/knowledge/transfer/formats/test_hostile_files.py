"""Files that mean harm, or are broken, cost little and break nothing: readers say what they left out.

That reading is linear is not measured here: the files are so large that a quadratic reader would not end within the
time limit of a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import PurePath
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugins.knowledge.transfer.formats.dates import BadDate, parse_date
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, ShareItem, Skipped
from plugins.knowledge.transfer.formats.registry import READERS, WRITERS, detect
from tests.knowledge.transfer.formats.drawn import ITEMS, items, read, skipped, written
from tests.tiers import examples

BEGINS = b"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n"
LINK = b'<DT><A HREF="https://example.org/">Here</A>\n'
MANY = 1_000_000


@pytest.mark.parametrize("format_", sorted(READERS))
@given(
    data=st.binary(max_size=300)
    | st.text(st.sampled_from("{}[]<>\"'=,;\\:aAdDlLtT/!-&#1 \n"), max_size=300).map(str.encode)
)
@example(data=b"")
@settings(max_examples=examples(200), deadline=None)
def test_whatever_the_bytes_nothing_but_an_exchange_error_is_raised(format_: str, data: bytes) -> None:
    for begins in (b"", b"url,title,date\n", b"<DL><A HREF=", b'{"format": "faro", "version": 1, "items": [\n'):
        with suppress(ExchangeError):
            read(format_, begins + data)


SCALARS = st.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "x", "es", "TLP:RED", "https://example.org/", "\x00\ud800"]
)
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(st.sampled_from(["", "es", "español", "url", "sent_at"]), SCALARS, max_size=3)
    | st.lists(st.dictionaries(st.sampled_from(["url", "sent_at", "note"]), SCALARS), max_size=2)
)
KEYS = st.sampled_from(
    [
        *("title", "topics", "language", "kind", "label", "pinned", "votes", "shares", "number", "description", "note"),
        *("tag_names", "date_added", "notes", "shared", "website_title", "tags", "created", "private", "url"),
    ]
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6).map(lambda found: {"url": "https://example.org/", **found})))
@settings(max_examples=examples(300), deadline=None)
def test_whatever_the_types_every_link_of_a_json_file_is_read_or_told(links: list[dict[str, object]]) -> None:
    each = [json.dumps(link).encode() for link in links]
    whole = b"[" + b",".join(each) + b"]"
    for format_, data in [
        ("json", b'{"format": "faro", "version": 1, "items": ' + whole + b"}"),
        ("json", b'{"format": "faro", "version": 1, "items": [\n' + b",\n".join(each) + b"\n]}"),
        ("linkding", whole),
        ("shaarli", whole),
    ]:
        found = read(format_, data)
        assert len(items(found)) <= len(links) <= len(found)


def test_json_beyond_all_measure_is_refused_in_a_sentence() -> None:
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"9" * 100_000 + b"]", b"[NaN]", b"\xff\xfe\xfd[", b"{"):
        for format_ in ("json", "linkding", "shaarli"):
            with pytest.raises(ExchangeError):
                read(format_, data)


def test_a_file_of_a_later_version_is_refused() -> None:
    with pytest.raises(ExchangeError, match="version 2"):
        read("json", b'{"format": "faro", "version": 2, "items": [\n]}')


def test_a_collection_that_was_cut_gives_what_is_there_and_says_so() -> None:
    whole = written("json", [Item("https://example.org/1"), Item("https://example.org/2")])
    found = read("json", whole[: whole.index(b"/2") + 2])
    assert [item.url for item in items(found)] == ["https://example.org/1"]
    assert any("truncated" in why for why in skipped(found))


def pieces(*parts: bytes) -> bytes:
    return BEGINS + b"".join(parts) + LINK


@pytest.mark.parametrize(
    "data",
    [
        pieces(b"<DL>" * 100_000),
        pieces(b"<DL><DT><H3>deeper</H3>\n" * 30_000),
        pieces(b"</DL>" * 100_000),
        pieces(b"<a " * MANY + b">"),
        pieces(b"<" * MANY, b">"),
        pieces(b"</" * MANY, b">"),
        pieces(b"<!" * MANY, b">"),
        pieces(b"<?" * MANY, b">"),
        pieces(b"<!--" * MANY, b"-->"),
        pieces(b"<!--" + b"--" * MANY, b"-->"),
        pieces(b"&" * MANY),
        pieces(b"&#9" + b"9" * MANY + b";"),
        pieces(b"<DT><A HREF='https://example.org/2'>&#9" + b"9" * 50_000 + b";</A>\n"),
        pieces(b"<b " + b"a" * MANY + b">"),
        pieces(b"<b " + b" " * MANY + b">"),
        pieces(b"<b " + b"=" * MANY + b">"),
        pieces(b"<b " + b"= " * MANY + b">"),
        pieces(b"<b " + b"a=\n" * 300_000 + b">"),
        pieces(b"<b " + b"a='b' " * 200_000 + b">"),
        pieces(b"<b " + b"\"'" * 300_000 + b">"),
        pieces(b"<DD>" * 200_000),
        pieces(b"</A>" * 200_000),
    ],
)
def test_hostile_bookmarks_cost_little_and_hide_no_link(data: bytes) -> None:
    assert [item.url for item in items(read("netscape", data))][-1:] == ["https://example.org/"]


@pytest.mark.parametrize("tail", [b"<a " * MANY, b'<A HREF="' + b"x" * MANY, b"<!--" * MANY, b"<DD>" + b"<" * MANY])
def test_bookmarks_that_never_end_give_what_came_before(tail: bytes) -> None:
    assert [item.url for item in items(read("netscape", BEGINS + LINK + tail))] == ["https://example.org/"]


def test_a_page_without_bookmarks_is_refused() -> None:
    with pytest.raises(ExchangeError, match="no bookmarks"):
        read("netscape", b"<html><p>Hello</html>")


@pytest.mark.parametrize(
    "row",
    [
        b'"' * MANY,
        b'"' + b"x\n" * MANY,
        b"https://example.org/" + b"x" * MANY,
        b'https://example.org/2,"' + b"x" * MANY + b'"',
        b"\x00" * MANY,
        b"https://example.org/3," + b"x" * 9_000_000,
    ],
)
def test_hostile_tables_cost_little_and_are_told(row: bytes) -> None:
    found = read("csv", b"url,title\nhttps://example.org/1,One\n" + row + b"\n")
    assert items(found)[0].url == "https://example.org/1"
    assert skipped(found)


def test_a_line_that_is_too_long_hides_no_other() -> None:
    rows = [b"url,title", b"https://example.org/1,One", b"x" * 20_000_000, b"https://example.org/2,Two"]
    found = read("csv", b"\n".join(rows))
    assert [item.url for item in items(found)] == ["https://example.org/1", "https://example.org/2"]
    assert skipped(found) == ["3: : The line is too long."]


def test_a_table_without_a_column_of_addresses_is_refused() -> None:
    for data in (b"", b"\n\n", b"title,note\na,b\n", b"https://example.org/1,One\n"):
        with pytest.raises(ExchangeError, match="including 'url'"):
            read("csv", data)


def test_what_no_database_can_hold_never_comes_out_of_a_reader() -> None:
    link = {"url": "https://example.org/", "title": {"": "a\x00b\ud800c"}, "topics": ["\udfff"], "votes": 2**70}
    for data in (
        json.dumps({"format": "faro", "version": 1, "items": [link]}),
        '{"format": "faro", "version": 1, "items": [\n' + json.dumps(link) + "\n]}",
    ):
        (item, problem) = read("json", data.encode())
        assert item == Item("https://example.org/", title={"": "a\ufffdb\ufffdc"}, topics=("\ufffd",))
        assert isinstance(problem, Skipped)
    assert items(read("csv", b"url,title\nhttps://example.org/,a\x00b"))[0].title == {"": "a\ufffdb"}
    assert items(read("netscape", BEGINS + b"<A HREF=https://example.org/>a\x00b&#xD800;c"))[0].title == {
        "": "a\ufffdb\ufffdc"
    }


def test_a_name_and_password_in_an_address_are_not_read_and_secrets_not_repeated() -> None:
    table = b"url,date\nhttps://ana:secret@example.org/a,never\nhttps://example.org/?token=secret,never\nftp://x/?token=secret,\n"
    found = read("csv", table)
    assert items(found)[0].url == "https://example.org/a"
    assert not any("secret" in why for why in skipped(found))


def test_what_is_labelled_red_or_unknown_is_not_read() -> None:
    for label in ("red", "TLP:RED", "amber+strict", "secret"):
        link = {"url": "https://example.org/", "label": label}
        (problem,) = read("json", json.dumps({"format": "faro", "version": 1, "items": [link]}).encode())
        assert isinstance(problem, Skipped)


def test_a_link_has_no_endless_versions_and_what_is_left_out_is_told() -> None:
    many = [f"https://example.org/{one}" for one in range(101)]
    link = {"url": "https://example.org/", "versions": [{"url": many}, *({"url": url} for url in many)], "apart": many}
    found = read("json", json.dumps({"format": "faro", "version": 1, "items": [link]}).encode())
    (item,) = items(found)
    assert (len(item.versions), len(item.apart)) == (99, 100)
    assert sum("more than 100 addresses" in why for why in skipped(found)) == 2
    assert any("'versions': This is not" in why for why in skipped(found))


@given(st.text(max_size=45))
@example("99999999999999999")
@example("31/12/9999")
@example("9999-12-31T23:59:59-23:59")
@example("0001-01-01T00:00+23:59")
def test_any_text_is_a_date_or_a_bad_date(text: str) -> None:
    try:
        at = parse_date(text)
    except BadDate:
        return
    assert at is None or 0 <= at <= 7_258_118_400_000


@given(st.lists(ITEMS, max_size=3), st.text(max_size=20))
@example([Item("https://example.org/]]>", title={"": "]]><script>\x00\x0b\ufffe"}, note={"": "</A><DD>&"})], "]]>")
@settings(max_examples=examples(100), deadline=None)
def test_a_feed_is_xml_whatever_people_wrote(items: list[Item], title: str) -> None:
    feed = ElementTree.fromstring(written("rss", items, Meta(title, "hub", 0)))  # noqa: S314 - what it reads was written by us
    assert len(feed.findall("channel/item")) == len(items)


SURROGATES = Item(
    "https://example.org/\ud800",
    title={"": "\ud800"},
    note={"": "\ud800"},
    topics=("\ud800",),
    author="\ud800",
    shares=(ShareItem("\ud800", note="\ud800"),),
)


@pytest.mark.parametrize("format_", sorted(WRITERS))
def test_no_writer_breaks_on_what_cannot_be_encoded(format_: str) -> None:
    assert written(format_, [SURROGATES], Meta("\ud800", "\ud800", 0)).decode()


def test_bookmarks_cannot_be_broken_out_of() -> None:
    title = '</A><DT><A HREF="https://evil.example/">"'
    data = written("netscape", [Item("https://example.org/", title={"": title}, note={"": title}, topics=('"><b>',))])
    (item,) = items(read("netscape", data))
    assert (item.title, item.note, item.topics) == ({"": title}, {"": title}, ('"><b>',))
    assert b"evil" not in data.replace(b"&lt;", b"").split(b"<A ")[0]
    assert data.count(b"<A ") == 1


def test_a_file_that_is_nothing_we_know_is_refused() -> None:
    for name, head in [
        ("a.pdf", b"%PDF-1.7"),
        ("a", b""),
        ("a.txt", b"hello"),
        ("a.xml", b"<?xml version='1.0'?><a/>"),
    ]:
        with pytest.raises(ExchangeError, match="cannot read links from"):
            detect(PurePath(name), head)


class Endless(BytesIO):
    """A file of a gigabyte of rows, of which nobody keeps more than a little."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= 1_000_000
        self.given += size
        return b"url\n" if self.given == size else b"https://example.org/\n" * (size // 21)


def test_a_table_is_read_as_it_comes() -> None:
    stream = Endless()
    found: Iterator[Item | Skipped] = READERS["csv"](stream)
    assert [isinstance(next(found), Item) for _ in range(10)] == [True] * 10
    assert stream.given < 1_000_000
