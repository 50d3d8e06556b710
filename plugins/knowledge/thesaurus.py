"""Which ideas does a text speak of, in whatever language? The terms of `thesaurus.yaml`, and those a hub adds.

A concept has terms in each language; wherever one of them stands, the concept is indexed, so that a question in one
language finds answers in the others. Terms are compared by their stems, acronyms as they are written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from plugins.knowledge.spelling import Traces, traced
from plugins.knowledge.text import LANGUAGES, Compound, compounds, fold, stems, words

Terms = Mapping[str, Mapping[Any, Sequence[str]]]  # Any: settings know languages as literals, YAML as strings
"""Concept → language → terms."""

Key = TypeVar("Key")

MOST_LINKING = 2  # in a row, inside a term
MOST_REMEMBERED = 100_000  # words
# Words that make no difference inside a term: `bureau régional renforcement des capacités`. `sin` and `non` do.
LINKING = frozenset(
    """a ao aos al and au aux com con d da das de del des do dos du e el em en et for in l la las le les lo los na nas o
    of on os para por pour sur the to with y""".split()  # noqa: SIM905 - forty quoted words read worse
)
LONGEST_ACRONYM = 5  # letters; longer words in capitals are shouted, not abbreviated


@dataclass(frozen=True, slots=True)
class Mention:
    """Compounds `start` to `end` (exclusive) of a text are a term of these concepts: of several if it is ambiguous."""

    start: int
    end: int
    concepts: tuple[str, ...]


class Thesaurus:
    """Finds terms in texts. `digest` changes with the terms: what was indexed with others must be indexed anew."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.digest = hashlib.blake2b(json.dumps(terms, sort_keys=True).encode(), digest_size=8).hexdigest()
        self._longest = 1
        # One table for each language and one of acronyms: a term as its stems → concepts.
        self._by_stems: list[dict[tuple[str, ...], list[str]]] = [{} for _ in LANGUAGES]
        self._acronyms: dict[str, list[str]] = {}
        for concept, languages in terms.items():
            for language, names in languages.items():
                for name in names:
                    self._add(concept, LANGUAGES.index(language), compounds(name))
        self._starts = [{key[0] for key in table} for table in self._by_stems]
        self._begun_by: dict[str, tuple[int, ...]] = {}

    def _add(self, concept: str, language: int, name: Sequence[Compound]) -> None:
        if len(name) == 1 and len(name[0]) == 1 and name[0][0].capitals and len(name[0][0].raw) <= LONGEST_ACRONYM:
            _append(self._acronyms, name[0][0].folded, concept)
            return
        telling = [compound for compound in name if not _links(compound)]
        for parts in _spellings(telling or name):
            key = tuple(stems(raw)[language] for raw in parts)
            if key:
                _append(self._by_stems[language], key, concept)
                self._longest = max(self._longest, len(key))

    def mentions(self, text: Sequence[Compound], *, capitals: bool = True) -> list[Mention]:
        """The terms in a text, longest first at each place, none inside another.

        `capitals`: acronyms count only where they are written in capitals (in texts; in questions people do not).
        """
        found: list[Mention] = []
        end = 0
        begun = self._begun_by  # most words begin no term: they are passed over quickly
        for place in [
            place
            for place, compound in enumerate(text)
            if begun.get(compound[0].raw, True) or compound[0].capitals or not capitals or len(compound) > 1
        ]:
            if place < end:
                continue
            if mention := self._longest_at(text, place, capitals=capitals):
                found.append(mention)
                end = mention.end
        return found

    def _longest_at(self, text: Sequence[Compound], start: int, *, capitals: bool) -> Mention | None:
        first = text[start]
        alone = first[0].raw if len(first) == 1 else "".join(part.raw for part in first)
        if languages := dict.fromkeys(self._languages(first[0].raw) + self._languages(alone)):
            places = self._telling(text, start)
            for count in range(len(places), 0, -1):
                found: dict[str, None] = {}
                end = places[count - 1] + 1
                for parts in _spellings([text[place] for place in places[:count]]):
                    for language in languages:
                        key = tuple(stems(raw)[language] for raw in parts)
                        found |= dict.fromkeys(self._by_stems[language].get(key, ()))
                if end == start + 1:
                    found |= dict.fromkeys(self._acronym(first, capitals=capitals))
                if found:
                    return Mention(start, end, tuple(found))
            return None
        acronym = self._acronym(first, capitals=capitals)
        return Mention(start, start + 1, tuple(acronym)) if acronym else None

    def _telling(self, text: Sequence[Compound], start: int) -> list[int]:
        """Places a term may take that begins here: without the words that link the others."""
        places = [start]
        for place in range(start + 1, len(text)):
            if len(places) == self._longest or place - places[-1] > MOST_LINKING + 1:
                break
            if not _links(text[place]):
                places.append(place)
        return places

    def _languages(self, raw: str) -> tuple[int, ...]:
        """Languages in which a term begins with this word. Remembered: most words of most texts begin none."""
        known = self._begun_by.get(raw)
        if known is None:
            known = tuple(number for number, stem in enumerate(stems(raw)) if stem in self._starts[number])
            if len(self._begun_by) < MOST_REMEMBERED:
                self._begun_by[raw] = known
        return known

    def _acronym(self, word: Compound, *, capitals: bool) -> Sequence[str]:
        one = word[0] if len(word) == 1 else None
        return self._acronyms.get(one.folded, ()) if one and (one.capitals or not capitals) else ()

    def title(self, concept: str, language: str) -> str:
        """A concept's first term in a language."""
        names = self.terms[concept]
        return next(iter(names.get(language) or names.get("en") or next(iter(names.values()))))

    @cached_property
    def traces(self) -> Traces:
        """Every word of every term: what a misspelt word may be, though no entry has it."""
        return traced(
            word.folded
            for languages in self.terms.values()
            for names in languages.values()
            for name in names
            for word in words(name)
        )


@lru_cache(maxsize=1)
def own_terms() -> Terms:
    """The terms Faro ships."""
    terms: Terms = yaml.safe_load((Path(__file__).parent / "thesaurus.yaml").read_text("utf-8"))
    return terms


def with_terms(added: Iterable[Terms]) -> Thesaurus:
    """Faro's terms and those of hubs: new concepts, and more terms for known ones."""
    return _with_terms(json.dumps([terms for terms in added if terms], sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=64)  # hubs, and combinations of them in direct chats
def _with_terms(added: str) -> Thesaurus:
    merged: dict[str, dict[str, list[str]]] = {
        concept: {language: list(names) for language, names in languages.items()}
        for concept, languages in own_terms().items()
    }
    for terms in json.loads(added):
        for concept, languages in terms.items():
            for language, names in languages.items():
                known = merged.setdefault(concept, {}).setdefault(language, [])
                known += [name for name in names if name not in known]
    return Thesaurus(merged)


def _spellings(text: Sequence[Compound]) -> list[list[str]]:
    """A run of words with its compounds apart, and as one word each: `whistle-blower` is `whistleblower`."""
    apart = [part.raw for compound in text for part in compound]
    if len(apart) == len(text):
        return [apart]
    return [apart, ["".join(part.raw for part in compound) for compound in text]]


def _links(compound: Compound) -> bool:
    return len(compound) == 1 and compound[0].folded in LINKING


@lru_cache(maxsize=10_000)
def token(concept: str) -> str:
    """A concept as one word of the index."""
    return hashlib.blake2b(fold(concept).encode(), digest_size=4).hexdigest()


def _append(table: dict[Key, list[str]], key: Key, concept: str) -> None:
    known = table.setdefault(key, [])
    if concept not in known:
        known.append(concept)
