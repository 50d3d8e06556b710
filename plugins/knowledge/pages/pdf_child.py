"""Reads a PDF from stdin and writes what it says of itself to stdout, as lines of JSON; a program, not to be imported.

    python -I pdf_child.py MEMORY CPU < file.pdf
    {"title": "…"}
    {"author": "…"}
    {"language": "…"}
    {"line": "the largest line of page 1"}

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
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby

from pypdf import PdfReader
from pypdf.generic import PdfObject

_LONGEST = 2_000  # characters of each text
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
    reader = PdfReader(io.BytesIO(data), strict=False)
    for key, part in (("title", _title), ("author", _author), ("language", _language), ("line", _largest_line)):
        try:
            yield {key: part(reader)[:_LONGEST]}
        except Exception as error:  # one part is broken; the others may not be
            logging.debug("no %s: %r", key, error)


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


def _largest_line(reader: PdfReader) -> str:
    """The lines of the largest letters on page 1 that follow each other, as one."""
    pieces: list[tuple[float, str]] = []

    def piece(text: str, cm: list[float], tm: list[float], font: PdfObject | None, size: float) -> None:
        if text.strip():
            scale = abs(tm[3] or tm[1]) * abs(cm[3] or cm[1])
            pieces.append((round(abs(size) * scale, 1), text))
        if len(pieces) > _MOST_PIECES:
            raise _EnoughError

    with suppress(_EnoughError):
        reader.pages[0].extract_text(visitor_text=piece)
    lines = [(size, " ".join(text for _, text in run)) for size, run in groupby(pieces, key=lambda piece: piece[0])]
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
