"""One process per data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.operations.lock import InUse, only_one

HOLD = """
import pathlib, sys
from bot.operations.lock import only_one
with only_one(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    """Another process that holds the folder until its input ends."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own program
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with (
            pytest.raises(InUse, match=f"process {process.pid} uses the data folder {tmp_path}") as refused,
            only_one(tmp_path),
        ):
            pass
        assert refused.value.pid == process.pid


def test_another_folder_is_free(tmp_path: Path) -> None:
    with only_one(tmp_path / "one"), only_one(tmp_path / "two"):
        pass


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert (tmp_path / "lock").read_text() == f"{process.pid}\n"
    with only_one(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_damaged_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("what is this, and why is it so long that no process could have such a number?")
    with only_one(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_the_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_one(tmp_path):
        raise ZeroDivisionError
    with only_one(tmp_path):
        pass


def test_the_folder_is_made_for_the_bot_alone(tmp_path: Path) -> None:
    with only_one(tmp_path / "data"):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "data" / "lock").stat().st_mode & 0o777 == 0o600
