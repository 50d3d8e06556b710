"""How long something lasts, as people write it: "1 week", "10 minutes", "24h", "2 días", "3 heures"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["second", "minute", "hour", "day", "week"]

_MILLISECONDS: dict[Unit, int] = {
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_WORDS: dict[Unit, str] = {  # English, Spanish, French, Portuguese
    "second": "s sec secs second seconds seg segs segundo segundos seconde secondes",
    "minute": "m min mins minute minutes minuto minutos",
    "hour": "h hr hrs hour hours hora horas heure heures",
    "day": "d day days día días dia dias j jour jours",
    "week": "w wk wks week weeks semana semanas sem semaine semaines",
}
_UNIT_OF: dict[str, Unit] = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_WRITTEN = re.compile(r"([0-9]{1,5})\s*([^\W\d_]+)\.?")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in the unit it was written in: "1 day" before 10:00 is 10:00 the day before on the wall clock,
    whatever the clocks did that night; "24 hours" is elapsed time.

    >>> str(Duration(2, "week")), Duration(2, "week").milliseconds
    ('2 weeks', 1209600000)
    """

    amount: int
    unit: Unit

    @property
    def milliseconds(self) -> int:
        """The elapsed time of a day without a clock change."""
        return self.amount * _MILLISECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"


def parse(text: str) -> Duration:
    """A whole number and a unit in any of the bot's languages. Raises `ValueError` for anything else."""
    match = _WRITTEN.fullmatch(text.strip().lower())
    unit = _UNIT_OF.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(f"not a duration: {text!r}")
    return Duration(int(match[1]), unit)
