"""What people deleted and edited while the bot was out of the room, or away for very long."""

from __future__ import annotations

import pytest

from tests.journeys.test_first_days import ask
from tests.journeys.test_wellbeing import settled
from tests.running import running
from tests.town import Town

MANY = 5_000


async def find(town: Town, word: str) -> str:
    return str(await ask(town.ana, town.hall, f"!find {word}"))


@pytest.mark.core
async def test_what_was_deleted_while_the_bot_was_out_of_the_room_is_not_found_again(town: Town) -> None:
    async with running(town.config) as bot:
        await settled(town)
        deleted = await town.ben.send(town.hall, "zebra https://example.org/zebra")
        edited = await town.ben.send(town.hall, "ocelot https://example.org/ocelot")
        await town.ben.send(town.hall, "lemon https://example.org/lemon")
        assert "/zebra" in await find(town, "zebra")
        await town.ana.kick(town.hall, town.bot.user_id)
        await bot.logged("no longer in a room")
        await town.ben.redact(town.hall, deleted)
        await town.ben.edit(town.hall, edited, "giraffe https://example.org/giraffe")
        await town.ana.invite(town.hall, town.bot.user_id)
        await bot.logged("checked what became of stored messages")
        assert "/lemon" in await find(town, "lemon")
        assert "/giraffe" in await find(town, "giraffe")
        assert "/zebra" not in await find(town, "zebra")
        assert "/ocelot" not in await find(town, "ocelot")


@pytest.mark.timeout(900)
async def test_five_thousand_missed_messages_are_followed(town: Town) -> None:
    async with running(town.config):
        await settled(town)
        before = await town.ben.send(town.hall, "zebra https://example.org/zebra")
        assert "/zebra" in await find(town, "zebra")
    first = await town.ben.send(town.hall, "ocelot https://example.org/ocelot")
    await town.ben.redact(town.hall, before)
    await town.ben.send(town.hall, "!share https://example.org/lemon lemon")
    for number in range(MANY):
        await town.ben.send(town.hall, f"talk {number}")
    await town.ben.send(town.hall, "giraffe https://example.org/giraffe")
    await town.ben.edit(town.hall, first, "walrus https://example.org/walrus")
    async with running(town.config):
        await town.ana.answer_to(await town.ana.send(town.hall, "!help"), within=120)
        assert "/zebra" not in await find(town, "zebra")
        assert "/lemon" in await find(town, "lemon")
        assert "/giraffe" in await find(town, "giraffe")
        assert "/walrus" in await find(town, "walrus")
        assert "/ocelot" not in await find(town, "ocelot")
