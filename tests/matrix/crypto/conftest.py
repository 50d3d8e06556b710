"""A room with people whose messages are encrypted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.testing.clock import FakeClock

if TYPE_CHECKING:
    from tests.matrix.crypto.keyserver import KeyServer
    from tests.matrix.crypto.party import Book, Party

BOT, ANA, MAL = "@faro:example.org", "@ana:example.org", "@mal:example.org"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> KeyServer:
    from tests.matrix.crypto.keyserver import KeyServer

    return KeyServer()


@pytest.fixture
def room_state() -> Book:
    from tests.matrix.crypto.party import Book

    return Book({BOT, ANA, MAL})


@pytest.fixture
async def enter(
    server: KeyServer, room_state: Book, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Callable[[str, str], Party]]:
    """Makes devices, which are closed at the end."""
    from tests.matrix.crypto.party import Party

    made: list[Party] = []

    def make(user: str, device: str = "D1") -> Party:
        made.append(Party(server, user, device, tmp_path, clock, room_state))
        return made[-1]

    yield make
    for party in made:
        party.close()


async def _synced(party: Party) -> Party:
    await party.sync()
    return party


@pytest.fixture
async def faro(enter: Callable[..., Party]) -> Party:
    return await _synced(enter(BOT))


@pytest.fixture
async def ana(enter: Callable[..., Party], faro: Party) -> Party:
    return await _synced(enter(ANA))


@pytest.fixture
async def mal(enter: Callable[..., Party], faro: Party) -> Party:
    """Somebody in the room who means harm."""
    return await _synced(enter(MAL))
