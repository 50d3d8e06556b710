"""What of a text is indexed? Its words, their stems, and the ideas it speaks of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from plugins.knowledge.text import MOST_PARTS, compound, joined, word, written
from plugins.knowledge.thesaurus import Thesaurus, longest, token

MOST_REMEMBERED = 100_000  # words


class Texts:
    """`words` in order, those of compounds as one word after each text; their `stems`; `concepts` as tokens; the topics
    of each mention."""

    def __init__(self, terms: Thesaurus, texts: Iterable[str]) -> None:
        found: list[str] = []
        self.stems: set[str] = set()
        self.mentioned: list[tuple[str, ...]] = []
        self.concepts: set[str] = set()
        for text in texts:
            said = written(text)
            indexed = [_indexed(terms, one) for one in said]
            found += [one.words for one in indexed]
            # After the text, so that its words stay side by side: for phrases.
            found += [one.whole for one in indexed if one.whole]
            for one in indexed:
                self.stems.update(one.stems)
            mentions = terms.every([*map(compound, said)]) if any(one.speaks for one in indexed) else []
            for mention in mentions:
                self.concepts.update(map(token, mention.concepts))
                self.concepts.update(map(token, mention.broader))
            self.mentioned += [one.topics for one in longest(one for one in mentions if one.topics)]
        self.words = " ".join(found)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """What a word or compound is wherever it stands: its words, the word they are together (`whole`), its stems, and
    whether a term may be it or begin with it."""

    words: str
    whole: str | None
    stems: tuple[str, ...]
    speaks: bool


@lru_cache(maxsize=MOST_REMEMBERED)
def _indexed(terms: Thesaurus, said: str) -> _Indexed:
    parts = compound(said)
    whole = word(joined([part.raw for part in parts])) if 1 < len(parts) <= MOST_PARTS else None
    return _Indexed(
        words=" ".join(part.folded for part in parts),
        whole=whole.folded if whole else None,
        stems=tuple(stem for part in (*parts, *([whole] if whole else [])) for stem in part.stems),
        speaks=not terms.is_foreign(parts),
    )
