"""CSV: reads and writes Faro's own tables, and reads those of other programs and people.

Faro's own are lossless: the last column, `faro`, holds as JSON what cells cannot (several languages, all fields of a
share). A link has a row with its first share, then one for each further share. Edits in the other columns override the
JSON. Rows may be sorted; then shares are read as separate links with the same address.

Any other table needs a header line (`csv_header`) with a column for the address. The delimiter is a comma, semicolon or
tab. linkding's field names are recognised, too.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.capture import labels
from plugins.knowledge.transfer.formats.csv_cells import (
    COLUMNS,
    JSON_COLUMN,
    apply_edits,
    edited_columns,
    rows,
    unescape_formulas,
)
from plugins.knowledge.transfer.formats.csv_header import LABEL, TOPICS, Column, columns, detect_delimiter
from plugins.knowledge.transfer.formats.dates import BadDate, parse_date
from plugins.knowledge.transfer.formats.decoding import LONGEST_LINE, Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, Skipped
from plugins.knowledge.transfer.formats.validation import excerpt, safe_address, validate

MOST_SHARES = 100_000  # per link; further ones are read as another link with the same address
_YES = {
    **dict.fromkeys(("yes", "true", "1", "x", "si", "sí", "oui", "sim", "y", "verdadero", "vrai", "verdadeiro"), True),
    **dict.fromkeys(("", "no", "false", "0", "non", "não", "nao", "n", "falso", "faux"), False),
}
_BETWEEN_TOPICS = re.compile(r"[,;|\n]")
_SEP = re.compile(r'"?sep=(.)"?\s*')  # the first line in files of some spreadsheets


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items, as UTF-8 with a byte order mark for spreadsheets; returns their number. `meta` is not
    written."""
    stream.write(b"\xef\xbb\xbf")
    table = csv.writer(_Encoding(stream))
    table.writerow(COLUMNS)
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        table.writerows(rows(item))
    return count


class _Encoding:
    """A text file for the csv module, over a binary stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every link of the table; raises `ExchangeError` if the header has no column for the address."""
    csv.field_size_limit(LONGEST_LINE)  # process-wide; the default is too small for links with many shares
    lines = Lines(stream)
    delimiter, header = _header(lines)
    current = _Row(0, {})
    for line, cells in _table(lines, delimiter):
        if isinstance(cells, Skipped):
            yield cells
            continue
        if len(header) == 1:  # a plain list: a delimiter inside an address does not split it
            cells = [delimiter.join(cells)]
        row = _Row(line, _by_column(header, cells))
        if not current.absorb(row):
            yield from current.links()
            current = row
    yield from current.links()
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))


def _header(lines: Lines) -> tuple[str, list[Column | None]]:
    for line in lines:
        if not line.strip() or _SEP.fullmatch(line):
            continue
        if delimiter := detect_delimiter(line):
            return delimiter, columns(next(csv.reader([line], delimiter=delimiter)))
        break
    raise ExchangeError(Text("The first line must contain the column names, including 'url'."), lines.number or None)


def _table(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str] | Skipped]]:
    """The rows that are not blank, each with the number of its first line."""
    table = csv.reader(lines, delimiter=delimiter)
    while True:
        line = lines.number + 1
        try:
            cells = [unescape_formulas(cell) for cell in next(table)]
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Skipped(line, "", Text("This row cannot be read: {error}", error=error))
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


def _by_column(header: Sequence[Column | None], cells: Sequence[str]) -> Mapping[Column, str]:
    """The cells of a row, with the topics of all columns that have some. Of several labels the strictest counts; one
    that is none of TLP's counts before all others, so that it is told."""
    row: dict[Column, str] = {}
    for column, cell in zip(header, cells, strict=False):
        if column == LABEL and (other := row.get(column, "").strip()):
            row[column] = max(other, cell.strip() or other, key=_strictness)
        elif column == TOPICS and row.get(column, "").strip():
            row[column] = f"{row[column]}, {cell}"
        elif column:
            row[column] = cell
    return row


def _strictness(label: str) -> int:
    order = ("clear", "green", "amber", "red")
    colour = labels.label(f"TLP:{label.casefold().removeprefix('tlp:')}")
    return order.index(colour) if colour else len(order)


class _Row:
    """A row, and the shares that following rows add to it."""

    def __init__(self, line: int, cells: Mapping[Column, str]) -> None:
        self._line = line
        self._cells = {column.name: cell for column, cell in cells.items() if not column.language}
        self._by_language = {column: cell.strip() for column, cell in cells.items() if column.language}
        self._problems: list[Skipped] = []
        self._json = self._read_json()
        first = self._json.get("share")
        self._shares = [first] if first is not None else []

    def absorb(self, row: _Row) -> bool:
        """Adds the other row if it is a further share of this link. Says whether."""
        further = "share" in row._json and "item" not in row._json
        if not further or row._url != self._url or len(self._shares) >= MOST_SHARES:
            return False
        self._shares += row._shares
        return True

    def links(self) -> Iterator[Item | Skipped]:
        if not self._cells:
            return
        stored = self._json.get("item")
        if not isinstance(stored, Mapping):
            values = self._values()
            yield from validate({**values, "shares": self._shares or self._share_of_cells(values)}, self._line)
        else:
            results = list(validate({**stored, "shares": self._shares}, self._line))
            item = next((result for result in results if isinstance(result, Item)), None)
            if item and (names := edited_columns(item, self._cells)):
                stored = apply_edits(item, names, self._cells, self._values())
                results = [*validate(stored, self._line), *(result for result in results if result is not item)]
            yield from results
        yield from self._problems

    @property
    def _url(self) -> str:
        return self._cells.get("url", "").strip()

    def _read_json(self) -> Mapping[str, object]:
        cell = self._cells.pop(JSON_COLUMN, "")
        if not cell:
            return {}
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, Mapping):
            return value
        self._problem(Text("The cell '{column}' is damaged; the other cells were imported.", column=JSON_COLUMN))
        return {}

    def _values(self) -> dict[str, object]:
        """The parsed cells, in the JSON form of an item."""
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
        """The share of a row without the column `faro`, if it has a date, a sharer or words."""
        try:
            sent_at = parse_date(self._cells.get("date", ""))
        except BadDate:
            date = excerpt(self._cells["date"])
            self._problem(Text("Imported without the date “{date}”: unknown format", date=date))
            sent_at = None
        sender, words = self._cells.get("shared_by"), self._cells.get("words", "")
        if sent_at is None and not sender and not words:
            return []
        return [{"url": values.get("url"), "sent_at": sent_at, "sender": sender, "note": words}]

    def _problem(self, why: Text) -> None:
        self._problems.append(Skipped(self._line, safe_address(self._url), why))
