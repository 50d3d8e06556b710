"""Analyses texts for the index: their words, stems, and the concepts of the thesaurus they mention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from plugins.knowledge.index.thesaurus import Mention, Thesaurus, lookup_forms, token, without_overlaps
from plugins.knowledge.text.folding import MOST_PARTS, Compound, compound, joined, raw_words, word

MOST_REMEMBERED = 50_000  # words, and as many of the previous generation


class TextAnalysis:
    """What of some texts is indexed: `words` in order, with joined compounds after each text; `stems`; `concepts` as
    tokens; and for each mention its topics."""

    def __init__(self, thesaurus: Thesaurus, texts: Iterable[str]) -> None:
        self.stems: set[str] = set()
        self.topic_mentions: list[tuple[str, ...]] = []
        self.concepts: set[str] = set()
        indexed_words: list[str] = []
        for text in texts:
            raw = raw_words(text)
            if not raw:
                continue
            words, wholes, stems, parts, begins_with = zip(*map(_CACHE.__getitem__, raw), strict=True)
            indexed_words += words
            indexed_words += filter(None, wholes)  # after the text, so that phrases match its words side by side
            self.stems.update(*stems)
            foreign = [*map(thesaurus.first_forms.isdisjoint, begins_with)]
            if not all(foreign):
                self._add_mentions(
                    thesaurus.all_mentions(
                        parts, [position for position, is_foreign in enumerate(foreign) if not is_foreign]
                    )
                )
        self.words = " ".join(indexed_words)

    def _add_mentions(self, mentions: Sequence[Mention]) -> None:
        for mention in mentions:
            self.concepts.update(map(token, mention.concepts))
            self.concepts.update(map(token, mention.broader))
        self.topic_mentions += [
            mention.topics for mention in without_overlaps(mention for mention in mentions if mention.topics)
        ]


class _AnalyzedWord(NamedTuple):
    """The analysis of a word or compound, which does not depend on its context. `whole`: the parts joined to one word.
    `forms`: as in `thesaurus.lookup_forms`."""

    words: str
    whole: str | None
    stems: tuple[str, ...]
    parts: Compound
    forms: tuple[str, ...]


class _WordCache(dict[str, _AnalyzedWord]):
    """A cache in two generations, three times as quick as `lru_cache`, which reorders its keys on each hit. When it is
    full, it becomes the previous generation and starts empty; words that come back are taken from there."""

    def __init__(self) -> None:
        super().__init__()
        self._previous: Mapping[str, _AnalyzedWord] = {}

    def __missing__(self, raw: str) -> _AnalyzedWord:
        analyzed = self._previous.get(raw) or _analyze(raw)
        if not raw.isdecimal():  # numbers are seldom repeated
            if len(self) >= MOST_REMEMBERED:
                self._previous = dict(self)
                self.clear()
            self[raw] = analyzed
        return analyzed


_CACHE = _WordCache()  # global, like the cache of a function with `lru_cache`; used only in the writer's thread


def _analyze(raw: str) -> _AnalyzedWord:
    parts = compound(raw)
    whole = word(joined([part.raw for part in parts])) if 1 < len(parts) <= MOST_PARTS else None
    return _AnalyzedWord(
        words=" ".join(part.folded for part in parts),
        whole=whole.folded if whole else None,
        stems=tuple(stem for part in (*parts, *([whole] if whole else [])) for stem in part.stems),
        parts=parts,
        forms=lookup_forms(parts),
    )
