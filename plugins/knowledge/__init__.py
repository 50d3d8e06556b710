"""The knowledge plugin: indexes links and documents shared in rooms, and searches them in four languages.

README.md lists its commands and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bot.api import Hub, Plugin, Reader, RefreshContext, Text, Transaction, section
from plugins.knowledge import cli
from plugins.knowledge.capture.listener import Listener
from plugins.knowledge.commands.edit import EditCommands
from plugins.knowledge.commands.history import HistoryCommands
from plugins.knowledge.commands.link_status import LinkCommands
from plugins.knowledge.commands.merge import MergeCommands
from plugins.knowledge.commands.search import SearchCommands
from plugins.knowledge.commands.share import ShareCommands
from plugins.knowledge.fetch import queue
from plugins.knowledge.fetch.fetcher import Fetcher
from plugins.knowledge.fetch.jobs import FetchJobs
from plugins.knowledge.fetch.link_check import LinkCheck
from plugins.knowledge.fetch.queue import PageClient, QueueJobs
from plugins.knowledge.fetch.ssrf_guard import Policy
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.maintenance import Maintenance
from plugins.knowledge.search import session
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom, KnowledgeSettings
from plugins.knowledge.store import doubt, privacy
from plugins.knowledge.views import load

__all__ = ["Knowledge", "KnowledgeHub", "KnowledgeRoom", "KnowledgeSettings"]


ENCRYPTED_ROOMS_SHARE = {
    "hub": Text(
        "Links from encrypted rooms are found only in this hub's encrypted rooms, and by their members in encrypted "
        "chats with me."
    ),
    "links": Text("Of links from this hub's encrypted rooms, other rooms only find the address."),
    "words": Text("Links from this hub's encrypted rooms, with their words, are also found in other rooms."),
}
"""What holds of links from encrypted rooms, by `encrypted_rooms_share`."""


class Knowledge(Plugin[KnowledgeSettings]):
    """Composes the handlers of the plugin."""

    name = "knowledge"
    hub_settings = KnowledgeHub
    room_settings = KnowledgeRoom
    shell: ClassVar = cli.COMMANDS

    def __init__(self, settings: KnowledgeSettings, fetcher: PageClient | None = None) -> None:
        """`fetcher` replaces the `Fetcher` that these settings configure, in tests for example."""
        super().__init__(settings)
        fetcher = fetcher or Fetcher(Policy(frozenset(settings.fetch.ports), settings.fetch.allow, settings.fetch.deny))
        self._rules = Rules()
        self._maintenance = Maintenance(self._rules)
        self.handlers = (
            Listener(self._rules),
            SearchCommands(self._rules),
            ShareCommands(self._rules),
            EditCommands(self._rules),
            MergeCommands(self._rules),
            HistoryCommands(self._rules),
            LinkCommands(self._rules),
            QueueJobs(),
            FetchJobs(self._rules, fetcher),
            LinkCheck(fetcher),
            self._maintenance,
        )

    @classmethod
    def privacy_notices(cls, hub: Hub, *, encrypted: bool) -> Sequence[Text]:
        share = section(hub, KnowledgeHub).encrypted_rooms_share
        notices = [ENCRYPTED_ROOMS_SHARE[share]] if encrypted or share != "hub" else []
        if queue.fetching_hubs([hub]):
            notices.append(
                Text("I fetch the title, author and date of shared pages; their sites can see these requests.")
            )
        if queue.checking_hubs([hub]):
            notices.append(Text("Once a week I check whether shared pages are still online."))
        return notices

    async def refresh(self, ctx: RefreshContext) -> None:
        await self._maintenance.refresh(ctx)

    async def doubt(self, db: Transaction, room: str) -> int:
        return await db.run(update.doubt, self._rules, room)

    async def doubted(self, db: Reader, room: str, after: str, most: int) -> Sequence[str]:
        return await db.run(doubt.events, room, after, most)

    async def trust(self, db: Transaction, room: str, event_ids: Sequence[str]) -> None:
        await db.run(update.trust, self._rules, room, event_ids)

    async def erase_again(self, db: Transaction, kind: str, subject: str) -> None:
        match kind:
            case "logged" | "unlogged":
                await db.run(privacy.choose, subject, unlogged=kind == "unlogged")
            case "entry":
                hub, _, name = subject.partition("/")
                if entry := await db.run(load.of_hub, hub, name):
                    await db.run(update.purge, self._rules, {entry.id})
            case "hub":
                await db.run(privacy.drop_searches, subject)
                while await db.run(update.purge_some, self._rules, subject):
                    pass
                await db.run(privacy.close_hub, subject, configured=True)

    async def forget(self, db: Transaction, user_id: str) -> None:
        await db.run(update.forget, self._rules, user_id)
        await db.run(session.forget, user_id)
