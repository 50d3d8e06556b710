"""PDFs made by hand, so that they can be wrong in exactly one way."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

Line = tuple[float, str]


def pdf(lines: Sequence[Line] = (), info: Mapping[str, str] | None = None, language: str = "", **parts: bytes) -> bytes:
    """One page with these lines (size of the letters, text) from top to bottom. `content`, `kids`,
    `catalog` and `info_entry`
    replace or add what a test wants to break; `last` is one object more, before the table."""
    shown = (f"BT /F1 {size} Tf 72 {700 - 60 * row} Td ({words}) Tj ET\n" for row, (size, words) in enumerate(lines))
    content = parts.get("content", stream("".join(shown).encode("cp1252")))
    entries = "".join(f"/{key} {_hex(value)}" for key, value in (info or {}).items()).encode()
    catalog = (f"/Lang ({language})".encode() if language else b"") + parts.get("catalog", b"")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Count 1 /Kids [%s] >>" % parts.get("kids", b"3 0 R"),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< " + entries + parts.get("info_entry", b"") + b" >>",
        *([parts["last"]] if "last" in parts else []),
    ]
    data = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(data)


def packed(data: bytes) -> bytes:
    """The beginning of the same paper as newer programs write it: all but the content of its page in one packed stream
    (ISO 32000-1, 7.5.7), and no more."""
    found = {int(number): body for number, body in re.findall(rb"(?s)(\d+) 0 obj\n(.*?)\nendobj\n", data)}
    content = found.pop(4)
    places, inner = b"", b""
    for number, body in found.items():
        places += b"%d %d " % (number, len(inner))
        inner += body + b"\n"
    entries = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(found), len(places))
    return b"%%PDF-1.7\n4 0 obj\n%s\nendobj\n20 0 obj\n%s\nendobj\n" % (
        content,
        stream(zlib.compress(places + inner), entries),
    )


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def bomb(megabytes: int) -> bytes:
    """A content stream that is packed three times and unpacks to so many megabytes."""
    packer = zlib.compressobj(9)
    once = b"".join([*(packer.compress(b"0 0 m\n" * 175_000) for _ in range(megabytes)), packer.flush()])
    return stream(zlib.compress(zlib.compress(once, 9), 9), b"/Filter [/FlateDecode /FlateDecode /FlateDecode]")


def _hex(text: str) -> str:
    return "<" + ("\ufeff" + text).encode("utf-16-be").hex() + ">"
