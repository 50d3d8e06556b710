"""A question finds what has its words, however they are written, and is never more than words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.database import SqliteDatabase
from plugins.knowledge import index, search
from plugins.knowledge.search import Query
from plugins.knowledge.text import MOST_WORDS, fold, index_words, question
from tests.knowledge.hubs import hub
from tests.knowledge.test_index import found, say

MEET = [
    ("corrupción", "CORRUPCION"), ("l'intégrité", "integrite"), ("œuvre", "oeuvre"), ("Straße", "strasse"),
    ("ＣＢＰ", "cbp"), ("whistle-blower", "whistleblower"), ("whistle-blower", "whistle blower"),
    ("anticorruption", "anti-corruption"), ("intégrité", "inte\u0301grite\u0301"), ("C-314/12", "314"),
    ("regalos", "rega"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "asked"), MEET)
async def test_spellings_meet(db: SqliteDatabase, written: str, asked: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"{written} https://example.org/a")
        assert await found(tx, asked) == ["https://example.org/a"]


async def test_only_the_last_word_may_be_unfinished_and_not_a_short_one(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "regalos corporativos https://example.org/a")
        assert await found(tx, "regalos corp") != []
        assert await found(tx, "rega corporativos") == []
        assert await found(tx, "reg") == []


async def test_titles_count_more_than_notes_and_notes_more_than_addresses(db: SqliteDatabase) -> None:
    resources = [
        {"url": "https://example.org/audit", "title": "One"},
        {"url": "https://example.org/2", "title": "Two", "note": "About audit"},
        {"url": "https://example.org/3", "title": "Audit"},
        {"url": "https://example.org/4", "title": "Four", "topics": ["audit"]},
        *({"url": f"https://example.org/more/{n}", "title": f"Something else {n}"} for n in range(9)),
    ]
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=resources)])
        order = [url.rpartition("/")[2] for url in await found(tx, "audit")]
        assert order == ["3", "4", "2", "audit"]


async def test_all_words_are_wanted_and_any_word_is_the_second_best(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "gifts policy https://example.org/a", event="$1")
        await say(tx, "gifts https://example.org/b", event="$2")
        query, entries = await search.find(tx, ["transparency"], Query("gifts policy"), limit=5)
        assert ([entry.number for entry in entries], query.any_word) == ([1], False)
        query, entries = await search.find(tx, ["transparency"], Query("gifts unicorns"), limit=5)
        assert ({entry.number for entry in entries}, query.any_word) == ({1, 2}, True)


async def test_filters_narrow_a_search_down(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a", event="$1", sender="@ana:example.org", at=1000)
        await say(tx, "https://example.org/b", event="$2", sender="@anabel:example.org", at=2000)
        await say(tx, "https://example.org/c", event="$3", sender="@ana:example.com", at=3000)
        a, b, c = (f"https://example.org/{name}" for name in "abc")
        assert await found(tx, "", sender="ana") == [c, a]
        assert await found(tx, "", sender="@ana:example.org") == [a]
        assert await found(tx, "", since=2000) == [c, b]
        assert await found(tx, "example", sender="ana", since=2000) == [c]


async def test_a_page_is_found_by_its_address_however_it_is_written(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/guide?id=1", event="$1")
        await say(tx, "https://example.org/guide?id=2", event="$2")
        for asked in ("https://example.org/guide?id=1", "<HTTPS://EXAMPLE.org/guide?id=1&utm_source=x#top>"):
            assert await found(tx, asked) == ["https://example.org/guide?id=1"]
        assert (await search.find(tx, ["transparency"], Query("https://example.org/other"), limit=5))[1] == []
        assert await found(tx, "https://example.org/guide?id=1", "audit") == []


HOSTILE = [
    '" OR *', "l'intégrité", "title:", "NEAR(a b)", "^a", "20.04", "-x", "🦄", "a" * 10_000, "a b " * 5000, "scope:z",
    "a AND", "(((", "a\x00b", "\ud800", "-".join("abcdefgh" * 300), "NOT NOT", "{title}:x", "ß" * 500, "½ ² ﷺ",
    "क्षि", "\U0001e900", "'; DROP TABLE shares; --", "*", '"', "_", "a-", "--",
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_question_is_an_error(db: SqliteDatabase, words: str) -> None:
    async with db.transaction() as tx:
        await say(tx, "a title https://example.org/a")
        for any_word in (False, True):
            await search.page(tx, ["transparency"], Query(words, any_word=any_word), limit=5)


async def test_a_question_cannot_name_another_hub(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "secret https://example.org/a", hub="audit")
        for words in (search.scope("audit"), f"scope:{search.scope('audit')}", "secret) OR (scope:"):
            assert await found(tx, words) == []


@given(st.text())
def test_a_question_is_a_few_words(text: str) -> None:
    words = question(text)
    assert len(words) <= MOST_WORDS
    assert all(part.isalnum() for parts in words for part in parts)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert index_words(index_words(text)) == index_words(index_words(index_words(text)))


def test_words_that_say_nothing_are_left_out() -> None:
    assert question("la declaración de Arusha") == [["declaracion"], ["arusha"]]
    assert question("de la") == [["de"], ["la"]]
    assert question("l'anti-corruption 2026") == [["anti", "corruption"], ["2026"]]
