"""CSV: Faro's own, and tables of links that other programs and people made.

Everything survives in Faro's own: what a cell cannot hold (several languages, every part of a share) stands in the last
column, `faro`, as JSON. A link has a row with its first share, then one for each further share. What people change in
the other columns counts; rows may be sorted, then shares come back as links of their own with the same address.

Any other table needs a first line that names its columns (`csv_header`), one of them the address. Cells are separated
by commas, semicolons or tabs. linkding's names of fields are understood, too.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.transfer.formats.csv_cells import COLUMNS, MACHINE, edited, rows, unguarded, with_edits
from plugins.knowledge.transfer.formats.csv_header import Column, columns, delimiter
from plugins.knowledge.transfer.formats.dates import BadDate, instant
from plugins.knowledge.transfer.formats.decoding import LONGEST_LINE, Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, Skipped
from plugins.knowledge.transfer.formats.validation import admitted, beginning, told

MOST_SHARES = 100_000  # of one link in one piece; more come as another link with the same address
_YES = {
    **dict.fromkeys(("yes", "true", "1", "x", "si", "sí", "oui", "sim", "y", "verdadero", "vrai", "verdadeiro"), True),
    **dict.fromkeys(("", "no", "false", "0", "non", "não", "nao", "n", "falso", "faux"), False),
}
_BETWEEN_TOPICS = re.compile(r"[,;|\n]")
_SEP = re.compile(r'"?sep=(.)"?\s*')  # the first line some spreadsheets write and read


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items, as UTF-8 with a byte order mark for spreadsheets; says how many there were. A table has no
    place for `meta`."""
    stream.write(b"\xef\xbb\xbf")
    table = csv.writer(_Encoding(stream))
    table.writerow(COLUMNS)
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        table.writerows(rows(item))
    return count


class _Encoding:
    """What the csv module writes to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link of the table; raises `ExchangeError` where its first line names no column of addresses."""
    csv.field_size_limit(LONGEST_LINE)  # the module's own limit, for the whole process, is less than many shares need
    lines = Lines(stream)
    sign, named = _header(lines)
    waiting = _Row(0, {})
    for line, cells in _table(lines, sign):
        if isinstance(cells, Skipped):
            yield cells
            continue
        if len(named) == 1:  # a plain list: nothing in an address parts it
            cells = [sign.join(cells)]
        row = _Row(line, {column: cell for column, cell in zip(named, cells, strict=False) if column})
        if not waiting.takes(row):
            yield from waiting.links()
            waiting = row
    yield from waiting.links()
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))


def _header(lines: Lines) -> tuple[str, list[Column | None]]:
    for line in lines:
        if not line.strip() or _SEP.fullmatch(line):
            continue
        if sign := delimiter(line):
            return sign, columns(next(csv.reader([line], delimiter=sign)))
        break
    raise ExchangeError(
        Text("The first line must name the columns of the table, and one of them must be 'url'."), lines.number or None
    )


def _table(lines: Lines, sign: str) -> Iterator[tuple[int, list[str] | Skipped]]:
    """Rows that hold anything, with the lines they begin in."""
    table = csv.reader(lines, delimiter=sign)
    while True:
        line = lines.number + 1
        try:
            cells = [unguarded(cell) for cell in next(table)]
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Skipped(line, "", Text("This row is no row of a table: {error}", error=error))
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


class _Row:
    """A row, and the shares that the rows after it add."""

    def __init__(self, line: int, cells: Mapping[Column, str]) -> None:
        self._line = line
        self._cells = {column.name: cell for column, cell in cells.items() if not column.language}
        self._by_language = {column: cell.strip() for column, cell in cells.items() if column.language}
        self._problems: list[Skipped] = []
        self._machine = self._read_machine()
        first = self._machine.get("share")
        self._shares = [first] if first is not None else []

    def takes(self, row: _Row) -> bool:
        """Whether the other row is a further share of this link; then it is one now."""
        further = "share" in row._machine and "item" not in row._machine
        if not further or row._url != self._url or len(self._shares) >= MOST_SHARES:
            return False
        self._shares += row._shares
        return True

    def links(self) -> Iterator[Item | Skipped]:
        if not self._cells:
            return
        known = self._machine.get("item")
        if not isinstance(known, Mapping):
            values = self._values()
            yield from admitted({**values, "shares": self._shares or self._share_of_cells(values)}, self._line)
        else:
            found = list(admitted({**known, "shares": self._shares}, self._line))
            item = next((one for one in found if isinstance(one, Item)), None)
            if item and (names := edited(item, self._cells)):
                known = with_edits(item, names, self._cells, self._values())
                found = [*admitted(known, self._line), *(one for one in found if one is not item)]
            yield from found
        yield from self._problems

    @property
    def _url(self) -> str:
        return self._cells.get("url", "").strip()

    def _read_machine(self) -> Mapping[str, object]:
        cell = self._cells.pop(MACHINE, "")
        if not cell:
            return {}
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, Mapping):
            return found
        self._problem(Text("The cell '{column}' is damaged; read from the other cells.", column=MACHINE))
        return {}

    def _values(self) -> dict[str, object]:
        """What the cells say, in the shape of an item in JSON."""
        values: dict[str, object] = {name: cell.strip() for name, cell in self._cells.items() if cell.strip()}
        for name in ("title", "note"):
            texts = {"": self._cells.get(name, "").strip()}
            texts |= {column.language: cell for column, cell in self._by_language.items() if column.name == name}
            values[name] = {language: text for language, text in texts.items() if text}
        topics = (part.strip().removeprefix("#") for part in _BETWEEN_TOPICS.split(self._cells.get("topics", "")))
        values["topics"] = list(dict.fromkeys(topic for topic in topics if topic))
        for name in ("pinned", "hidden", "recommended"):
            cell = self._cells.get(name, "").strip().casefold()
            values[name] = _YES.get(cell, cell)
        for name in ("votes", "number"):
            cell = self._cells.get(name, "").strip()
            values[name] = int(cell) if re.fullmatch("[0-9]{1,16}", cell) else cell or None
        return values

    def _share_of_cells(self, values: Mapping[str, object]) -> list[object]:
        """In a table of somebody else: a share, if a date, a name or words are there."""
        try:
            sent_at = instant(self._cells.get("date", ""))
        except BadDate:
            date = beginning(self._cells["date"])
            self._problem(Text("Read without its date, which is not understood: {date}", date=date))
            sent_at = None
        sender, words = self._cells.get("shared_by"), self._cells.get("words", "")
        if sent_at is None and not sender and not words:
            return []
        return [{"url": values.get("url"), "sent_at": sent_at, "sender": sender, "note": words}]

    def _problem(self, why: Text) -> None:
        self._problems.append(Skipped(self._line, told(self._url), why))
