"""Which rows belong to which entry?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.api import Row, SyncReader

TOLD = """LEFT JOIN facts f ON f.rowid = coalesce(
    (SELECT rowid FROM facts WHERE entry = e.id AND state = 'ok' AND resource = e.resource),
    (SELECT rowid FROM facts WHERE entry = e.id AND state = 'ok' ORDER BY resource LIMIT 1))"""
"""Joins `facts f` to `entries e`: what the entry's own page says of itself, else what another version of it says."""

ADDRESS = """coalesce(e.url, (SELECT url FROM shares WHERE entry = e.id ORDER BY sent_at DESC, id DESC LIMIT 1))"""
"""The address of `entries e`, as it is shown."""

PAGES = """SELECT id AS entry, resource FROM entries WHERE id IN (SELECT value FROM json_each(:ids))
    UNION ALL SELECT entry, resource FROM merged WHERE entry IN (SELECT value FROM json_each(:ids))"""
"""The pages of the entries `:ids` (JSON): their own, and those that were joined to them."""

PAGE_URL = """coalesce((SELECT value FROM corrections WHERE entry = e.id AND field = 'url' AND p.resource = e.resource),
    (SELECT value FROM put_aside WHERE shelf = e.shelf AND resource = p.resource AND field = 'url'),
    (SELECT url FROM curations WHERE entry = e.id AND resource = p.resource),
    (SELECT url FROM shares WHERE entry = e.id AND resource = p.resource ORDER BY length(url), id LIMIT 1))"""
"""The address of the page `p` (one of PAGES) of `entries e`: where it moved to, the YAML's, the shortest that was
shared; NULL if nobody says it any more."""

CURATIONS = """SELECT c.* FROM curations c JOIN entries e ON e.id = c.entry
    WHERE c.entry IN (SELECT value FROM json_each(:ids)) ORDER BY c.resource <> e.resource, c.resource"""
"""What the YAML says of the entries `:ids` (JSON): of their own pages first, then of those that were joined to them."""


def entry_of(shelf: str, resource: str) -> str:
    """SQL for the entry that has a page on a shelf, as its own or joined to it; NULL if none has. Both are SQL, too."""
    return f"""coalesce((SELECT entry FROM merged WHERE shelf = {shelf} AND resource = {resource}),
        (SELECT id FROM entries WHERE shelf = {shelf} AND resource = {resource}))"""


def by_entry(db: SyncReader, sql: str, ids: str) -> Mapping[int, Sequence[Row]]:
    """What a statement with a column `entry` finds for `:ids` (JSON), in its order; only entries that have any."""
    found: dict[int, list[Row]] = {}
    for row in db.rows(sql, ids=ids):
        found.setdefault(row["entry"], []).append(row)
    return found
