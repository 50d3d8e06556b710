"""What is written to be read by people and feed readers looks as promised."""

from __future__ import annotations

from plugins.knowledge.transfer.formats.item import Item, Meta, ShareItem
from tests.knowledge.transfer.formats.drawn import written

ITEMS = [
    Item(
        "https://example.org/gifts",
        title={"en": "Gifts & *hospitality*", "es": "Regalos"},
        note={"": "Start here.\n# Not a heading"},
        topics=("gifts", "oecd"),
        language="es",
        author="Ana",
        number=12,
        shares=(
            ShareItem("https://example.org/gifts", sender="@ana:example.org", sent_at=1_700_000_100_000, note="psst"),
        ),
    ),
    Item("https://example.org/a/door.pdf?token=secret", number=13),
    Item("https://example.org/<b>(x) y", title={"": "[evil](javascript:alert)"}),
]


def test_markdown_shows_what_a_reader_needs_and_no_sharer() -> None:
    assert written("markdown", ITEMS, Meta("Our *links*", "transparency", 1_764_000_000_000)).decode() == (
        "# Our \\*links\\*\n\n"
        "- [Regalos](<https://example.org/gifts>) · example\\.org · 2023-11-14 · \\#gifts · \\#oecd\n"
        "  Start here\\. \\# Not a heading\n"
        "- door (`https://example.org/a/door.pdf?token=…`) · example\\.org\n"
        "- [\\[evil\\]\\(javascript\\:alert\\)](<https://example.org/%3Cb%3E(x)%20y>) · example\\.org\n"
        "\ntransparency, 2025-11-24\n"
    )


def test_rss_shows_what_a_reader_needs_and_no_sharer() -> None:
    feed = written("rss", ITEMS, Meta("Our <links>", "transparency", 1_764_000_000_000, "https://example.org/feed"))
    assert feed.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">\n<channel>\n'
        "<title>Our &lt;links&gt;</title>\n"
        "<link>https://example.org/feed</link>\n"
        "<description>Our &lt;links&gt;</description>\n"
        "<lastBuildDate>Mon, 24 Nov 2025 16:00:00 +0000</lastBuildDate>\n"
        "<generator>Faro</generator>\n"
        "<item>\n<title>Regalos</title>\n<link>https://example.org/gifts</link>\n"
        '<guid isPermaLink="false">https://example.org/feed#12</guid>\n'
        "<description>Start here.\n# Not a heading</description>\n"
        "<category>gifts</category>\n<category>oecd</category>\n"
        "<pubDate>Tue, 14 Nov 2023 22:15:00 +0000</pubDate>\n"
        "<dc:language>es</dc:language>\n<dc:creator>Ana</dc:creator>\n</item>\n"
        "<item>\n<title>door</title>\n"
        '<guid isPermaLink="false">https://example.org/feed#13</guid>\n</item>\n'
        "<item>\n<title>[evil](javascript:alert)</title>\n"
        "<link>https://example.org/%3Cb%3E(x)%20y</link>\n<guid>https://example.org/%3Cb%3E(x)%20y</guid>\n</item>\n"
        "</channel>\n</rss>\n"
    )


def test_a_table_shows_each_share_in_a_row_of_its_own() -> None:
    shares = tuple(ShareItem("https://example.org/", sender=f"@{name}:x", sent_at=0, note=name) for name in ("a", "b"))
    lines = written("csv", [Item("https://example.org/", title={"": "T"}, label="amber", shares=shares)]).decode(
        "utf-8-sig"
    )
    assert [line.partition(',"{')[0] for line in lines.splitlines()[1:]] == [
        "https://example.org/,T,,,,,amber,,,,1970-01-01T00:00:00.000Z,'@a:x,a,,,,,,",
        "https://example.org/,,,,,,amber,,,,1970-01-01T00:00:00.000Z,'@b:x,b,,,,,,",
    ]
