"""The index for spelling correction: a deletion neighbourhood, as in SymSpell.

Every word of the vocabulary has traces: hashes of itself, and of itself without any one letter. A misspelt word is
looked up by the same traces, and by those without two letters. So words at edit distance 1 (insertion, deletion,
substitution, swap) always share a trace, and most words at distance 2 do. Traces are phonetic (`sound`), so that any
number of misheard letters (`z` for `c`, `v` for `b`, a missing `h`) does not matter. Each word also has a trace of its
consonants, which finds words with two wrong vowels.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from operator import itemgetter

TraceIndex = Mapping[int, Sequence[str]]

SHORTEST = 4  # letters; shorter words are too similar to each other
LONGEST = 24
TWO_EDITS_FROM = 7  # letters
SHORTEST_SKELETON = 4  # consonants

# Letters that sound the same in one of the four languages, so that people confuse them.
_SAME_SOUND = str.maketrans("zcvyjkqwx", "ssbigssbs", "h")
_DOUBLED = re.compile(r"(.)\1+")
_VOWELS = str.maketrans("", "", "aeiouy")


def traceable(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def sound(word: str) -> str:
    """A rough phonetic form of a folded word, the same for `whistle` and `wistle`, `hacer` and `aser`, `dossier` and
    `dosier`."""
    return _DOUBLED.sub(itemgetter(1), word.replace("ph", "f").replace("qu", "k").translate(_SAME_SOUND))


def traces(word: str) -> set[int]:
    """The traces under which a word is indexed."""
    shorter = (word[:position] + word[position + 1 :] for position in range(len(word)))
    return {*_traces([word, *shorter]), *_skeleton(word)}


def index_by_trace(words: Iterable[str]) -> TraceIndex:
    """An index in memory, for words that are in no database."""
    index: dict[int, list[str]] = {}
    for word in sorted(filter(traceable, words)):
        for trace in traces(word):
            index.setdefault(trace, []).append(word)
    return index


def lookup_traces(word: str) -> set[int]:
    """The traces under which to look for corrections of a misspelt word."""
    word_traces = traces(word)
    if len(word) >= TWO_EDITS_FROM:
        position_pairs = combinations(range(len(word)), 2)
        word_traces.update(
            _traces(word[:first] + word[first + 1 : second] + word[second + 1 :] for first, second in position_pairs)
        )
    return word_traces


def _skeleton(word: str) -> Iterable[int]:
    """The trace of the consonants of a word; none if there are too few."""
    consonants = sound(word).translate(_VOWELS)
    if len(consonants) >= SHORTEST_SKELETON:
        yield from _traces([f"-{consonants}"])


def _traces(words: Iterable[str]) -> Iterable[int]:
    """The hashes of phonetic forms. `sound` runs once over all words as lines of one text, which is much quicker."""
    return (zlib.crc32(word.encode()) for word in sound("\n".join(words)).split("\n"))
