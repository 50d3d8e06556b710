"""Imported files: each is one command, and all it added names that command, so that it can be undone as one.

What people said of its links stays: shares, statements, votes. A page that only the file shared goes, unless people
vouched for it: then its bare address stays, without the file's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.api import SyncReader, SyncTransaction, Text
from plugins.knowledge.store.pages import IDS, as_list, entries_of, regroup
from plugins.knowledge.store.resolve import VOUCHES
from plugins.knowledge.store.statements import create_command
from plugins.knowledge.store.tlp import GREEN

SLICE = 200  # pages in one transaction

State = Literal["begun", "done", "undoing", "undone"]

_SAID = """(EXISTS (SELECT 1 FROM knowledge_shares WHERE page = p.id AND command IS NOT :command AND bare = 0)
    OR EXISTS (SELECT 1 FROM knowledge_recommendations WHERE page = p.id))"""
"""SQL for the condition that somebody else than the import `:command` shares or recommends the page `p`."""
_VOUCHED = f"""(EXISTS (SELECT 1 FROM knowledge_statements v JOIN knowledge_commands c ON c.id = v.command
    WHERE v.page = p.id AND v.withdrawn IS NULL AND c.kind <> 'import'
    AND v.field IN ({", ".join(f"'{name}'" for name in sorted(VOUCHES))}) AND v.value NOT IN ('0', '-'))
    AND NOT EXISTS (SELECT 1 FROM knowledge_statements h
    WHERE h.page = p.id AND h.command = :command AND h.field = 'hidden'))"""
"""SQL for the condition that people vouch for the page `p`. Not for one that the import `:command` hid: it would be
shown without it."""

UNFINISHED: Mapping[str, Text] = {
    "begun": Text("not finished: run the same faro import again to continue"),
    "undoing": Text("undo not finished: run the same faro undo-import again to continue"),
}


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was imported. Its state is `begun` or `undoing` where that was not finished."""

    id: int
    circle: str
    kind: str
    name: str
    links: int
    at: int
    state: State


@dataclass(frozen=True, slots=True)
class Effect:
    """How many results go when an import is undone, and how many stay."""

    go: int
    stay: int


def begun(db: SyncReader, digest: str) -> tuple[int, int] | None:
    """The import of the file with this digest that was begun and not finished, and how many of its items are done."""
    row = db.row("SELECT id, items FROM knowledge_commands WHERE digest = :digest AND state = 'begun'", digest=digest)
    return (row["id"], row["items"]) if row else None


class UndoneMeanwhile(Exception):  # noqa: N818 - it says what happened
    """The import was undone while it went on."""


def open_import(tx: SyncTransaction, shelf: int, digest: str, name: str, at: int, *, goes_on: bool = False) -> int:
    """The command of a file: a new one, or that which was begun. Raises `UndoneMeanwhile` if it `goes_on` and is not
    there any more."""
    if there := begun(tx, digest):
        return there[0]
    if goes_on:
        raise UndoneMeanwhile
    command = create_command(tx, shelf, "import", None, at=at)
    tx.execute(
        "UPDATE knowledge_commands SET state = 'begun', name = :name, digest = :digest WHERE id = :command",
        command=command,
        name=name,
        digest=digest,
    )
    return command


def progress(tx: SyncTransaction, command: int, *, items: int, links: int, end: bool) -> None:
    """So many of the file's items are done, and so many links more were added. At its `end` a file that added nothing
    is no change."""
    tx.execute(
        """UPDATE knowledge_commands SET items = :items, links = links + :links,
        state = CASE WHEN :end THEN 'done' ELSE 'begun' END WHERE id = :command""",
        command=command,
        items=items,
        links=links,
        end=int(end),
    )
    if end:
        tx.execute("DELETE FROM knowledge_commands WHERE id = :command AND links = 0", command=command)


def imports(db: SyncReader, hub: str) -> Sequence[Import]:
    """The files imported into a hub, the newest first."""
    rows = db.rows(
        """SELECT c.id, s.circle, s.kind, c.name, c.links, c.at, c.state FROM knowledge_commands c
        JOIN knowledge_shelves s ON s.id = c.shelf
        WHERE s.hub = :hub AND c.kind = 'import' AND c.links > 0 ORDER BY c.id DESC""",
        hub=hub,
    )
    return [Import(**row) for row in rows]


def effect(db: SyncReader, command: int) -> Effect:
    """What undoing an import would do."""
    row = db.row(
        f"""SELECT count(DISTINCT p.entry) AS results,
        count(DISTINCT CASE WHEN {_SAID} OR {_VOUCHED} THEN p.entry END) AS stay
        FROM knowledge_pages p WHERE p.entry IN (SELECT entry FROM knowledge_pages WHERE id IN ({_touched()}))""",
        command=command,
    )
    return Effect(row["results"] - row["stay"], row["stay"]) if row else Effect(0, 0)


def begin_undoing(tx: SyncTransaction, command: int) -> None:
    tx.execute("UPDATE knowledge_commands SET state = 'undoing' WHERE id = :command", command=command)


def undo_some(tx: SyncTransaction, command: int) -> set[int]:
    """Removes what an import added from some pages. Answers the entries that were touched; none: all of it is gone."""
    rows = tx.rows(f"SELECT page FROM ({_touched(SLICE)}) LIMIT {SLICE}", command=command)
    if not rows:
        return set()
    pages = {row["page"] for row in rows}
    ids = as_list(pages)
    edges = tx.rows(
        f"""SELECT target FROM knowledge_statements WHERE page IN {IDS} AND command = :command AND field = 'same_as'""",
        ids=ids,
        command=command,
    )
    tx.execute(
        f"""UPDATE knowledge_shares AS s SET command = NULL, bare = 1, sender = NULL, label = NULL, note = NULL,
        topics = NULL,
        tlp = (SELECT max(max(tlp), :green) FROM knowledge_shares WHERE page = s.page AND command = :command)
        WHERE id IN (SELECT (SELECT max(id) FROM knowledge_shares WHERE page = p.id AND command = :command)
        FROM knowledge_pages p WHERE p.id IN {IDS} AND {_VOUCHED} AND NOT {_SAID})""",
        ids=ids,
        command=command,
        green=GREEN,
    )
    for table in ("knowledge_shares", "knowledge_statements", "knowledge_facts"):
        tx.execute(f"DELETE FROM {table} WHERE page IN {IDS} AND +command = :command", ids=ids, command=command)
    return regroup(tx, pages | {row["target"] for row in edges}) | entries_of(tx, pages)


def end_undoing(tx: SyncTransaction, command: int) -> None:
    tx.execute("UPDATE knowledge_commands SET state = 'undone' WHERE id = :command", command=command)


def _touched(most: int | None = None) -> str:
    """SQL for the pages an import added something to."""
    limit = f" LIMIT {most}" if most else ""
    return " UNION ".join(
        f"SELECT page FROM (SELECT page FROM {table} WHERE command = :command{limit})"
        for table in ("knowledge_shares", "knowledge_statements", "knowledge_facts")
    )
