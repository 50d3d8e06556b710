"""Broken files in the data folder are reported in one sentence with exit code 1; nothing hangs or makes it worse."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.file_errors import sentence_of
from bot.runtime.migrations import open_database
from bot.runtime.plugins import find
from bot.testing.patience import patient
from tests.cli.data_folder import OPENING, configured, faro, run

COMMANDS = [*OPENING, ["doctor", "CONFIG"]]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with everybody's tables, in which something was stored."""
    folder = tmp_path_factory.mktemp("healthy")
    configured(folder)
    assert faro(folder, "import", "CONFIG", "transparency", "links.html", "--yes").exit_code == 0
    return folder


@pytest.fixture
def folder(healthy: Path, tmp_path: Path) -> Path:
    shutil.copytree(healthy, tmp_path, dirs_exist_ok=True)
    return tmp_path


def no_database(file: Path) -> None:
    file.write_bytes(b"this is not a database " * 400)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100:4096] = bytes(byte ^ 0xFF for byte in content[100:4096])  # the schema's page, after the header
    file.write_bytes(content)


def truncated(file: Path) -> None:
    os.truncate(file, 5000)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


damages = pytest.mark.parametrize("damage", [no_database, flipped, truncated, emptied])


@damages
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: str(words[0]))
def test_shell_commands_say_that_the_database_is_damaged(
    folder: Path, damage: Callable[[Path], None], words: list[str]
) -> None:
    file = folder / "data" / "faro.db"
    damage(file)
    before = file.read_bytes()
    done = faro(folder, *words)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert f"{file} is " in done.output
    assert "backup" in done.output
    assert file.read_bytes() == before


@damages
def test_the_bot_does_not_start_on_a_damaged_database(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "data" / "faro.db")
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.startswith(str(folder / "data" / "faro.db"))
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_damaged_page_that_no_check_of_its_own_reads(folder: Path) -> None:
    file = folder / "data" / "faro.db"
    with closing(sqlite3.connect(file)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'knowledge_shares'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as out:
        out.seek((page - 1) * size)
        out.write(b"\xff" * size)
    done = faro(folder, "doctor", "CONFIG")
    assert done.exit_code == 1
    assert f"{file} is damaged" in done.output


def test_a_database_that_is_a_folder_is_named(folder: Path) -> None:
    file = folder / "data" / "faro.db"
    file.unlink()
    file.mkdir()
    done = run(folder)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert str(file) in done.stderr


def test_a_data_folder_that_is_a_file_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "data").write_text("", encoding="utf-8")
    done = run(folder)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert str(folder / "data") in done.stderr


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "has no access to"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "disk is full"),
        (errno.ENOTDIR, "Not a directory"),
    ],
)
def test_errors_of_the_system_become_sentences(number: int, words: str) -> None:
    error = OSError(number, os.strerror(number), "/srv/faro/data/lock")
    for raised in (error, ExceptionGroup("tasks", [ValueError(), ExceptionGroup("more", [error])])):
        sentence = str(sentence_of(raised))
        assert "/srv/faro/data/lock" in sentence
        assert words in sentence


def test_other_errors_are_not_taken_for_errors_of_files() -> None:
    assert sentence_of(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) is None
    assert sentence_of(ValueError("no")) is None


def test_a_database_newer_than_the_program_is_refused_by_every_command(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "data" / "faro.db")) as db:
        db.execute("INSERT INTO core_migrations VALUES ('core', 99)")
        db.commit()
    for words in OPENING:
        done = faro(folder, *words)
        assert (done.exit_code, type(done.exception)) == (1, SystemExit)
        assert "newer" in done.output
    assert run(folder).returncode == 1


async def test_what_the_yaml_recommends_is_found_after_a_first_start_that_failed(tmp_path: Path) -> None:
    """The tables are there; nothing was brought up to date yet."""
    configured(tmp_path)
    async with open_database(tmp_path / "data" / "faro.db", find().plugins):
        pass
    # In a process of its own, because a command starts its own event loop.
    words = [sys.executable, "-m", "bot", "find", str(tmp_path / "config.yaml"), "transparency", "gifts"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=patient(50), check=False)  # noqa: ASYNC221, S603 - our own program; nothing else runs in this loop
    assert "https://example.org/gifts" in done.stdout, done.stderr


def test_a_half_made_database_is_completed(tmp_path: Path) -> None:
    configured(tmp_path)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / "faro.db")) as db:
        db.execute("CREATE TABLE core_migrations (owner TEXT NOT NULL, step INTEGER NOT NULL)")
    done = faro(tmp_path, "find", "CONFIG", "transparency", "gifts")
    assert (done.exit_code, "https://example.org/gifts" in done.output) == (0, True)


def test_sighup_does_not_end_the_bot(folder: Path) -> None:
    words = [sys.executable, "-m", "bot", "run", str(folder / "config.yaml")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as bot:  # noqa: S603 - our own program
        assert bot.stderr
        try:
            for line in bot.stderr:
                if "homeserver unreachable" in line:
                    bot.send_signal(signal.SIGHUP)
                if "SIGHUP" in line:
                    break
            assert bot.poll() is None
        finally:
            bot.terminate()
        assert bot.wait(timeout=patient(30)) == 0
