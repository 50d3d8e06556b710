"""The mere addresses of what encrypted rooms share, for hubs that open those (`encrypted_rooms_share: links`).

Each shown entry of an encrypted shelf has a page and an entry on the shelf of addresses: its address with what the
address itself says, without words, people and dates. They are derived from the entry and change with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.access import ADDRESSES, Shelf, shelf_for
from plugins.knowledge.store.pages import IDS, add_page, as_list, take_numbers
from plugins.knowledge.store.resolve import Resolved
from plugins.knowledge.urls.canonical import canonical


def originals(db: SyncReader, entries: Collection[int]) -> set[int]:
    """These entries, with the entry whose address it shows in place of a mere address."""
    rows = db.rows(
        f"SELECT coalesce(address_of, id) AS entry FROM knowledge_pages WHERE id IN {IDS}", ids=as_list(entries)
    )
    return {row["entry"] for row in rows}


def pages_for(db: SyncReader, entries: Collection[int]) -> Mapping[int, int]:
    """The pages that show the addresses of these entries, by entry."""
    rows = db.rows(f"SELECT id, address_of FROM knowledge_pages WHERE address_of IN {IDS}", ids=as_list(entries))
    return {row["address_of"]: row["id"] for row in rows}


def derive(
    tx: SyncTransaction, known: Mapping[int, int], opened: Sequence[tuple[Shelf, Resolved]]
) -> Iterator[tuple[Shelf, Resolved]]:
    """The mere address of each of these shown entries of encrypted shelves, and its shelf.

    `known`: the pages there are, by entry. Pages keep their numbers; one without an entry has no key."""
    if known:
        tx.execute(f"UPDATE knowledge_pages SET key = NULL WHERE id IN {IDS}", ids=as_list(list(known.values())))
    for home, entry in opened:
        if canonical(entry.url) is None:
            continue  # a file of the room, which others cannot open
        shelf = shelf_for(tx, home.hub, home.circle, ADDRESSES)
        page = known.get(entry.lead)
        if page is None:
            page = add_page(tx, shelf.id, take_numbers(tx, shelf.id, 1))
        tx.execute(
            """UPDATE knowledge_pages SET address_of = :lead, key =
            (SELECT key FROM knowledge_pages WHERE id = :lead) WHERE id = :page""",
            lead=entry.lead,
            page=page,
        )
        number: int = tx.value("SELECT number FROM knowledge_pages WHERE id = :page", page=page)
        yield shelf, _bare(entry, page, number)


def _bare(entry: Resolved, page: int, number: int) -> Resolved:
    """An entry without what people said of it, but for how freely it may travel."""
    return replace(
        entry,
        lead=page,
        number=number,
        shown=(),
        shares=(),
        titles={},
        other_titles=(),
        note={},
        topics={},
        pinned=False,
        votes=0,
    )
