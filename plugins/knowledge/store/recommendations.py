"""What a hub's YAML says of pages: brought in line with the index whenever it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.api import Hub, Row, SyncTransaction, section
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.settings import Curated, KnowledgeHub
from plugins.knowledge.store.access import shelf_for
from plugins.knowledge.store.ids import entries_of, resources_of
from plugins.knowledge.urls.canonical import canonical, without_credentials


def curate(tx: SyncTransaction, rules: Rules, hubs: Sequence[Hub]) -> None:
    """Brings the index in line with the hubs' YAML: their resources, and whether they keep notes."""
    wanted: dict[tuple[int, int], Row] = {}
    for hub in hubs:
        shelf = shelf_for(tx, hub.id)
        recommended = section(hub, KnowledgeHub).resources
        keys = {resource.url: canonical(resource.url) or resource.url for resource in recommended}
        resources = resources_of(tx, set(keys.values()))
        places = dict.fromkeys((shelf.id, resources[keys[one.url]]) for one in recommended)
        entries = entries_of(tx, list(places))  # numbered as the YAML has them
        for one in recommended:
            resource = resources[keys[one.url]]
            entry = entries[shelf.id, resource]
            wanted.setdefault((entry, resource), _curation(entry, resource, one))
    present = {(row["entry"], row["resource"]): row for row in tx.rows("SELECT * FROM curations")}
    changed = [place for place in sorted(present.keys() | wanted.keys()) if present.get(place) != wanted.get(place)]
    tx.execute_many(
        "DELETE FROM curations WHERE entry = :entry AND resource = :resource",
        ({"entry": entry, "resource": resource} for entry, resource in changed),
    )
    tx.execute_many(
        """INSERT INTO curations (entry, resource, url, title, note, language, topics)
        VALUES (:entry, :resource, :url, :title, :note, :language, :topics)""",
        (wanted[place] for place in changed if place in wanted),
    )
    renew(tx, rules, {entry for entry, _ in changed} | _drop_notes(tx, hubs))


def _drop_notes(tx: SyncTransaction, hubs: Sequence[Hub]) -> set[int]:
    """A hub that no longer keeps notes keeps none from before."""
    entries: set[int] = set()
    for hub in hubs:
        if section(hub, KnowledgeHub).keep_notes:
            continue
        noted = """(note IS NOT NULL OR label IS NOT NULL) AND entry IN
            (SELECT e.id FROM entries e JOIN shelves s ON s.id = e.shelf WHERE s.hub = :hub)"""
        rows = tx.rows(f"SELECT DISTINCT entry FROM shares WHERE {noted}", hub=hub.id)
        if rows:
            tx.execute(f"UPDATE shares SET note = NULL, label = NULL WHERE {noted}", hub=hub.id)
            entries |= {row["entry"] for row in rows}
    return entries


def _curation(entry: int, resource: int, one: Curated) -> Row:
    return {
        "entry": entry,
        "resource": resource,
        "url": without_credentials(one.url),
        "title": _json(one.title),
        "note": _json(one.note or {}),
        "language": one.language,
        "topics": _json(one.topics),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
