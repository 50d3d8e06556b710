"""`faro doctor` says what is well and what is not, and its exit code says it to machines."""

from __future__ import annotations

from pathlib import Path

from bot.doctor import SILENT_AFTER, examine
from bot.hubs import Hub, Room
from bot.storage import position, rooms
from bot.tables import open_database

NOW = 1_800_000_000_000
ALIAS, ID = "#hall:example.org", "!hall:example.org"
HUBS = [Hub(id="transparency", title={"": "Transparency"}, rooms=(Room(alias=ALIAS),))]


async def lived(folder: Path, *, joined: bool = True) -> None:
    """What a bot leaves that heard the homeserver at `NOW`."""
    async with open_database(folder / "faro.db", []) as (db, _), db.transaction() as tx:
        await rooms.pin_alias(tx, ALIAS, ID)
        if joined:
            await rooms.remember(tx, ID)
        await position.advance(tx, "token", NOW)


async def said(folder: Path, now: int = NOW) -> dict[str, bool]:
    return {str(one.text).replace(str(folder), ""): one.well for one in await examine(folder, HUBS, now)}


async def test_a_bot_that_is_well_has_no_trouble(tmp_path: Path) -> None:
    await lived(tmp_path)
    findings = await said(tmp_path)
    assert findings["Hub transparency: in #hall:example.org."]
    assert all(findings.values()), findings


async def test_a_homeserver_not_heard_for_long_is_trouble(tmp_path: Path) -> None:
    await lived(tmp_path)
    assert not (await said(tmp_path, NOW + SILENT_AFTER))["Last heard from the homeserver 120 s ago."]


async def test_a_room_the_bot_is_not_in_is_trouble(tmp_path: Path) -> None:
    await lived(tmp_path, joined=False)
    assert not (await said(tmp_path))["Hub transparency: not in #hall:example.org."]


async def test_files_others_can_read_are_trouble(tmp_path: Path) -> None:
    await lived(tmp_path)
    (tmp_path / "session.json").touch(0o644)
    trouble = [text for text, well in (await said(tmp_path)).items() if not well]
    assert trouble == ["Others can read /session.json; make it private: chmod 600 /session.json"]


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    await lived(tmp_path)
    before = (tmp_path / "faro.db").read_bytes()
    await said(tmp_path)
    assert (tmp_path / "faro.db").read_bytes() == before
