"""Counts what the campaigns of a run found, over all of its processes, and writes the table."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.tally import Row, Tally, table, write

REPORT = "FARO_CHAOS_REPORT"  # the file to write; `make chaos` sets it
_tally = Tally()
_started = time.monotonic()
os.environ.setdefault("FARO_CHAOS_SEED", str(random.randrange(10**6)))  # noqa: S311 - draws kills, guards nothing
SEED = int(os.environ["FARO_CHAOS_SEED"])  # processes of a run inherit it


@pytest.fixture
def tally() -> Tally:
    return _tally


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Of this test's random decisions."""
    return random.Random(f"{SEED} {request.node.name}").randrange(10**9)  # noqa: S311 - see above


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # only in a process that a run has started
    if output is not None:
        output["chaos"] = _tally.rows
    elif _tally.rows:
        _report()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of the run has ended."""
    _tally.rows += getattr(node, "workeroutput", {}).get("chaos", [])


def _report() -> None:
    rows = [Row(**row) for row in _tally.rows]  # type: ignore[arg-type]  # made of rows
    print(f"\n{table(rows)}\n")  # noqa: T201 - what the command is for
    if file := os.environ.get(REPORT):
        write(Path(file), rows, SEED, time.monotonic() - _started)
