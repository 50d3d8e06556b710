"""What of a text is indexed? Its words, their stems, and the ideas it speaks of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from plugins.knowledge.text import MOST_PARTS, compound, joined, word, written
from plugins.knowledge.thesaurus import Mention, Thesaurus, longest, token

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
            mentions: list[Mention] = []
            whole: list[str] = []  # after the text, so that its words stay side by side: for phrases
            for place, one in enumerate([_indexed(terms, one) for one in said]):
                found.append(one.words)
                if one.whole:
                    whole.append(one.whole)
                if one.stems:
                    self.stems.update(one.stems)
                if one.begins:
                    mentions += terms.of_several(list(map(compound, said)), place)
                if one.alone:
                    mentions.append(one.alone.at(place))
            found += whole
            for mention in mentions:
                self.concepts.update(map(token, mention.concepts))
                self.concepts.update(map(token, mention.broader))
            self.mentioned += [one.topics for one in longest(one for one in mentions if one.topics)]
        self.words = " ".join(found)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """What a word or compound is wherever it stands: its words, the word they are together (`whole`), its stems, the
    term it is alone, and whether longer ones may begin with it."""

    words: str
    whole: str | None
    stems: tuple[str, ...]
    alone: Mention | None
    begins: bool


@lru_cache(maxsize=MOST_REMEMBERED)
def _indexed(terms: Thesaurus, said: str) -> _Indexed:
    parts = compound(said)
    whole = word(joined([part.raw for part in parts])) if 1 < len(parts) <= MOST_PARTS else None
    return _Indexed(
        words=" ".join(part.folded for part in parts),
        whole=whole.folded if whole else None,
        stems=tuple(stem for part in (*parts, *([whole] if whole else [])) for stem in part.stems),
        alone=terms.alone(parts),
        begins=terms.begins(parts),
    )
