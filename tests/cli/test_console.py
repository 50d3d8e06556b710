"""`faro console config.yaml`: the bot of a configuration without a homeserver."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import config_files
from tests.demo.processes import faro, screen

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return config_files.write(
        tmp_path,
        homeserver="http://127.0.0.1:9",
        server="demo.localhost",
        meeting_at=4_000_000_000_000,
        remind=["1 day"],
    )


def test_the_bot_answers_through_a_pipe(config: Path) -> None:
    lines = (
        "/as ana\n/room transparency\n!buscar encuesta\n/edit !buscar arusha\n/as member\n/room direct\nlanguage pt\n"
    )
    said = faro("console", str(config), stdin=lines)
    assert said.returncode == 0, said.stderr
    assert "cips-tailoring-messages" in said.stdout
    assert "Faro  transparency  (edited)" in said.stdout
    assert "português" in said.stdout
    assert said.stderr == ""


def test_the_bot_answers_in_a_terminal_and_quit_leaves(config: Path) -> None:
    with screen("console", str(config), environ={}) as terminal:
        terminal.wait_for("> ")
        terminal.type("/as ana\r/room transparency\r")
        terminal.wait_for("ana @ transparency>")
        terminal.type("!reunionez\x7fs\r")
        terminal.wait_for("meet.example.org/transparency")
        terminal.type("/quit\r")
        assert terminal.exit_code() == 0


def test_nothing_is_written_beside_the_configuration(config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    faro("console", str(config), stdin="!topics\n")
    assert sorted(config.parent.rglob("*")) == before
