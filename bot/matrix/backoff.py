"""Exponential back-off with jitter, at least one second."""

from __future__ import annotations

import random

MAX_WAIT = 60.0  # seconds
MAX_DOUBLINGS = 6  # after which it has become MAX_WAIT


class Backoff:
    def __init__(self) -> None:
        self._tries = 0

    def wait(self, retry_after: float | None = None) -> float:
        """Seconds until the next try: what the homeserver asked for, or 1, 2, 4 … 60 with up to half as much again."""
        base = min(MAX_WAIT, 2.0**self._tries)
        self._tries = min(self._tries + 1, MAX_DOUBLINGS)  # an outage of a day would overflow the power of two
        return max(base, retry_after or 0) * (1 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing

    def over(self) -> None:
        """It worked again."""
        self._tries = 0
