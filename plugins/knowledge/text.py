"""How are words compared? Index and question pass through the same door."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

MOST_WORDS = 16  # of a question
SHORTEST_PREFIX = 4  # letters the last word of a question needs to stand for longer words too
LONGEST_WORD = 64
MOST_PARTS = 6  # of a compound that is looked for as one word, too

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐‑][^\W_]+)*")
_HYPHEN = re.compile("[-‐‑]")

# Words that say nothing about what is looked for, folded: articles, prepositions, "and", elided letters.
_EMPTY = frozenset(
    """a an and at by for from in is of on or the to with
    al con de del e el en la las los o para por que se sin su un una y
    au aux avec c ce ces d dans des du est et j l le les m n ne ou par pour qu s sur t une
    ao aos as com da das do dos em na nas no nos os pela pelo um uma""".split()  # noqa: SIM905 - seventy quoted words read worse
)


def fold(text: str) -> str:
    """Text without case, accents and compatibility forms: `ÍNDICE ＣＢＰ œuvre` → `indice cbp oeuvre`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return unicodedata.normalize("NFKC", letters.casefold()).translate(_LETTERS)


def index_words(text: str) -> str:
    """The words of a text to be indexed; a compound with hyphens also as one word (`anti bribery antibribery`)."""
    words: list[str] = []
    for parts in _compounds(text):
        words += parts
        if len(parts) > 1:
            words.append(joined(parts))
    return " ".join(words)


def question(text: str) -> list[list[str]]:
    """The words of a question, each as its parts: `l'anti-corruption 2026` → `[[anti, corruption], [2026]]`.

    Words like "the" are left out (unless nothing else is left), repeated ones too, and all after `MOST_WORDS`.
    """
    words: list[list[str]] = []
    for compound in _compounds(text):
        for parts in [compound] if len(compound) <= MOST_PARTS else [[part] for part in compound]:
            if parts not in words:
                words.append(parts)
    telling = [parts for parts in words if len(parts) > 1 or parts[0] not in _EMPTY]
    return (telling or words)[:MOST_WORDS]


def joined(parts: Sequence[str]) -> str:
    """The parts of a compound as one word."""
    return "".join(parts)[:LONGEST_WORD]


def _compounds(text: str) -> Iterator[list[str]]:
    for compound in _COMPOUND.findall(fold(text)):
        yield [part[:LONGEST_WORD] for part in _HYPHEN.split(compound)]
