"""Which ideas does a text speak of, in whatever language? The terms of `thesaurus.yaml`, and those a hub adds.

A concept has terms in each language; wherever one of them stands, the concept is indexed, so that a question in one
language finds answers in the others. Terms are compared by their stems, acronyms as they are written.

A term with `~` in front is a loose one: it is found and finds like the others, but too common a word to be a topic. So
are all words of `everyday.yaml`, the common words of the field.
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

from plugins.knowledge.index.typo_index import Traces, traced
from plugins.knowledge.text.folding import LANGUAGES, Compound, compounds, fold, stems, words

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


LOOSE = "~"
COMPOUND = "-"  # a compound may begin any term: it is looked at more closely


@dataclass(frozen=True, slots=True)
class Mention:
    """Compounds `start` to `end` (exclusive) of a text are a term of these concepts: of several if it is ambiguous.

    `topics` are those it names for sure; `broader` those that texts with it are found by, though one who asks for it
    does not mean them.
    """

    start: int
    end: int
    concepts: tuple[str, ...]
    topics: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()


def forms(compound: Compound) -> tuple[str, ...]:
    """What to look for in `Thesaurus.begins`."""
    if len(compound) > 1:
        return (COMPOUND,)
    return (compound[0].folded, *stems(compound[0].raw))


def longest(mentions: Iterable[Mention]) -> list[Mention]:
    """Of `Thesaurus.every`, those that are not inside or across an earlier or longer one."""
    found: list[Mention] = []
    end = 0
    for mention in mentions:
        if mention.start >= end:
            found.append(mention)
            end = mention.end
    return found


Known = dict[str, bool]
"""The concepts of a term → whether it names them for sure."""


class Thesaurus:
    """Finds terms in texts. `digest` changes with the terms: what was indexed with others must be indexed anew."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.digest = hashlib.blake2b(json.dumps(terms, sort_keys=True).encode(), digest_size=8).hexdigest()
        self._longest = 1
        # One table for each language and one of acronyms: a term as its stems → concepts.
        self._by_stems: list[dict[tuple[str, ...], Known]] = [{} for _ in LANGUAGES]
        self._acronyms: dict[str, Known] = {}
        for concept, languages in terms.items():
            for language, names in languages.items():
                for name in names:
                    self._add(concept, LANGUAGES.index(language), compounds(name), not name.startswith(LOOSE))
        # For each language: the first stem of terms of several words → their second ones.
        self._going_on: list[dict[str, set[str]]] = [{} for _ in LANGUAGES]
        for language, table in enumerate(self._by_stems):
            for key in table:
                if len(key) > 1:
                    self._going_on[language].setdefault(key[0], set()).add(key[1])
        self.begins = frozenset((COMPOUND, *self._acronyms, *(key[0] for table in self._by_stems for key in table)))
        """What terms begin with: most words have no form (`forms`) that is in it, and so are in no term."""
        # Remembered, because the same words come back in every text.
        self._begun_by: dict[str, Sequence[tuple[int, set[str]]]] = {}
        self._alone: dict[tuple[str, bool], Mention | None] = {}

    def _add(self, concept: str, language: int, name: Sequence[Compound], sure: bool) -> None:
        if len(name) == 1 and len(name[0]) == 1 and name[0][0].capitals and len(name[0][0].raw) <= LONGEST_ACRONYM:
            _append(self._acronyms, name[0][0].folded, concept, sure)
            return
        telling = [compound for compound in name if not _links(compound)]
        for parts in _spellings(telling if len(telling) > 1 else name):  # `en ligne` is more than `ligne`
            key = tuple(stems(raw)[language] for raw in parts)
            if key:
                _append(self._by_stems[language], key, concept, sure)
                self._longest = max(self._longest, len(key))

    def mentions(self, text: Sequence[Compound], *, capitals: bool = True) -> list[Mention]:
        """The terms in a text, longest first at each place, none inside another."""
        return longest(self.every(text, capitals=capitals))

    def every(
        self, text: Sequence[Compound], places: Iterable[int] | None = None, *, capitals: bool = True
    ) -> list[Mention]:
        """The terms in a text, also those inside others: by their places, the longest of each place first.

        `places`: where a term may begin (`begins`), if that is known. `capitals`: acronyms count only where they
        are written in capitals (in texts; in questions people do not).
        """
        found: list[Mention] = []
        if places is None:
            places = (place for place, compound in enumerate(text) if not self.begins.isdisjoint(forms(compound)))
        for place in places:
            compound = text[place]
            if begun := self._begun(compound):
                found += self._of_several(text, place, begun)
            if alone := self._one(compound, capitals=capitals):
                found.append(Mention(place, place + 1, alone.concepts, alone.topics, alone.broader))
        return found

    def _of_several(self, text: Sequence[Compound], start: int, begun: Sequence[tuple[int, set[str]]]) -> list[Mention]:
        """Terms of several words (or compounds) that begin here, the longest first."""
        found: list[Mention] = []
        places = self._telling(text, start)
        if len(places) < 2:
            return found
        second = text[places[1]]
        heads = {stems(raw) for raw in (second[0].raw, _whole(second))}
        languages = [number for number, seconds in begun if any(head[number] in seconds for head in heads)]
        if len(text[start]) > 1:  # its own parts go on
            languages = list(range(len(LANGUAGES)))
        for count in range(len(places), 1, -1) if languages else ():
            known = self._known([text[place] for place in places[:count]], languages)
            found += [_mention(start, places[count - 1] + 1, known)] if known else []
        return found

    def _one(self, compound: Compound, *, capitals: bool) -> Mention | None:
        """What a word is a term of, wherever it stands; as if it were the first of its text."""
        acronym = compound[0].capitals or not capitals
        remembered = (compound[0].raw if len(compound) == 1 else "-".join(part.raw for part in compound), acronym)
        if remembered in self._alone:
            return self._alone[remembered]
        known = self._known([compound], range(len(LANGUAGES)))
        if acronym and len(compound) == 1 and compound[0].folded in self._acronyms:
            known.insert(0, self._acronyms[compound[0].folded])
        found = _mention(0, 1, known) if known else None
        if len(self._alone) < MOST_REMEMBERED:
            self._alone[remembered] = found
        return found

    def _known(self, run: Sequence[Compound], languages: Sequence[int]) -> list[Known]:
        """What these words are together, for each language and spelling."""
        keys: list[tuple[int, tuple[str, ...]]] = []
        for parts in _spellings(run):
            stemmed = [stems(raw) for raw in parts]
            keys += [(number, tuple(stem[number] for stem in stemmed)) for number in languages]
        return [concepts for number, key in keys if (concepts := self._by_stems[number].get(key))]

    def _telling(self, text: Sequence[Compound], start: int) -> list[int]:
        """Places a term may take that begins here: without the words that link the others."""
        places = [start]
        for place in range(start + 1, len(text)):
            if len(places) == self._longest or place - places[-1] > MOST_LINKING + 1:
                break
            if not _links(text[place]):
                places.append(place)
        return places

    def _begun(self, first: Compound) -> Sequence[tuple[int, set[str]]]:
        """Languages in which a term of several words begins with this one, and how it goes on."""
        known = self._begun_by.get(whole := _whole(first))
        if known is None:
            heads = {stems(raw) for raw in (first[0].raw, whole)}
            known = [
                (number, table[head[number]])
                for number, table in enumerate(self._going_on)
                for head in heads
                if head[number] in table
            ]
            if len(self._begun_by) < MOST_REMEMBERED:
                self._begun_by[whole] = known
        return known

    def title(self, concept: str, language: str) -> str:
        """A concept's first term in a language."""
        names = self.terms[concept]
        return next(iter(names.get(language) or names.get("en") or next(iter(names.values())))).removeprefix(LOOSE)

    @cached_property
    def spelt(self) -> Mapping[str, str]:
        """Every word of every term: folded → as it is written."""
        names = (name for languages in self.terms.values() for names in languages.values() for name in names)
        return {word.folded: word.raw for name in names for word in words(name)}

    @cached_property
    def traces(self) -> Traces:
        """What a misspelt word may be, though no entry has it."""
        return traced(self.spelt)


