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
from operator import itemgetter

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
        """SELECT t.word, sum(v.entries) AS entries FROM
        (SELECT DISTINCT word FROM traces WHERE trace IN (SELECT value FROM json_each(:traces))) t
        JOIN vocabulary v ON v.word = t.word AND v.shelf IN (SELECT value FROM json_each(:scopes))
        GROUP BY t.word""",
        traces=json.dumps(sorted(asked)),
        scopes=json.dumps(list(scopes)),
    )
    frequent = {one: 0 for trace in asked for one in known.get(trace, ())} | {
        row["word"]: row["entries"] for row in rows
    }
    near = (
        (count, one[:1] != word[:1], -entries, one)
        for one, entries in frequent.items()
        if (count := _apart(word, one, wrote=bool(entries))) is not None
    )
    best = min(near, default=None)
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
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            cost = min(now[-1] + 1, last[column] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return last[-1]


def _asked(word: str) -> set[int]:
    found = traces(word)
    if len(word) >= TWO_SLIPS_FROM:
        for first in range(len(word)):
            shorter = word[:first] + word[first + 1 :]
            found.update(_traces(shorter[:place] + shorter[place + 1 :] for place in range(first, len(shorter))))
    return found


def _skeleton(word: str) -> Iterable[int]:
    """The trace of the consonants of a word that has enough of them."""
    consonants = sound(word).translate(_VOWELS)
    if len(consonants) >= SHORTEST_SKELETON:
        yield from _traces([f"-{consonants}"])


def _traces(words: Iterable[str]) -> Iterable[int]:
    """Together, as lines of one text: much quicker than each alone."""
    return (zlib.crc32(one.encode()) for one in sound("\n".join(words)).split("\n"))
