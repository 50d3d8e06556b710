"""Files as other programs write them, after the public descriptions of their formats, give what a reader expects."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from plugins.knowledge.transfer.formats.item import Item, ShareItem, Skipped
from plugins.knowledge.transfer.formats.registry import HEAD, detect
from tests.knowledge.transfer.formats.drawn import FILES, items, read, skipped

NOV_14 = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC


def load(name: str) -> list[Item | Skipped]:
    data = (FILES / name).read_bytes()
    return read(detect(PurePath(name), data[:HEAD]), data)


def bookmark(url: str, title: str, second: int | None, **more: object) -> Item:
    shares = () if second is None else (ShareItem(url, sent_at=NOV_14 + second * 1000),)
    return Item(url, title={"": title}, shares=shares, **more)  # type: ignore[arg-type]  # fields as each test needs


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("firefox.html", "netscape"),
        ("chrome.html", "netscape"),
        ("shaarli.html", "netscape"),
        ("linkding.html", "netscape"),
        ("linkding.json", "linkding"),
        ("shaarli.json", "shaarli"),
        ("english.csv", "csv"),
        ("spanish.csv", "csv"),
        ("french.csv", "csv"),
        ("portuguese.csv", "csv"),
        ("linkding.csv", "csv"),
    ],
)
def test_a_file_is_known_by_what_it_says_whatever_its_name(name: str, format_: str) -> None:
    head = (FILES / name).read_bytes()[:HEAD]
    for called in (name, "export", "wrong.json", "wrong.csv", "wrong.html"):
        assert detect(PurePath(called), head) == format_


def test_firefox_bookmarks_keep_folders_tags_and_dates() -> None:
    found = load("firefox.html")
    assert items(found) == [
        bookmark(
            "https://example.org/guia?a=1&b=2",
            'Guía "Regalos" & más',
            100,
            topics=("Integridad", "regalos", "política de regalos"),
        ),
        bookmark("https://example.org/aduanas", "Código de conducta", 300, topics=("Integridad", "Aduanas")),
        bookmark("https://example.org/bar", "In the bar", 500),
    ]
    assert skipped(found) == [
        "19: place:type=6&sort=14&maxResults=10: This is not an http or https address.",
        "25: javascript:alert(1): This is not an http or https address.",
    ]


def test_dates_of_bookmarks_may_be_in_any_unit_but_not_of_another_epoch() -> None:
    found = load("chrome.html")
    dates = {item.title[""]: [share.sent_at for share in item.shares] for item in items(found)}
    assert dates == {
        "Milliseconds": [NOV_14 + 100_123],
        "Microseconds": [NOV_14 + 100_123],
        "Never": [],
        "Another epoch": [],
    }
    assert skipped(found) == [
        "14: https://example.org/1601: Imported without the date “13344473700000000”: unknown format",
        "16: chrome://settings/: This is not an http or https address.",
    ]


def test_shaarli_bookmarks_keep_notes_of_several_lines_and_what_is_private() -> None:
    found = load("shaarli.html")
    note = "Première ligne.\nSeconde ligne, avec un lien : https://example.org/autre"
    assert items(found) == [
        bookmark(
            "https://example.org/ethique",
            "L'éthique <douane>",
            100,
            note={"": note},
            topics=("éthique", "omd"),
            label="green",
        ),
        bookmark("https://example.org/prive", "Rien qu'à moi", 300, label="amber"),
    ]
    assert skipped(found) == ["13: /shaare/8CU_Pg: This is not an http or https address."]


def test_linkding_bookmarks_keep_description_and_notes_apart() -> None:
    assert load("linkding.html") == [
        bookmark(
            "https://example.org/one",
            "Gifts & hospitality",
            100,
            description="What the page says",
            note={"": "Read **chapter 3** first.\n\nThen the annex."},
            topics=("gifts", "oecd"),
            label="green",
        ),
        bookmark("https://example.org/two", "Two", 200, label="amber"),
    ]


def test_linkding_json_keeps_tags_notes_dates_and_who_may_see_it() -> None:
    found = load("linkding.json")
    one, two, four = items(found)
    assert one == Item(
        "https://example.org/one",
        title={"": "Gifts & hospitality"},
        note={"": "Read **chapter 3** first."},
        description="What the page says",
        topics=("gifts", "oecd"),
        shares=(ShareItem("https://example.org/one", sent_at=NOV_14 + 100_123),),
    )
    assert (two.title, two.description, two.note) == ({"": "Two, as the site calls it"}, "As the site says", {})
    assert (two.label, two.hidden, two.shares[0].sent_at) == ("amber", True, NOV_14 + 200_000)
    assert (four.topics, four.shares) == (("a",), ())
    assert skipped(found) == [
        "None: ftp://example.org/three: This is not an http or https address.",
        "None: https://example.org/four: Imported without the date “yesterday”: unknown format",
    ]


def test_shaarli_json_keeps_notes_tags_dates_and_who_may_see_it() -> None:
    found = load("shaarli.json")
    note = {"": "Première ligne.\nSeconde ligne."}
    assert items(found) == [
        bookmark("https://example.org/ethique", "L'éthique <douane>", 100, note=note, topics=("éthique", "omd")),
        bookmark("https://example.org/prive", "Rien qu'à moi", 300, label="amber"),
    ]
    assert skipped(found) == ["None: /shaare/yyyyyy: This is not an http or https address."]


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    found = load("english.csv")
    assert items(found) == [
        Item(
            "https://example.org/gifts",
            title={"": "Gifts, a guide", "es": "Regalos: guía"},
            note={"": 'Says "no" clearly'},
            topics=("gifts", "gift policy"),
            language="en",
            label="clear",
            shares=(ShareItem("https://example.org/gifts", sent_at=NOV_14 + 100_000),),
        ),
        bookmark("https://example.org/when", "When", None),
        bookmark("https://example.org/formula", "=1+1", -80_000),
    ]
    assert skipped(found) == [
        ("3: https://example.org/red: Its label is 'red'; only links labelled clear, green or amber are stored."),
        "4: : It has no address.",
        "5: mailto:ana@example.org: This is not an http or https address.",
        "6: https://example.org/when: Imported without the date “last summer”: unknown format",
    ]


def test_tables_from_spreadsheets_in_spanish_french_and_portuguese_are_read() -> None:
    assert load("spanish.csv") == [
        bookmark(
            "https://example.org/niños",
            "Niños y ética",
            100,
            note={"": "Útil"},
            topics=("ética", "niñez"),
            language="es",
        )
    ]
    assert load("french.csv") == [
        bookmark(
            "https://example.org/ethique",
            "L’éthique",
            100,
            note={"": "À lire"},
            topics=("éthique", "douane"),
            language="fr",
        )
    ]
    assert load("portuguese.csv") == [
        bookmark(
            "https://example.org/etica",
            "Ética",
            100,
            note={"": "Boa"},
            topics=("ética", "alfândega"),
            language="pt",
            author="Ana",
        )
    ]


def test_a_table_with_the_names_of_linkding_is_read() -> None:
    assert load("linkding.csv") == [
        bookmark(
            "https://example.org/one",
            "One",
            100,
            note={"": "Read it"},
            topics=("gifts", "oecd"),
            description="What it says",
            number=None,
        )
    ]
