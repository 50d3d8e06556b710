"""Index and question pass through the same door: what people mean to be one word is one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.text.folding import LONGEST_WORD, compounds, fold, stems, word, words


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_words_hold_letters_and_digits_only_and_are_not_endless(text: str) -> None:
    for one in words(text):
        assert one.folded.isalnum()
        assert len(one.raw) <= LONGEST_WORD * 3  # ŉ and the like become several letters


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ÍNDICE ＣＢＰ œuvre", "indice cbp oeuvre"),
        ("Straße", "strasse"),
        ("inte\u0301grite\u0301", "integrite"),
        ("Łódź", "lodz"),
        ("ação", "acao"),
        ("Ñandú", "nandu"),
        ("İstanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("½", "1⁄2"),
    ],
)
def test_case_accents_and_forms_do_not_count(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_compounds_are_known_by_their_parts() -> None:
    found = [[part.folded for part in parts] for parts in compounds("l'anti-corruption 2026 C-314/12 snake_case")]
    assert found == [["l"], ["anti", "corruption"], ["2026"], ["c", "314"], ["12"], ["snake"], ["case"]]


@pytest.mark.parametrize(
    "forms",
    [
        ("regalo", "regalos"),
        ("declaración", "declaraciones"),
        ("aduana", "aduanas"),
        ("policy", "policies"),
        ("training", "trained"),
        ("cadeau", "cadeaux"),
        ("douane", "douanes"),
        ("alfândega", "alfândegas"),
        ("declaração", "declarações"),
        ("funcionário", "funcionários"),
        ("declaracion", "declaraciones"),
        ("declaracao", "declaracoes"),
        ("integrite", "intégrité"),
    ],
)
def test_forms_of_a_word_meet_in_one_of_the_four_languages(forms: tuple[str, str]) -> None:
    first, second = ({fold(form), *stems(form)} for form in forms)
    assert first & second


def test_words_that_say_nothing_and_short_ones_have_no_stems() -> None:
    assert word("sobre").stems == ()
    assert word("as").stems == ()
    assert word("policies").stems != ()


def test_capitals_are_told_from_small_letters() -> None:
    assert word("OEA").capitals
    assert not word("Oea").capitals
