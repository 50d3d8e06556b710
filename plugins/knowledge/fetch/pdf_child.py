"""Reads a PDF from stdin and writes its metadata to stdout, as lines of JSON; a program, not to be imported.

    python -I pdf_child.py MEMORY CPU < file.pdf
    {"title": "…"}
    {"author": "…"}
    {"language": "…"}
    {"line": "the largest line of page 1"}
    {"text": "page 1"}

Each line is written as soon as it is ready, so that a page that exceeds the limits loses only its own line. Before it
reads the file, the program limits itself: to MEMORY bytes and CPU seconds, no writing of files, no new processes. It
exits with code 1 if the file cannot be read.
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
_EOF_WINDOW = 2_048  # bytes at the end of a complete file that hold its end marker
_MOST_OBJECTS = 5_000  # searched in a truncated file
_MOST_PIECES = 5_000  # of text on the page; a title is among the first


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
    reader, page = open_pdf(data)
    for key, part in (("title", _title), ("author", _author), ("language", _language)):
        try:
            yield {key: part(reader)[:_LONGEST]}
        except Exception as error:  # one field is broken; the others may be fine
            logging.debug("no %s: %r", key, error)
    pieces = _pieces(page or reader.pages[0])
    yield {"line": _largest_line(pieces)[:_LONGEST]}
    yield {"text": " ".join("".join(text for _, text in pieces).split())[:_LONGEST]}


def open_pdf(data: bytes) -> tuple[PdfReader, PageObject | None]:
    """Opens a file. Of a truncated one it also returns the first page: the index at its end is missing, so all objects
    are searched for the catalogue, the metadata and the page."""
    if b"%%EOF" in data[-_EOF_WINDOW:]:
        return PdfReader(io.BytesIO(data), strict=False), None
    # `startxref 0` makes pypdf look for the objects itself, also for those in object streams.
    reader = PdfReader(io.BytesIO(data + b"\nstartxref\n0\n%%EOF\n"), strict=False)
    roles = {"/Root": lambda obj: obj.get("/Type") == "/Catalog", "/Info": _is_info}
    page: PageObject | None = None
    for reference, obj in islice(_objects(reader), _MOST_OBJECTS):
        for key, matches in roles.items():
            with suppress(Exception):  # a dangling or circular reference
                if key not in reader.trailer and matches(obj):
                    reader.trailer[NameObject(key)] = reference
        if page is None and obj.get("/Type") == "/Page":
            page = PageObject(reader, reference)
            page.update(obj)
        if page is not None and roles.keys() <= reader.trailer.keys():
            break
    return reader, page


def _objects(reader: PdfReader) -> Iterator[tuple[IndirectObject, DictionaryObject]]:
    """The dictionaries of a file, in file order, with their references."""
    offsets = {
        (number, generation): (offset, 0)
        for generation, table in reader.xref.items()
        for number, offset in table.items()
    }
    streams = reader.xref_objStm.items()
    offsets |= {(number, 0): (offsets.get((stream, 0), (0, 0))[0], index) for number, (stream, index) in streams}
    for number, generation in sorted(offsets, key=offsets.__getitem__):
        reference = IndirectObject(number, generation, reader)
        with suppress(Exception):  # the truncated object, or a broken one
            obj = reference.get_object()
            if isinstance(obj, DictionaryObject):
                yield reference, obj


def _is_info(candidate: DictionaryObject) -> bool:
    """Whether this looks like the file's metadata, and is legible: the key of an encrypted file is lost with its
    end."""
    if "/Type" in candidate or not any(key in candidate for key in ("/Producer", "/Creator", "/CreationDate")):
        return False
    texts = [candidate[key] for key in ("/Title", "/Author") if key in candidate]
    return bool(texts) and all("".join(_text(text).split()).isprintable() for text in texts)


def _title(reader: PdfReader) -> str:
    return _text(reader.metadata and reader.metadata.title)


def _author(reader: PdfReader) -> str:
    return _text(reader.metadata and reader.metadata.author)


def _language(reader: PdfReader) -> str:
    return _text(reader.root_object.get("/Lang"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _EnoughError(Exception):
    """Ends the extraction: a title is among the first pieces of text."""


def _pieces(page: PageObject) -> list[tuple[float, str]]:
    """The texts of a page in order, each with its font size."""
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
    """The text in the largest font of page 1; consecutive lines are joined."""
    written = [piece for piece in pieces if piece[1].strip()]
    lines = [(size, " ".join(text for _, text in run)) for size, run in groupby(written, key=lambda piece: piece[0])]
    telling = [line for line in lines if sum(map(str.isalpha, line[1])) >= 4]  # not page numbers or initials
    return max(telling, default=(0, ""), key=lambda line: line[0])[1]


def main() -> int:
    limit(int(sys.argv[1]), int(sys.argv[2]))
    logging.disable()
    try:
        for fields in read(sys.stdin.buffer.read()):
            sys.stdout.write(json.dumps(fields) + "\n")
            sys.stdout.flush()
    except Exception:  # hostile files can raise anything; no more can be read
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
