"""Damaged files: the bot works all the same, or ends with a sentence; it never hangs, and shows no traceback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.testing.patience import patient
from tests.chaos.tally import Row, Tally
from tests.running import RunningBot
from tests.town import Town

JUNK = b"this is not what it should be " * 400
ENDS = {1, 2}  # files that cannot be used; something to be changed first


def overwritten(file: Path) -> None:
    file.write_bytes(JUNK)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flipped(file: Path) -> None:
    """The page after the header, where the names of the tables are."""
    content = bytearray(file.read_bytes())
    content[100:4096] = bytes(byte ^ 0xFF for byte in content[100:4096])
    file.write_bytes(content)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def half_of_it(file: Path) -> None:
    """Every other page is another's."""
    content = bytearray(file.read_bytes())
    for start in range(8192, len(content), 8192):
        content[start : start + 4096] = JUNK[:4096]
    file.write_bytes(content)


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "the database overwritten": ("data/faro.db", overwritten),
    "the database emptied": ("data/faro.db", emptied),
    "the database cut off": ("data/faro.db", cut),
    "the database's schema flipped": ("data/faro.db", flipped),
    "every other page of the database overwritten": ("data/faro.db", half_of_it),
    "a folder in place of the database": ("data/faro.db", a_folder),
    "the database's log overwritten": ("data/faro.db-wal", overwritten),
    "the session overwritten": ("data/session.json", overwritten),
    "the session emptied": ("data/session.json", emptied),
    "the identity overwritten": ("data/crypto/identity.json", overwritten),
    "the identity cut off": ("data/crypto/identity.json", cut),
    "the room keys overwritten": ("data/crypto/*.db", overwritten),
    "the room keys emptied": ("data/crypto/*.db", emptied),
    "the room keys cut off": ("data/crypto/*.db", cut),
    "the lock overwritten": ("data/lock", overwritten),
    "the configuration overwritten": ("config.yaml", overwritten),
    "the configuration cut off": ("config.yaml", cut),
}


DONE = (
    f"started with {len(KINDS)} kinds of damage to the database, its log, the session, the identity, the room keys, "
    "the lock and the configuration"
)


async def lived(town: Town, bot: RunningBot) -> None:
    """The bot starts, answers and is killed, so that the database's log is there."""
    await bot.start()
    await bot.ready()
    await town.ana.answer_to(await town.ana.send(town.hall, "!help find"))
    await bot.kill()


async def outcome(town: Town, bot: RunningBot) -> str:
    """What the bot does with what it finds: "" if that is in order."""
    await bot.start()
    try:
        await bot.logged("ready", patient(60))
    except TimeoutError:
        return "it neither started nor ended"
    except AssertionError:  # it ended
        code = await bot.ended()
        said = "\n".join(bot.lines)
        return "" if code in ENDS and said and "Traceback" not in said else f"it ended with {code}:\n{said}"
    try:
        await town.ana.answer_to(await town.ana.send(town.hall, "!help find"), within=30)
    except TimeoutError:
        return "" if not bot.alive and "Traceback" not in "\n".join(bot.lines) else "it did not answer"
    code = await bot.stop()
    said = "\n".join(bot.lines)
    return "" if code == 0 and "Traceback" not in said else f"it ended with {code}:\n{said}"


@pytest.mark.timeout(1800)
async def test_damaged_files_end_in_a_sentence_or_do_no_harm(town: Town, tally: Tally, tmp_path: Path) -> None:
    town.settings["cooldown"] = {"per_person": 10_000, "per_room": 10_000}  # a restored copy hears all questions again
    town.write()
    bot = RunningBot(town.config)
    wrong: list[str] = []
    whole = tmp_path.with_name(f"{tmp_path.name}-whole")
    try:
        await lived(town, bot)
        shutil.copytree(tmp_path, whole)
        for kind, (pattern, damage) in KINDS.items():
            (file,) = tmp_path.glob(pattern)
            damage(file)
            if problem := await outcome(town, bot):
                wrong.append(f"{kind}: {problem}")
            await bot.kill()
            shutil.rmtree(tmp_path)
            shutil.copytree(whole, tmp_path)
            for old in (tmp_path / "data" / "session.json", *tmp_path.glob("data/crypto/*.db*")):
                old.unlink()  # the bot may have ended the session of a device whose keys it lost
            await lived(town, bot)
    finally:
        await bot.kill()
        shutil.rmtree(whole, ignore_errors=True)
    tally.add(Row("damaged files", DONE, checked=len(KINDS), hangs=len(wrong)))
    assert wrong == []
