"""How long something lasts, as people write it: "10 minutes", "1 week", "24h"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_SHORT = {"m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}
_WRITTEN = re.compile(r"(\d{1,6}) ?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Duration:
    """`unit` is "minute", "hour", "day" or "week"."""

    amount: int
    unit: str

    @property
    def milliseconds(self) -> int:
        return self.amount * _UNITS[self.unit]


def parse(text: str) -> Duration:
    """Raises `ValueError` if the text is no duration."""
    if match := _WRITTEN.fullmatch(text.strip().lower()):
        unit = _SHORT.get(match[2], match[2].removesuffix("s"))
        if unit in _UNITS:
            return Duration(int(match[1]), unit)
    raise ValueError(text)
