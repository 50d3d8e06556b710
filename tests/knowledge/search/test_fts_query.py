"""No question is an error of the database, an operator, or a way to the column that says who may see what."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api import UserError
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index.thesaurus import with_terms
from plugins.knowledge.search.fts_query import match, quoted
from plugins.knowledge.search.query_parser import Question, parse
from tests.knowledge.search.test_query_parser import HOSTILE, texts
from tests.knowledge.shelf import ask, say, urls
from tests.tiers import examples

TERMS = with_terms(())


def outside(expression: str) -> str:
    """What of an expression is not quoted."""
    return re.sub(r'"(?:[^"]|"")*"', "…", expression)


def question(text: str) -> Question:
    try:
        return parse(text, TERMS)
    except UserError:
        return Question()


@given(texts)
def test_everything_people_write_is_quoted_and_bound_to_the_columns_of_words(text: str) -> None:
    asked = question(text)
    for titles in (False, True):
        expression = outside(match([["s1", "o2"]], asked.units, asked.without, titles=titles))
        assert expression.startswith("facets : (… OR …)") or expression.lstrip("(").startswith("facets : (… OR …)")
        assert expression.count("facets") == 1
        rest = expression.replace("facets : (… OR …)", "")
        assert set(re.findall(r"[^\W_]+", rest)) <= {
            "AND",
            "OR",
            "NOT",
            "title",
            "topics",
            "notes",
            "about",
            "address",
            "stems",
            "concepts",
        }
        # No quoted word stands outside a column filter.
        assert not re.search(r"(?<![:(] )(?<!\()(?<!OR )…", rest)


@given(st.text())
def test_a_quoted_word_is_one_string_whatever_it_holds(text: str) -> None:
    assert outside(quoted(text)) == "…"


@given(text=texts)
@settings(deadline=None, max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_question_is_an_error_of_the_database(db: SqliteDatabase, text: str) -> None:
    async with db.transaction() as tx:
        await say(tx, "a title on gifts and money laundering https://example.org/a")
        try:
            await ask(tx, text)
        except UserError:
            return


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_hostile_question_is_an_error_of_the_database(db: SqliteDatabase, text: str) -> None:
    async with db.transaction() as tx:
        await say(tx, "a title https://example.org/a")
        try:
            await ask(tx, text)
            await ask(tx, f"gifts -{text}")
        except UserError:
            return


async def test_nothing_asked_for_reaches_other_shelves_or_the_facets(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/own")
        await say(tx, "secret https://example.org/a", hub="audit", event="$2")
        for words in (
            "s1",
            "s2",
            "o2",
            "facets:s2",
            '"s2"',
            "secret) OR (facets:s2",
            "shared",
            "good",
            "y2018",
            "{facets}:s2",
            "title:secret",
            "secret",
            "sec*",
            "y20*",
        ):
            assert "https://example.org/a" not in await urls(tx, words)
        for words in ("s1", "o1", "m577", "y2019", "u1"):
            assert await urls(tx, words) == [], words