@lru_cache(maxsize=1)
def own_terms() -> Terms:
    """The terms Faro ships for ideas that may be topics."""
    terms: Terms = _read("thesaurus.yaml")
    return terms


@lru_cache(maxsize=1)
def everyday_terms() -> Terms:
    """The common words of the field, each with `~`; so have their concepts, to be told from topics."""
    return {
        f"{LOOSE}{concept}": {language: [f"{LOOSE}{name}" for name in names] for language, names in languages.items()}
        for concept, languages in _read("everyday.yaml").items()
    }


def _read(name: str) -> Any:  # Any: YAML
    return yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))


def with_terms(added: Iterable[Terms]) -> Thesaurus:
    """Faro's terms and those of hubs: new concepts, and more terms for known ones."""
    return _with_terms(json.dumps([terms for terms in added if terms], sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=64)  # hubs, and combinations of them in direct chats
def _with_terms(added: str) -> Thesaurus:
    merged: dict[str, dict[str, list[str]]] = {
        concept: {language: list(names) for language, names in languages.items()}
        for concept, languages in {**everyday_terms(), **own_terms()}.items()
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


def _whole(compound: Compound) -> str:
    return compound[0].raw if len(compound) == 1 else "".join(part.raw for part in compound)


def _links(compound: Compound) -> bool:
    return len(compound) == 1 and compound[0].folded in LINKING


@lru_cache(maxsize=10_000)
def token(concept: str) -> str:
    """A concept as one word of the index."""
    return hashlib.blake2b(fold(concept).encode(), digest_size=4).hexdigest()


def _append(table: dict[Key, Known], key: Key, concept: str, sure: bool) -> None:
    known = table.setdefault(key, {})
    known[concept] = known.get(concept, False) or sure


def _mention(start: int, end: int, known: Iterable[Known]) -> Mention:
    """Of what a term is in one language (or as an acronym) the sure ones are meant, and the loose ones if none is."""
    meant: dict[str, None] = {}
    sure: dict[str, None] = {}
    every: dict[str, None] = {}
    for concepts in known:
        topics = [concept for concept, is_sure in concepts.items() if is_sure]
        sure |= dict.fromkeys(topics)
        meant |= dict.fromkeys(topics or concepts)
        every |= dict.fromkeys(concepts)
    return Mention(start, end, tuple(meant), tuple(sure), tuple(concept for concept in every if concept not in meant))
