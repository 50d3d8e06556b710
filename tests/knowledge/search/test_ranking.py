"""What counts most: where a word stands; then, gently, who found it useful and when it was shared."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bot.api import Row
from plugins.knowledge.index.build_entry import build
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.thesaurus import with_terms
from plugins.knowledge.search import ranking
from plugins.knowledge.search.query_parser import parse
from plugins.knowledge.store.access import MEMBERS, Shelf
from plugins.knowledge.store.resolve import Part, resolve
from tests.knowledge.hubs import hub

TERMS = with_terms(())
RULES = Rules([hub(topics=[{"id": "volcano", "title": "Volcano"}, {"id": "lava", "title": "Lava"}])]).of("transparency")
YEAR = ranking.YEAR
NOW = 50 * YEAR


def entry(title: str = "Something", *, topics: str = "[]", note: str = "", about: str = "", url: str = "https://example.org/x",
          **more: Any) -> Row:  # fmt: skip  # Any: columns of entries
    recommendation = {
        "url": url,
        "title": f'{{"": "{title}"}}',
        "note": f'{{"": "{note}"}}' if note else "{}",
        "topics": topics,
        "language": None,
    }
    facts = {"page": 1, "state": "ok", "title": None, "description": about, "site": None, "author": None,
             "language": None, "kind": None}  # fmt: skip
    resolved = resolve(1, [Part(1, 1, recommendation=recommendation, facts=facts if about else None)])
    assert resolved is not None
    built = build(RULES, Shelf(1, "transparency", MEMBERS), resolved)
    return {"recommended": 0, "pinned": 0, "votes": 0, "shared_at": None, **built.words, **more}


def score(row: Row, words: str, of: int = 100) -> float:
    return ranking.score(row, [ranking.query_term(unit, 2, of) for unit in parse(words, TERMS).units], NOW).value


def falls(*scores: float) -> bool:
    return all(first > second for first, second in pairwise(scores))


def test_title_before_topics_before_words_before_what_the_page_says_before_the_address() -> None:
    assert falls(
        score(entry("Volcano"), "volcano"),
        score(entry(topics='["volcano"]'), "volcano"),
        score(entry(note="volcano"), "volcano"),
        score(entry(about="volcano"), "volcano"),
        score(entry(url="https://example.org/volcano"), "volcano"),
        score(entry(note="earthquake"), "volcano") - 1,
    )


def test_of_the_same_idea_what_is_also_written_comes_first() -> None:
    assert falls(
        score(entry("Contrabando", note="smuggling"), "smuggling"),
        score(entry("Contrabando", note="handbook"), "smuggling"),
    )


def test_as_written_before_the_same_idea_before_another_form() -> None:
    assert falls(
        score(entry("Smuggling"), "smuggling"),
        score(entry("Contrabando"), "smuggling"),
        score(entry("Volcanoes"), "volcano"),
    )
    assert score(entry("Volcanoes"), "volcano") > score(entry(note="volcanoes"), "volcano")


def test_two_words_count_more_than_one_and_the_rare_one_more() -> None:
    row = entry("Volcano and lava")
    both, one = (
        ranking.score(row, [ranking.query_term(u, 2, 100) for u in parse(words, TERMS).units], NOW)
        for words in ("volcano lava", "volcano steam")
    )
    assert both.covered == 1 > one.covered
    rare, common = (
        ranking.query_term(parse("volcano", TERMS).units[0], 1, 1000),
        ranking.query_term(parse("lava", TERMS).units[0], 900, 1000),
    )
    assert rare.idf > common.idf > 0
    assert (
        ranking.score(entry("Volcano"), [rare, common], NOW).covered
        > ranking.score(entry("Lava"), [rare, common], NOW).covered
    )


def test_the_question_as_a_whole_in_the_title_and_a_short_title_count_a_little_more() -> None:
    assert score(entry("Lava volcano guide"), "lava volcano") > score(entry("Volcano lava guide"), "lava volcano")
    assert score(entry("Volcano"), "volcano") > score(
        entry("Volcano and all the other things that one may say about mountains"), "volcano"
    )


@pytest.mark.parametrize("better", [{"recommended": 1}, {"pinned": 1}, {"votes": 3}, {"shared_at": NOW}])
def test_what_is_recommended_useful_or_new_comes_first_among_equals_only(
    better: dict[str, Any],
) -> None:  # Any: columns
    plain, good = score(entry("Volcano"), "volcano"), score(entry("Volcano", **better), "volcano")
    assert plain < good < plain * 1.5
    assert score(entry(note="volcano", **better), "volcano") < plain


def test_votes_and_age_count_less_and_less() -> None:
    votes = [score(entry("Volcano", votes=count), "volcano") for count in (0, 1, 3, 1000, 2000)]
    assert votes == sorted(votes)
    assert votes[-1] == votes[-2] <= votes[0] * 1.31
    ages = [score(entry("Volcano", shared_at=NOW - years * YEAR), "volcano") for years in (0, 1, 2, 40)]
    assert falls(*ages)
    assert ages[0] - ages[1] > ages[1] - ages[2]
    assert score(entry("Volcano", shared_at=NOW + 1000 * YEAR), "volcano") == ages[0]


def test_a_phrase_counts_where_its_words_stand_together() -> None:
    assert falls(
        score(entry("Hot lava here"), '"hot lava"'), score(entry("Hot or lava", note="hot lava"), '"hot lava"')
    )
    assert (
        ranking.score(entry("Lava, hot"), [ranking.query_term(parse('"hot lava"', TERMS).units[0], 1, 9)], NOW).covered
        == 0
    )


def test_where_something_was_found_is_told() -> None:
    row = entry("Volcano", note="lava", topics="[]")
    terms = [ranking.query_term(unit, 1, 9) for unit in parse("volcano lava steam", TERMS).units]
    assert ranking.score(row, terms, NOW).matched_in == ("title", "notes", "")
    [drink] = parse("smuggling", TERMS).units
    assert ranking.score(entry(note="contrabando"), [ranking.query_term(drink, 1, 9)], NOW).matched_in == ("=title",)
