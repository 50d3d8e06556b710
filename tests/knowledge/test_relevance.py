"""Real resources are found by questions in their own language (synonyms and other languages come later)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.storage.database import SqliteDatabase
from plugins.knowledge import index, search
from plugins.knowledge.search import Query
from tests.knowledge.hubs import hub

DATA = Path(__file__).parents[1] / "data"

# Questions of queries.yaml whose words stand in the titles of the resources they want.
SAME_LANGUAGE = {
    "whistleblower", "newsletter", "anti-corruption portal", "fraud", "declaracion de arusha", "comunidad de práctica",
}  # fmt: skip


def judged() -> list[Any]:
    queries = yaml.safe_load((DATA / "queries.yaml").read_text("utf-8"))
    return [pytest.param(query, id=query["q"]) for query in queries if query["q"] in SAME_LANGUAGE]


@pytest.mark.parametrize("query", judged())
async def test_the_first_three_hold_what_was_meant(db: SqliteDatabase, query: Any) -> None:
    real = yaml.safe_load((DATA / "resources.yaml").read_text("utf-8"))
    resources = [{"url": one["url"], "title": one["title"], "language": one["lang"]} for one in real]
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=resources)])
        _, entries = await search.find(tx, ["transparency"], Query(query["q"]), limit=3)
        wanted = {real[position - 1]["url"] for position in query["want"]}
        assert wanted & {entry.url for entry in entries}
