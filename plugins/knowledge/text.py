"""How are words compared? Index and question pass through the same door."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

import Stemmer

LONGEST_WORD = 64
SHORTEST_STEMMED = 3
MOST_REMEMBERED = 200_000  # words: a language's everyday ones come back in every text
MOST_PARTS = 3  # of a compound that is also taken as one word
LANGUAGES = ("en", "es", "fr", "pt")

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐‑][^\W_]+)*")
_HYPHEN = re.compile("[-‐‑]")

# Words that say nothing about what is looked for, folded: articles, prepositions, "and", elided letters, and what
# people wrap a question in ("where can I find something about …").
EMPTY = frozenset(
    """a about an and any anything are at be by can could do does for from have how i in is it me of on or please
    some something that the there this to us we what when where which who why with you your find looking need show
    al algo alguien algun alguna como con cual cuales cuando de del desde donde e el ella en encontrar encuentro es
    esta este hay la las lo los me mi necesito nos o para por porque puedo que quien se sin sobre son su sus tiene
    tengo un una unas unos y ya busco buscar
    au aux avec c ce ces cet cette chercher cherche comment d dans des du elle est et il j je l la le les m mes n ne
    nous on ou par pas pour puis qu que quel quelle quelque quelques quelqu qui quoi s sa ses son sur t trouver trouve
    peut peux un une vous y
    alguma ao aos as com da das do dos em encontrar encontro essa esse eu isso isto na nas no nos o onde os ou para
    pela pelo posso preciso procuro qual quem sao ser seu sua tem tenho um uma uns umas""".split()  # noqa: SIM905 - two hundred quoted words read worse
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written (small letters, accents kept), folded, and whether it was written in capitals only.

    `stems` are those that differ from it; words that say nothing have none.
    """

    raw: str
    folded: str
    capitals: bool
    stems: tuple[str, ...]


Compound = Sequence[Word]
"""A word by its parts: `anti-corruption` has two, most have one."""


def fold(text: str) -> str:
    """Text without case, accents and compatibility forms: `ÍNDICE ＣＢＰ œuvre` → `indice cbp oeuvre`."""
    if text.isascii():
        return text.lower()
    decomposed = normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not combining(char))
    return normalize("NFKC", letters.casefold()).translate(_LETTERS)


def words(text: str) -> list[Word]:
    """The words of a text in order; the parts of a compound one by one."""
    return [part for compound in compounds(text) for part in compound]


def compounds(text: str) -> list[Compound]:
    """The words of a text in order, each as its parts: `l'anti-corruption` → `[l] [anti, corruption]`."""
    return [_compound(found) for found in _COMPOUND.findall(text if text.isascii() else normalize("NFKC", text))]


def index_words(text: str) -> str:
    """The words of a text to be indexed; a compound with hyphens also as one word (`anti bribery antibribery`)."""
    found: list[str] = []
    for parts in compounds(text):
        found += [part.folded for part in parts]
        if 1 < len(parts) <= MOST_PARTS:
            found.append(joined([part.folded for part in parts]))
    return " ".join(found)


def joined(parts: Sequence[str]) -> str:
    """The parts of a compound as one word."""
    return "".join(parts)[:LONGEST_WORD]


@lru_cache(maxsize=MOST_REMEMBERED)
def stems(raw: str) -> tuple[str, str, str, str]:
    """The stems of a word in the four languages (Snowball), folded. The word is taken as it is written and without
    its accents, since people leave them out: the shorter stem counts.
    """
    folded = fold(raw)
    found = []
    for stemmer in _stemmers():
        stem = fold(stemmer.stemWord(raw))
        if raw != folded:
            stem = min(stem, fold(stemmer.stemWord(folded)), key=len)
        found.append(stem)
    return found[0], found[1], found[2], found[3]


@lru_cache(maxsize=1)
def _stemmers() -> tuple[Stemmer.Stemmer, ...]:
    return tuple(Stemmer.Stemmer(name) for name in ("english", "spanish", "french", "portuguese"))


@lru_cache(maxsize=MOST_REMEMBERED)
def _compound(found: str) -> Compound:
    parts = [found] if found.isalnum() else _HYPHEN.split(found)
    return tuple(word(part[:LONGEST_WORD]) for part in parts)


@lru_cache(maxsize=MOST_REMEMBERED)
def word(part: str) -> Word:
    """One word of a text, as it stands there."""
    raw = part.casefold()
    folded = fold(raw)
    telling = len(folded) >= SHORTEST_STEMMED and folded not in EMPTY
    return Word(raw, folded, part.isupper(), tuple({stem for stem in stems(raw) if telling and stem != folded}))
