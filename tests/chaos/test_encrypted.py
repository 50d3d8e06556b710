"""The real process in an encrypted room: asked, killed at every step, and answering once all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

import nio

from bot.testing.patience import patient
from bot.testing.person import Person
from tests.journeys.test_wellbeing import doctor, told
from tests.matrix.crypto.test_on_synapse import MEGOLM, Peer, poison
from tests.running import RunningBot
from tests.town import Town


@asynccontextmanager
async def entered(town: Town, person: Person, folder: Path) -> AsyncIterator[Peer]:
    """Somebody with a client, in the hall, which is encrypted."""
    folder.mkdir()
    client = nio.AsyncClient(town.homeserver.url, person.user_id, store_path=str(folder))
    client.restore_login(person.user_id, person.device_id, person.token)
    await client.keys_upload()
    await client.sync(full_state=True)
    yield Peer(person, client)
    client.store.database.close()
    await client.close()


@pytest.fixture
async def ana(town: Town, tmp_path: Path) -> AsyncIterator[Peer]:
    """Ana, in the hall, which is encrypted from now on."""
    await town.ana.request("PUT", "/rooms/{}/state/m.room.encryption/", town.hall, body=MEGOLM)
    async with entered(town, town.ana, tmp_path / "ana") as peer:
        yield peer


async def answers(ana: Peer, town: Town, question: str) -> list[Any]:
    """What the bot replied to an event, decrypted."""
    await ana.sync()
    page = await ana.client.room_messages(town.hall, limit=100)
    found = []
    for event in page.chunk:
        if getattr(event, "sender", None) == town.bot.user_id:  # others may have written anything
            relation = event.source.get("content", {}).get("m.relates_to", {})
            if relation.get("m.in_reply_to", {}).get("event_id") == question:
                found.append(event)
    return found


async def answered(ana: Peer, town: Town, question: str) -> Any:
    async with asyncio.timeout(patient(30)):
        while not await answers(ana, town, question):
            await ana.client.sync(timeout=patient(500))
        # Read again: its key is sent before it, but may have come after the sync and before the page.
        return (await answers(ana, town, question))[0]


async def test_a_question_in_an_encrypted_room_is_answered_encrypted(town: Town, ana: Peer) -> None:
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        answer = await answered(ana, town, await ana.say(town.hall, "!help"))
        assert isinstance(answer, nio.RoomMessage)
        assert answer.decrypted
        await bot.logged("health check done")
        _, said = await doctor(town.config)
        assert (told(said, "signed"), told(said, "deaf"), told(said, "mute")) == (["ok"], [], [])
    finally:
        await bot.kill()


async def test_a_poisoned_room_is_answered_at_every_start(town: Town, ana: Peer, tmp_path: Path) -> None:
    """The poison comes while the bot is away, so that all of it meets the bot's start; killed, it meets it again."""
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        async with entered(town, town.carla, tmp_path / "carla") as carla:
            await answered(carla, town, await carla.say(town.hall, "!help"))
            await bot.kill()
            ana.harden()  # her own client is nio as it is, and would end here
            (device,) = carla.client.device_store.active_user_devices(town.bot.user_id)
            await poison(carla, town.hall, (device.user_id, device.id, device.curve25519))
        for step in ("received", "committed", None):
            question = await ana.say(town.hall, "!help")
            if step:
                await bot.start(FARO_TEST_KILL_AT=step)
                assert await bot.ended(within=30) == -9
            await bot.start()
            await bot.ready()
            assert (await answered(ana, town, question)).decrypted
            await bot.kill()
    finally:
        await bot.kill()


@pytest.mark.parametrize("step", ["received", "committed", pytest.param("sent", marks=pytest.mark.core), "marked"])
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
