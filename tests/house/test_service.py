"""The systemd unit: what docs/run.md promises of it, and how much of the machine it may touch."""

from __future__ import annotations

import configparser
import shutil
import subprocess

import pytest

from bot.cli.terminal import LOGGED_OUT, WRONG_CONFIG
from tests.house.source import ROOT

UNIT = ROOT / "packaging/faro.service"
MOST_EXPOSED = 20  # tenths of systemd's scale from 0 to 10


def values(key: str) -> list[str]:
    """All values of a key of `[Service]`: it may be there several times."""
    text = UNIT.read_text(encoding="utf-8").partition("[Service]")[2].partition("\n[")[0]
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_the_unit_waits_for_readiness_watches_and_restarts_what_restarting_can_mend() -> None:
    assert values("Type") == ["notify"]
    assert values("TimeoutStartSec") == ["infinity"], "a first start takes minutes, and longer without a homeserver"
    assert values("WatchdogSec")
    assert values("Restart") == ["on-failure"]
    assert values("RestartPreventExitStatus") == [f"{WRONG_CONFIG} {LOGGED_OUT}"]


def test_the_child_that_reads_pdfs_may_limit_itself() -> None:
    filters = values("SystemCallFilter")
    assert filters
    assert not [names for names in filters if names.startswith("~") and "@resources" in names]


def test_every_key_but_those_that_systemd_adds_up_is_there_once() -> None:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    lines = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if not line.startswith("SystemCallFilter=")]
    parser.read_string("\n".join(lines))
    assert parser.sections() == ["Unit", "Service", "Install"]


@pytest.mark.slow
def test_systemd_finds_the_service_well_confined() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed here")
    done = subprocess.run(  # noqa: S603 - a fixed command
        [analyze, "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old to judge a file")
    assert done.returncode == 0, done.stdout + done.stderr
