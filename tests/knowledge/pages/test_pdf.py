"""A PDF says what it is called, where it says so truly, and a hostile one harms nobody."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from plugins.knowledge.pages import pdf
from plugins.knowledge.pages.facts import Facts
from plugins.knowledge.pages.pdf import Limits, Paper, judged
from tests.knowledge.pages import papers
from tests.knowledge.pages.site import Web, page

LIMITS = Limits()
TIGHT = Limits(seconds=5, cpu=1, memory=120 * 1024 * 1024)
PAGE_ONE = [(9, "World Customs Organization"), (24, "Guide to gifts"), (24, "and hospitality"), (12, "June 2026")]


async def test_a_paper_gives_its_title_author_and_language() -> None:
    data = papers.pdf(PAGE_ONE, {"Title": "Guía de regalos\n y hospitalidad", "Author": "Ana Núñez"}, "es-MX")
    assert await pdf.read(data, LIMITS) == Paper("Guía de regalos y hospitalidad", "Ana Núñez", "es")


@pytest.mark.parametrize(
    "title", ["Microsoft Word - gifts_v3.doc", "untitled", "gifts.indd", " ", "\u200b", "2019-114"]
)
async def test_a_title_that_a_program_made_up_gives_way_to_the_largest_line_of_page_1(title: str) -> None:
    data = papers.pdf(PAGE_ONE, {"Title": title, "Author": "Administrator"})
    assert await pdf.read(data, LIMITS) == Paper("Guide to gifts and hospitality")


async def test_large_numbers_are_no_title() -> None:
    assert (
        await pdf.read(papers.pdf([(90, "2026"), (12, "Annual report"), (60, "7")]), LIMITS)
    ).title == "Annual report"


async def test_a_paper_without_words_has_no_title() -> None:
    assert await pdf.read(papers.pdf(), LIMITS) == Paper()


BROKEN = {
    "nothing": b"",
    "a header only": b"%PDF-1.7\n",
    "a page of HTML": b"%PDF-1.7\n<html><title>x</title></html>",
    "half a file": papers.pdf(PAGE_ONE, {"Title": "x"})[:300],
    "no table": papers.pdf(PAGE_ONE).partition(b"xref")[0],
    "noise": b"%PDF-1.7\n" + bytes(range(256)) * 400,
    "objects without end": b"%PDF-1.7\n" + b"1 0 obj\n<< /A " * 100_000,
    "lists in lists": b"%PDF-1.7\n1 0 obj\n" + b"[" * 500_000 + b"\ntrailer << /Root 1 0 R >>",
    "pages that are their own children": papers.pdf(kids=b"2 0 R"),
    "a title that is a page": papers.pdf(info_entry=b"/Title 3 0 R /Author [1 2]"),
    "a title that is itself": papers.pdf(info_entry=b"/Title 6 0 R"),
    "a huge number of pages": papers.pdf(kids=b"3 0 R " * 20_000).replace(b"/Count 1", b"/Count 99999999999"),
    "a wrong stream": papers.pdf(content=papers.stream(b"nonsense", b"/Filter /FlateDecode")),
    "unknown filters": papers.pdf(content=papers.stream(b"x", b"/Filter [/No /JBIG2Decode /Crypt]")),
    "a content stream of brackets": papers.pdf(content=papers.stream(b"[" * 300_000)),
    "strings without end": papers.pdf(content=papers.stream(b"(" * 300_000)),
    "encrypted": papers.pdf(catalog=b"").replace(b"/Info", b"/Encrypt << /Filter /Standard /V 1 /R 2 /P 1 >> /Info"),
    "an old table that is the new one": papers.pdf().replace(b"/Root", b"/Prev 0 /Root"),
    "actions": papers.pdf(catalog=b"/OpenAction << /S /Launch /F (/bin/sh) /JS (app.alert(1)) >>"),
}  # fmt: skip


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_a_broken_paper_says_nothing_wrong(data: bytes) -> None:
    paper = await pdf.read(data, TIGHT)
    assert paper.author is None
    assert paper.title is None or paper.title in "Guide to gifts and hospitality"


async def test_a_zip_bomb_in_a_paper_ends_with_the_child() -> None:
    """A kilobyte that would be a hundred and fifty megabytes; what is said outside of it is still read."""
    data = papers.pdf(info={"Title": "Guide to gifts"}, content=papers.bomb(150))
    assert len(data) < 3_000
    assert await pdf.read(data, TIGHT) == Paper("Guide to gifts")


async def test_a_page_too_heavy_to_be_read_takes_no_title_away() -> None:
    heavy = papers.stream(zlib.compress(b"BT /F1 9 Tf (a) Tj ET\n" * 1_000_000), b"/Filter /FlateDecode")
    data = papers.pdf(info={"Title": "Guide to gifts"}, content=heavy)
    assert await pdf.read(data, Limits(seconds=30, cpu=1)) == Paper("Guide to gifts")


async def test_a_paper_that_takes_too_long_is_put_away() -> None:
    slow = b"BT /F1 9 Tf (a) Tj ET\n" * 2_000_000
    data = papers.pdf(content=papers.stream(zlib.compress(slow), b"/Filter /FlateDecode"))
    assert await pdf.read(data, Limits(seconds=0.3)) == Paper()


async def test_a_cancelled_reading_leaves_no_child_behind() -> None:
    task = asyncio.create_task(pdf.read(papers.pdf(content=papers.bomb(100)), LIMITS))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("said", [{}, {"title": 1}, {"title": ["a"], "line": None}, {"language": "\ud800"}])
def test_whatever_the_child_says_is_judged(said: dict[str, object]) -> None:
    assert judged(said) == Paper()


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("Convenção de Quioto revista", True), ("COVID and customs", True), ("Report 2026", True), ("Word - x",
        False),
        ("Presentación de PowerPoint", False), ("Slide 1", False), ("C:\\My Documents\\gifts v2.docx", False),
        ("file:///tmp/a", False), ("...", False), ("final_version_3", False), ("Untitled-1", False), ("日本語", True),
    ],
)  # fmt: skip
def test_a_title_is_kept_if_a_person_may_have_written_it(title: str, kept: bool) -> None:
    assert judged({"title": title}).title == (title if kept else None)


async def test_a_fetched_paper_is_read_whatever_it_is_called(web: Web) -> None:
    web.public.pages["/a"] = page(papers.pdf(PAGE_ONE, language="en"), content_type="text/html")
    async with web.fetcher() as fetcher:
        facts = await fetcher.facts(web.url("/a"))
    assert facts == Facts(web.url("/a"), "pdf", "Guide to gifts and hospitality", language="en")


@pytest.mark.parametrize("lie", [b"%PDF-1.7\n<html><title>x</title>", b"%PDF-", b"%PDF-1.4\n" + b"\0" * 3_000_000])
async def test_a_paper_that_lies_is_a_paper_without_a_title(web: Web, lie: bytes) -> None:
    web.public.pages["/a"] = page(lie, content_type="application/pdf")
    async with web.fetcher() as fetcher:
        assert await fetcher.facts(web.url("/a")) == Facts(web.url("/a"), "pdf")
