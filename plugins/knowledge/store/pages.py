"""Pages, people and rooms by what they are called outside: their ids; new ones are made. And which pages are one
entry."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.resolve import Statement, groups
from plugins.knowledge.urls.canonical import VERSION

IDS = "(SELECT value FROM json_each(:ids))"
"""SQL for the list `:ids`, given as `as_list` makes it."""


def as_list(ids: Collection[int] | Collection[str]) -> str:
    return json.dumps(sorted(ids))


# Each is looked up alone: SQLite takes longer to begin reading a list than to find one row.


def pages_of(tx: SyncTransaction, shelf: int, keys: Sequence[str]) -> Mapping[str, int]:
    """The pages of these canonical addresses on a shelf; new ones get the next numbers, in their order."""
    digests = {key: digest(key) for key in keys}
    known = {one: page_with(tx, shelf, one) for one in digests.values()}
    new = [one for one in known if known[one] is None]
    if new:
        numbers = count(take_numbers(tx, shelf, len(new)))
        known |= add_pages(tx, shelf, list(zip(new, numbers, strict=False)))
    return {key: page for key, one in digests.items() if (page := known[one]) is not None}


def add_pages(tx: SyncTransaction, shelf: int, wanted: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """New pages with these digests and numbers; their ids by digest."""
    ids = dict(zip((one for one, _ in wanted), _new_ids(tx), strict=False))
    tx.execute_many(
        """INSERT INTO knowledge_pages (id, shelf, number, key, version, entry)
        VALUES (:id, :shelf, :number, :key, :version, :id)""",
        ({"id": ids[one], "shelf": shelf, "number": number, "key": one, "version": VERSION} for one, number in wanted),
    )
    return ids


def add_page(tx: SyncTransaction, shelf: int, number: int) -> int:
    """A new page that has no key yet."""
    page = next(_new_ids(tx))
    tx.execute(
        """INSERT INTO knowledge_pages (id, shelf, number, version, entry)
        VALUES (:id, :shelf, :number, :version, :id)""",
        id=page,
        shelf=shelf,
        number=number,
        version=VERSION,
    )
    return page


def page_with(db: SyncReader, shelf: int, key_digest: str) -> int | None:
    """The page of a shelf with this key, also one of which nothing is left but that coordinators hid it."""
    page: int | None = db.value(
        "SELECT id FROM knowledge_pages WHERE key = :key AND shelf = :shelf", key=key_digest, shelf=shelf
    )
    return page


def entry_with(db: SyncReader, shelf: int, key: str) -> int | None:
    """The entry that has the page of this canonical address, if the shelf has one."""
    entry: int | None = db.value(
        """SELECT e.id FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
        WHERE p.key = :key AND p.shelf = :shelf""",
        key=digest(key),
        shelf=shelf,
    )
    return entry


def entries_of(db: SyncReader, pages: Collection[int]) -> set[int]:
    """The entries these pages belong to."""
    return set(entry_of_each(db, pages).values())


def entry_of_each(db: SyncReader, pages: Collection[int]) -> Mapping[int, int]:
    """The entry each of these pages belongs to, by page."""
    rows = db.rows(f"SELECT id, entry FROM knowledge_pages WHERE id IN {IDS}", ids=as_list(pages))
    return {row["id"]: row["entry"] for row in rows}


def members_of(db: SyncReader, entries: Collection[int]) -> Sequence[int]:
    """The pages of these entries, in the order of their numbers."""
    rows = db.rows(f"SELECT id FROM knowledge_pages WHERE entry IN {IDS} ORDER BY shelf, number", ids=as_list(entries))
    return [row["id"] for row in rows]


def regroup(tx: SyncTransaction, pages: Collection[int]) -> set[int]:
    """Brings the groups of these pages in line with the statements that join and cut them. Only the groups of pages at
    both ends of an edge that was added or withdrawn can change. Answers the entries that were touched."""
    before = entries_of(tx, pages)
    rows = tx.rows(f"SELECT id, entry FROM knowledge_pages WHERE entry IN {IDS}", ids=as_list(before))
    entry = {row["id"]: row["entry"] for row in rows}
    lead = groups(entry, edges_of(tx, entry))
    tx.execute_many(
        "UPDATE knowledge_pages SET entry = :entry WHERE id = :id",
        ({"id": page, "entry": lead[page]} for page in lead if lead[page] != entry[page]),
    )
    return before | set(lead.values())


def edges_of(db: SyncReader, pages: Collection[int]) -> Sequence[Statement]:
    """The statements that join these pages, or cut what joins them."""
    rows = db.rows(
        f"""SELECT page, seq, field, target, value FROM knowledge_statements WHERE page IN {IDS}
        AND field IN ('same_as', 'cut') AND withdrawn IS NULL ORDER BY seq, page""",
        ids=as_list(pages),
    )
    return [Statement(**row) for row in rows]


def person(tx: SyncTransaction, user: str) -> int:
    """The id of a person, who may be new."""
    return _named(tx, "knowledge_people", "user_id", user)


def room_id(tx: SyncTransaction, room: str) -> int:
    """The id of a Matrix room, which may be new."""
    return _named(tx, "knowledge_rooms", "room", room)


def digest(key: str) -> str:
    """A canonical address as it is stored: shorter than the address, and nothing to be read from it. 96 bits: nobody
    finds another address that has the digest of a known one."""
    return urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=12).digest()).decode()


def take_numbers(tx: SyncTransaction, shelf: int, how_many: int) -> int:
    """The first of so many new numbers of a shelf."""
    return _take(tx, shelf, "last_number", how_many)


def take_seqs(tx: SyncTransaction, shelf: int, how_many: int) -> int:
    """The first of so many new places in the order of what is said on a shelf."""
    return _take(tx, shelf, "last_seq", how_many)


def _new_ids(tx: SyncTransaction) -> Iterator[int]:
    """Ids that no page has. They are chosen here so that one statement can write many pages whose ids are known; this
    is safe because only one transaction writes at a time."""
    return count(tx.value("SELECT coalesce(max(id), 0) + 1 FROM knowledge_pages"))


def _take(tx: SyncTransaction, shelf: int, counter: str, how_many: int) -> int:
    last: int = tx.value(
        f"UPDATE knowledge_shelves SET {counter} = {counter} + :how_many WHERE id = :shelf RETURNING {counter}",
        how_many=how_many,
        shelf=shelf,
    )
    return last - how_many + 1


def _named(tx: SyncTransaction, table: str, column: str, name: str) -> int:
    id_ = tx.value(f"SELECT id FROM {table} WHERE {column} = :name", name=name)
    if id_ is None:
        id_ = tx.value(f"INSERT INTO {table} ({column}) VALUES (:name) RETURNING id", name=name)
    return int(id_)
