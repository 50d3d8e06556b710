"""Fixtures of the interop tests: modern clients, and a town whose rooms are encrypted."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop.packages import HERE, UnavailableError, packages
from tests.interop.peers import Peers
from tests.town import Town


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `peer.mjs` and the packages it needs. Skips where they cannot be had."""
    try:
        modules = packages()
    except UnavailableError as why:
        pytest.skip(str(why))
    folder = tmp_path_factory.mktemp("peer")
    for name in ("peer.mjs", "package.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(modules)
    return folder


@pytest.fixture(scope="session")
async def node(program: Path) -> AsyncIterator[Peers]:
    """One Node process for the whole run: starting one costs more than most tests do."""
    async with Peers(program) as made:
        yield made


@pytest.fixture
async def peers(node: Peers) -> AsyncIterator[Peers]:
    """Where modern clients log in; they stop with the test."""
    yield node
    await node.stop()


@pytest.fixture
async def sealed(town: Town) -> Town:
    """A town whose rooms are encrypted. Ana has only a modern client: nothing else may sync on her device."""
    for room in (town.hall, town.desk):
        content = {"algorithm": "m.megolm.v1.aes-sha2"}
        await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", room, body=content)
    return town
