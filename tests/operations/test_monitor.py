"""What the running bot logs about its own health, and leaves for `faro doctor` to read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.core.events import StateChange, Undecryptable
from bot.hubs import Hub, Room
from bot.operations.doctor import CheckTarget, diagnose
from bot.operations.monitor import INTERVAL, HealthMonitor
from bot.ports import Database
from bot.runtime.migrations import open_database
from bot.storage import rooms, sync_token, undecryptable
from bot.testing.clock import FakeClock
from bot.testing.transport import FakeTransport

ANA, BEN, BOT = "@ana:example.org", "@ben:example.org", "@faro:example.org"
HALL = "!hall:example.org"
HUB = Hub(id="transparency", title={"": "Transparency"}, languages=("en",), rooms=(Room(id=HALL),))


class House:
    """A bot in one encrypted room."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.clock = db, FakeClock()
        self.transport = FakeTransport(BOT, self.clock)
        self.target = CheckTarget(folder, BOT, [HUB], encrypts=True)
        self.health = HealthMonitor(db, self.clock, self.transport, self.target)

    async def deaf(self) -> None:
        """Two people write, and nothing of it can be read."""
        async with self.db.transaction() as tx:
            for user in (ANA, BEN):
                event = Undecryptable(HALL, f"${user}", user, self.clock.now(), "session", {})
                await undecryptable.keep(tx, event, self.clock.now())

    async def check(self) -> list[tuple[str, str]]:
        """What is logged: the words and the code; that the machine's disk may be full is left out."""
        async with self.db.transaction() as tx:
            await sync_token.advance(tx, "t", self.clock.now())
        with capture_logs() as logs:
            await self.health.check()
        return [(line["event"], line["code"]) for line in logs if line.get("code", "disk") != "disk"]

    async def doctor(self) -> list[str]:
        """Codes of what `faro doctor` says of the bot's device."""
        found = await diagnose(self.target, self.clock.now())
        return [one.level for one in found if one.code == "signed"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_database(tmp_path / "data" / "faro.db", []) as (db, _):
        made = House(db, tmp_path / "data")
        async with db.transaction() as tx:
            await rooms.mark_joined(tx, HALL)
            rules = {"algorithm": "m.megolm.v1.aes-sha2"}
            await rooms.apply_state(tx, StateChange(HALL, "m.room.encryption", "", ANA, "$state", rules))
        yield made


async def test_a_room_where_the_bot_is_deaf_is_logged_once_and_again_when_it_hears(house: House) -> None:
    assert await house.check() == []
    await house.deaf()
    assert await house.check() == [("health problem", "deaf")]
    assert {code for code, _, _ in house.health.problems if code != "disk"} == {"deaf"}
    assert await house.check() == []
    async with house.db.transaction() as tx:
        await rooms.mark_decrypted(tx, HALL, house.clock.now() + 1)
    assert await house.check() == [("health problem resolved", "deaf")]


async def test_doctor_reads_whether_the_device_is_signed_now(house: House) -> None:
    assert await house.doctor() == ["note"]
    await house.check()
    assert await house.doctor() == ["ok"]
    house.transport.signed = False  # somebody reset the account's identity
    assert await house.check() == [("health problem", "signed")]
    assert await house.doctor() == ["trouble"]


async def test_while_the_homeserver_is_away_what_was_known_of_the_device_stands(house: House) -> None:
    await house.check()
    house.transport.fail_next(Unavailable("away"))
    assert await house.check() == []
    assert await house.doctor() == ["ok"]


async def test_an_identity_that_cannot_be_looked_at_is_none(house: House) -> None:
    house.transport.fail_next(Refused("M_UNKNOWN", "no"))
    assert ("health problem", "signed") in await house.check()


async def test_the_first_look_is_told_whatever_it_finds(house: House) -> None:
    with capture_logs() as logs:
        await house.health.check()
        await house.health.check()
    assert [line["event"] for line in logs].count("health check done") == 1


async def test_a_bot_that_does_not_encrypt_says_nothing_of_its_device(house: House) -> None:
    house.transport.encrypts = False
    await house.check()
    assert await house.doctor() == ["note"]


async def test_it_looks_again_and_again_whatever_goes_wrong_until_the_session_is_gone(house: House) -> None:
    for name in ("core_rooms", "core_room_state", "core_sync_token"):
        async with house.db.transaction() as tx:
            await tx.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
    house.transport.fail_next(Unavailable("away"), LoggedOut("revoked"))
    before = house.clock.now()
    with capture_logs() as logs, pytest.raises(LoggedOut):
        await house.health.run()
    assert [line["event"] for line in logs] == ["health check failed"]
    assert house.clock.now() - before >= INTERVAL * 1000
