"""A place to die, for tests: `FARO_TEST_KILL_AT=committed:2` ends the process, as a power cut would, at the second
commit. Places: received, committed, sent, marked."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping

VARIABLE = "FARO_TEST_KILL_AT"


def checkpoints(environ: Mapping[str, str]) -> Callable[[str], None]:
    """What the pipeline and the outbox call at each place; does nothing unless the variable names one."""
    place, _, count = environ.get(VARIABLE, "").partition(":")
    seen: Counter[str] = Counter()

    def checkpoint(name: str) -> None:
        seen[name] += 1
        if name == place and seen[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
