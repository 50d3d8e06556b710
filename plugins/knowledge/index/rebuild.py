"""Rebuilds entries from shares and statements, in the transaction that changed those. Entries without any are
deleted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.api import Row, SyncTransaction
from plugins.knowledge.index import addresses, vocabulary
from plugins.knowledge.index.build_entry import COLUMNS, BuiltEntry, build, vocabulary_words
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.access import ENCRYPTED, Shelf, partition
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import IDS, as_list
from plugins.knowledge.store.resolve import Part, Resolved, resolve
from plugins.knowledge.store.statements import tombstone_pages

_COLUMNS = (
    "shelf", "number", "newest", "facts", "url", "title", "note", "languages", "kind",
    "recommended", "pinned", "hidden",
    "label", "votes", "shared_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    id: int
    shelf: int
    number: int
    built: BuiltEntry


def rebuild(tx: SyncTransaction, rules: Rules, entries: Collection[int]) -> None:
    """Rebuilds these entries. The number of SQL statements is the same for one and for a thousand."""
    if not entries:
        return
    entries = addresses.originals(tx, entries)
    address_pages = addresses.pages_for(tx, entries)
    ids = as_list({*entries, *address_pages.values()})
    shelves = {row["page"]: row for row in tx.rows(
        f"""SELECT p.id AS page, s.id, s.hub, s.circle, s.kind FROM knowledge_pages p
        JOIN knowledge_shelves s ON s.id = p.shelf WHERE p.id IN {IDS}""", ids=ids)}  # fmt: skip
    parts = _without_stale_facts(tx, load(tx, entries))
    changes = _remove_derived_rows(tx, ids)
    rebuilt: list[_Rebuilt] = []
    opened: list[tuple[Shelf, Resolved]] = []
    gone: list[Part] = []
    for entry, entry_parts in parts.items():
        resolved = resolve(entry, entry_parts)
        if resolved is None:
            gone += entry_parts
            continue
        row = shelves[entry]
        shelf = Shelf(row["id"], row["hub"], row["circle"], row["kind"])
        rebuilt.append(_Rebuilt(entry, shelf.id, resolved.number, build(rules.of(shelf.hub), shelf, resolved)))
        if shelf.kind == ENCRYPTED and rules.of(shelf.hub).opens_addresses and not resolved.hidden:
            opened.append((shelf, resolved))
    for shelf, address in addresses.derive(tx, address_pages, opened):
        built = build(rules.of(shelf.hub), shelf, address)
        rebuilt.append(_Rebuilt(address.lead, shelf.id, address.number, built))
    for new in rebuilt:
        words = vocabulary_words(new.built.words, new.built.topics)
        changes[partition(new.shelf, int(str(new.built.entry["label"])))].update(words)
    _write(tx, ids, rebuilt)
    vocabulary.apply(tx, changes)
    if gone:
        tombstone_pages(tx, gone)


def _without_stale_facts(tx: SyncTransaction, parts: Mapping[int, Sequence[Part]]) -> Mapping[int, Sequence[Part]]:
    """Deletes the facts fetched from an address that is no longer shared, recommended or set; returns the parts without
    them."""
    fetched = [
        part for entry_parts in parts.values() for part in entry_parts if part.facts and part.facts["command"] is None
    ]
    if not fetched:
        return parts
    rows = tx.rows(
        f"""DELETE FROM knowledge_facts AS f WHERE page IN {IDS} AND url NOT IN
        (SELECT url FROM knowledge_shares WHERE page = f.page
        UNION ALL SELECT url FROM knowledge_recommendations WHERE page = f.page
        UNION ALL SELECT value FROM knowledge_statements WHERE page = f.page AND field = 'url' AND withdrawn IS NULL)
        RETURNING page""",
        ids=as_list([part.page for part in fetched]),
    )
    stale = {row["page"] for row in rows}
    if not stale:
        return parts
    return {
        entry: [replace(part, facts=None) if part.page in stale else part for part in entry_parts]
        for entry, entry_parts in parts.items()
    }


def _remove_derived_rows(tx: SyncTransaction, ids: str) -> defaultdict[int, Counter[str]]:
    """Deletes the topics and words of these entries; returns the changes to the vocabulary."""
    changes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    rows = tx.rows(f"SELECT id, shelf, label FROM knowledge_entries WHERE id IN {IDS}", ids=ids)
    if not rows:
        return changes
    partitions = {row["id"]: partition(row["shelf"], row["label"]) for row in rows}
    topics: defaultdict[int, list[str]] = defaultdict(list)
    for row in tx.rows(f"SELECT entry, topic FROM knowledge_entry_topics WHERE entry IN {IDS}", ids=ids):
        topics[row["entry"]].append(row["topic"])
    for row in tx.rows(f"SELECT rowid AS id, * FROM knowledge_entry_words WHERE rowid IN {IDS}", ids=ids):
        changes[partitions[row["id"]]].subtract(vocabulary_words(row, topics[row["id"]]))
    tx.execute(f"DELETE FROM knowledge_entry_topics WHERE entry IN {IDS}", ids=ids)
    tx.execute(f"DELETE FROM knowledge_entry_words WHERE rowid IN {IDS}", ids=ids)
    return changes


def _write(tx: SyncTransaction, ids: str, rebuilt: Sequence[_Rebuilt]) -> None:
    columns = ", ".join(_COLUMNS)
    values: Sequence[Row] = [
        {"id": entry.id, "shelf": entry.shelf, "number": entry.number, **entry.built.entry} for entry in rebuilt
    ]
    tx.execute(
        f"""DELETE FROM knowledge_entries WHERE id IN {IDS} AND id NOT IN (SELECT value FROM json_each(:kept))""",
        ids=ids,
        kept=as_list([entry.id for entry in rebuilt]),
    )
    tx.execute_many(
        f"""INSERT INTO knowledge_entries (id, {columns}) VALUES (:id, {", ".join(f":{name}" for name in _COLUMNS)})
        ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}""",
        values,
    )
    tx.execute_many(
        "INSERT INTO knowledge_entry_topics (entry, topic) VALUES (:id, :topic)",
        ({"id": entry.id, "topic": topic} for entry in rebuilt for topic in entry.built.topics),
    )
    tx.execute_many(
        f"""INSERT INTO knowledge_entry_words (rowid, {", ".join(COLUMNS)})
        VALUES (:id, {", ".join(f":{column}" for column in COLUMNS)})""",
        ({"id": entry.id, **entry.built.words} for entry in rebuilt if entry.built.words),
    )
