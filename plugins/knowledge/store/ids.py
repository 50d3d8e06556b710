"""What is a page, an entry, a person, a room called inside? Ids by what they stand for; new ones are made."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from bot.api import SyncTransaction
from plugins.knowledge.store import sql
from plugins.knowledge.urls.canonical import VERSION

Place = tuple[int, int]  # shelf id, resource id: what an entry is about


# Each is looked up alone: SQLite takes longer to begin reading a list than to find one row.


def resources_of(tx: SyncTransaction, keys: Collection[str]) -> Mapping[str, int]:
    """The pages of these canonical addresses; new ones are made."""
    digests = {key: digest(key) for key in keys}
    known = {one: tx.value("SELECT id FROM resources WHERE key = :key", key=one) for one in digests.values()}
    new = dict(zip((one for one in known if known[one] is None), new_ids(tx, "resources"), strict=False))
    tx.execute_many(
        "INSERT INTO resources (id, key, version) VALUES (:id, :key, :version)",
        ({"id": id_, "key": one, "version": VERSION} for one, id_ in new.items()),
    )
    known |= new
    return {key: known[one] for key, one in digests.items()}


def entries_of(tx: SyncTransaction, places: Sequence[Place]) -> Mapping[Place, int]:
    """The entries of these pages on these shelves; new ones get the next numbers, in their order."""
    known: dict[Place, Any] = {place: entry_of(tx, *place) for place in places}  # Any: None until it has an id
    new = dict(zip((place for place in known if known[place] is None), new_ids(tx, "entries"), strict=False))
    wanted = Counter(shelf for shelf, _ in new)
    numbers = {shelf: count(first_number(tx, shelf, how_many)) for shelf, how_many in wanted.items()}
    tx.execute_many(
        "INSERT INTO entries (id, shelf, number, resource) VALUES (:id, :shelf, :number, :resource)",
        (
            {"id": id_, "shelf": shelf, "number": next(numbers[shelf]), "resource": resource}
            for (shelf, resource), id_ in new.items()
        ),
    )
    known |= new
    return known


def new_ids(tx: SyncTransaction, table: str) -> Iterator[int]:
    """Ids that no row of a table has, as SQLite would give them: chosen here, one statement writes all rows and their
    ids are known. Nobody else gives any meanwhile: whoever writes is alone."""
    return count(tx.value(f"SELECT coalesce(max(id), 0) + 1 FROM {table}"))


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


def entry_of(tx: SyncTransaction, shelf: int, resource: int) -> int | None:
    """The entry that has a page, as its own or joined to it."""
    found: int | None = tx.value(f"SELECT {sql.entry_of(':shelf', ':resource')}", shelf=shelf, resource=resource)
    return found


def first_number(tx: SyncTransaction, shelf: int, how_many: int) -> int:
    """The first of so many new numbers of a shelf."""
    last: int = tx.value(
        "UPDATE shelves SET last = last + :how_many WHERE id = :shelf RETURNING last",
        how_many=how_many,
        shelf=shelf,
    )
    return last - how_many + 1


def _named(tx: SyncTransaction, table: str, column: str, name: str) -> int:
    found = tx.value(f"SELECT id FROM {table} WHERE {column} = :name", name=name)
    if found is None:
        found = tx.value(f"INSERT INTO {table} ({column}) VALUES (:name) RETURNING id", name=name)
    return int(found)
