"""What of a text is indexed? Its words, their stems, and the ideas it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from plugins.knowledge.index.thesaurus import Mention, Thesaurus, forms, longest, token
from plugins.knowledge.text.folding import MOST_PARTS, Compound, compound, joined, word, written

MOST_REMEMBERED = 50_000  # words, and as many that were met before these


class Texts:
    """`words` in order, those of compounds as one word after each text; their `stems`; `concepts` as tokens; the topics
    of each mention."""

    def __init__(self, terms: Thesaurus, texts: Iterable[str]) -> None:
        self.stems: set[str] = set()
        self.mentioned: list[tuple[str, ...]] = []
        self.concepts: set[str] = set()
        found: list[str] = []
        for text in texts:
            said = written(text)
            if not said:
                continue
            words, wholes, stems, parts, begins_with = zip(*map(_KNOWN.__getitem__, said), strict=True)
            found += words
            found += filter(None, wholes)  # after the text, so that its words stay side by side: for phrases
            self.stems.update(*stems)
            foreign = [*map(terms.begins.isdisjoint, begins_with)]
            if not all(foreign):
                self._speaks_of(terms.every(parts, [place for place, it_is in enumerate(foreign) if not it_is]))
        self.words = " ".join(found)

    def _speaks_of(self, mentions: Sequence[Mention]) -> None:
        for mention in mentions:
            self.concepts.update(map(token, mention.concepts))
            self.concepts.update(map(token, mention.broader))
        self.mentioned += [one.topics for one in longest(one for one in mentions if one.topics)]


class _Indexed(NamedTuple):
    """What a word or compound is wherever it stands: its words, the word they are together (`whole`), its stems, its
    parts, and its `forms` in the sense of the thesaurus."""

    words: str
    whole: str | None
    stems: tuple[str, ...]
    parts: Compound
    forms: tuple[str, ...]


class _Known(dict[str, _Indexed]):
    """Words that were met lately. A dictionary finds them three times as quickly as `lru_cache` does, which puts them
    in order each time. When it is full, its words become those met `_before`, and it begins anew; a word that comes
    back is taken from there."""

    def __init__(self) -> None:
        super().__init__()
        self._before: Mapping[str, _Indexed] = {}

    def __missing__(self, said: str) -> _Indexed:
        found = self._before.get(said) or _indexed(said)
        if not said.isdecimal():  # numbers seldom come back
            if len(self) >= MOST_REMEMBERED:
                self._before = dict(self)
                self.clear()
            self[said] = found
        return found


_KNOWN = _Known()  # for all, as the memory of a function with `lru_cache` is; used in the writer's thread alone


def _indexed(said: str) -> _Indexed:
    parts = compound(said)
    whole = word(joined([part.raw for part in parts])) if 1 < len(parts) <= MOST_PARTS else None
    return _Indexed(
        words=" ".join(part.folded for part in parts),
        whole=whole.folded if whole else None,
        stems=tuple(stem for part in (*parts, *([whole] if whole else [])) for stem in part.stems),
        parts=parts,
        forms=forms(parts),
    )
