"""A database of a development version cannot be converted: every command that opens it says so and what to do."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.data_folder import OPENING, configured, faro, run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With a database as development versions made it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / "faro.db")) as db:
        db.executescript("""
            CREATE TABLE migrations (owner TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (owner, step)) STRICT;
            CREATE TABLE rooms (id TEXT PRIMARY KEY, joined INTEGER NOT NULL) STRICT;
            INSERT INTO migrations VALUES ('core', 1);
        """)
    return configured(tmp_path)


def sentence(config: Path) -> str:
    return (
        f"{config.parent / 'data' / 'faro.db'} was written by a development version of Faro and cannot be converted: "
        "run `faro export` with that version, move the file away, start this version, then run `faro import`."
    )


def test_the_bot_does_not_start_with_it(config: Path) -> None:
    done = run(config.parent)
    assert (done.returncode, done.stderr) == (1, f"{sentence(config)}\n")


@pytest.mark.parametrize("words", OPENING, ids=lambda words: str(words[0]))
def test_shell_commands_refuse_it(config: Path, words: list[str]) -> None:
    done = faro(config.parent, *words)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"{sentence(config)}\n")


def test_doctor_reports_it(config: Path) -> None:
    done = faro(config.parent, "doctor", "CONFIG", "--json")
    assert done.exit_code == 1
    (reported,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["code"] == "database"]
    assert (reported["level"], reported["text"]) == ("trouble", sentence(config))


def test_it_stays_as_it_is(config: Path) -> None:
    file = config.parent / "data" / "faro.db"
    before = file.read_bytes()
    faro(config.parent, "doctor", "CONFIG")
    assert file.read_bytes() == before
