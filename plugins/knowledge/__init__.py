"""What people share in hub rooms, found again in any language; see README.md for its commands and its files."""

from __future__ import annotations

from typing import ClassVar

from bot.api import Plugin, Settings, Transaction
from plugins.knowledge import capturing, curating, finding, index, searches, shell, upkeep
from plugins.knowledge.rules import Rules
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom

__all__ = ["Knowledge", "KnowledgeHub", "KnowledgeRoom"]


class Knowledge(capturing.Capturing, curating.Curating, finding.Finding, upkeep.Upkeep, Plugin[Settings]):
    """Remembers links and finds them; it says nothing unless asked."""

    name = "knowledge"
    hub_settings = KnowledgeHub
    room_settings = KnowledgeRoom
    shell: ClassVar = shell.COMMANDS

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.rules = Rules(())

    async def forget(self, db: Transaction, user_id: str) -> None:
        await index.forget(db, self.rules, user_id)
        await searches.forget(db, user_id)
