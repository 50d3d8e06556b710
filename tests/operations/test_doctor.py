"""What `faro doctor` finds in a data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.core.events import StateChange, Undecryptable, Withheld
from bot.hubs import Hub, Room
from bot.operations.doctor import DAY, CheckTarget, check_clock, check_disk, diagnose
from bot.operations.room_checks import Finding, Level
from bot.runtime.migrations import open_database
from bot.storage import crypto_status, rooms, sync_token, undecryptable
from bot.storage.crypto_status import CryptoStatus
from bot.storage.database import SqliteDatabase
from bot.testing.clock import START

ANA, BEN, BOT = "@ana:example.org", "@ben:example.org", "@faro:example.org"
HALL = "!hall:example.org"
HUB = Hub(id="transparency", title={"": "Transparency"}, languages=("en",), rooms=(Room(id=HALL),))


@dataclass(slots=True)
class DataFolder:
    """A data folder whose bot is well and in a room; tests make it ill."""

    db: SqliteDatabase
    target: CheckTarget
    now: int = START

    async def state(self, type_: str, **content: object) -> None:
        async with self.db.transaction() as tx:
            await rooms.apply_state(tx, StateChange(HALL, type_, "", ANA, "$state", content))

    async def encrypted(self) -> None:
        await self.state("m.room.encryption", algorithm="m.megolm.v1.aes-sha2")
        await self.signed(True)

    async def signed(self, cross_signed: bool) -> None:
        async with self.db.transaction() as tx:
            await crypto_status.set_status(tx, CryptoStatus("DEVICE", cross_signed, self.now))

    async def unread(self, *senders: str, ago: int = 0) -> None:
        async with self.db.transaction() as tx:
            for number, sender in enumerate(senders):
                event = Undecryptable(HALL, f"${number}-{ago}", sender, self.now, "session", {})
                await undecryptable.keep(tx, event, self.now - ago)

    async def read(self, ago: int) -> None:
        async with self.db.transaction() as tx:
            await rooms.mark_decrypted(tx, HALL, self.now - ago)

    async def found(self) -> dict[str, Level]:
        """Codes and levels of what is found."""
        return {finding.code: finding.level for finding in await self.findings()}

    async def findings(self) -> list[Finding]:
        return [*await diagnose(self.target, self.now)]

    async def trouble(self) -> list[str]:
        """Codes of what is wrong; that the machine's disk may be full is left out."""
        return [code for code, level in (await self.found()).items() if level == "trouble" and code != "disk"]


@pytest.fixture
async def data_folder(tmp_path: Path) -> AsyncIterator[DataFolder]:
    folder = tmp_path / "data"
    async with open_database(folder / "faro.db", []) as (db, _):
        async with db.transaction() as tx:
            await rooms.mark_joined(tx, HALL)
            await sync_token.advance(tx, "t1", START)
        yield DataFolder(db, CheckTarget(folder, BOT, [HUB], encrypts=True))


async def test_a_bot_that_is_well_is_told_so(data_folder: DataFolder) -> None:
    assert await data_folder.trouble() == []
    assert {"joined", "heard", "private"} <= set(await data_folder.found())


async def test_a_folder_without_a_bot_is_no_healthy_bot(tmp_path: Path) -> None:
    (finding,) = await diagnose(CheckTarget(tmp_path, BOT, [HUB], encrypts=True), START)
    assert (finding.level, finding.code) == ("trouble", "never_run")


async def test_tables_of_another_version_are_trouble_and_no_crash(data_folder: DataFolder) -> None:
    async with data_folder.db.transaction() as tx:
        await tx.execute(
            "DELETE FROM core_migrations WHERE owner = 'core' AND step = (SELECT max(step) FROM core_migrations)"
        )
    assert await data_folder.trouble() == ["not_started"]


async def test_silence_of_the_homeserver_is_trouble(data_folder: DataFolder) -> None:
    data_folder.now += 120_000
    assert await data_folder.trouble() == ["heard"]


async def test_a_room_the_bot_is_not_in_is_trouble_and_named(data_folder: DataFolder) -> None:
    rooms_ = (*HUB.rooms, Room(alias="#nowhere:example.org"))
    data_folder.target = replace(data_folder.target, hubs=[HUB.model_copy(update={"rooms": rooms_})])
    (missing,) = [
        finding for finding in await data_folder.findings() if finding.level == "trouble" and finding.code == "joined"
    ]
    assert (missing.hub, missing.room) == ("transparency", "#nowhere:example.org")


