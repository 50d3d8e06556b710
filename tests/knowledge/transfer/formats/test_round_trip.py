"""What is written is read again: all of it from JSON and CSV, from bookmarks what they can hold."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO

from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugins.knowledge.transfer.formats.csv_cells import escape_formulas, unescape_formulas
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.transfer.formats.registry import WRITERS
from tests.knowledge.transfer.formats.drawn import ITEMS, META, URLS, read, texts, written
from tests.tiers import examples

FORMULAS = Item(
    "https://example.org/",
    title={"": "=HYPERLINK(1)", "es": "'=1"},
    note={"": "\t=1\r\n@x"},
    topics=("+a", "-b", "a, b", "'"),
    shares=(ShareItem("https://example.org/", note="a;=1"), ShareItem("https://example.org/#x", sent_at=1)),
)


@given(st.lists(ITEMS, max_size=4))
@example([FORMULAS, FORMULAS])
@settings(max_examples=examples(200), deadline=None)
def test_json_gives_back_every_item(items: list[Item]) -> None:
    assert read("json", written("json", items)) == items


@given(st.lists(ITEMS, max_size=4))
@settings(max_examples=examples(50), deadline=None)
def test_json_that_was_laid_out_anew_gives_back_every_item(items: list[Item]) -> None:
    anew = json.dumps(json.loads(written("json", items)), indent=2)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read("json", anew.encode(encoding)) == items


@given(st.lists(ITEMS, max_size=4))
@example([FORMULAS, FORMULAS])
@settings(max_examples=examples(300), deadline=None)
def test_csv_gives_back_every_item(items: list[Item]) -> None:
    assert read("csv", written("csv", items)) == items


@given(st.lists(ITEMS, max_size=3))
@settings(max_examples=examples(50), deadline=None)
def test_csv_that_went_through_utf_16_gives_back_every_item(items: list[Item]) -> None:
    assert read("csv", written("csv", items).decode("utf-8-sig").encode("utf-16")) == items


def test_csv_gives_back_an_item_with_more_than_any_spreadsheet_cell_holds() -> None:
    long = Item(
        "https://example.org/",
        note={"": "é" * 100_000, "es": "=" * 100_000},
        shares=tuple(ShareItem("https://example.org/", sent_at=at, note="=x" * 100) for at in range(2_000)),
    )
    assert read("csv", written("csv", [long, long])) == [long, long]


@given(texts(most=60))
@example("''==;'=\t\r=")
def test_guarding_cells_loses_nothing_and_leaves_no_formula(text: str) -> None:
    cell = escape_formulas(text)
    assert unescape_formulas(cell) == text
    assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    for separator in ";,\t\n":
        assert not any(part.startswith(("=", "+", "-", "@")) for part in cell.split(separator))


WORDS = texts(least=1).map(lambda text: " ".join(text.split())).filter(bool)
BOOKMARKS = st.builds(
    Item,
    url=URLS,
    title=WORDS.map(lambda text: {"": text}) | st.just({}),
    note=texts(most=60).map(str.strip).map(lambda text: {"": text} if text else {}),
    topics=st.lists(WORDS.filter(lambda text: "," not in text), max_size=4, unique=True).map(tuple),
    label=st.sampled_from(["green", "amber"]),
)


@given(st.lists(st.tuples(BOOKMARKS, st.none() | st.integers(1, 4_000_000_000)), max_size=4))
@settings(max_examples=examples(300), deadline=None)
def test_bookmarks_give_back_address_title_note_topics_date_and_whether_private(
    drawn: list[tuple[Item, int | None]],
) -> None:
    items = [
        item if second is None else replace(item, shares=(ShareItem(item.url, sent_at=second * 1000),))
        for item, second in drawn
    ]
    assert read("netscape", written("netscape", items)) == items


def test_bookmarks_are_called_as_people_are_shown_them_and_that_becomes_no_title() -> None:
    nameless = Item("https://example.org/gift_policy.html?token=x", label="green")
    file = written("netscape", [nameless, Item("https://example.org/", label="green")]).decode()
    assert ">gift policy</A>" in file
    assert ">example.org</A>" in file
    assert read("netscape", file.encode())[0] == nameless


def test_a_writer_says_how_many_items_it_wrote_and_takes_them_one_by_one() -> None:
    for write in WRITERS.values():
        assert write((FORMULAS for _ in range(3)), BytesIO(), META) == 3
        assert write(iter(()), BytesIO(), META) == 0
