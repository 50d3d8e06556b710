"""What a site asks programs to leave alone: robots.txt as in RFC 9309.

The standard library's parser knows no wildcards and takes the first rule that fits instead of the longest.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 512_000  # bytes of a robots.txt that are read: RFC 9309, section 2.5, asks for 500 KiB
_MOST_RULES = 2_000
_LONGEST_RULE = 1_024


@dataclass(frozen=True, slots=True)
class _Rule:
    allow: bool
    pattern: str


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules that bind us; without any, everything is allowed."""

    rules: tuple[_Rule, ...] = ()

    def allow(self, path: str) -> bool:
        """May a path (with its query) be asked for? The longest rule that fits decides; of two, the one that allows."""
        path = _comparable(path)
        fits = [(len(rule.pattern), rule.allow) for rule in self.rules if _fits(rule.pattern, path)]
        return max(fits, default=(0, True))[1]


def parse(data: bytes, agent: str) -> Robots:
    """The rules of a robots.txt for an agent of that name: its own groups, else those for `*`. Never raises."""
    own: list[_Rule] = []
    everyone: list[_Rule] = []
    into: list[list[_Rule]] = []
    named = False  # neither group speaks of us yet
    in_rules = True
    for line in data[:LONGEST].decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent" and colon:
            if in_rules:
                into, in_rules = [], False
            if value.lower() == agent.lower():
                into.append(own)
                named = True
            elif value == "*":
                into.append(everyone)
        elif key in ("allow", "disallow") and colon:
            in_rules = True
            if value:  # an empty rule says nothing
                rule = _Rule(key == "allow", _comparable(value[:_LONGEST_RULE]))
                for rules in into:
                    if len(rules) < _MOST_RULES:
                        rules.append(rule)
    return Robots(tuple(own if named else everyone))


def _fits(pattern: str, path: str) -> bool:
    """`*` is any text, `$` at the end is the end; else a prefix. Linear: each part is looked for once, leftmost."""
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not ends or path == first
    position = len(first)
    for part in others[:-1] if ends else others:
        found = path.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return not ends or (len(path) - len(others[-1]) >= position and path.endswith(others[-1]))


def _comparable(text: str) -> str:
    """Characters outside ASCII percent-encoded, escapes in upper case (RFC 9309, section 2.2.2)."""
    if not text.isascii():
        text = "".join(
            char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
            for char in text
        )
    head, *escapes = text.split("%")
    return "%".join([head, *(part[:2].upper() + part[2:] for part in escapes)])
