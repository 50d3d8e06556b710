"""What people share in hub rooms, found again in any language; see README.md for its commands and its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bot.api import Hub, Plugin, Text, Transaction
from plugins.knowledge import (
    capturing,
    care,
    curating,
    errands,
    fetching,
    finding,
    index,
    joining,
    searches,
    shell,
    undoing,
    upkeep,
)
from plugins.knowledge.errands import Asks
from plugins.knowledge.pages.fetch import Fetcher
from plugins.knowledge.pages.guard import Policy
from plugins.knowledge.rules import Rules
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom, KnowledgeSettings

__all__ = ["Knowledge", "KnowledgeHub", "KnowledgeRoom", "KnowledgeSettings"]


class Knowledge(
    capturing.Capturing,
    care.Caring,
    curating.Curating,
    errands.Errands,
    fetching.Fetching,
    finding.Finding,
    joining.Joining,
    undoing.Undoing,
    upkeep.Upkeep,
    Plugin[KnowledgeSettings],
):
    """Remembers links and finds them; it says nothing unless asked."""

    name = "knowledge"
    hub_settings = KnowledgeHub
    room_settings = KnowledgeRoom
    shell: ClassVar = shell.COMMANDS

    def __init__(self, settings: KnowledgeSettings) -> None:
        super().__init__(settings)
        self.rules = Rules(())
        policy = Policy(frozenset(settings.fetch.ports), settings.fetch.allow, settings.fetch.deny)
        self.fetcher: Asks = Fetcher(policy)  # one for good: it remembers whom it asked when, and who does not want it

    def disclosed(self, hub: Hub) -> Sequence[Text]:
        told = []
        if errands.fetching([hub]):
            told.append(
                Text("I ask the pages people share for their title, author and date; their sites can see that.")
            )
        if errands.checking([hub]):
            told.append(Text("Once a week I ask the pages people share whether they are still there."))
        return told

    async def forget(self, db: Transaction, user_id: str) -> None:
        await db.run(index.forget, self.rules, user_id)
        await db.run(searches.forget, user_id)
