"""How are words compared? Index and question pass through the same door."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import combining, normalize

import Stemmer

LONGEST_WORD = 64
SHORTEST_STEMMED = 3
MOST_REMEMBERED = 100_000  # words: a language's everyday ones come back in every text
MOST_PARTS = 3  # of a compound that is also taken as one word
LANGUAGES = ("en", "es", "fr", "pt")

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐‑][^\W_]+)*")
_HYPHEN = re.compile("[-‐‑]")
# Endings the stemmers know only as they are properly written; in English, as in American English.
_ENDINGS = {
    "ite": "ité", "ites": "ités", "ee": "ée", "ees": "ées",
    "cao": "ção", "coes": "ções", "sao": "são", "soes": "sões", "encia": "ência", "encias": "ências",
    "ancia": "ância", "ancias": "âncias", "avel": "ável", "aveis": "áveis", "ivel": "ível", "iveis": "íveis",
    **{f"is{end}": f"iz{end}" for end in ("e", "es", "ed", "er", "ers", "ing", "ation", "ations")},
    "our": "or", "ours": "ors", "oured": "ored", "ouring": "oring", "oural": "oral",
}  # fmt: skip
_SPELT: Mapping[str, tuple[str, ...]] = {
    "en": ("ise", "ises", "ised", "iser", "isers", "ising", "isation", "isations", "our", "ours", "oured", "ouring",
           "oural"),
    "es": (),
    "fr": ("ite", "ites", "ee", "ees"),
    "pt": ("cao", "coes", "sao", "soes", "encia", "encias", "ancia", "ancias", "avel", "aveis", "ivel", "iveis"),
}  # fmt: skip

# Words that say nothing about what is looked for, folded: articles, prepositions, "and", elided letters, and what
# people wrap a question in ("where can I find something about …").
EMPTY = frozenset(
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

# What people ask for without meaning the word ("links on gifts"), where one of the others follows.
THINGS = frozenset(
    """information informations link links material materials resource resources documents
    informacion enlace enlaces materiales recursos documentos informacoes informacao materiais
    lien liens ressources""".split()  # noqa: SIM905 - as above
)
ABOUT = frozenset(("about", "on", "regarding", "sobre", "acerca", "sur", "concernant"))


class Word(NamedTuple):
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
    return [part for parts in compounds(text) for part in parts]


def compounds(text: str) -> list[Compound]:
    """The words of a text in order, each as its parts: `l'anti-corruption` → `[l] [anti, corruption]`."""
    return list(map(compound, written(text)))


def written(text: str) -> list[str]:
    """The words of a text as they stand there, for `compound`."""
    return _COMPOUND.findall(text if text.isascii() else normalize("NFKC", text))


def joined(parts: Sequence[str]) -> str:
    """The parts of a compound as one word."""
    return "".join(parts)[:LONGEST_WORD]


def stems(raw: str) -> tuple[str, str, str, str]:
    """The stems of a word in the four languages (Snowball), folded.

    People leave accents out, so accents make no difference: each language takes the folded word, and as it would most
    likely be written (`declaracoes` → `declarações`, `organised` → `organized`); the shorter stem counts. Numbers, and
    words with digits in them, have no other forms.
    """
    folded = fold(raw)
    return _stems(folded) if folded.isalpha() else (folded, folded, folded, folded)


@lru_cache(maxsize=MOST_REMEMBERED)
def _stems(folded: str) -> tuple[str, str, str, str]:
    """`stems` of a folded word: however it was written, it is stemmed once."""
    found = []
    for language, stemmer in zip(LANGUAGES, _stemmers(), strict=True):
        stem = fold(stemmer.stemWord(folded))
        if spelt := _properly(folded, _SPELT[language]):
            stem = min(stem, fold(stemmer.stemWord(spelt)), key=len)
        found.append(stem)
    return found[0], found[1], found[2], found[3]


def _properly(folded: str, endings: tuple[str, ...]) -> str | None:
    """A word with the longest of these endings as it is properly written, if it has one after three letters."""
    if not folded.endswith(endings):
        return None
    after_three = (one for one in endings if folded.endswith(one) and len(folded) >= len(one) + 3)
    ending = max(after_three, key=len, default=None)
    return folded.removesuffix(ending) + _ENDINGS[ending] if ending else None


@lru_cache(maxsize=1)
def _stemmers() -> tuple[Stemmer.Stemmer, ...]:
    names = ("english", "spanish", "french", "portuguese")
    return tuple(Stemmer.Stemmer(name, 0) for name in names)  # without a memory of their own: `_stems` has one


def compound(found: str) -> Compound:
    """A word as its parts."""
    parts = [found] if found.isalnum() else _HYPHEN.split(found)
    return tuple(word(part[:LONGEST_WORD]) for part in parts)


@lru_cache(maxsize=MOST_REMEMBERED)
def word(part: str) -> Word:
    """One word of a text, as it stands there."""
    raw = part.casefold()
    folded = fold(raw)
    telling = len(folded) >= SHORTEST_STEMMED and folded not in EMPTY
    return Word(raw, folded, part.isupper(), tuple({stem for stem in stems(raw) if telling and stem != folded}))
