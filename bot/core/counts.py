"""What the running bot has done since its start, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

NO_COMMAND = "other"  # what the fallback answered


@dataclass(slots=True)
class Counts:
    """Only grows. A batch that could not be stored comes again, and its commands count again."""

    batches: int = 0
    """Batches stored."""
    commands: Counter[str] = field(default_factory=Counter)
    """Answers by the command's name; of what was no command under `NO_COMMAND`."""
