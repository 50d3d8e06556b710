"""What the operator reads says what went wrong, and nothing that people wrote."""

from __future__ import annotations

import json
import logging
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
