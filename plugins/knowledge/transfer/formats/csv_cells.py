"""How one item looks as rows of a table, and what a row says about an item."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from plugins.knowledge.transfer.formats.dates import iso
from plugins.knowledge.transfer.formats.item import Item, ShareItem, language_shown, shown
from plugins.knowledge.transfer.formats.json_file import as_json, share_as_json

COLUMNS = (
    "url", "title", "note", "topics", "language", "kind", "label", "pinned", "hidden", "votes", "date", "shared_by",
    "words", "description", "site", "author", "published", "recommended", "number", "faro",
)  # fmt: skip
MACHINE = "faro"
EDITABLE = (
    "url", "title", "note", "topics", "language", "kind", "label", "pinned", "hidden", "description", "site", "author",
    "published",
)  # fmt: skip
"""Columns that people may change in a spreadsheet; what they wrote counts more than the column `faro`."""

LONGEST_CELL = 32_000  # characters that are shown; spreadsheets hold 32,767. The column `faro` has all.

# A spreadsheet takes a cell for a formula if it begins with one of these, and where a table with commas is opened by
# one that expects semicolons, cells begin after semicolons, tabs, quotes and line ends inside our cells, too.
_FORMULA = r"[=+\-@\t\r\n＝＋－＠]"
_BEGINS = re.compile(rf"(?='*+{_FORMULA})")
_BEGINS_INSIDE = re.compile(rf"([;,\t\r\n\"])(?='*+{_FORMULA})")
_GUARDED = re.compile(rf"'(?='*+{_FORMULA})")
_GUARDED_INSIDE = re.compile(rf"([;,\t\r\n\"])'(?='*+{_FORMULA})")


def guarded(text: str) -> str:
    """The text with a `'` wherever a spreadsheet might begin a formula; `unguarded` is its exact inverse."""
    inside = _BEGINS_INSIDE.sub(r"\1'", text)
    return "'" + inside if _BEGINS.match(text) else inside


def unguarded(cell: str) -> str:
    if "'" not in cell:
        return cell
    return _GUARDED_INSIDE.sub(r"\1", cell[1:] if _GUARDED.match(cell) else cell)


def rows(item: Item) -> Iterator[list[str]]:
    """A row for the item with its first share, and one for every further share."""
    first, *others = item.shares or (None,)
    machine: dict[str, object] = {"item": as_json(replace(item, shares=()))}
    if first:
        machine["share"] = share_as_json(first)
    yield _row({**cells(item), **_share_cells(first), MACHINE: _machine_cell(machine)})
    for share in others:
        machine = {"share": share_as_json(share)}
        yield _row({**_strays(item), **_share_cells(share), MACHINE: _machine_cell(machine)})


def cells(item: Item) -> dict[str, str]:
    """The item's own cells as they are shown, not yet guarded; of several languages one."""
    said = {
        "url": item.url,
        "title": shown(item.title, item.language),
        "note": shown(item.note, item.language),
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
    return {name: (text or "")[:LONGEST_CELL] for name, text in said.items()}


def edited(item: Item, row: Mapping[str, str]) -> list[str]:
    """The columns of a row that say something else than was written for this item."""
    written = cells(item)
    return [
        name
        for name in EDITABLE
        if row.get(name, written[name]) != written[name] and _bare(row[name]) != _bare(written[name])
    ]


def with_edits(
    item: Item, names: Sequence[str], row: Mapping[str, str], values: Mapping[str, object]
) -> dict[str, object]:
    """The item as JSON has it, with what the row says in these columns; `values` is what they mean by themselves."""
    raw = as_json(item)
    for name in names:
        if name in ("title", "note"):
            texts = item.title if name == "title" else item.note
            raw[name] = {**texts, language_shown(texts, item.language): row[name].strip()}
        else:
            raw[name] = values.get(name)
    return raw


def _bare(cell: str) -> str:
    """Spreadsheets change line ends and drop white space round a cell; that is nobody's edit."""
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def _strays(item: Item) -> dict[str, str]:
    """What a further share must not lose when its row is moved away from the first."""
    return {name: cell for name, cell in cells(item).items() if name in ("url", "label", "hidden")}


def _share_cells(share: ShareItem | None) -> dict[str, str]:
    if share is None:
        return {}
    date = "" if share.sent_at is None else iso(share.sent_at)
    return {"date": date, "shared_by": share.sender or "", "words": share.note[:LONGEST_CELL]}


def _row(said: Mapping[str, str]) -> list[str]:
    return [guarded(cell) if (cell := said.get(name)) else "" for name in COLUMNS]


def _machine_cell(value: object) -> str:
    """In ASCII, so that it comes through a spreadsheet that saves in an old encoding."""
    return json.dumps(value, separators=(",", ":"))


def _yes(value: bool) -> str:
    return "yes" if value else ""
