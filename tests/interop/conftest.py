"""Fixtures of the interop tests: modern clients, and a town whose rooms are encrypted."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop.packages import HERE, Unavailable, packages
from tests.interop.peer import Peers


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `peer.mjs` and the packages it needs. Skips where they cannot be had."""
    try:
        modules = packages()
    except Unavailable as why:
        pytest.skip(str(why))
    folder = tmp_path_factory.mktemp("peer")
    for name in ("peer.mjs", "package.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(modules)
    return folder


@pytest.fixture
async def peers(program: Path) -> AsyncIterator[Peers]:
    """A process for modern clients."""
    async with Peers(program) as made:
        yield made
