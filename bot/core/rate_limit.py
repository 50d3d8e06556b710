"""How often a person, and a room, may ask. One notice, then silence until the bucket has filled again."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    ANSWER = "answer"
    SAY_ONCE = "say once that it is too much"
    SILENCE = "say nothing"


class RateLimit:
    """A token bucket per name: `per_minute` questions at once, refilled evenly over a minute. Once it is empty, nothing
    is answered until it is full."""

    FORGET_AT = 10_000  # names; a flood of invented ones must not fill the memory

    def __init__(self, per_minute: int) -> None:
        self._size = per_minute
        self._buckets: dict[str, tuple[float, int, bool]] = {}  # name → (tokens, at ms, was emptied)

    def ask(self, name: str, now: int) -> Verdict:
        """One question by `name` at `now` (ms)."""
        tokens, emptied = self._level(name, now)
        if len(self._buckets) >= self.FORGET_AT:
            self._buckets.clear()
        if tokens >= self._size or (tokens >= 1 and not emptied):
            self._buckets[name] = (tokens - 1, now, False)
            return Verdict.ANSWER
        self._buckets[name] = (tokens, now, True)
        return Verdict.SILENCE if emptied else Verdict.SAY_ONCE

    def is_full(self, name: str, now: int) -> bool:
        """Whether `name` has asked nothing for as long as a bucket takes to fill."""
        return self._level(name, now)[0] >= self._size

    def _level(self, name: str, now: int) -> tuple[float, bool]:
        tokens, at, emptied = self._buckets.get(name, (float(self._size), now, False))
        return min(self._size, tokens + max(0, now - at) * self._size / 60_000), emptied
