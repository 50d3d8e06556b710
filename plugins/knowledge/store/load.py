"""Reads what counts of some entries, page by page, for `resolve`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from bot.api import Row, SyncReader
from plugins.knowledge.store.pages import IDS, as_list
from plugins.knowledge.store.resolve import (
    NEWEST,
    Part,
    Share,
    Statement,
    Summary,
    last_two,
    resolve,
    summarize,
    without_outlived_limits,
)
from plugins.knowledge.store.resolve import Resolved as Resolved  # what `resolved` answers

T = TypeVar("T")

# {pages} is the list of pages; most pages have no statement, recommendation or facts, so these are read only where the
# first query says that there are some.
_PAGES = f"""SELECT p.id, p.number, p.entry,
    EXISTS (SELECT 1 FROM knowledge_statements WHERE page = p.id) AS statements,
    EXISTS (SELECT 1 FROM knowledge_recommendations WHERE page = p.id) AS recommendations,
    EXISTS (SELECT 1 FROM knowledge_facts WHERE page = p.id) AS facts
    FROM knowledge_pages p WHERE p.entry IN {IDS} ORDER BY p.entry, p.number"""
_SHARES = f"""SELECT s.id, s.page, s.seq, s.sender, s.sent_at, s.url, s.label, s.note, s.topics, s.tlp, s.attachment,
    s.bare, s.doubted FROM json_each(:ids) i CROSS JOIN knowledge_shares s ON s.id IN (SELECT id FROM knowledge_shares
    WHERE page = i.value ORDER BY sent_at DESC, seq DESC LIMIT {NEWEST}) ORDER BY s.page, s.sent_at DESC, s.seq DESC"""
_SUMMARIES = f"""SELECT page, sender, tlp, max(seq) AS seq FROM knowledge_shares WHERE page IN {IDS} AND bare = 0
    GROUP BY page, sender, tlp"""
_STATEMENTS = f"""SELECT s.page, s.seq, s.field, s.key, s.target, s.value, c.by, c.kind = 'import' AS imported
    FROM knowledge_statements s JOIN knowledge_commands c ON c.id = s.command
    WHERE s.page IN {IDS} AND s.withdrawn IS NULL ORDER BY s.page, s.seq"""
_RECOMMENDATIONS = f"SELECT * FROM knowledge_recommendations WHERE page IN {IDS}"
_FACTS = f"SELECT * FROM knowledge_facts WHERE page IN {IDS}"


ADDRESS = "coalesce(e.url, (SELECT url FROM knowledge_shares WHERE id = e.newest))"
"""SQL for the address of `knowledge_entries e`, as it is shown."""

BELIEVED = """NOT EXISTS (SELECT 1 FROM knowledge_pages b JOIN knowledge_statements d ON d.page = b.id
    WHERE b.entry = h.entry AND d.field = 'stays' AND d.value = h.moved_to AND d.withdrawn IS NULL)"""
"""SQL for the condition on `knowledge_health h` that nobody said it is wrong: the page did not move there."""


def load(db: SyncReader, entries: Collection[int]) -> Mapping[int, Sequence[Part]]:
    """The parts of these entries, by entry, in the order of their numbers. Any number of entries: the statements are
    the same for one and for a thousand."""
    pages = db.rows(_PAGES, ids=as_list(entries))
    ids = as_list([row["id"] for row in pages])

    def by_page(sql: str, name: str) -> Mapping[int, Sequence[Row]]:
        return _grouped(db.rows(sql, ids=ids)) if any(row[name] for row in pages) else {}

    shares = {
        page: [Share(**{**row, "bare": bool(row["bare"]), "doubted": bool(row["doubted"])}) for row in rows]
        for page, rows in _grouped(db.rows(_SHARES, ids=ids)).items()
    }
    summaries = _summaries(db, shares)
    statements = by_page(_STATEMENTS, "statements")
    recommendations = by_page(_RECOMMENDATIONS, "recommendations")
    facts = by_page(_FACTS, "facts")
    parts: dict[int, list[Part]] = {}
    for row in pages:
        page = row["id"]
        part = Part(
            page=page,
            number=row["number"],
            shares=shares.get(page, ()),
            summary=summaries.get(page, Summary()),
            statements=[Statement(**{**one, "imported": bool(one["imported"])}) for one in statements.get(page, ())],
            recommendation=next(iter(recommendations.get(page, ())), None),
            facts=next(iter(facts.get(page, ())), None),
        )
        parts.setdefault(row["entry"], []).append(part)
    return {entry: without_outlived_limits(of_entry) for entry, of_entry in parts.items()}


def resolved(db: SyncReader, entry: int) -> Resolved | None:
    """One entry as it is now."""
    parts = load(db, [entry])
    return resolve(entry, parts[entry]) if entry in parts else None


def _summaries(db: SyncReader, shares: Mapping[int, Sequence[Share]]) -> Mapping[int, Summary]:
    """Of pages with so many shares that not all of them were read, from the database."""
    many = [page for page, of_page in shares.items() if len(of_page) == NEWEST]
    summaries = {page: summarize(of_page) for page, of_page in shares.items() if len(of_page) < NEWEST}
    for page, rows in _grouped(db.rows(_SUMMARIES, ids=as_list(many)) if many else ()).items():
        labels: dict[int, int] = {}
        sharers: dict[int | None, int] = {}
        for row in rows:
            labels[row["tlp"]] = max(row["seq"], labels.get(row["tlp"], 0))
            sharers[row["sender"]] = max(row["seq"], sharers.get(row["sender"], 0))
        summaries[page] = Summary(labels, last_two(sharers))
    return summaries


def _grouped(rows: Sequence[Row]) -> Mapping[int, Sequence[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["page"], []).append(row)
    return grouped
