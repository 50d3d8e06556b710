"""Decodes a stream into lines, whatever its encoding, with bounded memory."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from typing import BinaryIO

LONGEST_LINE = 8_000_000  # bytes
_CHUNK = 65_536


class Lines:
    """The lines of a stream, each with its `\\n`; `number` is that of the last one yielded, from 1.

    UTF-8 or UTF-16 by byte order mark; without one, each line is UTF-8, else Windows-1252 (as old spreadsheets write).
    A line longer than `LONGEST_LINE` is skipped, and its number added to `too_long`.
    """

    def __init__(self, stream: BinaryIO, number: int = 0) -> None:
        """`number`: how many lines were read before."""
        self.number = number
        self.too_long: list[int] = []
        self._raw = _raw_lines(_chunks(stream))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._raw:
            self.number += 1
            if line is not None:
                return _decoded(line)
            self.too_long.append(self.number)
        raise StopIteration


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Re-encodes to UTF-8 if there is a byte order mark, else passes the bytes through."""
    head = stream.read(_CHUNK)
    utf16 = head.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    decoder = getincrementaldecoder("utf-16")("replace") if utf16 else None
    chunk = head.removeprefix(BOM_UTF8)
    while head:
        yield decoder.decode(chunk).encode() if decoder else chunk
        head = chunk = stream.read(_CHUNK)
    if decoder:
        yield decoder.decode(b"", final=True).encode()


def _raw_lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Splits into lines; None stands for a line that is too long. Linear time."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            size += len(part)
            yield b"".join([*parts, part, b"\n"]) if size <= LONGEST_LINE else None
            parts, size = [], 0
        size += len(rest)
        if size > LONGEST_LINE:
            parts = []
        elif rest:
            parts.append(rest)
    if size:
        yield b"".join(parts) if size <= LONGEST_LINE else None


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
