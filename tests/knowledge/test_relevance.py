"""Real resources are found by questions in four languages, misspelt ones included, from their titles and publishers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.storage.database import SqliteDatabase, steps_in
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import recommend, urls

DATA = Path(__file__).parents[1] / "data"


def read(name: str) -> Any:  # Any: YAML
    return yaml.safe_load((DATA / name).read_text("utf-8"))


@pytest.fixture(scope="module")
async def filled() -> AsyncIterator[SqliteDatabase]:
    resources = [
        {"url": one["url"], "title": one["title"], "language": one["lang"], "note": one["publisher"]}
        for one in read("resources.yaml")
    ]
    hubs = [hub(resources=resources, topics=[])]
    async with SqliteDatabase(None) as db:
        await db.migrate("knowledge", steps_in(SCHEMA))
        async with db.transaction() as tx:
            await recommend(tx, *hubs)
        yield db


async def judged(db: SqliteDatabase, query: Mapping[str, Any], order: Sequence[str]) -> tuple[bool, float]:  # Any: YAML
    """Whether one that is wanted is among the first three, and how many of those wanted are among the first ten."""
    wanted = {order[position - 1] for position in query["want"]}
    found = (await urls(db.reading(), query["q"], full=False))[:10]
    return bool(wanted & set(found[:3])), len(wanted & set(found)) / len(wanted)


@pytest.mark.parametrize("name", ["queries.yaml", "more_queries.yaml", "blind_queries.yaml", "later_queries.yaml"])
async def test_judged_questions_find_what_was_meant(filled: SqliteDatabase, name: str) -> None:
    """Success@3 of at least 0.95, and recall@10 of at least 0.9."""
    queries: Sequence[Mapping[str, Any]] = read(name)  # Any: YAML
    order = [one["url"] for one in read("resources.yaml")]
    results = [(query["q"], *await judged(filled, query, order)) for query in queries]
    missed = [query for query, success, _ in results if not success]
    poor = {query: round(recall, 2) for query, _, recall in results if recall < 1}
    assert len(missed) <= 0.05 * len(results), (missed, poor)
    assert sum(recall for _, _, recall in results) >= 0.9 * len(results), (missed, poor)


async def test_every_resource_is_found_by_its_title(filled: SqliteDatabase) -> None:
    for one in read("resources.yaml"):
        assert one["url"] in (await urls(filled.reading(), one["title"]))[:3], one["title"]
