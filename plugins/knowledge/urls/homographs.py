"""May a domain name be shown as it is written, or does it look like another one?

After UTS 39 ("Highly Restrictive"), but for stricter where a reader in a chat has less to go by. A label is shown in
Unicode if IDNA 2008 allows it and it is

- in Latin letters of a living alphabet: not dotless `ı`, nor phonetic letters, nor dots below, which the line under a
  link covers;
- or in one other script of `_SCRIPTS`. Latin may stand beside Chinese, Japanese and Korean only, and not beside those
  of their signs that pass for a slash or a dash;
- and, in Cyrillic or Greek, has a letter that no Latin one looks like (аррӏе has none) or ends in a domain of its
  script (`.рф`).

Everything else is shown in punycode. So are names written from right to left: within a line of an address they would
change the order of what stands around them.
"""

from __future__ import annotations

import unicodedata

import idna

_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"))
_SCRIPTS = _EAST_ASIAN | {"LATIN", "CYRILLIC", "GREEK", "DEVANAGARI", "BENGALI", "TAMIL"}
_TOGETHER = (  # scripts that write one language together
    frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "CJK", "HANGUL")),
    frozenset(("LATIN", "CJK", "BOPOMOFO")),
)
_SHARED_BY_KANA = {"KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "CJK"}  # ー 々
_LIKE_PUNCTUATION = frozenset("ノンソゾ丶丿丨一ー")
_LATIN_LETTERS = frozenset(map(chr, range(0xDF, 0x180))) - frozenset("þıĸŀŉſ") | frozenset("ơưșț")
_LIKE_LATIN = {  # letters of other scripts that pass for Latin ones (UTS 39, confusables.txt)
    "CYRILLIC": frozenset("асԁеһіјӏкорԛѕԝхуѵьгпѡшҽԍүґ"),
    "GREEK": frozenset("αβγεηικνορςτυχωϲϳ"),
}


def readable(host: str) -> str:
    """A host as the key of an address has it (lower case, punycode), its labels in Unicode where that is safe."""
    if "xn--" not in host:
        return host
    labels = host.split(".")
    top = _script(_unicode(labels[-1]))
    return ".".join(_shown(label, top) for label in labels)


def written(host: str) -> str:
    """The host in Unicode wherever it can be read at all: to be searched, never to be shown."""
    return ".".join(map(_unicode, host.split("."))) if "xn--" in host else host


def _shown(label: str, top: str | None) -> str:
    name = _unicode(label)
    if name.isascii():
        return label
    script = _script(name)
    letters = [char for char in name if char.isalpha()]
    if script is None:
        return label
    if script in _LIKE_LATIN and script != top and _LIKE_LATIN[script].issuperset(letters):
        return label
    return name


def _unicode(label: str) -> str:
    """The label in Unicode; as it is if it says nothing else, or IDNA 2008 does not allow it."""
    if not label.startswith("xn--"):
        return label
    try:
        name = idna.ulabel(label)
        return name if idna.alabel(name).decode() == label else label
    except UnicodeError:
        return label


def _script(name: str) -> str | None:
    """The script of a label, as the first word of its characters' names in the Unicode database; None if it is mixed,
    unknown or has letters that are not to be shown."""
    scripts = set()
    for char in name:
        if char in "-0123456789":
            continue
        script = unicodedata.name(char, "?").partition(" ")[0]
        if script == "LATIN" and not char.isascii() and char not in _LATIN_LETTERS:
            return None
        scripts.add(_SHARED_BY_KANA.get(script, script))
    if not scripts or not scripts <= _SCRIPTS:
        return None
    if len(scripts) == 1:
        return scripts.pop()
    if "LATIN" in scripts and not _LIKE_PUNCTUATION.isdisjoint(name):
        return None
    return "CJK" if any(scripts <= together for together in _TOGETHER) else None
