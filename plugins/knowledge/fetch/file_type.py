"""What sort of file is this? Its first bytes decide where they can, then what the server calls it."""

from __future__ import annotations

import re

SNIFFED = 4_096  # bytes that are looked at

_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/epub+zip": "epub",
}
_ENDINGS = frozenset(_TYPES.values()) - {"html", "pdf"}
_OLD_OFFICE = frozenset(("doc", "xls", "ppt"))
_HTML = re.compile(
    rb"(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|title|meta|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_IN_ZIP = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_MIMETYPE = re.compile(rb"PK\x03\x04.{26}mimetype(?P<type>application/[a-z.+-]{3,60})", re.DOTALL)
_BYTE_ORDER_MARK = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")


def kind_of(content_type: str, start: bytes, path: str) -> str:
    """One of the kinds of `Facts.kind`, from the `Content-Type`, the first bytes and, last of all, the path."""
    start = start[:SNIFFED]
    said = content_type.partition(";")[0].strip().lower()
    named = _TYPES.get(said)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n\f")
    if text.startswith(b"%PDF-"):
        return "pdf"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return _office(start, named, path)
    if _HTML.match(text):
        return "html"
    if named == "html":
        return "html" if b"\0" not in start or _BYTE_ORDER_MARK.match(start) else "other"
    if named:
        return "other"  # it is said to be a document, and has no bytes of one
    family = said.partition("/")[0]
    return family if family in ("text", "image", "audio", "video") else "other"


def _office(start: bytes, named: str | None, path: str) -> str:
    old = not start.startswith(b"PK")
    ending = path.rpartition(".")[2].lower()
    if not old:
        if match := _MIMETYPE.match(start):
            return _TYPES.get(match["type"].decode("ascii"), "other")
        for folder, kind in _IN_ZIP:
            if folder in start:
                return kind
    for kind in (named or "", ending):
        if kind in _ENDINGS and (kind in _OLD_OFFICE) is old:
            return kind
    return "other"
