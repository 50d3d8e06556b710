"""The real process in an encrypted room: asked, killed at every step, and answering once all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encrypted rooms need the e2e extra")

import nio

from tests.matrix.crypto.test_on_synapse import MEGOLM, Peer
from tests.running import RunningBot
from tests.town import Town


@pytest.fixture
async def ana(town: Town, tmp_path: Path) -> AsyncIterator[Peer]:
    """Ana, in the hall, which is encrypted from now on."""
    (tmp_path / "ana").mkdir()
    client = nio.AsyncClient(town.homeserver.url, town.ana.user_id, store_path=str(tmp_path / "ana"))
    client.restore_login(town.ana.user_id, town.ana.device_id, town.ana.token)
    await client.keys_upload()
    await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", town.hall, body=MEGOLM)
    await client.sync(full_state=True)
    yield Peer(town.ana, client)
    client.store.database.close()
    await client.close()


async def answers(ana: Peer, town: Town, question: str) -> list[Any]:
    """What the bot replied to an event, decrypted."""
    await ana.sync()
    page = await ana.client.room_messages(town.hall, limit=100)
    found = []
    for event in page.chunk:
        relation = event.source.get("content", {}).get("m.relates_to", {})
        if event.sender == town.bot.user_id and relation.get("m.in_reply_to", {}).get("event_id") == question:
            found.append(event)
    return found


async def answered(ana: Peer, town: Town, question: str) -> Any:
    async with asyncio.timeout(30):
        while not (found := await answers(ana, town, question)):
            await ana.client.sync(timeout=500)
    return found[0]


async def test_a_question_in_an_encrypted_room_is_answered_encrypted(town: Town, ana: Peer) -> None:
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        answer = await answered(ana, town, await ana.say(town.hall, "!help"))
        assert isinstance(answer, nio.RoomMessage)
        assert answer.decrypted
    finally:
        await bot.kill()


@pytest.mark.parametrize("step", ["received", "committed", "sent", "marked"])
async def test_killed_at_any_step_it_answers_once(town: Town, ana: Peer, step: str) -> None:
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        await answered(ana, town, await ana.say(town.hall, "!help"))
        await bot.kill()
        question = await ana.say(town.hall, "!help")
        await bot.start(FARO_TEST_KILL_AT=step)
        await bot.ended(within=30)
        await bot.start()
        await bot.ready()
        assert (await answered(ana, town, question)).decrypted
        last = await ana.say(town.hall, "!help")
        await answered(ana, town, last)
        assert len(await answers(ana, town, question)) == 1
    finally:
        await bot.kill()
