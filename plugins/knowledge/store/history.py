"""The list of changes: which commands said what of which pages, and what of it was withdrawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader

IMPORT = "import"

_SELECT = """SELECT c.id, c.shelf, c.kind, p.number, p.entry, u.user_id AS by, c.at, c.state, c.name, c.links
    FROM knowledge_commands c LEFT JOIN knowledge_pages p ON p.id = c.page LEFT JOIN knowledge_people u ON u.id = c.by
    WHERE c.shelf IN (SELECT value FROM json_each(:shelves)) AND (c.kind = 'edit' OR c.kind = 'import'
    AND c.links > 0)"""
_COUNTS = "EXISTS (SELECT 1 FROM knowledge_statements WHERE command = c.id AND withdrawn IS NULL)"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a command said. `number` is that of the page it was said of, `target` of the page it names."""

    field: str
    key: str
    value: str | None
    number: int
    target: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """One command that changed something: `number` is that of the page it was said of, `entry` where that is now. Of an
    import (`kind`) there is the `name` of the file and how many `links` it added instead."""

    id: int
    shelf: int
    kind: str
    number: int | None
    entry: int | None
    by: str | None
    at: int
    state: str
    name: str | None
    links: int
    said: Sequence[Said] = ()


def changes(db: SyncReader, shelves: Sequence[int], limit: int) -> Sequence[Change]:
    """The newest changes on some shelves."""
    return _changes(db, "TRUE ORDER BY c.id DESC LIMIT :limit", shelves, limit=limit)


def last_of(db: SyncReader, shelves: Sequence[int], user: str, limit: int) -> Sequence[Change]:
    """A person's newest changes of which anything still counts."""
    where = f"u.user_id = :user AND c.kind = 'edit' AND {_COUNTS} ORDER BY c.id DESC LIMIT :limit"
    return _changes(db, where, shelves, user=user, limit=limit)


def undone_by(db: SyncReader, shelves: Sequence[int], event: str) -> Change | None:
    """The change that a message undid."""
    return next(iter(_changes(db, "c.undone_by = :event", shelves, event=event)), None)


def change(db: SyncReader, shelves: Sequence[int], id_: int) -> Change | None:
    """The change of that number."""
    return next(iter(_changes(db, "c.id = :id", shelves, id=id_)), None)


def _changes(db: SyncReader, where: str, shelves: Sequence[int], **params: object) -> Sequence[Change]:
    rows = db.rows(f"{_SELECT} AND {where}", shelves=json.dumps(shelves), **params)
    said: dict[int, list[Row]] = {}
    for row in db.rows(
        """SELECT s.command, s.seq, s.field, s.key, s.value, p.number, t.number AS target FROM knowledge_statements s
        JOIN knowledge_pages p ON p.id = s.page LEFT JOIN knowledge_pages t ON s.field <> 'cut' AND t.id = s.target
        WHERE s.command IN (SELECT value FROM json_each(:ids)) ORDER BY s.seq, p.number""",
        ids=json.dumps([row["id"] for row in rows if row["kind"] != IMPORT]),
    ):
        said.setdefault(row["command"], []).append(row)
    return [Change(**row, said=_once(said.get(row["id"], ()))) for row in rows]


def _once(rows: Sequence[Row]) -> Sequence[Said]:
    """What was said of several pages at once is told once."""
    by_seq = {row["seq"]: row for row in reversed(rows)}
    return [
        Said(row["field"], row["key"], row["value"], row["number"], row["target"])
        for row in sorted(by_seq.values(), key=lambda row: int(row["seq"]))
    ]
