"""Hubs whose members are on several homeservers: two real ones, which talk to each other."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from bot.testing.person import HomeserverError
from tests.chaos.proxy import Proxy, Trouble, matrix_error, proxy
from tests.journeys.conftest import Abroad, eventually
from tests.journeys.test_first_days import ask
from tests.journeys.test_wellbeing import settled
from tests.running import running

NOT_YET = Trouble(403, "/join/", times=2, body=matrix_error("M_FORBIDDEN"))
"""What a homeserver answers whose own server has not stored the invite yet."""


@pytest.fixture
async def way(abroad: Abroad) -> AsyncIterator[Proxy]:
    """The bot's way to its homeserver."""
    async with proxy(abroad.town.homeserver.url) as made:
        abroad.town.settings["homeserver"] = made.url
        abroad.town.write()
        yield made


async def here(abroad: Abroad, room: str) -> None:
    """Waits until the other homeserver knows that the bot is in a room of its own."""

    async def look() -> None:
        path = "/rooms/{}/state/m.room.member/{}"
        membership = (await abroad.dora.request("GET", path, room, abroad.town.bot.user_id))["membership"]
        if membership != "join":
            raise HomeserverError(f"the bot's membership is {membership}")

    await eventually(look)


async def test_an_invite_to_a_direct_chat_arrives_though_the_first_joins_are_forbidden(
    abroad: Abroad, way: Proxy
) -> None:
    async with running(abroad.town.config):
        way.make(NOT_YET)
        chat = await abroad.dora.create_room("", invite=(abroad.town.bot.user_id,), direct=True)
        await here(abroad, chat)
        assert way.well
        assert "!find" in await ask(abroad.dora, chat, "help")


async def test_an_invite_to_a_room_of_a_hub_arrives_though_the_first_joins_are_forbidden(
    abroad: Abroad, way: Proxy
) -> None:
    """The room is on the other homeserver, and who invites the bot is nobody the configuration names."""
    alias = f"annex-{uuid.uuid4().hex[:8]}"
    room = await abroad.dora.create_room("Annex", alias=alias)
    name = f"#{alias}:{abroad.homeserver.name}"
    abroad.town.settings["hubs"][0]["rooms"].append({"alias": name, "log_links": True})
    del abroad.town.settings["invites"]
    abroad.town.write()
    async with running(abroad.town.config) as bot:
        assert f"cannot join {name}" in "\n".join(bot.lines)
        way.make(NOT_YET)
        await abroad.dora.invite(room, abroad.town.bot.user_id)
        await here(abroad, room)
        assert way.well
        await abroad.dora.send(room, "lemon https://example.org/lemon")
        assert "/lemon" in await ask(abroad.dora, room, "!find lemon")


async def test_an_invite_that_came_while_the_bot_was_away_is_accepted(abroad: Abroad) -> None:
    async with running(abroad.town.config) as bot:
        assert await bot.stop() == 0
    chat = await abroad.dora.create_room("", invite=(abroad.town.bot.user_id,), direct=True)
    async with running(abroad.town.config):
        await here(abroad, chat)
        assert "!find" in await ask(abroad.dora, chat, "help")


async def test_what_a_member_on_another_homeserver_shares_is_found_until_they_delete_it(abroad: Abroad) -> None:
    town, dora = abroad.town, abroad.dora
    async with running(town.config):
        shared = await dora.send(town.hall, "zebra https://example.org/zebra")
        assert "/zebra" in await ask(dora, town.hall, "!find zebra")
        assert "/zebra" in await ask(town.ana, town.hall, "!find zebra")
        await dora.redact(town.hall, shared)
        assert "/zebra" not in await ask(dora, town.hall, "!find zebra")


async def test_what_a_member_on_another_homeserver_deletes_meanwhile_is_gone(abroad: Abroad) -> None:
    town, dora = abroad.town, abroad.dora
    async with running(town.config) as bot:
        await settled(town)
        deleted = await dora.send(town.hall, "zebra https://example.org/zebra")
        edited = await dora.send(town.hall, "ocelot https://example.org/ocelot")
        assert "/zebra" in await ask(dora, town.hall, "!find zebra")
        assert await bot.stop() == 0
    await dora.redact(town.hall, deleted)
    await dora.edit(town.hall, edited, "giraffe https://example.org/giraffe")
    asked = await dora.send(town.hall, "!find zebra")
    async with running(town.config):
        assert "/zebra" not in str((await dora.answer_to(asked))["content"]["body"])
        assert "/giraffe" in await ask(dora, town.hall, "!find giraffe")
        assert "/ocelot" not in await ask(dora, town.hall, "!find ocelot")
