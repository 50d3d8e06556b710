"""A PDF says what it is called, where it says so truly, and a hostile one harms nobody."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from plugins.knowledge.fetch import pdf
from plugins.knowledge.fetch.facts import Facts
from plugins.knowledge.fetch.pdf import Limits, PdfMeta, clean_metadata
from tests.knowledge.fetch import papers
from tests.knowledge.fetch.site import Web, page

LIMITS = Limits()
TIGHT = Limits(seconds=5, cpu=1, memory=120 * 1024 * 1024)
PAGE_ONE = [(9, "World Customs Organization"), (24, "Guide to gifts"), (24, "and hospitality"), (12, "June 2026")]
WORDS = "World Customs Organization Guide to gifts and hospitality June 2026"
INFO = {"Title": "Guía de regalos", "Author": "Ana Núñez", "Producer": "Writer"}
PICTURE = papers.stream(bytes(3_000_000))


async def test_a_paper_gives_its_title_author_language_and_first_words() -> None:
    data = papers.pdf(PAGE_ONE, {"Title": "Guía de regalos\n y hospitalidad", "Author": "Ana Núñez"}, "es-MX")
    assert await pdf.read(data, LIMITS) == PdfMeta("Guía de regalos y hospitalidad", "Ana Núñez", "es", WORDS)


@pytest.mark.parametrize(
    "title", ["Microsoft Word - gifts_v3.doc", "untitled", "gifts.indd", " ", "\u200b", "2019-114"]
)
async def test_a_title_that_a_program_made_up_gives_way_to_the_largest_line_of_page_1(title: str) -> None:
    data = papers.pdf(PAGE_ONE, {"Title": title, "Author": "Administrator"})
    assert await pdf.read(data, LIMITS) == PdfMeta("Guide to gifts and hospitality", description=WORDS)


async def test_large_numbers_are_no_title() -> None:
    assert (
        await pdf.read(papers.pdf([(90, "2026"), (12, "Annual report"), (60, "7")]), LIMITS)
    ).title == "Annual report"


async def test_of_a_long_page_the_first_words_are_kept() -> None:
    said = (await pdf.read(papers.pdf([(9, "Gifts and hospitality")] * 100), LIMITS)).description
    assert said is not None
    assert said.startswith("Gifts and hospitality Gifts and hospitality")
    assert 450 < len(said) <= 500


@pytest.mark.parametrize("words", ["12 1,345.00 7 GT 99", "\ufffd\ufffd \ufffd a", "/g1/g22/g17"])
def test_what_is_no_words_is_not_kept(words: str) -> None:
    assert clean_metadata({"text": words}) == PdfMeta()


# -- papers that are read only so far ---------------------------------------------------------------------------------


async def test_a_paper_too_long_to_be_fetched_whole_is_read_as_far_as_it_goes(web: Web) -> None:
    web.public.pages["/a"] = page(papers.pdf(PAGE_ONE, INFO, "es", last=PICTURE), content_type="application/pdf")
    async with web.fetcher() as fetcher:
        facts = await fetcher.facts(web.url("/a"))
    assert facts == Facts(web.url("/a"), "pdf", "Guía de regalos", WORDS, author="Ana Núñez", language="es")


async def test_a_paper_of_very_many_objects_is_read_without_its_end() -> None:
    """In the time the child has, and without giving up what was found first."""
    link = b"%d 0 obj\n<< /Type /Annot /Rect [1 2 3 4] /A << /S /URI /URI (https://example.org/a/b) >> >>\nendobj\n"
    links = b"".join(link % number for number in range(10, 20_000))
    data = papers.pdf(PAGE_ONE, {"Title": "Guide to gifts"}).partition(b"xref")[0] + links
    assert len(data) < 2 * 1024 * 1024
    assert (await pdf.read(data, Limits(seconds=60, cpu=10))).description == WORDS


async def test_a_packed_paper_is_read_without_its_end() -> None:
    data = papers.packed(papers.pdf(PAGE_ONE, INFO, "es"))
    assert b"Catalog" not in data
    assert await pdf.read(data + b"9 0 obj\n<< /Leng", LIMITS) == PdfMeta("Guía de regalos", "Ana Núñez", "es", WORDS)


async def test_without_its_catalog_the_first_page_that_is_there_is_read() -> None:
    data = papers.pdf(PAGE_ONE).replace(b"/Catalog", b"/Catalox").partition(b"xref")[0]
    assert await pdf.read(data, LIMITS) == PdfMeta("Guide to gifts and hospitality", description=WORDS)


async def test_a_heading_is_no_title_and_what_nobody_can_read_neither() -> None:
    """A bookmark has a title, too; and how a paper is encrypted is told at its end."""
    heading = papers.pdf(PAGE_ONE, {"Title": "Chapter 3"}).partition(b"xref")[0]
    secret = papers.pdf(PAGE_ONE, {"Title": "a\x02\x07\x1b\x90", "Producer": "x"}).partition(b"xref")[0]
    for data in (heading, secret):
        assert (await pdf.read(data, LIMITS)).title == "Guide to gifts and hospitality"


CUT_AND_HOSTILE = {
    "many objects": b"".join(b"%d 0 obj\n<< /Type /Catalog /A %d 0 R >>\nendobj\n" % (n, n + 1) for n in range(45_000)),
    "objects in objects": b"1 0 obj\n<< /A 2 0 obj\n" * 90_000,
    "the same object": b"1 0 obj\n<< /Type /Page /Parent 1 0 R /Contents 1 0 R >>\nendobj\n" * 35_000,
    "references to nothing": b"1 0 obj\n<< /Type /Page /Contents [%s] >>\nendobj\n" % (b"999 9 R " * 200_000),
    "a packed stream of itself": b"1 0 obj\n%s\nendobj\n"
    % papers.stream(b"1 0 ", b"/Type /ObjStm /N 1 /First 4 /Extends 1 0 R"),
    "a packed bomb": b"1 0 obj\n%s\nendobj\n"
    % papers.bomb(150).replace(b"/Filter", b"/Type /ObjStm /N 999999999 /First 9 /Filter"),
    "a title that is itself": b"1 0 obj\n<< /Producer (x) /Title 1 0 R >>\nendobj\n",
    "trailers": b"trailer << /Root 1 0 R /Prev 9 >>\n" * 60_000,
    "a parent that is a child": b"1 0 obj\n<< /Type /Page /Parent 1 0 R >>\nendobj\n",
}


@pytest.mark.parametrize("data", CUT_AND_HOSTILE.values(), ids=CUT_AND_HOSTILE)
async def test_a_hostile_paper_without_end_harms_nobody(data: bytes) -> None:
    assert await pdf.read(b"%PDF-1.7\n" + data, TIGHT) == PdfMeta()


async def test_a_paper_without_words_has_no_title() -> None:
    assert await pdf.read(papers.pdf(), LIMITS) == PdfMeta()


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
    assert await pdf.read(data, TIGHT) == PdfMeta("Guide to gifts")


async def test_a_page_too_heavy_to_be_read_takes_no_title_away() -> None:
    heavy = papers.stream(zlib.compress(b"BT /F1 9 Tf (a) Tj ET\n" * 1_000_000), b"/Filter /FlateDecode")
    data = papers.pdf(info={"Title": "Guide to gifts"}, content=heavy)
    assert await pdf.read(data, Limits(seconds=30, cpu=1)) == PdfMeta("Guide to gifts")


async def test_a_paper_that_takes_too_long_is_put_away() -> None:
    slow = b"BT /F1 9 Tf (a) Tj ET\n" * 2_000_000
    data = papers.pdf(content=papers.stream(zlib.compress(slow), b"/Filter /FlateDecode"))
    assert await pdf.read(data, Limits(seconds=0.3)) == PdfMeta()


async def test_a_cancelled_reading_leaves_no_child_behind() -> None:
    task = asyncio.create_task(pdf.read(papers.pdf(content=papers.bomb(100)), LIMITS))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("said", [{}, {"title": 1}, {"title": ["a"], "line": None}, {"language": "\ud800"}])
def test_whatever_the_child_says_is_judged(said: dict[str, object]) -> None:
    assert clean_metadata(said) == PdfMeta()


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
    assert clean_metadata({"title": title}).title == (title if kept else None)


async def test_a_fetched_paper_is_read_whatever_it_is_called(web: Web) -> None:
    web.public.pages["/a"] = page(papers.pdf(PAGE_ONE, language="en"), content_type="text/html")
    async with web.fetcher() as fetcher:
        facts = await fetcher.facts(web.url("/a"))
    assert facts == Facts(web.url("/a"), "pdf", "Guide to gifts and hospitality", WORDS, language="en")


@pytest.mark.parametrize("lie", [b"%PDF-1.7\n<html><title>x</title>", b"%PDF-", b"%PDF-1.4\n" + b"\0" * 3_000_000])
async def test_a_paper_that_lies_is_a_paper_without_a_title(web: Web, lie: bytes) -> None:
    web.public.pages["/a"] = page(lie, content_type="application/pdf")
    async with web.fetcher() as fetcher:
        assert await fetcher.facts(web.url("/a")) == Facts(web.url("/a"), "pdf")
