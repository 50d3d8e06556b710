"""`faro demo`, as a newcomer runs it: a real homeserver, the real bot."""

from __future__ import annotations

import os
import signal
import uuid
from pathlib import Path

import pytest

from tests.demo.processes import MARK, alive, faro, screen

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def test_the_story_is_told_to_its_end_and_nothing_stays_behind(mark: str) -> None:
    told = faro("demo", "--script", stdin="", mark=mark, within=150)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Every expected answer arrived." in told.stdout
    assert alive(mark) == []


def test_lines_from_a_pipe_are_said_and_a_kept_folder_is_taken_up_again(mark: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = faro("demo", "--dir", str(kept), stdin="/as diego\nLean https://example.org/kept por favor\n", mark=mark)
    assert first.returncode == 0, first.stdout + first.stderr
    second = faro("demo", "--dir", str(kept), stdin="!buscar favor\n/as grace\n/room direct\nhelp find\n", mark=mark)
    assert "https://example.org/kept" in second.stdout, second.stdout + second.stderr
    assert "!chercher" in second.stdout
    assert alive(mark) == []


def test_a_person_talks_with_the_bot_and_leaves_by_control_c(mark: str) -> None:
    with screen("demo", environ={MARK: mark}) as terminal:
        terminal.wait_for("ana @ transparency>")
        terminal.type("!buscar encuesta\r")
        terminal.wait_for("cips-tailoring-messages")
        terminal.type("\x03")
        assert terminal.exit_code() == 0
        assert "Everything has stopped." in terminal.text
    assert alive(mark) == []


@pytest.mark.parametrize("moment", ["Starting a homeserver", "Accounts and rooms", "Starting the bot"])
def test_stopping_it_while_it_starts_leaves_nothing_behind(moment: str, mark: str, tmp_path: Path) -> None:
    with screen("demo", environ={MARK: mark, "TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for(moment)
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.exit_code() == 128 + signal.SIGTERM
    assert alive(mark) == []
    assert list(tmp_path.iterdir()) == []
