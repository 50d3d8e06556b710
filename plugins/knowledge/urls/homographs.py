"""Protects against homograph attacks: decides whether a domain name is displayed in Unicode or in punycode.

The rules follow UTS 39 ("Highly Restrictive"), but are stricter, as a chat gives its readers fewer clues. A label is
displayed in Unicode if IDNA 2008 allows it and it is

- in Latin letters of a living alphabet: no dotless `ı`, no phonetic letters, and no dots below, which the underline of
  a link hides;
- or in one other script of `_SCRIPTS`. Latin may only be mixed with Chinese, Japanese and Korean, and not with those of
  their characters that resemble a slash or a dash;
- and, in Cyrillic or Greek, has a letter that resembles no Latin one (аррӏе has none), or the top-level domain is in
  the same script (`.рф`).

Everything else is displayed in punycode, also names written from right to left, which would reorder the text around
them.
"""

from __future__ import annotations

import unicodedata

import idna

_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"))
_SCRIPTS = _EAST_ASIAN | {"LATIN", "CYRILLIC", "GREEK", "DEVANAGARI", "BENGALI", "TAMIL"}
_MIXED_SCRIPTS = (  # scripts that one language uses together
    frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "CJK", "HANGUL")),
    frozenset(("LATIN", "CJK", "BOPOMOFO")),
)
_SHARED_BY_KANA = {"KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "CJK"}  # ー 々
_PUNCTUATION_LOOKALIKES = frozenset("ノンソゾ丶丿丨一ー")
_LATIN_LETTERS = frozenset(map(chr, range(0xDF, 0x180))) - frozenset("þıĸŀŉſ") | frozenset("ơưșț")
_LATIN_LOOKALIKES = {  # letters of other scripts that resemble Latin ones (UTS 39, confusables.txt)
    "CYRILLIC": frozenset("асԁеһіјӏкорԛѕԝхуѵьгпѡшҽԍүґ"),
    "GREEK": frozenset("αβγεηικνορςτυχωϲϳ"),
}


def readable(host: str) -> str:
    """A canonical host (lower case, punycode) with its labels in Unicode where that is safe."""
    if "xn--" not in host:
        return host
    labels = host.split(".")
    top = _script(_unicode(labels[-1]))
    return ".".join(_display_label(label, top) for label in labels)


def to_unicode(host: str) -> str:
    """The host in Unicode wherever it can be decoded, for the index only: not safe for display."""
    return ".".join(map(_unicode, host.split("."))) if "xn--" in host else host


def _display_label(label: str, top: str | None) -> str:
    name = _unicode(label)
    if name.isascii():
        return label
    script = _script(name)
    letters = [char for char in name if char.isalpha()]
    if script is None:
        return label
    if script in _LATIN_LOOKALIKES and script != top and _LATIN_LOOKALIKES[script].issuperset(letters):
        return label
    return name


def _unicode(label: str) -> str:
    """The label in Unicode; unchanged if it is no punycode, or IDNA 2008 does not allow it."""
    if not label.startswith("xn--"):
        return label
    try:
        name = idna.ulabel(label)
        return name if idna.alabel(name).decode() == label else label
    except UnicodeError:
        return label


def _script(name: str) -> str | None:
    """The script of a label, by the first word of its characters' Unicode names; None if it is mixed, unknown, or has
    letters that must not be displayed."""
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
    if "LATIN" in scripts and not _PUNCTUATION_LOOKALIKES.isdisjoint(name):
        return None
    return "CJK" if any(scripts <= scripts_allowed for scripts_allowed in _MIXED_SCRIPTS) else None
