"""Converts an item to CSV rows, and a row to the edits of an item."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from plugins.knowledge.transfer.formats.dates import to_iso
from plugins.knowledge.transfer.formats.item import Item, ShareItem, shown_language, shown_text
from plugins.knowledge.transfer.formats.json_file import as_json, share_as_json

COLUMNS = (
    "url", "title", "note", "topics", "language", "kind", "label", "pinned", "hidden", "votes", "date", "shared_by",
    "words", "description", "site", "author", "published", "recommended", "number", "faro",
)  # fmt: skip
JSON_COLUMN = "faro"
EDITABLE = (
    "url", "title", "note", "topics", "language", "kind", "label", "pinned", "hidden", "description", "site", "author",
    "published",
)  # fmt: skip
"""Columns that people may edit in a spreadsheet; their edits override the column `faro`."""

LONGEST_CELL = 32_000  # characters; spreadsheets hold 32,767. The column `faro` has the whole text.

# Formula injection: spreadsheets evaluate cells that begin with one of these. A spreadsheet that expects another
# delimiter also begins cells after semicolons, tabs, quotes and line ends inside ours.
_FORMULA = r"[=+\-@\t\r\n＝＋－＠]"
_FORMULA_START = re.compile(rf"(?='*+{_FORMULA})")
_FORMULA_INSIDE = re.compile(rf"([;,\t\r\n\"])(?='*+{_FORMULA})")
_ESCAPED_START = re.compile(rf"'(?='*+{_FORMULA})")
_ESCAPED_INSIDE = re.compile(rf"([;,\t\r\n\"])'(?='*+{_FORMULA})")


def escape_formulas(text: str) -> str:
    """Puts a `'` wherever a spreadsheet might begin a formula; `unescape_formulas` is the exact inverse."""
    inside = _FORMULA_INSIDE.sub(r"\1'", text)
    return "'" + inside if _FORMULA_START.match(text) else inside


def unescape_formulas(cell: str) -> str:
    if "'" not in cell:
        return cell
    return _ESCAPED_INSIDE.sub(r"\1", cell[1:] if _ESCAPED_START.match(cell) else cell)


def rows(item: Item) -> Iterator[list[str]]:
    """One row for the item with its first share, and one for each further share."""
    first, *others = item.shares or (None,)
    json_value: dict[str, object] = {"item": as_json(replace(item, shares=()))}
    if first:
        json_value["share"] = share_as_json(first)
    yield _row({**cells(item), **_share_cells(first), JSON_COLUMN: _json_cell(json_value)})
    for share in others:
        json_value = {"share": share_as_json(share)}
        yield _row({**_repeated_cells(item), **_share_cells(share), JSON_COLUMN: _json_cell(json_value)})


def cells(item: Item) -> dict[str, str]:
    """The item's own cells, not yet escaped; texts in one language only."""
    values = {
        "url": item.url,
        "title": shown_text(item.title, item.language),
        "note": shown_text(item.note, item.language),
        "topics": ", ".join(item.topics),
        "language": item.language,
        "kind": item.kind,
        "label": item.label,
        "pinned": _yes(item.pinned),
        "hidden": _yes(item.hidden),
        "votes": str(item.votes or ""),
        "description": item.description,
        "site": item.site,
        "author": item.author,
        "published": item.published,
        "recommended": _yes(item.recommended),
        "number": "" if item.number is None else str(item.number),
    }
    return {name: (text or "")[:LONGEST_CELL] for name, text in values.items()}


def edited_columns(item: Item, row: Mapping[str, str]) -> list[str]:
    """The columns of a row that differ from what was written for this item."""
    written = cells(item)
    return [
        name
        for name in EDITABLE
        if row.get(name, written[name]) != written[name] and _normalised(row[name]) != _normalised(written[name])
    ]


def apply_edits(
    item: Item, names: Sequence[str], row: Mapping[str, str], values: Mapping[str, object]
) -> dict[str, object]:
    """The item in its JSON form with the edits of these columns; `values` are the parsed cells of the row."""
    raw = as_json(item)
    for name in names:
        if name in ("title", "note"):
            texts = item.title if name == "title" else item.note
            raw[name] = {**texts, shown_language(texts, item.language): row[name].strip()}
        else:
            raw[name] = values.get(name)
    return raw


def _normalised(cell: str) -> str:
    """Normalises line ends and outer white space, which spreadsheets change: such a difference is not an edit."""
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def _repeated_cells(item: Item) -> dict[str, str]:
    """The cells repeated in the rows of further shares, which sorting may separate from the first row."""
    return {name: cell for name, cell in cells(item).items() if name in ("url", "label", "hidden")}


def _share_cells(share: ShareItem | None) -> dict[str, str]:
    if share is None:
        return {}
    date = "" if share.sent_at is None else to_iso(share.sent_at)
    return {"date": date, "shared_by": share.sender or "", "words": share.note[:LONGEST_CELL]}


def _row(values: Mapping[str, str]) -> list[str]:
    return [escape_formulas(cell) if (cell := values.get(name)) else "" for name in COLUMNS]


def _json_cell(value: object) -> str:
    """JSON in ASCII, which survives spreadsheets that save in a legacy encoding."""
    return json.dumps(value, separators=(",", ":"))


def _yes(value: bool) -> str:
    return "yes" if value else ""
