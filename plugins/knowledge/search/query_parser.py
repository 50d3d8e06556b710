"""Parses a search query into units and filters: `regalos tema:ética -política "código de conducta"` → a `Question`.

A query has words, "phrases", excluded `-words`, and filters, in any order; filters have names in four languages. Raises
`UserError` with a sentence that helps. Pure: needs no database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import OSA

from bot.api import Text, UserError
from plugins.knowledge.index.thesaurus import Mention, Thesaurus
from plugins.knowledge.search import filters
from plugins.knowledge.text.folding import (
    STOP_WORDS,
    WRAPPER_NOUNS,
    WRAPPER_PREPOSITIONS,
    Compound,
    compounds,
    fold,
    joined,
)
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls.canonical import canonical

LONGEST = 500  # characters that are read
MOST_UNITS = 16
SHORTEST_PREFIX = 3  # letters before a `*`
SHORTEST_NAME = 4  # letters; misspelt names of shorter filters are not recognised

_NAMES = {name: key for key, names in filters.NAMES.items() for name in names}
# Fields of `Question` whose names differ from the filter's.
_FIELD_NAMES = {"from": "sender", "lang": "languages", "type": "kinds"}
# A filter, a "phrase", or a word; each may have a `-` in front.
_TOKEN = re.compile(
    r"""(?P<not>(?<!\S)-)?(?:
        (?P<key>[^\W\d_]{2,12}):(?P<apart>[ ]?)(?:["“«](?P<quoted>[^"“”«»]*)["”»]|(?P<value>[^\s"“«]\S*)|$)
      | ["“«](?P<phrase>[^"“”«»]+)["”»]
      | (?P<word>\S+))""",
    re.VERBOSE,
)
_SHORT_PREFIX = re.compile(r"^(?=.?[^\W\d_])[^\W_]{1,2}\*$")  # 5* is no prefix of a word


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that a query asks for: a word, a term of the thesaurus, or a phrase.

    `words`: its words, folded, each as the parts of a compound. `concepts`: the concepts it is a term of, several if it
    is ambiguous. `broader`: wider concepts, used if no entry has those.
    """

    words: tuple[tuple[str, ...], ...]
    stems: tuple[tuple[str, ...], ...] = ()
    """For each word, its stems."""
    beginnings: tuple[str, ...] = ()
    """Words that its only word is a prefix of."""
    concepts: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    phrase: bool = False
    prefix: bool = False
    """Whether its last word is a prefix (`word*`)."""
    text: str = ""
    """As written in the query."""

    @property
    def significant(self) -> Sequence[int]:
        """The positions of the words that are no stop words; of all words if all are."""
        positions = [position for position, parts in enumerate(self.words) if not STOP_WORDS.issuperset(parts)]
        return positions or range(len(self.words))


