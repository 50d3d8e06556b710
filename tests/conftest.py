"""Fixtures shared by all tests, and the tiers they are run in."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest
from hypothesis import settings

from bot.testing.patience import patient
from tests.tiers import FULL, SLOW, TIER, examples

pytest_plugins = ["bot.testing.pytest_plugin", "tests.town"]

# No deadline: how long an example takes depends on what else the machine does. `make full` looks for new examples; the
# others draw the same ones in every run, so that a change is judged by what it changed.
settings.register_profile("faro", deadline=None, max_examples=examples(100), derandomize=TIER != "full")
settings.load_profile("faro")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    default = float(config.getoption("timeout") or config.getini("timeout"))
    with_processes = 3 * default  # they start the bot or a homeserver several times, beside other tests
    for item in items:
        if item.nodeid.startswith(FULL) and item.get_closest_marker("core") is None:
            item.add_marker(pytest.mark.full)
        if (
            item.nodeid.startswith(SLOW)
            or "homeserver" in getattr(item, "fixturenames", ())
            or getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        ):
            item.add_marker(pytest.mark.slow)
        limit = item.get_closest_marker("timeout")
        seconds = float(limit.args[0]) if limit else with_processes if item.get_closest_marker("slow") else default
        item.add_marker(pytest.mark.timeout(patient(seconds)), append=False)
    # Slow files first, so that no worker is left with one while the others are done.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


_running: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _running.append(item.nodeid)
    try:
        return (yield)
    finally:
        _running.pop()


def _refuse_processes(event: str, _arguments: object) -> None:
    if event in ("subprocess.Popen", "os.posix_spawn") and _running:
        raise AssertionError(f"{_running[-1]} starts a process: mark it with pytest.mark.slow")


if TIER == "quick":
    sys.addaudithook(_refuse_processes)
