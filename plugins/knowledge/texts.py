"""What of a text is indexed? Its words, their stems, and the ideas it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from plugins.knowledge.text import MOST_PARTS, Compound, compound, joined, word, written
from plugins.knowledge.thesaurus import Mention, Thesaurus, longest, token

MOST_REMEMBERED = 100_000  # words


class Texts:
    """`words` in order, those of compounds as one word after each text; their `stems`; `concepts` as tokens; the topics
    of each mention."""

    def __init__(self, terms: Thesaurus, texts: Iterable[str]) -> None:
        self.stems: set[str] = set()
        self.mentioned: list[tuple[str, ...]] = []
        self.concepts: set[str] = set()
        found: list[str] = []
        known = _known(terms)
        for text in texts:
            said = written(text)
            if not said:
                continue
            words, wholes, stems, parts, speaks = zip(*map(known.__getitem__, said), strict=True)
            found += words
            found += filter(None, wholes)  # after the text, so that its words stay side by side: for phrases
            self.stems.update(*stems)
            if places := [place for place, it_does in enumerate(speaks) if it_does]:
                self._speaks_of(terms.every(parts, places))
        self.words = " ".join(found)

    def _speaks_of(self, mentions: Sequence[Mention]) -> None:
        for mention in mentions:
            self.concepts.update(map(token, mention.concepts))
            self.concepts.update(map(token, mention.broader))
        self.mentioned += [one.topics for one in longest(one for one in mentions if one.topics)]


class _Indexed(NamedTuple):
    """What a word or compound is wherever it stands: its words, the word they are together (`whole`), its stems, its
    parts, and whether a term may be it or begin with it."""

    words: str
    whole: str | None
    stems: tuple[str, ...]
    parts: Compound
    speaks: bool


class _Known(dict[str, _Indexed]):
    """Words that were met lately. A dictionary finds them three times as quickly as `lru_cache` does, which puts them
    in order each time."""

    def __init__(self, terms: Thesaurus) -> None:
        self._terms = terms

    def __missing__(self, said: str) -> _Indexed:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[said] = found = _indexed(self._terms, said)
        return found


@lru_cache(maxsize=64)  # as many as there are thesauri at a time
def _known(terms: Thesaurus) -> _Known:
    return _Known(terms)


def _indexed(terms: Thesaurus, said: str) -> _Indexed:
    parts = compound(said)
    whole = word(joined([part.raw for part in parts])) if 1 < len(parts) <= MOST_PARTS else None
    return _Indexed(
        words=" ".join(part.folded for part in parts),
        whole=whole.folded if whole else None,
        stems=tuple(stem for part in (*parts, *([whole] if whole else [])) for stem in part.stems),
        parts=parts,
        speaks=not terms.is_foreign(parts),
    )
