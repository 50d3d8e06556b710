"""Rooms on a real homeserver: who governs those the bot makes, upgrades, and rooms that are too open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.permissions import power_level
from tests.journeys.test_first_days import LINK, ask
from tests.running import faro_command, running
from tests.town import Town


def hub_of(town: Town) -> dict[str, Any]:
    hub: dict[str, Any] = town.settings["hubs"][0]
    return hub


async def state_of(town: Town, room: str) -> Mapping[str, Mapping[str, Any]]:
    events: Any = await town.bot.request("GET", "/rooms/{}/state", room)
    return {
        event["type"]: {**event["content"], "creator": event["sender"]}
        if event["type"] == "m.room.create"
        else event["content"]
        for event in events
        if event["state_key"] == ""
    }


@pytest.mark.core
async def test_operators_and_moderators_govern_a_room_the_bot_made(town: Town) -> None:
    alias = f"#made-{town.ana.user_id[5:13]}:{town.homeserver.name}"
    hub = hub_of(town)
    hub["rooms"].append({"alias": alias, "create": True, "encrypted": False, "title": "Made by the bot"})
    hub["moderators"] = [town.carla.user_id]
    town.write()
    async with running(town.config) as bot:
        for person in (town.ben, town.carla):
            await bot.logged(person.user_id)
        room = await town.carla.join(alias)
        state = await state_of(town, room)
        levels, create = state["m.room.power_levels"], state["m.room.create"]
        assert [power_level(one.user_id, levels, create) for one in (town.ana, town.carla, town.ben)] == [100, 50, 0]
        assert state["m.room.guest_access"]["guest_access"] == "forbidden"
        await town.carla.request("PUT", "/rooms/{}/state/m.room.topic/", room, body={"topic": "Mine"})
        invited = await faro_command("invite", str(town.config), "transparency")
        assert f"Invited {town.ana.user_id} to {alias}" in invited
        await town.ana.join(alias)
        upgraded = await town.ana.request("POST", "/rooms/{}/upgrade", room, body={"new_version": "11"})
        new = upgraded["replacement_room"]
        for person in (town.bot, town.carla):
            await town.ana.invite(new, person.user_id)
        await bot.logged("followed a room to its successor")
        await town.carla.join(new)
        await town.carla.send(new, f"Protection: {LINK}")
        assert "!find" in await ask(town.carla, new, "!help")
        looked = await faro_command("check", str(town.config), "--live")
        assert "PROBLEM" not in looked
        assert f"the bot is in {alias}" in looked


async def test_links_keep_their_numbers_when_a_room_is_upgraded_while_the_bot_is_away(town: Town) -> None:
    async with running(town.config):
        await town.ben.send(town.hall, f"This helps with whistle-blowers: {LINK}")
        assert "1." in await ask(town.carla, town.hall, "!find whistle-blowers")
    upgraded = await town.ana.request("POST", "/rooms/{}/upgrade", town.hall, body={"new_version": "11"})
    new = upgraded["replacement_room"]
    for person in (town.carla, town.bot):
        await town.ana.invite(new, person.user_id)
    await town.carla.join(new)
    async with running(town.config) as bot:
        await bot.logged("followed a room to its successor")
        found = await ask(town.carla, new, "!find whistle-blowers")
        assert found.startswith("1.")
        assert LINK in found


async def test_a_room_that_is_opened_shows_nothing_until_it_is_closed(town: Town) -> None:
    async with running(town.config) as bot:
        await town.ben.send(town.hall, f"This helps with whistle-blowers: {LINK}")
        assert LINK in await ask(town.carla, town.hall, "!find whistle-blowers")
        await town.ana.request("PUT", "/rooms/{}/state/m.room.join_rules/", town.hall, body={"join_rule": "public"})
        await bot.logged("a room is more open than its hub")
        told = await town.ben.wait_for(
            lambda event: event["room_id"] == town.desk and "more open" in str(event["content"].get("body")),
            what="a word to the coordinators",
        )
        assert "Anyone can join it" in told["content"]["body"]
        assert LINK not in await ask(town.carla, town.hall, "!find whistle-blowers")
        looked = await faro_command("check", str(town.config), "--live", exit_code=1)
        assert "PROBLEM: Hub transparency" in looked
        await town.ana.request("PUT", "/rooms/{}/state/m.room.join_rules/", town.hall, body={"join_rule": "invite"})
        await asyncio.sleep(0.5)
        assert LINK in await ask(town.carla, town.hall, "!find whistle-blowers")


async def test_the_alias_a_stranger_took_first_leads_the_bot_nowhere(town: Town) -> None:
    name = f"made-{town.ana.user_id[5:13]}"
    trap = await town.carla.create_room("Trap", alias=name, public=True)
    hub_of(town)["rooms"].append({"alias": f"#{name}:{town.homeserver.name}", "create": True})
    town.write()
    async with running(town.config) as bot:
        assert any("somebody else made the room" in line for line in bot.lines)
        assert town.bot.user_id not in await town.carla.members(trap)
