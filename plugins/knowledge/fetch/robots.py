"""Parses and applies robots.txt (RFC 9309).

The standard library's parser lacks wildcards, and applies the first matching rule instead of the longest.
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
    """The rules for our agent; without any, everything is allowed."""

    rules: tuple[_Rule, ...] = ()

    def allow(self, path: str) -> bool:
        """Whether a path (with its query) may be fetched. The longest matching rule decides; on a tie, `allow` wins."""
        path = _comparable(path)
        matching = [(len(rule.pattern), rule.allow) for rule in self.rules if _matches(rule.pattern, path)]
        return max(matching, default=(0, True))[1]


def parse(data: bytes, agent: str) -> Robots:
    """The rules of a robots.txt for this agent: of its own groups, else of those for `*`. Never raises."""
    own_rules: list[_Rule] = []
    wildcard_rules: list[_Rule] = []
    current: list[list[_Rule]] = []
    has_own = False  # a group for our agent exists
    in_rules = True
    for line in data[:LONGEST].decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent" and colon:
            if in_rules:
                current, in_rules = [], False
            if value.lower() == agent.lower():
                current.append(own_rules)
                has_own = True
            elif value == "*":
                current.append(wildcard_rules)
        elif key in ("allow", "disallow") and colon:
            in_rules = True
            if value:  # an empty rule has no effect
                rule = _Rule(key == "allow", _comparable(value[:_LONGEST_RULE]))
                for rules in current:
                    if len(rules) < _MOST_RULES:
                        rules.append(rule)
    return Robots(tuple(own_rules if has_own else wildcard_rules))


def _matches(pattern: str, path: str) -> bool:
    """Matches a prefix; `*` is any text, a final `$` the end. Linear: finds each part once, leftmost first."""
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not ends or path == first
    position = len(first)
    for part in others[:-1] if ends else others:
        start = path.find(part, position)
        if start < 0:
            return False
        position = start + len(part)
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
