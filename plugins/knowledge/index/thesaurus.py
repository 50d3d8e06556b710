"""The multilingual thesaurus: finds the concepts that a text mentions, by the terms of `thesaurus.yaml` and of hubs.

A concept has terms (synonyms) in each language. Wherever one of them occurs, the concept is indexed, so that a question
in one language finds entries in the others. Terms match by their stems, acronyms as they are written.

A term with `~` in front is loose: it matches like the others, but is too common a word to be a topic. So are all words
of `everyday.yaml`, the common words of the field.
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

from plugins.knowledge.index.typo_index import TraceIndex, index_by_trace
from plugins.knowledge.text.folding import LANGUAGES, Compound, compounds, fold, stems, words

Terms = Mapping[str, Mapping[Any, Sequence[str]]]  # Any: settings know languages as literals, YAML as strings
"""Concept → language → terms."""

Key = TypeVar("Key")

MOST_LINKING_WORDS = 2  # linking words in a row, inside a term
MOST_REMEMBERED = 100_000  # words
# Stop words inside terms (`renforcement des capacités`). `sin` and `non` are none: they change the meaning.
LINKING_WORDS = frozenset(
    """a ao aos al and au aux com con d da das de del des do dos du e el em en et for in l la las le les lo los na nas o
    of on os para por pour sur the to with y""".split()  # noqa: SIM905 - forty quoted words read worse
)
LONGEST_ACRONYM = 5  # letters; longer words in capitals are emphasis, not acronyms


LOOSE = "~"
COMPOUND_FORM = "-"  # a compound may begin any term, so it is always looked up


@dataclass(frozen=True, slots=True)
class Mention:
    """A term in a text: compounds `start` to `end` (exclusive), and the concepts it means, several if it is ambiguous.

    `topics`: the concepts of which it is no loose term. `broader`: concepts that are indexed too, but that a question
    with this term does not ask for.
    """

    start: int
    end: int
    concepts: tuple[str, ...]
    topics: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()


def lookup_forms(compound: Compound) -> tuple[str, ...]:
    """The forms of a compound to look up in `Thesaurus.first_forms`."""
    if len(compound) > 1:
        return (COMPOUND_FORM,)
    return (compound[0].folded, *stems(compound[0].raw))


def without_overlaps(mentions: Iterable[Mention]) -> list[Mention]:
    """Of `Thesaurus.all_mentions`, those that do not overlap an earlier or longer one."""
    kept: list[Mention] = []
    end = 0
    for mention in mentions:
        if mention.start >= end:
            kept.append(mention)
            end = mention.end
    return kept


TermConcepts = dict[str, bool]
"""The concepts of a term → whether it is no loose term of them."""


class Thesaurus:
    """Finds terms in texts. `digest` changes with the terms, and then entries must be rebuilt."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.digest = hashlib.blake2b(json.dumps(terms, sort_keys=True).encode(), digest_size=8).hexdigest()
        self._longest = 1
        # One table per language, and one of acronyms: a term as its stems → concepts.
        self._by_stems: list[dict[tuple[str, ...], TermConcepts]] = [{} for _ in LANGUAGES]
        self._acronyms: dict[str, TermConcepts] = {}
        for concept, languages in terms.items():
            for language, names in languages.items():
                for name in names:
                    self._add(concept, LANGUAGES.index(language), compounds(name), not name.startswith(LOOSE))
        # For each language: the first stem of terms of several words → their second stems.
        self._second_stems: list[dict[str, set[str]]] = [{} for _ in LANGUAGES]
        for language, table in enumerate(self._by_stems):
            for key in table:
                if len(key) > 1:
                    self._second_stems[language].setdefault(key[0], set()).add(key[1])
        self.first_forms = frozenset(
            (COMPOUND_FORM, *self._acronyms, *(key[0] for table in self._by_stems for key in table))
        )
        """The forms that terms begin with. Most words have no such form (`lookup_forms`), so they begin no term."""
        # Caches, because the same words are looked up for every text.
        self._continuations_cache: dict[str, Sequence[tuple[int, set[str]]]] = {}
        self._single_word_cache: dict[tuple[str, bool], Mention | None] = {}

    def _add(self, concept: str, language: int, name: Sequence[Compound], sure: bool) -> None:
        if len(name) == 1 and len(name[0]) == 1 and name[0][0].capitals and len(name[0][0].raw) <= LONGEST_ACRONYM:
            _add_concept(self._acronyms, name[0][0].folded, concept, sure)
            return
        significant = [compound for compound in name if not _is_linking(compound)]
        for parts in _spellings(significant if len(significant) > 1 else name):  # `en ligne` is more than `ligne`
            key = tuple(stems(raw)[language] for raw in parts)
            if key:
                _add_concept(self._by_stems[language], key, concept, sure)
                self._longest = max(self._longest, len(key))

    def mentions(self, text: Sequence[Compound], *, capitals: bool = True) -> list[Mention]:
        """The terms in a text without overlaps; of those at one position the longest."""
        return without_overlaps(self.all_mentions(text, capitals=capitals))

    def all_mentions(
        self, text: Sequence[Compound], positions: Iterable[int] | None = None, *, capitals: bool = True
    ) -> list[Mention]:
        """All terms in a text, overlapping ones too: by position, the longest at each position first.

        `positions`: where a term may begin (`first_forms`), if the caller knows. `capitals`: acronyms match only in
        capitals; for texts, because people do not write capitals in questions.
        """
        mentions: list[Mention] = []
        if positions is None:
            positions = (
                position
                for position, compound in enumerate(text)
                if not self.first_forms.isdisjoint(lookup_forms(compound))
            )
        for position in positions:
            compound = text[position]
            if continuations := self._continuations(compound):
                mentions += self._multi_word(text, position, continuations)
            if single := self._single_word(compound, capitals=capitals):
                mentions.append(Mention(position, position + 1, single.concepts, single.topics, single.broader))
        return mentions

    def _multi_word(
        self, text: Sequence[Compound], start: int, continuations: Sequence[tuple[int, set[str]]]
    ) -> list[Mention]:
        """Terms of several words (or compounds) that begin at `start`, the longest first."""
        mentions: list[Mention] = []
        positions = self._significant_positions(text, start)
        if len(positions) < 2:
            return mentions
        second = text[positions[1]]
        second_stems = {stems(raw) for raw in (second[0].raw, _joined(second))}
        languages = [
            number for number, seconds in continuations if any(stemmed[number] in seconds for stemmed in second_stems)
        ]
        if len(text[start]) > 1:  # its own parts may continue a term
            languages = list(range(len(LANGUAGES)))
        for count in range(len(positions), 1, -1) if languages else ():
            concepts = self._concepts_of([text[position] for position in positions[:count]], languages)
            mentions += [_mention(start, positions[count - 1] + 1, concepts)] if concepts else []
        return mentions

    def _single_word(self, compound: Compound, *, capitals: bool) -> Mention | None:
        """The mention of a single word, with positions as if it were the first of its text."""
        may_be_acronym = compound[0].capitals or not capitals
        cache_key = (compound[0].raw if len(compound) == 1 else "-".join(part.raw for part in compound), may_be_acronym)
        if cache_key in self._single_word_cache:
            return self._single_word_cache[cache_key]
        concepts = self._concepts_of([compound], range(len(LANGUAGES)))
        if may_be_acronym and len(compound) == 1 and compound[0].folded in self._acronyms:
            concepts.insert(0, self._acronyms[compound[0].folded])
        mention = _mention(0, 1, concepts) if concepts else None
        if len(self._single_word_cache) < MOST_REMEMBERED:
            self._single_word_cache[cache_key] = mention
        return mention

    def _concepts_of(self, run: Sequence[Compound], languages: Sequence[int]) -> list[TermConcepts]:
        """The concepts of these words as one term, for each language and spelling."""
        keys: list[tuple[int, tuple[str, ...]]] = []
        for parts in _spellings(run):
            stemmed = [stems(raw) for raw in parts]
            keys += [(number, tuple(stem[number] for stem in stemmed)) for number in languages]
        return [concepts for number, key in keys if (concepts := self._by_stems[number].get(key))]

    def _significant_positions(self, text: Sequence[Compound], start: int) -> list[int]:
        """The positions of the words that a term beginning at `start` may consist of, without linking words."""
        positions = [start]
        for position in range(start + 1, len(text)):
            if len(positions) == self._longest or position - positions[-1] > MOST_LINKING_WORDS + 1:
                break
            if not _is_linking(text[position]):
                positions.append(position)
        return positions

    def _continuations(self, first: Compound) -> Sequence[tuple[int, set[str]]]:
        """The languages in which a term of several words begins with this one, with the second stems of those terms."""
        continuations = self._continuations_cache.get(joined := _joined(first))
        if continuations is None:
            first_stems = {stems(raw) for raw in (first[0].raw, joined)}
            continuations = [
                (number, table[head[number]])
                for number, table in enumerate(self._second_stems)
                for head in first_stems
                if head[number] in table
            ]
            if len(self._continuations_cache) < MOST_REMEMBERED:
                self._continuations_cache[joined] = continuations
        return continuations

    def title(self, concept: str, language: str) -> str:
        """The first term of a concept in a language, else in English or any other."""
        names = self.terms[concept]
        return next(iter(names.get(language) or names.get("en") or next(iter(names.values())))).removeprefix(LOOSE)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """The words of all terms: folded → as written."""
        names = (name for languages in self.terms.values() for names in languages.values() for name in names)
        return {word.folded: word.raw for name in names for word in words(name)}

    @cached_property
    def trace_index(self) -> TraceIndex:
        """The dictionary for spelling correction: words that count as correct even if no entry has them."""
        return index_by_trace(self.spellings)


