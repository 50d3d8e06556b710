"""What people deleted and edited while the bot was out of the room. (Away for very long: tests/chaos/test_gap.py.)"""

from __future__ import annotations

import pytest

from tests.journeys.test_first_days import ask
from tests.journeys.test_wellbeing import settled
from tests.running import running
from tests.town import Town


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
