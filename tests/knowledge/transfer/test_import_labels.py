"""Marks in the words of a link that is brought in count as in chat: TLP, and `!nolog`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.knowledge.faro import Faro

MARKED = """url,title,note,words
https://example.org/1,TLP:RED plan,secret,
https://example.org/2,Plan,TLP:AMBER only us,
https://example.org/3,Has nolog,!nolog,
https://example.org/4,Open,,TLP:CLEAR to all
https://example.org/5,Said,,tlp rojo
"""


def test_marks_in_a_links_own_words_count_as_in_chat(faro: Faro) -> None:
    report = faro.folder / "report.csv"
    file = faro.file("t.csv", MARKED)
    preview = faro.run("import", "transparency", file, "--dry-run").stdout
    result = faro.run("import", "transparency", file, "--yes", "--report", report)
    for said in (preview, result.stdout, report.read_text("utf-8")):
        assert "https://example.org/1" in said
        assert "Its text says !nolog." in said
        assert "secret" not in said
    assert "2 new links" in result.stdout
    assert [(item["url"][-1], item["label"]) for item in faro.exported()] == [("2", "amber"), ("4", "clear")]
    assert [item["url"][-1] for item in faro.exported("--public")] == ["4"]


@pytest.mark.parametrize(
    ("item", "options", "label"),
    [
        ({"title": "TLP:AMBER plan"}, ("--label", "clear"), "amber"),
        ({"title": "TLP:AMBER plan", "label": "green"}, (), "amber"),
        ({"title": "TLP:CLEAR plan", "label": "amber"}, (), "amber"),
        ({"title": "TLP:CLEAR plan", "label": "green"}, (), "green"),
        ({"title": "TLP:CLEAR plan"}, ("--label", "green"), "green"),
        ({"topics": ["tlp:amber"]}, (), "amber"),
        ({"title": "Ends with TLP", "note": "red tape"}, (), "green"),
    ],
)
def test_the_stricter_of_what_words_and_files_say_counts(
    faro: Faro, item: Mapping[str, object], options: tuple[str, ...], label: str
) -> None:
    faro.imported([{"url": "https://example.org/1", **item}], *options)
    assert [item["label"] for item in faro.exported()] == [label]


def test_each_share_of_a_file_has_its_own_marks(faro: Faro) -> None:
    kept, red = {"sent_at": 5, "note": "Read this"}, {"sent_at": 6, "note": "Names", "label": "TLP:RED list"}
    result = faro.imported(
        [
            {"url": "https://example.org/1", "shares": [kept, red]},
            {"url": "https://example.org/2", "shares": [red, {"sent_at": 7, "note": "!nolog"}]},
            {"url": "https://example.org/3", "shares": [kept, {"sent_at": 8, "note": "TLP:AMBER"}]},
            {"url": "https://example.org/4", "shares": [{"sent_at": 9, "note": "TLP:CLEAR"}]},
        ]
    )
    assert "Imported without its 'shares': Its text says TLP:RED." in result.stdout
    assert "https://example.org/2: Its text says !nolog." in result.stdout
    items = faro.exported()
    assert [(item["url"][-1], item["label"], len(item["shares"])) for item in items] == [
        ("1", "green", 1),
        ("3", "amber", 2),
        ("4", "clear", 1),
    ]


def test_words_marked_amber_keep_a_known_page_in_the_hub(faro: Faro) -> None:
    """They are added to the page without a share that would carry their label."""
    faro.imported([{"url": "https://example.org/1"}, {"url": "https://example.org/2"}])
    marked = [{"url": "https://example.org/1", "note": "TLP:AMBER only us"}, {"url": "https://example.org/2"}]
    for changes in (1, 0):
        result = faro.imported(marked)
        assert f"{changes} merged with an existing result" in result.stdout
        assert [item["label"] for item in faro.exported()] == ["amber", "green"]


@pytest.mark.parametrize(
    ("header", "row", "label"),
    [
        ("url,title,label,tlp", "{url},a,,AMBER", "amber"),
        ("url,title,tlp,label", "{url},a,amber,green", "amber"),
        ("url,title,label,label", "{url},a,clear,green", "green"),
        ("url,title,TLP:", "{url},a,AMBER", "amber"),
        ("url,title,TLP label", "{url},a,TLP:AMBER", "amber"),
        ("url,title,label,tlp", "{url},a,green,RED", None),
        ("url,title,label,tlp", "{url},a,amber,secret", None),
    ],
)
def test_of_several_label_columns_the_strictest_counts(faro: Faro, header: str, row: str, label: str | None) -> None:
    file = faro.file("t.csv", f"{header}\n{row.format(url='https://example.org/1')}\n")
    faro.run("import", "transparency", file, "--yes")
    assert [item["label"] for item in faro.exported()] == ([label] if label else [])


BOOKMARK = '<DT><A HREF="https://example.org/1" ADD_DATE="1600000000" PRIVATE="{private}">One</A>\n'
NETSCAPE = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n{}</DL><p>\n"


def test_a_file_that_says_nothing_new_but_a_stricter_label_makes_it_stricter(faro: Faro) -> None:
    for private, label in (("0", "green"), ("1", "amber"), ("0", "amber")):
        file = faro.file(f"{private}{label}.html", NETSCAPE.format(BOOKMARK.format(private=private)))
        faro.run("import", "transparency", file, "--yes")
        assert [item["label"] for item in faro.exported()] == [label]


def test_so_does_the_same_link_twice_in_one_file(faro: Faro) -> None:
    lines = BOOKMARK.format(private="0") + BOOKMARK.format(private="1")
    faro.run("import", "transparency", faro.file("b.html", NETSCAPE.format(lines)), "--yes")
    assert [item["label"] for item in faro.exported()] == ["amber"]


def test_so_does_the_option(faro: Faro) -> None:
    file = faro.file("t.csv", "url,title\nhttps://example.org/1,One\n")
    for label in ("clear", "amber", "green"):
        faro.run("import", "transparency", file, "--yes", "--label", label)
    assert [item["label"] for item in faro.exported()] == ["amber"]
    assert faro.exported("--public") == []


def test_topics_of_all_columns_count_and_those_too_many_are_told(faro: Faro) -> None:
    many = ", ".join(f"t{number:02}" for number in range(14))
    table = f'url,title,folder,tags\nhttps://example.org/1,One,Unsorted,"wetness, cloud"\nhttps://example.org/2,Two,,"{many}"\n'
    result = faro.run("import", "transparency", faro.file("t.csv", table), "--yes")
    first, second = sorted(faro.exported(), key=lambda item: str(item["url"]))
    assert set(first["topics"]) == {"unsorted", "wetness", "cloud"}
    assert len(second["topics"]) == 12
    assert "without the topic “t12”: a result has at most 12 topics" in result.stdout


def test_dates_of_pocket_are_read(faro: Faro) -> None:
    page = '<ul><li><a href="https://example.org/1" time_added="1463547234" tags="gifts">One</a></li></ul>'
    faro.run("import", "transparency", faro.file("p.html", page), "--yes", "--format", "netscape")
    faro.run(
        "import",
        "transparency",
        faro.file("p.csv", "title,url,time_added\nTwo,https://example.org/2,1463547234\n"),
        "--yes",
    )
    assert [item["shares"][0]["sent_at"] for item in faro.exported()] == [1_463_547_234_000] * 2
