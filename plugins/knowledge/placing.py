"""What is a page, an entry, a person, a room called inside? Ids by what they stand for; new ones are made."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence

from bot.api import SyncTransaction
from plugins.knowledge.canonical import VERSION

Place = tuple[int, int]  # shelf id, resource id: what an entry is about


# One statement for each: SQLite takes longer to begin reading a list than to find one row.


def resources_of(tx: SyncTransaction, keys: Collection[str]) -> Mapping[str, int]:
    """The pages of these canonical addresses; new ones are made."""
    return {key: _resource(tx, digest(key)) for key in keys}


def entries_of(tx: SyncTransaction, places: Sequence[Place]) -> Mapping[Place, int]:
    """The entries of these pages on these shelves; new ones get the next numbers."""
    return {place: _entry(tx, *place) for place in places}


def sharer_of(tx: SyncTransaction, user: str) -> int:
    """The id of a person, who may be new."""
    return _named(tx, "sharers", "user", user)


def place_of(tx: SyncTransaction, room: str) -> int:
    """The id of a Matrix room, which may be new."""
    return _named(tx, "places", "room", room)


def digest(key: str) -> str:
    """A canonical address as it is stored: shorter than the address, and nothing to be read from it. 96 bits: nobody
    finds another address that has the digest of a known one."""
    return urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=12).digest()).decode()


def _resource(tx: SyncTransaction, key: str) -> int:
    found = tx.value("SELECT id FROM resources WHERE key = :key", key=key)
    if found is None:
        new = "INSERT INTO resources (key, version) VALUES (:key, :version) RETURNING id"
        found = tx.value(new, key=key, version=VERSION)
    return int(found)


def _entry(tx: SyncTransaction, shelf: int, resource: int) -> int:
    found = tx.value(
        """SELECT coalesce((SELECT entry FROM merged WHERE shelf = :shelf AND resource = :resource),
        (SELECT id FROM entries WHERE shelf = :shelf AND resource = :resource))""",
        shelf=shelf,
        resource=resource,
    )
    if found is None:
        number = tx.value("UPDATE shelves SET last = last + 1 WHERE id = :shelf RETURNING last", shelf=shelf)
        found = tx.value(
            "INSERT INTO entries (shelf, number, resource) VALUES (:shelf, :number, :resource) RETURNING id",
            shelf=shelf,
            number=number,
            resource=resource,
        )
    return int(found)


def _named(tx: SyncTransaction, table: str, column: str, name: str) -> int:
    found = tx.value(f"SELECT id FROM {table} WHERE {column} = :name", name=name)
    if found is None:
        found = tx.value(f"INSERT INTO {table} ({column}) VALUES (:name) RETURNING id", name=name)
    return int(found)
