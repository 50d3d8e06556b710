"""What the operator reads says what went wrong, and nothing that people wrote."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from bot.operations import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers


def _fails(said: str) -> None:
    raise RuntimeError("out of order")


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_fault_is_told_with_its_traceback_but_without_what_was_said(
    format_: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(format_)
    try:
        _fails("they took " + "a bribe")
    except RuntimeError:
        structlog.get_logger().exception("a command failed", event_id="$1")
    told = capsys.readouterr().err
    assert "out of order" in told
    assert "_fails" in told
    assert "$1" in told
    assert "they took a bribe" not in told


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger().info("joined", room="!hall:example.org")
    structlog.get_logger().debug("too small a thing")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "joined"


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_colours_are_for_terminals_without_no_color(
    no_color: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    if no_color is None:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", no_color)
    logs.configure()
    structlog.get_logger().info("ready")
    assert ("\x1b[" in capsys.readouterr().err) is coloured


def test_there_are_no_colours_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger().info("ready")
    assert "\x1b[" not in capsys.readouterr().err
