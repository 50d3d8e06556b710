"""Where is a word found again by those who misspell it?

Every known word leaves traces: itself and itself without one of its letters. A misspelt word is looked up by the same
and with two letters less, so that one slip (a letter too many, too few, another one, or two swapped) always meets, and
most words with two slips do. Traces are taken as they sound (`sound`), so that slips of the ear (`z` for `c`, `v` for
`b`, an `h` too few) meet in any number; and each word leaves one of its consonants alone, so that two wrong vowels do.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from operator import itemgetter

Traces = Mapping[int, Sequence[str]]

SHORTEST = 4  # letters; shorter words are too like each other
LONGEST = 24
TWO_SLIPS_FROM = 7  # letters
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


def asked(word: str) -> set[int]:
    """Where to look for what a misspelt word may be."""
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
