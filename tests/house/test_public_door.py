"""`bot.api` is the promise to plugin authors: all of it is explained, in the code and on their page."""

from __future__ import annotations

import inspect
import re

import pytest

import bot.api
from tests.house.source import ROOT

TABLE = (ROOT / "docs/write-a-plugin.md").read_text(encoding="utf-8").partition("## What `bot.api` offers")[2]


def test_the_table_of_the_page_lists_exactly_what_is_offered() -> None:
    first_cells = re.findall(r"^\| (`.*?) \|", TABLE, re.MULTILINE)
    listed = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted(bot.api.__all__)


@pytest.mark.parametrize("name", bot.api.__all__)
def test_what_is_offered_says_what_can_be_relied_on(name: str) -> None:
    """Types that are another name for something (`Zone`) are explained in the table only."""
    offered = getattr(bot.api, name)
    if inspect.isclass(offered) or inspect.isfunction(offered):
        words = vars(offered).get("__doc__") if inspect.isclass(offered) else offered.__doc__
        assert words
        assert not words.startswith(f"{name}(")  # what a dataclass writes for itself
