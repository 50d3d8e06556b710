"""How long tests wait."""

from __future__ import annotations

import os

FACTOR = float(os.environ.get("FARO_TEST_PATIENCE", "1"))


def patient(seconds: float) -> float:
    """A limit on waiting, in seconds, for this machine: `FARO_TEST_PATIENCE=10` makes all of them ten times as long."""
    return seconds * FACTOR
