"""Files are imported as the shell does it: some items at a time, each time in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Transaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import Manner, Outcome
from plugins.knowledge.transfer.importer import Slice
from tests.knowledge.shelf import RULES


async def imported(
    tx: Transaction,
    *items: Item,
    manner: Manner = Manner("transparency", 5_000),  # noqa: B008 - nobody can change it
    rules: Rules = RULES,
    file: str = "links.csv",
    done: int = 99,
    end: bool = True,
) -> Sequence[Outcome]:
    """A part of a file; what became of each item. Files of one name are one file until its `end`."""
    return await tx.run(importer.import_slice, rules, manner, items, Slice(file, file, done, end))
