"""What may a misspelt word be? Words within one or two slips of it, among those of the shelves that may be seen.

Every known word leaves traces: itself and itself without one of its letters. A misspelt word is looked up by the same
and with two letters less, so that one slip (a letter too many, too few, another one, or two swapped) always meets, and
most words with two slips do. Traces are taken as they sound (`sound`), so that slips of the ear (`z` for `c`, `v` for
`b`, an `h` too few) meet in any number; and each word leaves one of its consonants alone, so that two wrong vowels do.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from operator import itemgetter

from rapidfuzz.distance import OSA

from bot.api import SyncReader
from plugins.knowledge.text import LONGEST_WORD

Traces = Mapping[int, Sequence[str]]

SHORTEST = 4  # letters; shorter words are too like each other
LONGEST = 24
TWO_SLIPS_FROM = 7  # letters
MOST_HEARD = 3  # slips in all, if at most one of them can be heard
PLURALS = ("", "s", "es")
SHORTEST_SKELETON = 4  # consonants

# Letters that sound alike in one of the four languages, so that people write one for the other.
_ALIKE = str.maketrans("zcvyjkqwx", "ssbigssbs", "h")
_TWICE = re.compile(r"(.)\1+")
_VOWELS = str.maketrans("", "", "aeiouy")


def traceable(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def sound(word: str) -> str:
    """A folded word as it sounds, roughly: `whistle` and `wistle`, `hacer` and `aser`, `dossier` and `dosier`."""
    return _TWICE.sub(itemgetter(1), word.replace("ph", "f").replace("qu", "k").translate(_ALIKE))


def traces(word: str) -> set[int]:
    """Where a word is found again."""
    shorter = (word[:place] + word[place + 1 :] for place in range(len(word)))
    return {*_traces([word, *shorter]), *_skeleton(word)}


def traced(words: Iterable[str]) -> Traces:
    """Words by their traces, for those that are in no database."""
    found: dict[int, list[str]] = {}
    for word in sorted(filter(traceable, words)):
        for trace in traces(word):
            found.setdefault(trace, []).append(word)
    return found


def meant(db: SyncReader, word: str, scopes: Sequence[int], known: Traces) -> str | None:
    """The word that is nearest to a misspelt one: of those entries have in these scopes, or of the `known` ones.

    The more frequent of two that are equally near. If none is near, that may be because only its singular is known.
    A word that is known is no slip, though no entry that may be seen has it.
    """
    for ending in PLURALS:
        if word.endswith(ending) and (found := _nearest(db, word.removesuffix(ending), scopes, known)):
            return found if found != word else None
    return None


def _nearest(db: SyncReader, word: str, scopes: Sequence[int], known: Traces) -> str | None:
    if not SHORTEST <= len(word) <= LONGEST_WORD:
        return None
    asked = _asked(word)
    rows = db.rows(
        "SELECT DISTINCT word FROM traces WHERE trace IN (SELECT value FROM json_each(:traces))",
        traces=json.dumps(sorted(asked)),
    )
    # How far they are first: to count each would take longer, as there may be hundreds.
    near = [one for row in rows if _apart(word, one := row["word"], wrote=True) is not None]
    counted = db.rows(
        """SELECT word, sum(entries) FILTER (WHERE shelf IN (SELECT value FROM json_each(:scopes))) AS seen
        FROM vocabulary WHERE word IN (SELECT value FROM json_each(:near)) GROUP BY word HAVING seen > 0""",
        near=json.dumps(near),
        scopes=json.dumps(list(scopes)),
    )
    frequent = {one: 0 for trace in asked for one in known.get(trace, ())}
    frequent |= {row["word"]: row["seen"] for row in counted}
    best = min(
        (
            (apart, one[:1] != word[:1], -entries, one)
            for one, entries in frequent.items()
            if (apart := _apart(word, one, wrote=bool(entries))) is not None
        ),
        default=None,
    )
    return best[3] if best else None


def _apart(word: str, one: str, *, wrote: bool) -> float | None:
    """How far a word is from a known one, if that may be meant: slips that cannot be heard are half ones. What nobody
    wrote must be nearer."""
    long = len(word) >= TWO_SLIPS_FROM
    most = 2 if long and wrote else 1
    written = slips(word, one, MOST_HEARD if long else 2)
    heard = slips(sound(word), sound(one), most)
    if written <= most or (heard <= most - 1 and written <= (MOST_HEARD if long else 2)):
        return (written + min(heard, written)) / 2
    return None


def slips(one: str, other: str, most: int) -> int:
    """How many slips lie between two words: letters added, left out, replaced, or swapped with the next
    (optimal string alignment). `most + 1` stands for more than `most`."""
    return OSA.distance(one, other, score_cutoff=most)


def _asked(word: str) -> set[int]:
    found = traces(word)
    if len(word) >= TWO_SLIPS_FROM:
        places = combinations(range(len(word)), 2)
        found.update(_traces(word[:one] + word[one + 1 : other] + word[other + 1 :] for one, other in places))
    return found


def _skeleton(word: str) -> Iterable[int]:
    """The trace of the consonants of a word that has enough of them."""
    consonants = sound(word).translate(_VOWELS)
    if len(consonants) >= SHORTEST_SKELETON:
        yield from _traces([f"-{consonants}"])


def _traces(words: Iterable[str]) -> Iterable[int]:
    """Together, as lines of one text: much quicker than each alone."""
    return (zlib.crc32(one.encode()) for one in sound("\n".join(words)).split("\n"))
