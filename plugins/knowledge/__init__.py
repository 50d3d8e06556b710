"""What people share in hub rooms, found again in any language; see README.md for its commands and its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bot.api import Hub, Plugin, Text, Transaction
from plugins.knowledge import cli
from plugins.knowledge.capture import listener
from plugins.knowledge.commands import edit, history, merge
from plugins.knowledge.commands import search as search_commands
from plugins.knowledge.fetch import jobs, link_check, queue
from plugins.knowledge.fetch.fetcher import Fetcher
from plugins.knowledge.fetch.queue import Asks
from plugins.knowledge.fetch.ssrf_guard import Policy
from plugins.knowledge.index import maintenance
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.search import session
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom, KnowledgeSettings
from plugins.knowledge.store import shares

__all__ = ["Knowledge", "KnowledgeHub", "KnowledgeRoom", "KnowledgeSettings"]


class Knowledge(
    listener.Capturing,
    link_check.Caring,
    edit.Curating,
    queue.Errands,
    jobs.Fetching,
    search_commands.Finding,
    merge.Joining,
    history.Undoing,
    maintenance.Upkeep,
    Plugin[KnowledgeSettings],
):
    """Remembers links and finds them; it says nothing unless asked."""

    name = "knowledge"
    hub_settings = KnowledgeHub
    room_settings = KnowledgeRoom
    shell: ClassVar = cli.COMMANDS

    def __init__(self, settings: KnowledgeSettings) -> None:
        super().__init__(settings)
        self.rules = Rules(())
        policy = Policy(frozenset(settings.fetch.ports), settings.fetch.allow, settings.fetch.deny)
        self.fetcher: Asks = Fetcher(policy)  # one for good: it remembers whom it asked when, and who does not want it

    def privacy_notices(self, hub: Hub) -> Sequence[Text]:
        told = []
        if queue.fetching([hub]):
            told.append(
                Text("I ask the pages people share for their title, author and date; their sites can see that.")
            )
        if queue.checking([hub]):
            told.append(Text("Once a week I ask the pages people share whether they are still there."))
        return told

    async def forget(self, db: Transaction, user_id: str) -> None:
        await db.run(shares.forget, self.rules, user_id)
        await db.run(session.forget, user_id)
