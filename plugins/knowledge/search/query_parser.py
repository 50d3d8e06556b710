"""What is asked? `regalos tema:ética -política "código de conducta"` → a `Question`. Pure: no database.

Words, "phrases", `-words` that must not occur, and filters in any order; the filters have names in four languages.
Raises `UserError` with a sentence that helps.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import OSA

from bot.api import Text, UserError
from plugins.knowledge.index.thesaurus import Mention, Thesaurus
from plugins.knowledge.search import filters
from plugins.knowledge.text.folding import ABOUT, EMPTY, THINGS, Compound, compounds, fold, joined
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls.canonical import canonical

LONGEST = 500  # characters that are read
MOST_UNITS = 16
SHORTEST_PREFIX = 3  # letters before a `*`
SHORTEST_NAME = 4  # letters of a filter's name of which a slip is told

_NAMES = {name: key for key, names in filters.NAMES.items() for name in names}
_FIELDS = {"from": "sender", "lang": "languages", "type": "kinds"}  # of `Question`, where it is not the filter's name
# A filter, a "phrase", or a word; each may have a `-` in front.
_TOKEN = re.compile(
    r"""(?P<not>(?<!\S)-)?(?:
        (?P<key>[^\W\d_]{2,12}):(?P<apart>[ ]?)(?:["“«](?P<quoted>[^"“”«»]*)["”»]|(?P<value>[^\s"“«]\S*)|$)
      | ["“«](?P<phrase>[^"“”«»]+)["”»]
      | (?P<word>\S+))""",
    re.VERBOSE,
)
_SHORT = re.compile(r"^(?=.?[^\W\d_])[^\W_]{1,2}\*$")  # 5* is no beginning of a word


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that is asked for: a word, a term of the thesaurus, or a phrase.

    `words` are its words, folded, each by its parts; `concepts` what it is a term of (several if it is ambiguous), and
    `broader` wider ideas, for when nothing speaks of those.
    """

    words: tuple[tuple[str, ...], ...]
    stems: tuple[tuple[str, ...], ...] = ()
    """For each word, what it also stands for."""
    beginnings: tuple[str, ...] = ()
    """Words that its only word is the beginning of."""
    concepts: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    phrase: bool = False
    prefix: bool = False
    """Words that begin like it count, too."""
    shown: str = ""
    """As it was written."""

    @property
    def telling(self) -> Sequence[int]:
        """Places of the words that say something; all, if none does."""
        places = [place for place, parts in enumerate(self.words) if not EMPTY.issuperset(parts)]
        return places or range(len(self.words))


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. Instants are UTC milliseconds; `until` is exclusive. Filters are as people wrote them."""

    units: tuple[Unit, ...] = ()
    without: tuple[Unit, ...] = ()
    key: str | None = None
    """The canonical address, if an address is all that was asked."""
    topic: str | None = None
    sender: str | None = None
    since: int | None = None
    until: int | None = None
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    site: str | None = None
    hub: str | None = None
    sort: str | None = None
    text: str = ""  # as it was written, without its filters
    plain: str = ""
    """The words that are neither filters nor phrases nor to be left out."""
    filters: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The filters by their English names, to be shown."""

    @property
    def empty(self) -> bool:
        return not (self.units or self.key or self.filters)


def read(text: str, thesaurus: Thesaurus, zone: str = "UTC") -> Question:
    """A question; dates are those of the zone's clocks."""
    text = tidy(text, LONGEST)
    if key := canonical(text.strip("<>")):
        return Question(key=key, text=text)
    given, called = dict[str, str](), dict[str, str]()
    plain, rest = list[str](), list[str]()
    units, without = list[Unit](), list[Unit]()
    for token in _TOKEN.finditer(text):
        name = _NAMES.get(fold(token["key"])) if token["key"] else None
        value = (token["quoted"] or token["value"] or "").strip()
        if refusal := _refusal(token, name, value, given):
            raise UserError(refusal)
        if name:
            given[name], called[name] = value, token["key"]
            continue
        rest.append(token[0])
        if token["phrase"]:
            (without if token["not"] else units).append(phrase(token["phrase"]))
        elif token["not"]:
            without += _units(token[0][1:], thesaurus)
        else:
            plain.append(token[0])
    units += _units(" ".join(plain), thesaurus)
    return replace(
        _filtered(given, called, zone),
        units=tuple(unit for unit in units if unit.words)[:MOST_UNITS],
        without=tuple(unit for unit in without if unit.words)[:MOST_UNITS],
        text=" ".join(rest),
        plain=" ".join(plain),
    )


def _refusal(token: re.Match[str], name: str | None, value: str, given: Collection[str]) -> Text | None:
    """What is wrong with a part of a question, if anything is."""
    key = token["key"]
    if name and not value:
        example = f"{key}:{filters.EXAMPLES[name]}"
        return Text("Write what you look for right after “{said}:”, as in {example}.", said=key, example=example)
    if name and token["not"]:
        return Text("“{said}”: only words can be left out with -, not filters.", said=tidy(token[0], 40))
    if name in given:
        return Text("'{name}:' is given twice. Write it once, and search again for the other.", name=key)
    if key and not name and value and not token["apart"] and (meant := _slip(key)):
        return Text(
            "There is no filter “{said}:”. Did you mean {meant}:? Without the colon it is searched as a word.",
            said=key,
            meant=meant,
        )
    if _SHORT.match(token["word"] or ""):
        return Text("Write at least three letters before the *.")
    return None