@dataclass(frozen=True, slots=True)
class Question:
    """A parsed query. Instants are UTC milliseconds; `until` is exclusive."""

    units: tuple[Unit, ...] = ()
    without: tuple[Unit, ...] = ()
    key: str | None = None
    """The canonical address, if the query is an address and nothing else."""
    topic: str | None = None
    sender: str | None = None
    since: int | None = None
    until: int | None = None
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    site: str | None = None
    hub: str | None = None
    sort: str | None = None
    text: str = ""  # as written, without its filters
    plain: str = ""
    """The words that are neither filters nor phrases nor excluded."""
    filters: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The filters as people wrote them, by their English names."""

    @property
    def empty(self) -> bool:
        return not (self.units or self.key or self.filters)


def parse(text: str, thesaurus: Thesaurus, zone: str = "UTC") -> Question:
    """Parses a query. Dates are local to the zone."""
    text = tidy(text, LONGEST)
    if key := canonical(text.strip("<>")):
        return Question(key=key, text=text)
    values, names_as_written = dict[str, str](), dict[str, str]()
    plain, rest = list[str](), list[str]()
    units, without = list[Unit](), list[Unit]()
    for token in _TOKEN.finditer(text):
        name = _NAMES.get(fold(token["key"])) if token["key"] else None
        value = (token["quoted"] or token["value"] or "").strip()
        if refusal := _token_error(token, name, value, values):
            raise UserError(refusal)
        if name:
            values[name], names_as_written[name] = value, token["key"]
            continue
        rest.append(token[0])
        if token["phrase"]:
            (without if token["not"] else units).append(phrase_unit(token["phrase"]))
        elif token["not"]:
            without += _units(token[0][1:], thesaurus)
        else:
            plain.append(token[0])
    units += _units(" ".join(plain), thesaurus)
    return replace(
        _from_filters(values, names_as_written, zone),
        units=tuple(unit for unit in units if unit.words)[:MOST_UNITS],
        without=tuple(unit for unit in without if unit.words)[:MOST_UNITS],
        text=" ".join(rest),
        plain=" ".join(plain),
    )


def _token_error(token: re.Match[str], name: str | None, value: str, values: Collection[str]) -> Text | None:
    """The error message for an invalid token; None if it is valid."""
    key = token["key"]
    if name and not value:
        example = f"{key}:{filters.EXAMPLES[name]}"
        return Text("Write what you are looking for right after “{said}:”, as in {example}.", said=key, example=example)
    if name and token["not"]:
        return Text("“{said}”: only words can be excluded with -, not filters.", said=tidy(token[0], 40))
    if name in values:
        return Text("'{name}:' appears twice. Use it once per search.", name=key)
    if key and not name and value and not token["apart"] and (suggestion := _similar_filter(key)):
        return Text(
            "There is no filter “{said}:”. Did you mean {meant}:? Without the colon it is searched as a word.",
            said=key,
            meant=suggestion,
        )
    if _SHORT_PREFIX.match(token["word"] or ""):
        return Text("Write at least three letters before the *.")
    return None


def _similar_filter(key: str) -> str | None:
    """The filter at edit distance 1 from a misspelt name. Shorter names would be similar to too many words."""
    folded = fold(key)
    similar = (name for name in _NAMES if len(name) >= SHORTEST_NAME and name[0] == folded[:1])
    return next((name for name in similar if OSA.distance(folded, name, score_cutoff=1) == 1), None)


def apply_corrections(question: Question, corrected: Mapping[str, str], thesaurus: Thesaurus) -> Sequence[Unit]:
    """The units of a question after replacing misspelt words and phrases (`Unit.text`)."""
    words = " ".join("-".join(part.raw for part in parts) for parts in compounds(question.plain))
    plain = " ".join(corrected.get(word, word) for word in words.split())
    quoted = [unit for unit in question.units if unit not in _units(question.plain, thesaurus)]
    quoted = [phrase_unit(corrected[unit.text]) if unit.text in corrected else unit for unit in quoted]
    return [*quoted, *_units(plain, thesaurus)][:MOST_UNITS]


def with_filters(question: Question, names: Collection[str]) -> Question:
    """The question with only these of its filters, in the same order, and without its words."""
    names = {*names, "sort"} & question.filters.keys()
    kept = {field: getattr(question, field) for name in names for field in [_FIELD_NAMES.get(name, name)]}
    filters_ = {name: value for name, value in question.filters.items() if name in names}
    return Question(**kept, without=question.without, filters=filters_)


def text_units(text: str, thesaurus: Thesaurus) -> Sequence[Unit]:
    """The words of any text as units; nothing in it is parsed as a filter or an operator."""
    return [unit for unit in _units(tidy(text, LONGEST), thesaurus) if unit.words][:MOST_UNITS]


def word_unit(word: str, thesaurus: Thesaurus) -> Unit:
    """One word as a unit."""
    return _units(word, thesaurus)[0]


def _from_filters(values: Mapping[str, str], names_as_written: Mapping[str, str], zone: str) -> Question:
    """A question with filters only. `names_as_written`: the names that people used for them."""
    get = values.get
    kind = fold(get("type", "")).lstrip(".")
    return Question(
        topic=get("topic"),
        hub=get("hub"),
        sender=filters.parse_sender(values["from"]) if "from" in values else None,
        since=filters.parse_instant(values["since"], zone, names_as_written["since"]) if "since" in values else None,
        until=filters.parse_instant(values["until"], zone, names_as_written["until"], end=True)
        if "until" in values
        else None,
        languages=(filters.parse_language(values["lang"]),) if "lang" in values else (),
        kinds=tuple(filters.KINDS.get(kind, (kind,))) if kind else (),
        site=filters.parse_site(values["site"]) if "site" in values else None,
        sort=filters.parse_sort(values["sort"]) if "sort" in values else None,
        filters=values,
    )


def _units(text: str, thesaurus: Thesaurus) -> list[Unit]:
    """Splits a text into units: terms of the thesaurus as a whole, other words one by one. Stop words are left out,
    unless nothing else remains."""
    words = compounds(text)
    starred = {fold(word.rstrip("*")) for word in text.split() if word.endswith("*")}
    mentions = {mention.start: mention for mention in thesaurus.mentions(words, capitals=False)}
    units: list[Unit] = []
    insignificant, position = set[int](), 0
    while position < len(words):
        mention = mentions.get(position, Mention(position, position + 1, ()))
        end = mention.end
        unit = _unit(words[position:end], mention, starred)
        if all(STOP_WORDS.issuperset(parts) for parts in unit.words) or _is_wrapper(unit, words[end:]):
            insignificant.add(len(units))
        units.append(unit)
        position = end
    kept = [unit for number, unit in enumerate(units) if number not in insignificant]
    return list(dict.fromkeys(kept or units))


def _is_wrapper(unit: Unit, rest: Sequence[Compound]) -> bool:
    """Whether a word only wraps the question, as `links` in `links on gifts`."""
    return (
        len(unit.words) == 1
        and unit.words[0][0] in WRAPPER_NOUNS
        and len(rest) > 1
        and rest[0][0].folded in WRAPPER_PREPOSITIONS
    )


def _unit(words: Sequence[Compound], mention: Mention, starred: set[str]) -> Unit:
    folded = tuple(tuple(part.folded for part in compound) for compound in words)
    last = joined(folded[-1])
    return Unit(
        words=folded,
        stems=tuple(compound[0].stems if len(compound) == 1 else () for compound in words),
        concepts=mention.concepts,
        broader=mention.broader,
        prefix=last in starred and len(last) >= SHORTEST_PREFIX,
        text=" ".join("-".join(part.raw for part in compound) for compound in words),
    )


def phrase_unit(text: str) -> Unit:
    """A quoted phrase; a single word if it has only one."""
    words = tuple((part.folded,) for compound in compounds(text) for part in compound)
    return Unit(words=words, phrase=len(words) > 1, text=text.strip())
