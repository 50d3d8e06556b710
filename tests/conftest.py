"""Fixtures shared by all tests."""

import os

from hypothesis import settings

pytest_plugins = ["bot.testing.pytest_plugin", "tests.town"]

# No deadline: how long an example takes depends on what else the machine does. The same examples in every run, so that
# a change is judged by what it changed; with FARO_TEST_RANDOM=1 hypothesis looks for new ones.
settings.register_profile("faro", deadline=None, derandomize=os.environ.get("FARO_TEST_RANDOM") != "1")
settings.load_profile("faro")
