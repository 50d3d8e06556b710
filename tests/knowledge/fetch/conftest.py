from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.knowledge.fetch.site import Web, running


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with running() as found:
        yield found
