"""What goes for good: everything a person said, one result, or all the index holds of a hub. And what people chose
about themselves.

Each function is one short transaction's work, so that a bot that runs meanwhile has its turn; done twice, the second
time changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.access import every_shelf
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import IDS, as_list, entries_of, person
from plugins.knowledge.store.statements import UNUSED, take_words, tombstone_pages

SLICE = 200  # entries in one transaction
FEW = 20  # people or rooms in one: for each, SQLite looks whether any row still names it

_PERSON = "(SELECT id FROM knowledge_people WHERE user_id = :user)"
_SHELVES = "(SELECT id FROM knowledge_shelves WHERE hub = :hub)"
_OWN_SHELVES = "(SELECT id FROM knowledge_shelves WHERE hub = :hub AND kind <> 'addresses')"
_PAGES = f"(SELECT id FROM knowledge_pages WHERE shelf IN {_SHELVES})"
_NAMED = {
    "knowledge_rooms": "SELECT room FROM knowledge_shares EXCEPT SELECT room FROM knowledge_commands",
    "knowledge_people": """SELECT sender FROM knowledge_shares EXCEPT SELECT by FROM knowledge_commands
        EXCEPT SELECT person FROM knowledge_choices""",
}

Held = Mapping[str, int]
"""What the index holds (entries, shares, statements, changes, votes) → how many."""


def forget(tx: SyncTransaction, user: str) -> set[int] | None:
    """Removes everything a person shared, wrote and found useful; what they hid, labelled, pinned, joined or split
    stays, without their name. That they want nothing kept stays known, or their next link would be kept. Answers the
    entries that were touched; None: nobody of that name is known."""
    id_ = tx.value("SELECT id FROM knowledge_people WHERE user_id = :user", user=user)
    if id_ is None:
        return None
    touched = take_words(tx, "c.by = :id", "forgotten", id=id_)
    shared = tx.rows("SELECT DISTINCT page FROM knowledge_shares WHERE sender = :id", id=id_)
    touched |= entries_of(tx, {row["page"] for row in shared})
    tx.execute("DELETE FROM knowledge_shares WHERE sender = :id", id=id_)
    tx.execute("UPDATE knowledge_commands SET by = NULL, event = NULL, undone_by = NULL WHERE by = :id", id=id_)
    tx.execute("UPDATE knowledge_choices SET askable = 0 WHERE person = :id AND unlogged = 1", id=id_)
    tx.execute("DELETE FROM knowledge_choices WHERE person = :id AND unlogged = 0", id=id_)
    tx.execute(
        "DELETE FROM knowledge_people WHERE id = :id AND id NOT IN (SELECT person FROM knowledge_choices)", id=id_
    )
    return touched


def is_unlogged(db: SyncReader, user: str) -> bool:
    """Whether a person wants nothing kept."""
    return bool(db.value(f"SELECT unlogged FROM knowledge_choices WHERE person = {_PERSON}", user=user))


def unlogged(db: SyncReader) -> frozenset[str]:
    """Everybody who wants nothing kept."""
    rows = db.rows(
        "SELECT p.user_id FROM knowledge_choices c JOIN knowledge_people p ON p.id = c.person WHERE c.unlogged = 1"
    )
    return frozenset(row["user_id"] for row in rows)


def choose(tx: SyncTransaction, user: str, *, unlogged: bool | None = None, askable: bool | None = None) -> None:
    """Keeps what a person chose: that nothing they share is kept, or that they may be asked."""
    tx.execute(
        """INSERT INTO knowledge_choices (person, unlogged, askable)
        VALUES (:person, coalesce(:unlogged, 0), coalesce(:askable, 0)) ON CONFLICT (person) DO UPDATE
        SET unlogged = coalesce(:unlogged, unlogged), askable = coalesce(:askable, askable)""",
        person=person(tx, user),
        unlogged=None if unlogged is None else int(unlogged),
        askable=None if askable is None else int(askable),
    )


def hubs(db: SyncReader) -> Sequence[str]:
    """The hubs the index holds anything of, also those that are no longer configured."""
    return sorted({shelf.hub for shelf in every_shelf(db)})


def held_of_hub(db: SyncReader, hub: str) -> Held:
    shelf, page = f"shelf IN {_SHELVES}", f"page IN {_PAGES}"
    return _held(
        db,
        {
            "entries": f"knowledge_entries WHERE shelf IN {_OWN_SHELVES}",
            "shares": f"knowledge_shares WHERE {page}",
            "statements": f"knowledge_statements WHERE {page} AND field <> 'useful' AND withdrawn IS NULL",
            "changes": f"knowledge_commands WHERE {shelf} AND kind IN ('edit', 'import')",
            "votes": f"knowledge_statements WHERE {page} AND field = 'useful'",
        },
        hub=hub,
    )


def held_of_entry(db: SyncReader, entry: int) -> Held:
    page = "page IN (SELECT id FROM knowledge_pages WHERE entry = :entry)"
    return _held(
        db,
        {
            "shares": f"knowledge_shares WHERE {page}",
            "statements": f"knowledge_statements WHERE {page} AND field <> 'useful' AND withdrawn IS NULL",
            "votes": f"knowledge_statements WHERE {page} AND field = 'useful'",
        },
        entry=entry,
    )


def held_of_person(db: SyncReader, user: str) -> Held:
    theirs = f"command IN (SELECT id FROM knowledge_commands WHERE by = {_PERSON})"
    return _held(
        db,
        {
            "shares": f"knowledge_shares WHERE sender = {_PERSON}",
            "statements": f"knowledge_statements WHERE {theirs} AND field <> 'useful' AND withdrawn IS NULL",
            "changes": f"knowledge_commands WHERE by = {_PERSON} AND kind = 'edit'",
            "votes": f"knowledge_statements WHERE {theirs} AND field = 'useful'",
        },
        user=user,
    )


def purge(tx: SyncTransaction, entries: Collection[int]) -> None:
    """These entries go with all that was said of them; only their numbers stay taken."""
    parts = [part for of_entry in load(tx, entries).values() for part in of_entry]
    tombstone_pages(tx, parts)
    ids = as_list([part.page for part in parts])
    tx.execute(f"DELETE FROM knowledge_recommendations WHERE page IN {IDS}", ids=ids)
    tx.execute(f"DELETE FROM knowledge_statements WHERE page IN {IDS}", ids=ids)
    tx.execute(f"DELETE FROM knowledge_commands WHERE page IN {IDS} AND {UNUSED}", ids=ids)
    tx.execute(f"UPDATE knowledge_pages SET key = NULL WHERE id IN {IDS}", ids=ids)


def some_of_hub(db: SyncReader, hub: str) -> Collection[int]:
    """Some entries of a hub; none: there are none left."""
    return {
        row["id"]
        for row in db.rows(f"SELECT id FROM knowledge_entries WHERE shelf IN {_OWN_SHELVES} LIMIT {SLICE}", hub=hub)
    }


def drop_searches(tx: SyncTransaction, hub: str) -> None:
    """What was asked in the rooms the hub's entries were shared in."""
    tx.execute(
        f"""DELETE FROM knowledge_searches WHERE room IN (SELECT room FROM knowledge_rooms WHERE id IN
        (SELECT room FROM knowledge_shares WHERE page IN {_PAGES}))""",
        hub=hub,
    )


def close_hub(tx: SyncTransaction, hub: str, *, configured: bool) -> None:
    """The list of changes goes, with the names of files, and what is left of pages; the empty shelves, too, unless the
    hub is in use: its numbers go on."""
    tx.execute(f"DELETE FROM knowledge_statements WHERE page IN {_PAGES}", hub=hub)
    tx.execute(f"DELETE FROM knowledge_commands WHERE shelf IN {_SHELVES}", hub=hub)
    tx.execute(f"DELETE FROM knowledge_pages WHERE shelf IN {_SHELVES}", hub=hub)
    if not configured:
        tx.execute("DELETE FROM knowledge_shelves WHERE hub = :hub", hub=hub)


def drop_unused(tx: SyncTransaction, table: str) -> bool:
    """Removes some of the people or rooms that nothing names any more; whether there may be more."""
    unused = f"SELECT id FROM {table} EXCEPT {_NAMED[table]} LIMIT {FEW}"
    return tx.execute(f"DELETE FROM {table} WHERE id IN ({unused})") == FEW


def _held(db: SyncReader, sources: Mapping[str, str], **params: object) -> Held:
    return {name: db.value(f"SELECT count(*) FROM {source}", **params) for name, source in sources.items()}
