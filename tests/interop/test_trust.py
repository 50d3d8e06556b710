"""People verify the bot by emoji, and hear why it cannot read them."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.peer import Event
from tests.interop.peers import Peers
from tests.running import running
from tests.town import Town


@pytest.mark.parametrize("in_room", [False, True], ids=["to-device", "in-room"])
async def test_who_verified_the_bot_may_shut_out_unverified_devices(sealed: Town, peers: Peers, in_room: bool) -> None:
    async with running(sealed.config) as bot:
        ana = await peers.log_in(sealed.ana)
        device = await ana.signed_device_of(sealed.bot.user_id)
        where = {"room": sealed.desk} if in_room else {"device": device}
        shown = await ana.verify(sealed.bot.user_id, **where)
        assert await bot.logged(" ".join(map(str, shown.decimal)))
        await ana.confirm()
        await ana.verified(sealed.bot.user_id)
        await ana.only_verified_devices()
        answer = await ana.answer_to(await ana.send(sealed.hall, "!help"))
        assert answer["encrypted"]
        assert answer["failure"] is None


async def test_emoji_that_do_not_match_verify_nobody(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config) as bot:
        ana = await peers.log_in(sealed.ana)
        device = await ana.signed_device_of(sealed.bot.user_id)
        await ana.verify(sealed.bot.user_id, device=device)
        await ana.deny()
        assert "m.mismatched_sas" in await bot.logged("verification cancelled")
        assert not (await ana.trust(sealed.bot.user_id)).verified


async def test_withheld_keys_are_told_of_once(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config):
        ana = await peers.log_in(sealed.ana)
        await ana.signed_device_of(sealed.bot.user_id)
        await ana.only_verified_devices()
        for n in range(3):
            await ana.send(sealed.hall, f"!help {n}", to=(sealed.bot.user_id,))

        def told(event: Event) -> bool:
            return bool(event["sender"] == sealed.bot.user_id and event["type"] == "m.room.message")

        notice = await ana.wait_for(told, what="a notice")
        assert not notice["encrypted"]  # she would not see it otherwise
        assert notice["highlight"]
        await ana.send(sealed.hall, "!help again")
        await asyncio.sleep(1)
        assert [event["event_id"] for event in ana.heard if told(event)] == [notice["event_id"]]
