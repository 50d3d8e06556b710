"""Tests that install packages are skipped where pip reaches no package index."""

from __future__ import annotations

import re
import subprocess

import pytest

UNREACHABLE = re.compile("No matching distribution|Failed to establish a new connection|Network is unreachable")


def skip_without_index(done: subprocess.CompletedProcess[str]) -> None:
    """Skips the test if this run of pip failed because it found no index."""
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"pip reaches no package index here: {done.stderr.strip().splitlines()[-1]}")
