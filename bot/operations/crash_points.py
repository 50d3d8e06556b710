"""Crash points for tests: `FARO_TEST_KILL_AT=committed:2` kills the process at the second commit, like a power cut.
Points: received, committed, uploaded, sent, marked."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping

VARIABLE = "FARO_TEST_KILL_AT"


def checkpoints(environ: Mapping[str, str]) -> Callable[[str], None]:
    """The function that pipeline and outbox call at each point; does nothing unless the variable names it."""
    point, _, count = environ.get(VARIABLE, "").partition(":")
    seen: Counter[str] = Counter()

    def checkpoint(name: str) -> None:
        seen[name] += 1
        if name == point and seen[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
