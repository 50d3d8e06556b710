"""Splits, folds and stems words. Index and queries use the same functions, so that they match."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import combining, normalize

import Stemmer

LONGEST_WORD = 64
SHORTEST_STEMMED = 3
MOST_REMEMBERED = 100_000  # words; everyday words are repeated in every text
MOST_PARTS = 3  # of a compound that is also indexed as one word
LANGUAGES = ("en", "es", "fr", "pt")

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐‑][^\W_]+)*")
_HYPHEN = re.compile("[-‐‑]")
# Endings that the stemmers only know with accents, and British endings, of which they only know the American form.
_PROPER_ENDINGS = {
    "ite": "ité", "ites": "ités", "ee": "ée", "ees": "ées",
    "cao": "ção", "coes": "ções", "sao": "são", "soes": "sões", "encia": "ência", "encias": "ências",
    "ancia": "ância", "ancias": "âncias", "avel": "ável", "aveis": "áveis", "ivel": "ível", "iveis": "íveis",
    **{f"is{end}": f"iz{end}" for end in ("e", "es", "ed", "er", "ers", "ing", "ation", "ations")},
    "our": "or", "ours": "ors", "oured": "ored", "ouring": "oring", "oural": "oral",
}  # fmt: skip
_ENDINGS_BY_LANGUAGE: Mapping[str, tuple[str, ...]] = {
    "en": ("ise", "ises", "ised", "iser", "isers", "ising", "isation", "isations", "our", "ours", "oured", "ouring",
           "oural"),
    "es": (),
    "fr": ("ite", "ites", "ee", "ees"),
    "pt": ("cao", "coes", "sao", "soes", "encia", "encias", "ancia", "ancias", "avel", "aveis", "ivel", "iveis"),
}  # fmt: skip

# Stop words, folded: articles, prepositions, conjunctions, elided letters, and the words that people wrap a question in
# ("where can I find something about …").
STOP_WORDS = frozenset(
    """a about an and any anything are at be by anybody anyone can could do does for from got has have how i in
    is it me of on or please some somebody someone something that the there this to us want we what when where
    which who why with you your find looking need show against as between into its our their
    other others another about there these those they any all more
    acerca al algo alguien algun alguna como con cual cuales cuando de del desde donde e el ella en encontrar
    encuentro es esta este hay la las lo los me mi necesito nos o para por porque puedo que quien quiero se
    sin sobre son su sus tenemos tiene tienen tengo un una unas unos y ya busco buscar ante contra entre hacia
    hasta pero otro otra otros otras estos estas ese esa todo todos todas mas
    au aux avec avez avons c ce ces chose choses cet cette chercher cherche comment d dans des du elle est et
    il j je l la le les m mes n ne nous on ou par pas pour propos puis qu que quel quelle quelque quelques
    quelqu qui quoi s sa ses son sur t trouver trouve peut peux un une veux vous y contre dont entre leur
    leurs mais nos notre vers vos votre autre autres tout tous toutes plus
    alguem alguma algumas ao aos as coisa coisas com da das do dos em encontrar encontro essa esse eu ha isso
    isto na nas no nos o onde os ou para pela pelo posso preciso procuro qual quem quero sao ser seu sua tem
    temos tenho um uma uns umas ate contra mas pelos pelas seus suas
    outro outra outros outras todo todos todas mais ha""".split()  # noqa: SIM905 - two hundred quoted words read worse
)

# Nouns that only wrap a question ("links on gifts") if one of the prepositions follows.
WRAPPER_NOUNS = frozenset(
    """information informations link links material materials resource resources documents
    informacion enlace enlaces materiales recursos documentos informacoes informacao materiais
    lien liens ressources""".split()  # noqa: SIM905 - as above
)
WRAPPER_PREPOSITIONS = frozenset(("about", "on", "regarding", "sobre", "acerca", "sur", "concernant"))


class Word(NamedTuple):
    """A word in lower case with its accents (`raw`), folded, and whether it was written in capitals only.

    `stems`: those that differ from the folded word; stop words have none.
    """

    raw: str
    folded: str
    capitals: bool
    stems: tuple[str, ...]


Compound = Sequence[Word]
"""A word as its parts: `anti-corruption` has two, most words have one."""


def fold(text: str) -> str:
    """Text without case, accents and compatibility forms: `ÍNDICE ＣＢＰ œuvre` → `indice cbp oeuvre`."""
    if text.isascii():
        return text.lower()
    decomposed = normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not combining(char))
    return normalize("NFKC", letters.casefold()).translate(_LETTERS)


def words(text: str) -> list[Word]:
    """The words of a text in order; the parts of a compound are separate words."""
    return [part for parts in compounds(text) for part in parts]


def compounds(text: str) -> list[Compound]:
    """The words of a text in order, each as its parts: `l'anti-corruption` → `[l] [anti, corruption]`."""
    return list(map(compound, raw_words(text)))


def raw_words(text: str) -> list[str]:
    """The words of a text as written, for `compound`."""
    return _COMPOUND.findall(text if text.isascii() else normalize("NFKC", text))


def joined(parts: Sequence[str]) -> str:
    """The parts of a compound as one word."""
    return "".join(parts)[:LONGEST_WORD]


def stems(raw: str) -> tuple[str, str, str, str]:
    """The stems of a word in the four languages (Snowball), folded.

    People omit accents, so accents make no difference: each language stems both the folded word and its most likely
    spelling (`declaracoes` → `declarações`, `organised` → `organized`), and the shorter stem wins. Numbers and words
    with digits are their own stems.
    """
    folded = fold(raw)
    return _stems(folded) if folded.isalpha() else (folded, folded, folded, folded)


@lru_cache(maxsize=MOST_REMEMBERED)
def _stems(folded: str) -> tuple[str, str, str, str]:
    """`stems` of a folded word, cached once for all its spellings."""
    shortest = []
    for language, stemmer in zip(LANGUAGES, _stemmers(), strict=True):
        stem = fold(stemmer.stemWord(folded))
        if properly_spelt := _restore_spelling(folded, _ENDINGS_BY_LANGUAGE[language]):
            stem = min(stem, fold(stemmer.stemWord(properly_spelt)), key=len)
        shortest.append(stem)
    return shortest[0], shortest[1], shortest[2], shortest[3]


def _restore_spelling(folded: str, endings: tuple[str, ...]) -> str | None:
    """A folded word with the longest of these endings in its proper spelling; None if none follows three letters."""
    if not folded.endswith(endings):
        return None
    candidates = (ending for ending in endings if folded.endswith(ending) and len(folded) >= len(ending) + 3)
    ending = max(candidates, key=len, default=None)
    return folded.removesuffix(ending) + _PROPER_ENDINGS[ending] if ending else None


@lru_cache(maxsize=1)
def _stemmers() -> tuple[Stemmer.Stemmer, ...]:
    names = ("english", "spanish", "french", "portuguese")
    return tuple(Stemmer.Stemmer(name, 0) for name in names)  # without caches of their own: `_stems` has one


def compound(text: str) -> Compound:
    """A word as its parts."""
    parts = [text] if text.isalnum() else _HYPHEN.split(text)
    return tuple(word(part[:LONGEST_WORD]) for part in parts)


@lru_cache(maxsize=MOST_REMEMBERED)
def word(part: str) -> Word:
    """One word of a text, as written."""
    raw = part.casefold()
    folded = fold(raw)
    is_significant = len(folded) >= SHORTEST_STEMMED and folded not in STOP_WORDS
    return Word(raw, folded, part.isupper(), tuple({stem for stem in stems(raw) if is_significant and stem != folded}))
