"""Lists the formats, and detects the format of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import PurePath
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats import csv_file, json_file, linkding, markdown, netscape, rss, shaarli
from plugins.knowledge.transfer.formats.csv_header import detect_delimiter
from plugins.knowledge.transfer.formats.decoding import Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, Skipped

Reader = Callable[[BinaryIO], Iterator[Item | Skipped]]
"""Reads lazily; raises only `ExchangeError`, possibly midway, if the file as a whole is not of this format."""
Writer = Callable[[Iterable[Item], BinaryIO, Meta], int]
"""Writes all items; returns their number."""

READERS: Mapping[str, Reader] = {
    "csv": csv_file.read,
    "json": json_file.read,
    "netscape": netscape.read,
    "linkding": linkding.read,
    "shaarli": shaarli.read,
}
WRITERS: Mapping[str, Writer] = {
    "csv": csv_file.write,
    "json": json_file.write,
    "netscape": netscape.write,
    "markdown": markdown.write,
    "rss": rss.write,
}
HEAD = 65_536
"""How many bytes of a file `detect` needs."""

_BOOKMARKS = re.compile(r"<!DOCTYPE\s+NETSCAPE-Bookmark-file|<DL\b|<DT\b|<A\s", re.IGNORECASE)
_FARO = re.compile(r'"format"\s*:\s*"faro"')
_LINKDING = re.compile(r'"(?:tag_names|website_title|date_added)"\s*:')
_SHAARLI = re.compile(r'"(?:shorturl|private|created)"\s*:')


def detect(path: PurePath, head: bytes) -> str:
    """The name of the reader for a file that begins with `head` (its first `HEAD` bytes).

    Content takes precedence over the file name. Raises `ExchangeError` if no format matches.
    """
    text = "".join(Lines(BytesIO(head))).lstrip()
    if text.startswith("<") and _BOOKMARKS.search(text):
        return "netscape"
    if text.startswith(("{", "[")):
        for name, sign in (("json", _FARO), ("linkding", _LINKDING), ("shaarli", _SHAARLI)):
            if sign.search(text):
                return name
    elif any(detect_delimiter(line) for line in text.split("\n", 2)[:2]):  # the second, after `sep=;`
        return "csv"
    by_name = {".csv": "csv", ".tsv": "csv", ".json": "json", ".html": "netscape", ".htm": "netscape"}
    if (called := path.suffix.lower()) in by_name:
        return by_name[called]
    raise ExchangeError(
        Text(
            "Faro cannot read links from '{file}'. It reads these formats: {known}, and plain lists of "
"addresses: one per line, with the word url on the first line.",
            file=path.name, known=", ".join(READERS),
        )
    )  # fmt: skip
