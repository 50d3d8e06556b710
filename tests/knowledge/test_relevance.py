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
    "whistleblower", "newsletter", "anti-corruption portal", "fraud", "buenas prácticas", "declaracion de arusha",
}  # fmt: skip


def read(name: str) -> Any:  # Any: YAML
    return yaml.safe_load((DATA / name).read_text("utf-8"))


@pytest.fixture
async def filled(db: SqliteDatabase) -> SqliteDatabase:
    resources = [{"url": one["url"], "title": one["title"], "language": one["lang"]} for one in read("resources.yaml")]
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=resources)])
    return db


async def first_three(db: SqliteDatabase, words: str) -> list[str]:
    _, entries = await search.find(db.reading(), ["transparency"], Query(words), limit=3)
    return [entry.url for entry in entries]


async def test_judged_questions_find_what_was_meant(filled: SqliteDatabase) -> None:
    urls = [one["url"] for one in read("resources.yaml")]
    asked = [query for query in read("queries.yaml") if query["q"] in SAME_LANGUAGE]
    assert len(asked) == len(SAME_LANGUAGE)
    for query in asked:
        wanted = {urls[position - 1] for position in query["want"]}
        assert wanted & set(await first_three(filled, query["q"])), query["q"]


async def test_every_resource_is_found_by_its_title(filled: SqliteDatabase) -> None:
    for one in read("resources.yaml"):
        assert one["url"] in await first_three(filled, one["title"]), one["title"]
