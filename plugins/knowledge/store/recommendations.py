"""What hubs' YAML recommends: brought in line with it whenever it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.api import Hub, Row, SyncTransaction, section
from plugins.knowledge.settings import KnowledgeHub, Recommended
from plugins.knowledge.store.access import shelf_for
from plugins.knowledge.store.pages import entries_of, pages_of
from plugins.knowledge.urls.canonical import canonical, without_credentials


def recommend(tx: SyncTransaction, hubs: Sequence[Hub]) -> set[int]:
    """Makes these hubs' YAML what is recommended. Answers the entries that changed."""
    wanted: dict[int, Row] = {}
    for hub in hubs:
        resources = section(hub, KnowledgeHub).resources
        shelf = shelf_for(tx, hub.id)
        keys = {resource.url: canonical(resource.url) or resource.url for resource in resources}
        pages = pages_of(tx, shelf.id, list(dict.fromkeys(keys.values())))  # numbered as the YAML has them
        for resource in resources:
            page = pages[keys[resource.url]]
            wanted.setdefault(page, _row(page, resource))
    present = {row["page"]: row for row in tx.rows("SELECT * FROM knowledge_recommendations")}
    changed = [page for page in sorted(present.keys() | wanted.keys()) if present.get(page) != wanted.get(page)]
    tx.execute_many("DELETE FROM knowledge_recommendations WHERE page = :page", ({"page": page} for page in changed))
    tx.execute_many(
        """INSERT INTO knowledge_recommendations (page, url, title, note, language, topics)
        VALUES (:page, :url, :title, :note, :language, :topics)""",
        (wanted[page] for page in changed if page in wanted),
    )
    return entries_of(tx, changed)


def _row(page: int, resource: Recommended) -> Row:
    return {
        "page": page,
        "url": without_credentials(resource.url),
        "title": json.dumps(resource.title, ensure_ascii=False),
        "note": json.dumps(resource.note or {}, ensure_ascii=False),
        "language": resource.language,
        "topics": json.dumps(resource.topics, ensure_ascii=False),
    }
