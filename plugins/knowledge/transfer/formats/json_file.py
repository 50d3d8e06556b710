"""Faro's own JSON: `{"format": "faro", "version": 1, "hub": …, "title": …, "at": …, "items": […]}`.

Lossless. The keys of items, shares and versions are the fields of `Item`, `ShareItem` and `VersionItem`; empty values
may be omitted. Instants are UTC milliseconds.

The writer puts each item on its own line, and such a file is read line by line, whatever its size. A file that another
program reformatted is read as a whole, up to `LARGEST_FILE` bytes.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.decoding import Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, ShareItem, Skipped, VersionItem
from plugins.knowledge.transfer.formats.validation import excerpt, validate

VERSION = 1
LARGEST_FILE = 200_000_000  # bytes, if read as a whole; parsing needs several times that in memory

_FIRST_LINE = re.compile(rb'(?:\xef\xbb\xbf)?\{"format": "faro", .*"items": \[\s*')
_LONGEST_HEAD = 65_536
_EMPTY = Item("")
_NO_SHARE = ShareItem("")
_NO_VERSION = VersionItem("")


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items; returns their number."""
    head = {"format": "faro", "version": VERSION, "hub": meta.hub, "title": meta.title, "at": meta.at}
    stream.write(f'{dump_line(head)[:-1]}, "items": ['.encode())
    count = 0
    for count, item in enumerate(items, start=1):
        stream.write(f"{',' if count > 1 else ''}\n{dump_line(as_json(item))}".encode())
    stream.write(b"\n]}\n")
    return count


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link of the file; raises `ExchangeError` if it is not Faro's JSON, or of another version."""
    first = stream.readline(_LONGEST_HEAD)
    if _FIRST_LINE.fullmatch(first):
        _items(parse_json(first.removeprefix(BOM_UTF8) + b"]}"))
        yield from _by_line(Lines(stream, number=1))
    else:
        for item in _items(read_document(stream, first)):
            yield from validate(item)


def as_json(item: Item) -> dict[str, object]:
    """The JSON form of an item, without empty values."""
    filled = {name: value for name, value in _without_defaults(item, _EMPTY) if name not in ("versions", "shares")}
    if item.versions:
        filled["versions"] = [dict(_without_defaults(version, _NO_VERSION)) for version in item.versions]
    if item.shares:
        filled["shares"] = [share_as_json(share) for share in item.shares]
    return filled


def share_as_json(share: ShareItem) -> dict[str, object]:
    return dict(_without_defaults(share, _NO_SHARE))


def dump_line(value: object) -> str:
    """JSON on one line. A lone surrogate, which UTF-8 cannot encode, stays escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def parse_json(text: str | bytes) -> object:
    """Parses any JSON. Raises `ExchangeError`, also for absurd numbers and nesting depths."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ExchangeError(Text("This is not JSON: {error}", error=error.msg), error.lineno) from None
    except UnicodeDecodeError:
        raise ExchangeError(Text("This is not JSON: it is not valid Unicode.")) from None
    except (ValueError, RecursionError):
        raise ExchangeError(Text("This JSON has a number that is too large, or is nested too deeply.")) from None


def read_document(stream: BinaryIO, begun: bytes = b"") -> object:
    """Reads a whole JSON document, of which `begun` was read before. Raises `ExchangeError`, also if too large."""
    data = begun + stream.read(LARGEST_FILE - len(begun) + 1)
    if len(data) > LARGEST_FILE:
        raise ExchangeError(Text("The file is larger than {most} bytes.", most=LARGEST_FILE))
    return parse_json(data)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _items(file: object) -> Iterable[object]:
    if not isinstance(file, Mapping) or file.get("format") != "faro" or not isinstance(file.get("items"), list):
        raise ExchangeError(Text("This is not a Faro export."), 1)
    if file.get("version") != VERSION:
        raise ExchangeError(
            Text(
                "The file has version {version} of Faro's format; this Faro reads version {known}.",
                version=excerpt(str(file.get("version"))), known=VERSION,
            ),
            1,
        )  # fmt: skip
    return list(file["items"])


def _by_line(lines: Lines) -> Iterator[Item | Skipped]:
    ended = False
    for line in lines:
        text = line.strip()
        if text == "]}":
            ended = True
        elif text:
            yield from _read_item(text.removesuffix(","), lines.number)
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))
    if not ended:
        yield Skipped(lines.number, "", Text("The file is truncated; the rest is missing."))


def _read_item(text: str, line: int) -> Iterator[Item | Skipped]:
    try:
        item = parse_json(text)
    except ExchangeError as error:
        yield Skipped(line, excerpt(text), error.text if isinstance(error.text, Text) else Text("This is not a link."))
    else:
        yield from validate(item, line)


def _without_defaults(
    value: Item | ShareItem | VersionItem, empty: Item | ShareItem | VersionItem
) -> Iterator[tuple[str, object]]:
    for field in fields(value):
        content = getattr(value, field.name)
        if content != getattr(empty, field.name):
            yield field.name, dict(content) if isinstance(content, Mapping) else content
