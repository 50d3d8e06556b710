"""Recognises documents among attached files by name and media type; never reads their bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote

from plugins.knowledge.capture import labels
from plugins.knowledge.capture.links import LONGEST_LABEL, LONGEST_NOTE, visible_text
from plugins.knowledge.text.tidy import tidy

LONGEST_NAME = 255  # characters: as much as most file systems take
LARGEST = 2**53  # bytes: a larger number is no size (Matrix spec, "canonical JSON")

# Kinds of documents, by file extension, with the media types of each. Images, audio, video, archives, programs and web
# pages are not documents, whatever media type the sender declares.
_MEDIA_TYPES = {
    "pdf": ("application/pdf", "application/x-pdf"),
    "doc": ("application/msword",),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    "docm": ("application/vnd.ms-word.document.macroenabled.12",),
    "xls": ("application/vnd.ms-excel",),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    "xlsm": ("application/vnd.ms-excel.sheet.macroenabled.12",),
    "ppt": ("application/vnd.ms-powerpoint",),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
    "pptm": ("application/vnd.ms-powerpoint.presentation.macroenabled.12",),
    "ppsx": ("application/vnd.openxmlformats-officedocument.presentationml.slideshow",),
    "odt": ("application/vnd.oasis.opendocument.text",),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet",),
    "odp": ("application/vnd.oasis.opendocument.presentation",),
    "odg": ("application/vnd.oasis.opendocument.graphics",),
    "rtf": ("application/rtf", "text/rtf"),
    "epub": ("application/epub+zip",),
    "mobi": ("application/x-mobipocket-ebook",),
    "azw3": ("application/vnd.amazon.mobi8-ebook",),
    "fb2": ("application/x-fictionbook+xml",),
    "djvu": ("image/vnd.djvu", "image/x-djvu"),
    "txt": ("text/plain",),
    "md": ("text/markdown", "text/x-markdown"),
    "csv": ("text/csv",),
    "tsv": ("text/tab-separated-values",),
}
KINDS = frozenset(_MEDIA_TYPES)
_KIND_OF_TYPE = {mimetype: kind for kind, mimetypes in _MEDIA_TYPES.items() for mimetype in mimetypes}
_KIND_OF_ENDING = {kind: kind for kind in _MEDIA_TYPES} | {"markdown": "md", "text": "txt", "pps": "ppt", "djv": "djvu"}
_ENDING = re.compile(r"\.(?P<ending>[^\W_]{1,10})$")
_NO_DOCUMENT = re.compile(
    r"(?:audio|font|image|video)/|application/(?:x-)?(?:msdownload|msdos-program|dosexec|executable|sharedlib|java-archive)"
)
_COPY_NUMBER = re.compile(r"\s?\(\d{1,3}\)$")  # report (1).pdf
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Document:
    """A shared document: `kind` is an extension as "pdf", `title` is derived from the name, `size` is in bytes.

    `note` is the sharer's caption, with its hashtags and its label as in `links.SharedLinks`.
    """

    name: str
    kind: str
    title: str
    mimetype: str | None = None
    size: int | None = None
    note: str = ""
    hashtags: tuple[str, ...] = ()
    label: str | None = None

    @property
    def as_json(self) -> str:
        """The file as the column `attachment` of `shares` holds it."""
        file = {"name": self.name, "kind": self.kind, "title": self.title, "type": self.mimetype, "size": self.size}
        return json.dumps(file, ensure_ascii=False)


def read_document(
    body: str,
    *,
    filename: str | None = None,
    html: str | None = None,
    mimetype: str | None = None,
    size: int | None = None,
) -> Document | None:
    """The document that a message of type `m.file` shares; None if it is not a document, or must not be kept.

    The arguments are the fields of the event. The body is a caption if there is also a file name and it differs, else
    it is the name (Matrix spec, "Media captions"). A label or `!nolog` counts in the caption and in the name.
    """
    has_caption = bool(filename) and filename != body
    name = tidy(re.split(r"[/\\]", filename or body)[-1][: LONGEST_NAME * 4], LONGEST_NAME).strip(". ")
    media_type = (mimetype or "").partition(";")[0].strip().lower()
    kind = _kind(name, media_type)
    words = visible_text(body, html) if has_caption else ""
    searched = f"{words}\n{name}"
    label = labels.label(searched)
    if kind is None or label == labels.RED or labels.has_no_log(searched):
        return None
    return Document(
        name=name,
        kind=kind,
        title=title_from_name(name) or kind.upper(),
        mimetype=media_type[:LONGEST_LABEL] or None,
        size=size if size is not None and 0 <= size <= LARGEST else None,
        note=tidy(words, LONGEST_NOTE),
        hashtags=labels.hashtags(words),
        label=label,
    )


def _kind(name: str, mimetype: str) -> str | None:
    """The kind by the file extension, as declared media types are often vague (octet-stream, zip); by the media type
    if there is no extension, or only a number (`Report v1.2`)."""
    of_type = _KIND_OF_TYPE.get(mimetype)
    if of_type is None and _NO_DOCUMENT.match(mimetype):
        return None
    ending = _ENDING.search(name)
    if ending is None or not _LETTER.search(ending["ending"]):
        return of_type
    return _KIND_OF_ENDING.get(ending["ending"].lower())


def title_from_name(name: str) -> str:
    """`Gift_policy_2023 (1).pdf` → `Gift policy 2023`: separators become spaces."""
    words = _COPY_NUMBER.sub("", unquote(_ENDING.sub("", name)))
    for stand_in in "_+-.":
        if stand_in == "_" or " " not in words.strip():
            words = words.replace(stand_in, " ")
    words = tidy(words, LONGEST_LABEL)
    return words if _LETTER.search(words) else name
