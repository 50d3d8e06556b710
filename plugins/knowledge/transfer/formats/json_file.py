"""Faro's own JSON: `{"format": "faro", "version": 1, "hub": …, "title": …, "at": …, "items": […]}`.

Everything survives. The keys of an item are the fields of `Item`, those of a share the fields of `ShareItem`, those of
a version the fields of `VersionItem`; what is empty may be left out. Instants are UTC milliseconds.

The writer puts each item on a line of its own, and such a file is read line by line whatever its size. One that was
laid out anew by another program is read as a whole, up to `LARGEST_FILE` bytes.
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
from plugins.knowledge.transfer.formats.validation import admitted, beginning

VERSION = 1
LARGEST_FILE = 200_000_000  # bytes that are read as a whole; they need several times that in memory

_FIRST_LINE = re.compile(rb'(?:\xef\xbb\xbf)?\{"format": "faro", .*"items": \[\s*')
_LONGEST_HEAD = 65_536
_EMPTY = Item("")
_NO_SHARE = ShareItem("")
_NO_VERSION = VersionItem("")


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items and says how many there were."""
    head = {"format": "faro", "version": VERSION, "hub": meta.hub, "title": meta.title, "at": meta.at}
    stream.write(f'{dumped(head)[:-1]}, "items": ['.encode())
    count = 0
    for count, item in enumerate(items, start=1):
        stream.write(f"{',' if count > 1 else ''}\n{dumped(as_json(item))}".encode())
    stream.write(b"\n]}\n")
    return count


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link of the file; raises `ExchangeError` where it is not Faro's JSON, or of a newer version."""
    first = stream.readline(_LONGEST_HEAD)
    if _FIRST_LINE.fullmatch(first):
        _items(parsed(first.removeprefix(BOM_UTF8) + b"]}"))
        yield from _by_line(Lines(stream, number=1))
    else:
        for item in _items(document(stream, first)):
            yield from admitted(item)


def as_json(item: Item) -> dict[str, object]:
    """The item as JSON has it, without what is empty."""
    filled = {name: value for name, value in _filled(item, _EMPTY) if name not in ("versions", "shares")}
    if item.versions:
        filled["versions"] = [dict(_filled(version, _NO_VERSION)) for version in item.versions]
    if item.shares:
        filled["shares"] = [share_as_json(share) for share in item.shares]
    return filled


def share_as_json(share: ShareItem) -> dict[str, object]:
    return dict(_filled(share, _NO_SHARE))


def dumped(value: object) -> str:
    """As one line. A lone surrogate, which UTF-8 cannot hold, stays an escape."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def parsed(text: str | bytes) -> object:
    """Any JSON document. Raises `ExchangeError`, also for numbers and depths that no honest file has."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ExchangeError(Text("This is not JSON: {error}", error=error.msg), error.lineno) from None
    except UnicodeDecodeError:
        raise ExchangeError(Text("This is not JSON: its letters are not Unicode.")) from None
    except (ValueError, RecursionError):
        raise ExchangeError(Text("This JSON has a number or a depth beyond all measure.")) from None


def document(stream: BinaryIO, begun: bytes = b"") -> object:
    """Any JSON document, read as a whole, of which `begun` was read. Raises `ExchangeError`, also when too large."""
    data = begun + stream.read(LARGEST_FILE - len(begun) + 1)
    if len(data) > LARGEST_FILE:
        raise ExchangeError(Text("The file is larger than {most} bytes.", most=LARGEST_FILE))
    return parsed(data)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _items(found: object) -> Iterable[object]:
    if not isinstance(found, Mapping) or found.get("format") != "faro" or not isinstance(found.get("items"), list):
        raise ExchangeError(Text("This is not a collection of links written by Faro."), 1)
    if found.get("version") != VERSION:
        raise ExchangeError(
            Text(
                "The file has version {version} of Faro's format; this Faro reads version {known}.",
                version=beginning(str(found.get("version"))), known=VERSION,
            ),
            1,
        )  # fmt: skip
    return list(found["items"])


def _by_line(lines: Lines) -> Iterator[Item | Skipped]:
    ended = False
    for line in lines:
        text = line.strip()
        if text == "]}":
            ended = True
        elif text:
            yield from _one(text.removesuffix(","), lines.number)
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))
    if not ended:
        yield Skipped(lines.number, "", Text("The file ends in the middle; what comes after was lost."))


def _one(text: str, line: int) -> Iterator[Item | Skipped]:
    try:
        item = parsed(text)
    except ExchangeError as error:
        yield Skipped(line, beginning(text), error.text if isinstance(error.text, Text) else Text("This is no link."))
    else:
        yield from admitted(item, line)


def _filled(
    value: Item | ShareItem | VersionItem, empty: Item | ShareItem | VersionItem
) -> Iterator[tuple[str, object]]:
    for field in fields(value):
        said = getattr(value, field.name)
        if said != getattr(empty, field.name):
            yield field.name, dict(said) if isinstance(said, Mapping) else said