async def test_a_power_level_that_does_not_suffice_is_trouble(data_folder: DataFolder) -> None:
    await data_folder.state("m.room.power_levels", events_default=50)
    assert await data_folder.trouble() == ["mute"]
    await data_folder.state("m.room.power_levels", events_default=50, users={BOT: 50})
    assert await data_folder.trouble() == []


async def test_in_an_encrypted_room_the_level_of_encrypted_events_counts(data_folder: DataFolder) -> None:
    await data_folder.encrypted()
    await data_folder.state("m.room.power_levels", events={"m.room.message": 50})
    assert await data_folder.trouble() == []
    await data_folder.state("m.room.power_levels", events={"m.room.encrypted": "50"})
    assert await data_folder.trouble() == ["mute"]


async def test_an_encrypted_room_without_the_encryption_installed_is_trouble(data_folder: DataFolder) -> None:
    await data_folder.encrypted()
    assert await data_folder.trouble() == []
    data_folder.target = replace(data_folder.target, encrypts=False)
    assert await data_folder.trouble() == ["deaf", "encryption"]


async def test_a_device_that_is_not_cross_signed_is_trouble_where_a_room_is_encrypted(data_folder: DataFolder) -> None:
    await data_folder.signed(False)
    assert await data_folder.trouble() == []
    await data_folder.encrypted()
    assert (await data_folder.found())["signed"] == "ok"
    await data_folder.signed(False)
    assert await data_folder.trouble() == ["signed"]


async def test_one_app_that_withholds_its_keys_is_told_and_is_no_trouble(data_folder: DataFolder) -> None:
    """Otherwise any member could make the bot look ill."""
    await data_folder.encrypted()
    await data_folder.read(ago=1000)
    await data_folder.unread(ANA, ANA)
    async with data_folder.db.transaction() as tx:
        await undecryptable.note_withheld(tx, Withheld(HALL, ANA, "session", "m.unverified"), data_folder.now)
    found = await data_folder.found()
    assert (found["unread"], found["withheld"]) == ("note", "note")
    assert await data_folder.trouble() == []


async def test_a_room_where_nothing_could_be_read_in_a_day_is_trouble(data_folder: DataFolder) -> None:
    await data_folder.encrypted()
    await data_folder.unread(ANA)
    assert await data_folder.trouble() == ["deaf"]
    await data_folder.read(ago=DAY + 1)
    assert await data_folder.trouble() == ["deaf"]


async def test_a_room_where_nobody_was_understood_since_several_tried_is_trouble(data_folder: DataFolder) -> None:
    await data_folder.encrypted()
    await data_folder.unread(ANA, BEN, ago=1000)
    await data_folder.read(ago=2000)
    assert await data_folder.trouble() == ["deaf"]
    await data_folder.read(ago=500)
    assert await data_folder.trouble() == []


async def test_what_could_not_be_read_days_ago_is_forgotten(data_folder: DataFolder) -> None:
    await data_folder.encrypted()
    await data_folder.unread(ANA, BEN, ago=DAY + 1)
    assert "unread" not in await data_folder.found()


@pytest.mark.parametrize(
    ("name", "mode"), [(".", 0o777), ("faro.db", 0o640), ("faro.db-wal", 0o644), ("crypto/keys.db", 0o604)]
)
async def test_files_others_can_reach_are_trouble(data_folder: DataFolder, name: str, mode: int) -> None:
    path = data_folder.target.data_dir / name
    if not path.exists():
        path.parent.mkdir(mode=0o700)
        path.touch()
    path.chmod(mode)
    findings = await data_folder.findings()
    if name.startswith("faro.db"):  # opening it made it private again, and that was told
        assert path.stat().st_mode & 0o777 == 0o600
    assert next(finding.level for finding in findings if finding.code == "private") == "trouble"


def test_a_disk_that_is_nearly_full_is_trouble() -> None:
    assert check_disk(199).level == "trouble"
    assert check_disk(200).level == "ok"


@pytest.mark.parametrize(
    ("seconds", "level"), [(None, "note"), (0.4, "ok"), (-59.0, "ok"), (61.0, "trouble"), (-3600.0, "trouble")]
)
def test_clocks_that_disagree_are_trouble_and_a_homeserver_out_of_reach_is_not(
    seconds: float | None, level: Level
) -> None:
    assert check_clock(seconds).level == level
