"""One slip is always put right, and only by words that may be seen."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.storage.database import SqliteDatabase
from plugins.knowledge.index.typo_index import (
    SHORTEST,
    TWO_EDITS_FROM,
    index_by_trace,
    lookup_traces,
    traceable,
    traces,
)
from plugins.knowledge.search.spelling import correct, edit_distance
from plugins.knowledge.store.access import MEMBERS, Scope, Shelf
from tests.knowledge.shelf import ask, say

LETTERS = string.ascii_lowercase
words = st.text(LETTERS, min_size=SHORTEST, max_size=14)
places = st.integers(0, 30)
SIGHT = Scope((Shelf(1, "transparency", MEMBERS),))


def slip(word: str, kind: str, place: int, letter: str) -> str:
    place %= len(word)
    match kind:
        case "left out":
            return word[:place] + word[place + 1 :]
        case "added":
            return word[:place] + letter + word[place:]
        case "replaced":
            return word[:place] + letter + word[place + 1 :]
        case _:
            place %= len(word) - 1
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


kinds = st.sampled_from(["left out", "added", "replaced", "swapped"])


@given(words, kinds, places, st.sampled_from(LETTERS))
def test_one_slip_is_always_found_and_is_one(word: str, kind: str, place: int, letter: str) -> None:
    wrong = slip(word, kind, place, letter)
    assert edit_distance(word, wrong, 2) <= 1
    assert traces(word) & lookup_traces(wrong)


@given(words, kinds, kinds, places, places, st.sampled_from(LETTERS), st.sampled_from(LETTERS))
def test_two_slips_are_two_at_most(
    word: str, first: str, second: str, here: int, there: int, one: str, other: str
) -> None:
    assume(len(word) > SHORTEST)
    once = slip(word, first, here, one)
    twice = slip(once, second, there, other)
    overlapping = "swapped" in (first, second)  # a letter is moved once only (optimal string alignment)
    assert edit_distance(word, twice, 4) <= (4 if overlapping else 2)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 4))
def test_slips_are_counted_the_same_both_ways(one: str, other: str, most: int) -> None:
    there, back = edit_distance(one, other, most), edit_distance(other, one, most)
    assert min(there, most + 1) == min(back, most + 1)
    assert (edit_distance(one, other, most) == 0) == (one == other)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("fasilitasion", "facilitacion"),
        ("wisleblower", "whistleblower"),
        ("voletines", "boletines"),
        ("haduaneras", "aduaneras"),
        ("delinquensia", "delincuencia"),
        ("enterprase", "enterprise"),
    ],
)
async def test_slips_of_the_ear_are_put_right_though_there_are_several(
    db: SqliteDatabase, wrong: str, right: str
) -> None:
    async with db.transaction() as tx:
        await say(tx, f"{right} https://example.org/a")
        assert await tx.run(correct, wrong, SIGHT, {}) == right


async def test_two_wrong_vowels_of_a_long_word_are_put_right(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "redevabilite https://example.org/a")
        assert await tx.run(correct, "redavebilite", SIGHT, {}) == "redevabilite"


async def test_a_misspelt_plural_finds_the_singular_that_is_known(db: SqliteDatabase) -> None:
    assert await db.reading().run(correct, "alerladores", SIGHT, index_by_trace(["alertador"])) == "alertador"


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("gifts", "gfits", 1),
        ("audit", "audits", 1),
        ("ethics", "ethnics", 1),
        ("abc", "abc", 0),
        ("kitten", "sitting", 3),
    ],
)
def test_slips_are_what_people_count(one: str, other: str, count: int) -> None:
    assert edit_distance(one, other, 3) == count


def test_short_words_and_numbers_are_never_put_right() -> None:
    assert not traceable("tax")
    assert not traceable("2026")
    assert index_by_trace(["gifts", "tax"]).keys() == traces("gifts")


async def test_the_nearest_word_is_meant_and_the_more_frequent_of_two(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "volcano https://example.org/a", event="$1")
        for number in range(3):
            await say(tx, f"volcanic https://example.org/{number}", event=f"$v{number}")
        assert await tx.run(correct, "volcqno", SIGHT, {}) == "volcano"
        assert await tx.run(correct, "volcani", SIGHT, {}) == "volcanic"
        assert await tx.run(correct, "earthquake", SIGHT, {}) is None


async def test_short_words_are_put_right_by_one_slip_and_long_ones_by_two(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "volcano lava https://example.org/a")
        assert await tx.run(correct, "lavva", SIGHT, {}) == "lava"
        assert await tx.run(correct, "levva", SIGHT, {}) is None
        assert len("vollcanoo") >= TWO_EDITS_FROM
        assert await tx.run(correct, "vollcanoo", SIGHT, {}) == "volcano"


async def test_a_word_of_a_shelf_that_may_not_be_seen_is_never_suggested(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "other words https://example.org/a", event="$1")
        await say(tx, "volcano https://example.org/b", event="$2", hub="audit")
        await say(tx, "TLP:AMBER earthquake https://example.org/c", event="$3", hub="audit")
        for wrong in ("vollcano", "earthqake"):
            assert (await ask(tx, wrong)).corrected == {}
        assert (await ask(tx, "vollcano", others=["audit"])).corrected == {"vollcano": "volcano"}
        assert (await ask(tx, "earthqake", others=["audit"])).corrected == {}
        assert (await ask(tx, "earthqake", "audit")).corrected == {"earthqake": "earthquake"}


async def test_a_word_nobody_wrote_must_be_nearer(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "manager https://example.org/a")
        assert await tx.run(correct, "managgre", SIGHT, index_by_trace(["menaces"])) == "manager"
        assert await tx.run(correct, "manasses", SIGHT, index_by_trace(["menaces"])) is None
        assert await tx.run(correct, "menacse", SIGHT, index_by_trace(["menaces"])) == "menaces"


async def test_words_of_the_thesaurus_are_known_though_no_entry_has_them(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "obsequios https://example.org/a")
        found = await ask(tx, "hospitalty")
        assert found.corrected == {"hospitalty": "hospitality"}
        assert len(found.hits) == 1
