"""A database of a development version cannot be converted: every command that opens it says so and what to do."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.testing.patience import patient

CONFIG = """\
homeserver: http://127.0.0.1:9
user: "@faro:example.org"
password: secret
data_dir: data
hubs:
  - id: transparency
    title: Transparency
    rooms: [{id: "!hall:example.org"}]
"""


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
    (tmp_path / "links.html").write_text('<a href="https://example.org/">Example</a>', encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return file


def sentence(config: Path) -> str:
    return (
        f"{config.parent / 'data' / 'faro.db'} was written by a development version of Faro and cannot be converted: "
        "run `faro export` with that version, move the file away, start this version, then run `faro import`."
    )


def test_the_bot_does_not_start_with_it(config: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bot", "run", str(config)],
        capture_output=True,
        text=True,
        timeout=patient(50),
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"{sentence(config)}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "CONFIG", "transparency", "gifts"],
        ["export", "CONFIG", "transparency", "--format", "json"],
        ["import", "CONFIG", "transparency", "links.html", "--yes"],
        ["forget", "CONFIG", "@ana:example.org", "--yes"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_shell_commands_refuse_it(config: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(config.parent)
    words = [str(config) if word == "CONFIG" else word for word in arguments]
    done = CliRunner(env={"LC_ALL": "en_US.UTF-8"}).invoke(main.main, words)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"{sentence(config)}\n")


def test_doctor_reports_it(config: Path) -> None:
    done = CliRunner(env={"LC_ALL": "en_US.UTF-8"}).invoke(main.main, ["doctor", str(config), "--json"])
    assert done.exit_code == 1
    (reported,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["code"] == "database"]
    assert (reported["level"], reported["text"]) == ("trouble", sentence(config))


def test_it_stays_as_it_is(config: Path) -> None:
    file = config.parent / "data" / "faro.db"
    before = file.read_bytes()
    CliRunner().invoke(main.main, ["doctor", str(config)])
    assert file.read_bytes() == before
