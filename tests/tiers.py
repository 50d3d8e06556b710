"""Which tests run when. See "Tests" in CONTRIBUTING.md. The Makefile sets `FARO_TEST_TIER`: `quick`, `test`, `full`."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

TIER = os.environ.get("FARO_TEST_TIER", "test")
_SHARE = {"quick": 0.2, "test": 0.5, "full": 1.0}[TIER]

FULL = (
    "tests/chaos",
    "tests/demo/test_demo.py",
    "tests/house/test_dockerfile.py",
    "tests/interop",
    "tests/journeys",
    "tests/matrix/crypto/test_fuzz.py",
    "tests/matrix/crypto/test_on_synapse.py",
)
"""Slow tests, which only `make full` runs, except those marked `core`: one for each promise of the README."""

STARTS_PROCESSES = (
    *FULL,
    "tests/contract",
    "tests/cli/test_broken_files.py",
    "tests/cli/test_console.py",
    "tests/cli/test_old_database.py",
    "tests/house/test_makefile.py",
    "tests/house/test_write_a_plugin.py",
    "tests/knowledge/cli/test_undo_import.py",
    "tests/knowledge/fetch/test_pdf.py",
    "tests/knowledge/transfer/test_importer.py",
    "tests/operations/test_lock.py",
    "tests/testing/test_homeserver.py",
)
"""`make quick` leaves these out, whatever uses the `homeserver`, and what is marked `process`. It fails at other tests
that start a process."""


def examples(count: int) -> int:
    """How many examples hypothesis draws in this tier, where `make full` draws `count`."""
    return max(1, round(count * _SHARE))


def is_in(nodeid: str, places: tuple[str, ...]) -> bool:
    """Whether a test is in one of these files or folders."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return any(path.is_relative_to(place) for place in places)