def _slip(key: str) -> str | None:
    """The filter that somebody meant, if one letter is wrong. Shorter words are near to too much."""
    written = fold(key)
    near = (name for name in _NAMES if len(name) >= SHORTEST_NAME and name[0] == written[:1])
    return next((name for name in near if OSA.distance(written, name, score_cutoff=1) == 1), None)


def put_right(question: Question, corrected: Mapping[str, str], thesaurus: Thesaurus) -> Sequence[Unit]:
    """The units of a question with some of its words and phrases (`Unit.shown`) replaced."""
    words = " ".join("-".join(part.raw for part in parts) for parts in compounds(question.plain))
    plain = " ".join(corrected.get(word, word) for word in words.split())
    quoted = [unit for unit in question.units if unit not in _units(question.plain, thesaurus)]
    quoted = [phrase(corrected[unit.shown]) if unit.shown in corrected else unit for unit in quoted]
    return [*quoted, *_units(plain, thesaurus)][:MOST_UNITS]


def with_filters(question: Question, names: Collection[str]) -> Question:
    """What a question asks by these of its filters alone, without its words; in its order."""
    names = {*names, "sort"} & question.filters.keys()
    kept = {field: getattr(question, field) for name in names for field in [_FIELDS.get(name, name)]}
    filters_ = {name: value for name, value in question.filters.items() if name in names}
    return Question(**kept, without=question.without, filters=filters_)


def spoken(text: str, thesaurus: Thesaurus) -> Sequence[Unit]:
    """The words of any text as units: nothing in it is a filter or a sign."""
    return [unit for unit in _units(tidy(text, LONGEST), thesaurus) if unit.words][:MOST_UNITS]


def single(word: str, thesaurus: Thesaurus) -> Unit:
    """One word as a unit."""
    return _units(word, thesaurus)[0]


def _filtered(given: Mapping[str, str], called: Mapping[str, str], zone: str) -> Question:
    """A question of these filters alone; `called`: their names as they were written."""
    said = given.get
    kind = fold(said("type", "")).lstrip(".")
    return Question(
        topic=said("topic"),
        hub=said("hub"),
        sender=filters.sender(given["from"]) if "from" in given else None,
        since=filters.instant(given["since"], zone, called["since"]) if "since" in given else None,
        until=filters.instant(given["until"], zone, called["until"], end=True) if "until" in given else None,
        languages=(filters.language(given["lang"]),) if "lang" in given else (),
        kinds=tuple(filters.KINDS.get(kind, (kind,))) if kind else (),
        site=filters.site(given["site"]) if "site" in given else None,
        sort=filters.sort(given["sort"]) if "sort" in given else None,
        filters=given,
    )


def _units(text: str, thesaurus: Thesaurus) -> list[Unit]:
    """The words of a text: terms of the thesaurus together, others one by one; those that say nothing are left out
    (unless nothing else is left)."""
    found = compounds(text)
    starred = {fold(word.rstrip("*")) for word in text.split() if word.endswith("*")}
    mentions = {mention.start: mention for mention in thesaurus.mentions(found, capitals=False)}
    units: list[Unit] = []
    empty, place = set[int](), 0
    while place < len(found):
        mention = mentions.get(place, Mention(place, place + 1, ()))
        end = mention.end
        unit = _unit(found[place:end], mention, starred)
        if all(EMPTY.issuperset(parts) for parts in unit.words) or _wraps(unit, found[end:]):
            empty.add(len(units))
        units.append(unit)
        place = end
    telling = [unit for number, unit in enumerate(units) if number not in empty]
    return list(dict.fromkeys(telling or units))


def _wraps(unit: Unit, rest: Sequence[Compound]) -> bool:
    """`links on gifts`: what is looked for comes after."""
    return len(unit.words) == 1 and unit.words[0][0] in THINGS and len(rest) > 1 and rest[0][0].folded in ABOUT


def _unit(run: Sequence[Compound], mention: Mention, starred: set[str]) -> Unit:
    words = tuple(tuple(part.folded for part in compound) for compound in run)
    last = joined(words[-1])
    return Unit(
        words=words,
        stems=tuple(compound[0].stems if len(compound) == 1 else () for compound in run),
        concepts=mention.concepts,
        broader=mention.broader,
        prefix=last in starred and len(last) >= SHORTEST_PREFIX,
        shown=" ".join("-".join(part.raw for part in compound) for compound in run),
    )


def phrase(text: str) -> Unit:
    """Words that must stand together, or one as it is written."""
    words = tuple((part.folded,) for compound in compounds(text) for part in compound)
    return Unit(words=words, phrase=len(words) > 1, shown=text.strip())