@lru_cache(maxsize=1)
def own_terms() -> Terms:
    """The terms that Faro ships for concepts that may be topics."""
    terms: Terms = _read("thesaurus.yaml")
    return terms


@lru_cache(maxsize=1)
def everyday_terms() -> Terms:
    """The common words of the field. They and their concepts have a `~` in front, to distinguish them from topics."""
    return {
        f"{LOOSE}{concept}": {language: [f"{LOOSE}{name}" for name in names] for language, names in languages.items()}
        for concept, languages in _read("everyday.yaml").items()
    }


def _read(name: str) -> Any:  # Any: YAML
    return yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))


def with_terms(added: Iterable[Terms]) -> Thesaurus:
    """Merges Faro's terms with those of hubs: new concepts, and more terms for existing ones."""
    return _with_terms(json.dumps([terms for terms in added if terms], sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=64)  # one per hub, and per combination of hubs in direct chats
def _with_terms(added: str) -> Thesaurus:
    merged: dict[str, dict[str, list[str]]] = {
        concept: {language: list(names) for language, names in languages.items()}
        for concept, languages in {**everyday_terms(), **own_terms()}.items()
    }
    for terms in json.loads(added):
        for concept, languages in terms.items():
            for language, names in languages.items():
                existing = merged.setdefault(concept, {}).setdefault(language, [])
                existing += [name for name in names if name not in existing]
    return Thesaurus(merged)


def _spellings(text: Sequence[Compound]) -> list[list[str]]:
    """The spellings of a run of words: compounds in parts, and joined (`whistle-blower`, `whistleblower`)."""
    separate = [part.raw for compound in text for part in compound]
    if len(separate) == len(text):
        return [separate]
    return [separate, ["".join(part.raw for part in compound) for compound in text]]


def _joined(compound: Compound) -> str:
    return compound[0].raw if len(compound) == 1 else "".join(part.raw for part in compound)


def _is_linking(compound: Compound) -> bool:
    return len(compound) == 1 and compound[0].folded in LINKING_WORDS


@lru_cache(maxsize=10_000)
def token(concept: str) -> str:
    """A concept as one token of the index."""
    return hashlib.blake2b(fold(concept).encode(), digest_size=4).hexdigest()


def _add_concept(table: dict[Key, TermConcepts], key: Key, concept: str, sure: bool) -> None:
    concepts = table.setdefault(key, {})
    concepts[concept] = concepts.get(concept, False) or sure


def _mention(start: int, end: int, concepts_by_language: Iterable[TermConcepts]) -> Mention:
    """Builds a mention. In each language (or as an acronym), a loose term counts only if there is no other concept."""
    meanings: dict[str, None] = {}
    sure: dict[str, None] = {}
    all_concepts: dict[str, None] = {}
    for concepts in concepts_by_language:
        topics = [concept for concept, is_sure in concepts.items() if is_sure]
        sure |= dict.fromkeys(topics)
        meanings |= dict.fromkeys(topics or concepts)
        all_concepts |= dict.fromkeys(concepts)
    return Mention(
        start, end, tuple(meanings), tuple(sure), tuple(concept for concept in all_concepts if concept not in meanings)
    )
