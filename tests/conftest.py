"""Fixtures shared by all tests."""

from hypothesis import settings

pytest_plugins = ["bot.testing.pytest_plugin", "tests.town"]

settings.register_profile("faro", deadline=None)  # how long an example takes depends on what else the machine does
settings.load_profile("faro")
