"""Fixtures for tests of Faro and of plugins: `pytest_plugins = ["bot.testing.pytest_plugin"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.testing.homeserver import Homeserver


@pytest.fixture(scope="session")
async def homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """One real Synapse for the whole run. Needs the `demo` extra."""
    from bot.testing import homeserver as real  # aiohttp is only loaded by runs that need it

    async with real.homeserver(tmp_path_factory.mktemp("synapse")) as server:
        yield server
