"""How often a person, and a room, may ask. One polite notice, then silence until the bucket has filled again."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    ANSWER = "answer"
    SAY_ONCE = "say once that it is too much"
    SILENCE = "say nothing"


class RateLimit:
    """A token bucket per name: `per_minute` questions at once, refilled evenly over a minute."""

    FORGET_AT = 10_000  # names; a flood of invented ones must not fill the memory

    def __init__(self, per_minute: int) -> None:
        self._size = per_minute
        self._buckets: dict[str, tuple[float, int, bool]] = {}  # name → (tokens, at ms, was told)

    def ask(self, name: str, now: int) -> Verdict:
        """One question by `name` at `now` (ms)."""
        tokens, at, told = self._buckets.get(name, (float(self._size), now, False))
        tokens = min(self._size, tokens + max(0, now - at) * self._size / 60_000)
        if len(self._buckets) >= self.FORGET_AT:
            self._buckets.clear()
        if tokens >= 1:
            self._buckets[name] = (tokens - 1, now, False)
            return Verdict.ANSWER
        self._buckets[name] = (tokens, now, True)
        return Verdict.SILENCE if told else Verdict.SAY_ONCE
