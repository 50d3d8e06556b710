"""Fixtures shared by all tests."""

pytest_plugins = ["bot.testing.pytest_plugin", "tests.town"]
