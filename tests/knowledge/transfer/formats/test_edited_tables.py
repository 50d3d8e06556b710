"""Somebody may open Faro's table in a spreadsheet, work in it, and hand it back."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

from plugins.knowledge.transfer.formats.csv_cells import COLUMNS
from plugins.knowledge.transfer.formats.item import Item, ShareItem, Skipped
from tests.knowledge.transfer.formats.drawn import items, read, skipped, written

ITEM = Item(
    "https://example.org/",
    title={"en": "Gifts", "es": "Regalos"},
    note={"": "=Start here"},
    topics=("gifts", "with, comma"),
    language="es",
    label="amber",
    pinned=True,
    votes=3,
    number=12,
    shares=(ShareItem("https://example.org/#a", sender="@ana:x", sent_at=1), ShareItem("https://example.org/#b")),
)


def table() -> list[list[str]]:
    return list(csv.reader(StringIO(written("csv", [ITEM]).decode("utf-8-sig"), newline="")))


def reread(rows: list[list[str]], delimiter: str = ",", encoding: str = "utf-8") -> list[Item | Skipped]:
    text = StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return read("csv", text.getvalue().encode(encoding))


def test_a_table_that_was_only_saved_again_is_unchanged() -> None:
    assert reread(table(), ";", "cp1252") == [ITEM]
    assert reread([[cell.strip() for cell in row] for row in table()], "\t", "utf-16") == [ITEM]


def test_what_was_edited_counts_and_the_rest_stays() -> None:
    rows = table()
    for column, cell in [("title", "Regalos y dádivas"), ("note", ""), ("topics", "gifts; ética"), ("pinned", "no")]:
        rows[1][COLUMNS.index(column)] = cell
    assert reread(rows) == [
        replace(
            ITEM,
            title={"en": "Gifts", "es": "Regalos y dádivas"},
            note={},
            topics=("gifts", "ética"),
            pinned=False,
        )
    ]


def test_rows_that_were_sorted_lose_no_share_and_no_label() -> None:
    head, first, second = table()
    stray, item = items(reread([head, second, first]))
    assert (stray.url, stray.label, stray.shares) == (ITEM.url, "amber", ITEM.shares[1:])
    assert item == replace(ITEM, shares=ITEM.shares[:1])


def test_a_damaged_machine_column_is_told_and_the_others_are_read() -> None:
    head, first, second = table()
    found = reread([head, [*first[:-1], first[-1][:-5]], second])
    item = items(found)[0]
    assert (item.title, item.topics, item.number) == ({"": "Regalos"}, ("gifts", "with", "comma"), 12)
    assert skipped(found) == ["2: https://example.org/: The cell 'faro' is damaged; the other cells were imported."]
