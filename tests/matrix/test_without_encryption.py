"""Where encryption does not work, plain rooms work, and nothing meant for an encrypted one is sent in the clear."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nio import AsyncClient

from bot.core.errors import Refused
from bot.core.events import Undecryptable
from bot.matrix.client import NioTransport
from bot.matrix.http import Http
from bot.testing.clock import FakeClock
from tests.matrix.conftest import BOT, Answer, Script

ROOM = "!hall:example.org"


class FakeRoomState:
    """`bot.ports.RoomStateReader` of rooms that are all encrypted."""

    async def encryption(self, room: str) -> dict[str, object] | None:
        return {"algorithm": "m.megolm.v1.aes-sha2"}

    async def members(self, room: str) -> frozenset[str]:
        return frozenset()


@pytest.fixture
def transport(http: Http) -> NioTransport:
    client = AsyncClient("http://127.0.0.1:1", BOT)
    client.user_id = BOT
    return NioTransport(client, http, FakeClock(), FakeRoomState(), None)


async def test_words_for_an_encrypted_room_are_refused(transport: NioTransport, script: Script) -> None:
    with pytest.raises(Refused, match="encryption does not work here"):
        await transport.send(ROOM, "m.room.message", {"body": "secret"}, "t")
    assert script.requests == []


async def test_a_notice_meant_to_be_plain_is_sent(transport: NioTransport, script: Script) -> None:
    script.will_answer(Answer({"event_id": "$1"}))
    assert await transport.send(ROOM, "m.room.message", {"body": "I cannot read here."}, "t", plain=True) == "$1"


def test_what_is_encrypted_stays_closed(transport: NioTransport) -> None:
    assert transport.decrypt(Undecryptable(ROOM, "$1", "@ana:example.org", 0, "s", {})) is None


@pytest.mark.slow
def test_nothing_of_the_encryption_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, bot.matrix.client; print([name for name in sys.modules if name.startswith('bot.matrix.crypto')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter and our own words
    assert done.stdout.strip() == "[]"
