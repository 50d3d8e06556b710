"""Which tests run when. See "Tests" in CONTRIBUTING.md. The Makefile sets `FARO_TEST_TIER`: `quick`, `test`, `full`."""

from __future__ import annotations

import os

TIER = os.environ.get("FARO_TEST_TIER", "test")
_SHARE = 1.0 if TIER == "full" else 0.5

FULL = (
    "tests/chaos/",
    "tests/demo/test_demo.py",
    "tests/house/test_dockerfile.py",
    "tests/interop/",
    "tests/journeys/",
    "tests/matrix/crypto/test_fuzz.py",
    "tests/matrix/crypto/test_on_synapse.py",
)
"""Tests that only `make full` runs, except those marked `core`: one for each promise of the README."""

SLOW = (
    *FULL,
    "tests/cli/test_broken_files.py",
    "tests/cli/test_console.py",
    "tests/cli/test_old_database.py",
    "tests/contract/",
    "tests/house/test_architecture.py",
    "tests/house/test_makefile.py",
    "tests/house/test_write_a_plugin.py",
    "tests/knowledge/cli/",
    "tests/knowledge/fetch/test_pdf.py",
    "tests/knowledge/test_isolation.py",
    "tests/knowledge/test_relevance.py",
    "tests/knowledge/transfer/",
    "tests/matrix/crypto/test_hostile.py",
    "tests/operations/test_lock.py",
    "tests/testing/test_homeserver.py",
)
"""`make quick` leaves these out, and whatever uses the `homeserver`, draws random examples or is marked `slow`: tests
that start a process, or take a second. It fails at other tests that start a process."""


def examples(count: int) -> int:
    """How many examples hypothesis draws in this tier, where `make full` draws `count`."""
    return max(1, round(count * _SHARE))
