"""What of a text is indexed does not depend on what was met before."""

from __future__ import annotations

import pytest

from plugins.knowledge.index import analysis
from plugins.knowledge.index.analysis import TextAnalysis
from plugins.knowledge.index.thesaurus import with_terms

TEXT = "Regalos, anti-corruption gifts and 12 declarações; gifts"


def test_a_full_memory_forgets_only_the_words_that_do_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = analysis._analyze

    def counted(raw: str) -> analysis._AnalyzedWord:
        asked.append(raw)
        return plain(raw)

    terms = with_terms(())
    monkeypatch.setattr(analysis, "MOST_REMEMBERED", 3)
    monkeypatch.setattr(analysis, "_analyze", counted)
    monkeypatch.setattr(analysis, "_CACHE", analysis._WordCache())
    for raw in ("alpha", "beta", "alpha", "gamma", "delta", "alpha", "beta"):
        assert TextAnalysis(terms, [raw]).words == raw
    assert asked == ["alpha", "beta", "gamma", "delta"]
    for raw in ("epsilon", "zeta", "eta", "theta", "iota", "kappa", "alpha"):
        assert TextAnalysis(terms, [raw]).words == raw
    assert asked[4:] == ["epsilon", "zeta", "eta", "theta", "iota", "kappa", "alpha"]


def test_what_is_indexed_is_the_same_from_an_empty_and_a_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = with_terms(())
    monkeypatch.setattr(analysis, "_CACHE", analysis._WordCache())
    expected = TextAnalysis(terms, [TEXT])
    monkeypatch.setattr(analysis, "MOST_REMEMBERED", 3)
    monkeypatch.setattr(analysis, "_CACHE", analysis._WordCache())
    for _ in range(3):
        again = TextAnalysis(terms, [TEXT])
        assert (again.words, again.stems, again.concepts, again.topic_mentions) == (
            expected.words,
            expected.stems,
            expected.concepts,
            expected.topic_mentions,
        )
