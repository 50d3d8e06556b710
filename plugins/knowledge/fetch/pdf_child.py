"""Reads a PDF from stdin and writes what it says of itself to stdout, as lines of JSON; a program, not to be imported.

    python -I pdf_child.py MEMORY CPU < file.pdf
    {"title": "…"}
    {"author": "…"}
    {"language": "…"}
    {"line": "the largest line of page 1"}
    {"text": "page 1"}

Each line is written when it is known, so that a page too heavy to be read takes only its own line away. Before the
file is looked at it gives up what it does not need: more than MEMORY bytes, more than CPU seconds, writing to files,
starting processes. Exit code 1 where it cannot be read.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby, islice

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject, IndirectObject, NameObject, PdfObject

_LONGEST = 2_000  # characters of each text
_END = 2_048  # bytes in which a whole file says that it ends
_MOST_OBJECTS = 5_000  # of a file without end that are looked through
_MOST_PIECES = 5_000  # of text on the page; a title stands in the first of them


def limit(memory: int, cpu: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def read(data: bytes) -> Iterator[dict[str, str]]:
    reader, page = opened(data)
    for key, part in (("title", _title), ("author", _author), ("language", _language)):
        try:
            yield {key: part(reader)[:_LONGEST]}
        except Exception as error:  # one part is broken; the others may not be
            logging.debug("no %s: %r", key, error)
    pieces = _pieces(page or reader.pages[0])
    yield {"line": _largest_line(pieces)[:_LONGEST]}
    yield {"text": " ".join("".join(text for _, text in pieces).split())[:_LONGEST]}


def opened(data: bytes) -> tuple[PdfReader, PageObject | None]:
    """A file, and its first page if its end is missing: that is where files tell where everything is, so then all
    objects are looked through that are there."""
    if b"%%EOF" in data[-_END:]:
        return PdfReader(io.BytesIO(data), strict=False), None
    # `startxref 0` makes pypdf look for the objects itself, also for those in object streams.
    reader = PdfReader(io.BytesIO(data + b"\nstartxref\n0\n%%EOF\n"), strict=False)
    known = {"/Root": lambda found: found.get("/Type") == "/Catalog", "/Info": _is_info}
    page: PageObject | None = None
    for place, found in islice(_objects(reader), _MOST_OBJECTS):
        for key, is_it in known.items():
            with suppress(Exception):  # it leads nowhere, or back to itself
                if key not in reader.trailer and is_it(found):
                    reader.trailer[NameObject(key)] = place
        if page is None and found.get("/Type") == "/Page":
            page = PageObject(reader, place)
            page.update(found)
        if page is not None and known.keys() <= reader.trailer.keys():
            break
    return reader, page


def _objects(reader: PdfReader) -> Iterator[tuple[IndirectObject, DictionaryObject]]:
    """The dictionaries of a file in its order, with references to them."""
    places = {
        (number, generation): (place, 0) for generation, found in reader.xref.items() for number, place in found.items()
    }
    streams = reader.xref_objStm.items()
    places |= {(number, 0): (places.get((stream, 0), (0, 0))[0], place) for number, (stream, place) in streams}
    for number, generation in sorted(places, key=places.__getitem__):
        place = IndirectObject(number, generation, reader)
        with suppress(Exception):  # the one that was cut, or a broken one
            found = place.get_object()
            if isinstance(found, DictionaryObject):
                yield place, found


def _is_info(found: DictionaryObject) -> bool:
    """Whether this seems to be what the file says of itself, and to be legible: how it is encrypted is told at its end,
    too."""
    if "/Type" in found or not any(key in found for key in ("/Producer", "/Creator", "/CreationDate")):
        return False
    said = [found[key] for key in ("/Title", "/Author") if key in found]
    return bool(said) and all("".join(_text(text).split()).isprintable() for text in said)


def _title(reader: PdfReader) -> str:
    return _text(reader.metadata and reader.metadata.title)


def _author(reader: PdfReader) -> str:
    return _text(reader.metadata and reader.metadata.author)


def _language(reader: PdfReader) -> str:
    return _text(reader.root_object.get("/Lang"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _EnoughError(Exception):
    """The page has more text than a title page."""


def _pieces(page: PageObject) -> list[tuple[float, str]]:
    """The texts of a page as they follow each other, with the size of their letters."""
    pieces: list[tuple[float, str]] = []

    def piece(text: str, cm: list[float], tm: list[float], font: PdfObject | None, size: float) -> None:
        if text:
            scale = abs(tm[3] or tm[1]) * abs(cm[3] or cm[1])
            pieces.append((round(abs(size) * scale, 1), text))
        if len(pieces) > _MOST_PIECES:
            raise _EnoughError

    with suppress(_EnoughError):
        page.extract_text(visitor_text=piece)
    return pieces


def _largest_line(pieces: Iterable[tuple[float, str]]) -> str:
    """The lines of the largest letters on page 1 that follow each other, as one."""
    written = [piece for piece in pieces if piece[1].strip()]
    lines = [(size, " ".join(text for _, text in run)) for size, run in groupby(written, key=lambda piece: piece[0])]
    telling = [line for line in lines if sum(map(str.isalpha, line[1])) >= 4]  # not a page number or an initial
    return max(telling, default=(0, ""), key=lambda line: line[0])[1]


def main() -> int:
    limit(int(sys.argv[1]), int(sys.argv[2]))
    logging.disable()
    try:
        for said in read(sys.stdin.buffer.read()):
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
    except Exception:  # whatever a hostile file brings about, no more can be read
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
