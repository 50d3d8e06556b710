"""Detects the kind of a file: by its first bytes if possible, else by its declared media type."""

from __future__ import annotations

import re

SNIFFED = 4_096  # bytes that are inspected

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
_OFFICE_KINDS = frozenset(_TYPES.values()) - {"html", "pdf"}
_LEGACY_OFFICE = frozenset(("doc", "xls", "ppt"))
_HTML = re.compile(
    rb"(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|title|meta|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_ZIP_FOLDERS = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_MIMETYPE = re.compile(rb"PK\x03\x04.{26}mimetype(?P<type>application/[a-z.+-]{3,60})", re.DOTALL)
_BYTE_ORDER_MARK = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")


def kind_of(content_type: str, start: bytes, path: str) -> str:
    """A kind as in `Facts.kind`, from the first bytes, the `Content-Type` and, last, the path."""
    start = start[:SNIFFED]
    media_type = content_type.partition(";")[0].strip().lower()
    declared = _TYPES.get(media_type)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n\f")
    if text.startswith(b"%PDF-"):
        return "pdf"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return _office(start, declared, path)
    if _HTML.match(text):
        return "html"
    if declared == "html":
        return "html" if b"\0" not in start or _BYTE_ORDER_MARK.match(start) else "other"
    if declared:
        return "other"  # declared as a document, but its bytes are not one
    family = media_type.partition("/")[0]
    return family if family in ("text", "image", "audio", "video") else "other"


def _office(start: bytes, declared: str | None, path: str) -> str:
    is_legacy = not start.startswith(b"PK")
    ending = path.rpartition(".")[2].lower()
    if not is_legacy:
        if match := _MIMETYPE.match(start):
            return _TYPES.get(match["type"].decode("ascii"), "other")
        for folder, kind in _ZIP_FOLDERS:
            if folder in start:
                return kind
    for kind in (declared or "", ending):
        if kind in _OFFICE_KINDS and (kind in _LEGACY_OFFICE) is is_legacy:
            return kind
    return "other"
