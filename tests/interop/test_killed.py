"""Whatever moment the process is killed at, every answer in an encrypted room is seen exactly once, and is readable."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.peer import Event
from tests.interop.peers import Peers
from tests.running import RunningBot, running
from tests.town import Town


@pytest.mark.parametrize("place", ["received", "committed", "sent", "marked"])
async def test_killed_between_two_steps_every_answer_is_given_once(sealed: Town, peers: Peers, place: str) -> None:
    async with running(sealed.config) as bot:
        ana = await peers.log_in(sealed.ana)
        await ana.signed_device_of(sealed.bot.user_id)
        await bot.stop()
    first = await ana.send(sealed.hall, "!language fr", to=(sealed.bot.user_id,))
    second = await ana.send(sealed.hall, "!help")
    killed = RunningBot(sealed.config)
    await killed.start(FARO_TEST_KILL_AT=f"{place}:1")
    assert await killed.ended() == -9
    async with running(sealed.config):
        await asyncio.gather(ana.answer_to(first), ana.answer_to(second))
        last = await ana.send(sealed.hall, "!topics")
        await ana.answer_to(last)

    def answered(event: Event) -> str:
        return str((event["content"].get("m.relates_to") or {}).get("m.in_reply_to", {}).get("event_id"))

    said = [event for event in ana.heard if event["sender"] == sealed.bot.user_id and event["type"] == "m.room.message"]
    assert sorted(answered(event) for event in said) == sorted([first, second, last])
    assert all(event["encrypted"] and event["failure"] is None for event in said)
