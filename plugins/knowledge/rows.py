"""Which rows belong to which entry?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.api import Row, SyncReader


def by_entry(db: SyncReader, sql: str, ids: str) -> Mapping[int, Sequence[Row]]:
    """What a statement with a column `entry` finds for `:ids` (JSON), in its order; only entries that have any."""
    found: dict[int, list[Row]] = {}
    for row in db.rows(sql, ids=ids):
        found.setdefault(row["entry"], []).append(row)
    return found


CURATIONS = """SELECT c.* FROM curations c JOIN entries e ON e.id = c.entry
    WHERE c.entry IN (SELECT value FROM json_each(:ids)) ORDER BY c.resource <> e.resource, c.resource"""
"""What the YAML says of the entries `:ids` (JSON): of their own pages first, then of those that were joined to them."""
