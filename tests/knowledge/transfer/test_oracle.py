"""What the code before statements made of files, the code now makes of them, too, but for what DESIGN changed.

Each of `files/oracle` is the export of a rich hub that people talked in, with the hub's configuration, and what the old
code exported again when the file was imported into an empty hub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from bot.config.load import load
from bot.runtime.plugins import find
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import imports
from plugins.knowledge.store.access import COORDINATORS, MEMBERS
from plugins.knowledge.transfer import exporter
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import Manner, Outcome
from plugins.knowledge.transfer.importer import SLICE
from tests.knowledge.transfer.formats.drawn import items as only_items
from tests.knowledge.transfer.formats.drawn import read, written
from tests.knowledge.transfer.importing import imported

ORACLE = Path(__file__).parent / "files" / "oracle"
CIRCLES = {MEMBERS: "", COORDINATORS: ".coordinators"}

CHANGED: Mapping[tuple[str, str], Mapping[str, object]] = {
    # DESIGN §1, page order: the lead, then by number. The old code took versions in the order of a set, and the
    # language of the result from the first of them that has a fact (the address of the lead says its language).
    ("joined", "https://joined.example/en/versions"): {
        "language": "es",
        "versions": [
            {"url": f"https://joined.example/{language}/versions", "language": language}
            for language in ("es", "fr", "pt")
        ],
    },
}
"""What the code now says otherwise, by hub and address, each with its reason."""

Exported = Mapping[str, Sequence[Mapping[str, object]]]
"""The items of each circle, as in a JSON file."""


class Hub:
    """A hub of the oracle, on a database."""

    def __init__(self, db: SqliteDatabase, name: str) -> None:
        self._db = db
        self._name = name
        self._hubs = load(ORACLE / f"{name}.yaml", find().plugins, {}).config.hubs
        self._rules = Rules(self._hubs)

    async def recommend(self) -> None:
        async with self._db.transaction() as tx:
            await tx.run(update.recommend, self._rules, self._hubs)

    async def import_(self) -> Sequence[Outcome]:
        """Imports the files of both circles."""
        outcomes: list[Outcome] = []
        for circle, ending in CIRCLES.items():
            file = (ORACLE / f"{self._name}{ending}.json").read_bytes()
            manner = Manner(self._name, json.loads(file)["at"], circle, keep_sharers=True)
            parts = slices(only_items(read("json", file)))
            for nth, part in enumerate(parts, start=1):
                async with self._db.transaction() as tx:
                    end = nth == len(parts)
                    outcomes += await imported(tx, *part, manner=manner, rules=self._rules, file=circle, end=end)
        return outcomes

    async def undo(self) -> None:
        """Undoes all imports."""
        for one in await self._db.reading().run(imports.imports, self._name):
            done = 1
            while done:
                async with self._db.transaction() as tx:
                    done = await tx.run(update.undo_some_of_import, self._rules, one.id)

    async def exported(self) -> Exported:
        return {circle: [item async for item in self._items(circle)] for circle in CIRCLES}

    async def _items(self, circle: str) -> AsyncIterator[Mapping[str, object]]:
        manner = exporter.Manner(self._name, circle, people=True)
        async for _, items in exporter.pages(self._db.reading(), manner, Counter()):
            for item in json.loads(written("json", items))["items"]:
                yield item


def slices(items: Sequence[Item]) -> Sequence[Sequence[Item]]:
    """As many at a time as the shell imports: the numbers of joined pages depend on it."""
    parts: list[list[Item]] = [[]]
    size = 0
    for item in items:
        if size >= SLICE:
            parts.append([])
            size = 0
        parts[-1].append(item)
        size += max(1, len(item.shares) + len(item.versions))
    return parts


def by_the_old_code(name: str) -> Exported:
    return {
        circle: [
            {**item, **CHANGED.get((name, item["url"]), {})}
            for item in json.loads((ORACLE / f"{name}{ending}.again.json").read_bytes())["items"]
        ]
        for circle, ending in CIRCLES.items()
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in ORACLE.glob("*.yaml")))
async def test_files_become_what_the_old_code_made_of_them(db: SqliteDatabase, name: str) -> None:
    """Imported twice, they add nothing; undone, they leave nothing."""
    hub = Hub(db, name)
    await hub.recommend()
    before = await hub.exported()
    await hub.import_()
    assert await hub.exported() == by_the_old_code(name)
    assert {outcome.what for outcome in await hub.import_()} == {"known"}
    assert await hub.exported() == by_the_old_code(name)
    await hub.undo()
    assert await hub.exported() == before
    assert await db.reading().value("SELECT count(*) FROM knowledge_shares") == 0
    assert await db.reading().value("SELECT count(*) FROM knowledge_statements") == 0
