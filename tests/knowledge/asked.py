"""A web that was never there: what it says, and what it was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bot.hubs import Hub
from bot.runtime.directory import Directory
from bot.testing.story import Story
from plugins.knowledge import Knowledge
from plugins.knowledge.fetch.facts import Facts, FetchError, Health, Reason, State
from plugins.knowledge.fetch.queue import PageClient
from plugins.knowledge.settings import KnowledgeSettings
from tests.knowledge.hubs import hub

HOUR, DAY = 3_600_000, 86_400_000
MODERATOR = "@mod:example.org"
GUIDE = "https://example.org/guide"
FACTS = Facts(
    GUIDE,
    "html",
    title="Hospitality and presents",
    description="What officers may accept at the border.",
    site="Example Customs",
    author="Eva Ríos",
    published="2026-03-01",
    language="es",
)
WANTING = hub(fetch="titles", moderators=[MODERATOR])


@dataclass
class FakeWeb:
    """A fake `queue.PageClient`. Addresses nobody gave it are not found."""

    pages: dict[str, Facts | FetchError] = field(default_factory=dict)
    states: dict[str, Health] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """Awaited while a page is fetched."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def facts(self, url: str) -> Facts:
        self.asked.append(url)
        if self.meanwhile is not None:
            await self.meanwhile()
        found = self.pages.get(url, FetchError(Reason.NOT_FOUND))
        if isinstance(found, FetchError):
            raise found
        return found

    async def health(self, url: str) -> Health:
        self.asked.append(url)
        return self.states.get(url, Health(State.GONE, url, 404))

    def times(self) -> dict[str, int]:
        """How often each address was asked."""
        found: dict[str, int] = defaultdict(int)
        for url in self.asked:
            found[url] += 1
        return dict(found)


def asking(web: PageClient) -> type[Knowledge]:
    """The plugin, which asks this web."""

    class Asking(Knowledge):
        __module__ = Knowledge.__module__  # where its schema and its sentences are

        def __init__(self, settings: KnowledgeSettings) -> None:
            super().__init__(settings, web)

    return Asking


async def reconfigure(told: Story, *hubs: Hub) -> None:
    """The hubs' YAML is changed, and read again."""
    told.services.directory = Directory(hubs)
    await told.pipeline.refresh()
    await told.settle()


async def states(s: Story) -> list[tuple[str, str, int, int | None]]:
    """Each address that is to be asked: how it stands, how often it was tried, when it is due."""
    rows = await s.db.reading().rows("SELECT url, state, tries, due FROM knowledge_facts ORDER BY page")
    return [(row["url"], row["state"], row["tries"], row["due"]) for row in rows]
