"""The homeserver we ship for tests leaves nothing behind, and nobody on it waits for ever."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.testing.homeserver import Homeserver
from bot.testing.person import HomeserverError


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_homeserver_that_cannot_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(HomeserverError, match=r"(?s)ended while starting.*Server name"):
        await (server := Homeserver(tmp_path, name="")).start()
    assert server.pid is None


async def test_a_homeserver_keeps_its_people_and_address_over_a_restart_and_ends_when_told(tmp_path: Path) -> None:
    server = Homeserver(tmp_path)
    await server.start()
    try:
        ana = await server.register("ana")
        room = await ana.create_room("Hall")
        url, first = server.url, server.pid
        await server.restart()
        assert (server.url, await ana.members(room)) == (url, [ana.user_id])
        second = server.pid
        await ana.close()
    finally:
        await server.stop()
    assert first
    assert second
    assert not is_running(first)
    assert not is_running(second)
    await server.stop()  # twice is harmless


async def test_a_person_hears_what_another_says_and_misses_nothing_meanwhile(homeserver: Homeserver) -> None:
    ana, ben = await homeserver.register("hearing-ana"), await homeserver.register("hearing-ben")
    try:
        room = await ana.create_room("Hall", invite=(ben.user_id,))
        await ben.join(room)
        await ana.sync()
        sent = [await ben.send(room, str(number)) for number in range(25)]

        def last(event: Mapping[str, Any]) -> bool:
            return bool(event["event_id"] == sent[-1])

        assert (await ana.wait_for(last))["content"]["body"] == "24"
        assert (await ana.wait_for(lambda event: event["event_id"] == sent[0]))["content"]["body"] == "0"
        with pytest.raises(TimeoutError, match="in vain for a miracle"):
            await ana.wait_for(lambda _: False, within=0.2, what="a miracle")
        with pytest.raises(HomeserverError, match="404"):
            await ben.join("!nowhere:example.test")
    finally:
        await ana.close()
        await ben.close()


async def test_a_name_can_be_taken_once(homeserver: Homeserver) -> None:
    person = await homeserver.register("once")
    with pytest.raises(HomeserverError, match="already taken"):
        await homeserver.register("once")
    await person.close()
