"""What is a page, an entry, a person, a room called inside? Ids by what they stand for; new ones are made."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.api import SyncTransaction
from plugins.knowledge.canonical import VERSION

Place = tuple[int, int]  # shelf id, resource id: what an entry is about


def resources_of(tx: SyncTransaction, keys: Collection[str]) -> Mapping[str, int]:
    """The pages of these canonical addresses; new ones are made."""
    digests = {digest(key): key for key in keys}
    tx.execute_many(
        "INSERT INTO resources (key, version) VALUES (:key, :version) ON CONFLICT DO NOTHING",
        ({"key": made, "version": VERSION} for made in digests),
    )
    rows = tx.rows(
        "SELECT id, key FROM resources WHERE key IN (SELECT value FROM json_each(:keys))", keys=json.dumps([*digests])
    )
    return {digests[row["key"]]: row["id"] for row in rows}


def entries_of(tx: SyncTransaction, places: Sequence[Place]) -> Mapping[Place, int]:
    """The entries of these pages on these shelves; new ones get the next numbers."""
    found = _entries(tx, places)
    new = [place for place in places if place not in found]
    if not new:
        return found
    numbered = []
    by_shelf: dict[int, list[int]] = {}
    for shelf, resource in new:
        by_shelf.setdefault(shelf, []).append(resource)
    for shelf, mine in by_shelf.items():
        last = tx.value(
            "UPDATE shelves SET last = last + :count WHERE id = :shelf RETURNING last", count=len(mine), shelf=shelf
        )
        first = last - len(mine) + 1
        numbered += [(shelf, first + place, resource) for place, resource in enumerate(mine)]
    made = tx.rows(
        """INSERT INTO entries (shelf, number, resource) SELECT value ->> 0, value ->> 1, value ->> 2
        FROM json_each(:numbered) RETURNING id, shelf, resource""",
        numbered=json.dumps(numbered),
    )
    return {**found, **{(row["shelf"], row["resource"]): row["id"] for row in made}}


def digest(key: str) -> str:
    """A canonical address as it is stored: shorter than the address, and nothing to be read from it. 96 bits: nobody
    finds another address that has the digest of a known one."""
    return urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=12).digest()).decode()


def _entries(tx: SyncTransaction, places: Sequence[Place]) -> dict[Place, int]:
    rows = tx.rows(
        """SELECT p.value ->> 0 AS shelf, p.value ->> 1 AS resource, coalesce(m.entry, e.id) AS entry
        FROM json_each(:places) p
        LEFT JOIN merged m ON m.shelf = p.value ->> 0 AND m.resource = p.value ->> 1
        LEFT JOIN entries e ON e.shelf = p.value ->> 0 AND e.resource = p.value ->> 1
        WHERE coalesce(m.entry, e.id) IS NOT NULL""",
        places=json.dumps(places),
    )
    return {(row["shelf"], row["resource"]): row["entry"] for row in rows}


def ids_of(tx: SyncTransaction, table: str, column: str, names: Iterable[str]) -> Mapping[str, int]:
    """The ids of people or rooms, new ones included."""
    wanted = set(names)
    find = f"SELECT id, {column} AS name FROM {table} WHERE {column} IN (SELECT value FROM json_each(:names))"
    rows = tx.rows(find, names=json.dumps(sorted(wanted)))
    if new := wanted - {row["name"] for row in rows}:
        tx.execute_many(f"INSERT INTO {table} ({column}) VALUES (:name)", ({"name": name} for name in sorted(new)))
        rows = tx.rows(find, names=json.dumps(sorted(wanted)))
    return {row["name"]: row["id"] for row in rows}
