"""Finds likely duplicates among the entries of a shelf. Coordinators decide; nothing is merged automatically."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.api import Row, SyncReader
from plugins.knowledge.store.load import ADDRESS, BELIEVED
from plugins.knowledge.store.pages import digest
from plugins.knowledge.urls import variants
from plugins.knowledge.urls.canonical import canonical

MOST_COMPARED = 5_000  # entries of a shelf, the newest, that are compared

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The numbers of two entries that may be the same page; `reason` is address, language, or page."""

    numbers: Pair
    reason: str


def candidates(db: SyncReader, shelf: int) -> Sequence[Candidate]:
    """Likely duplicates: similar addresses, pages that claim another address, and versions in other languages.

    Of a group only one pair is proposed at a time; pairs that were rejected before are left out.
    """
    rows = db.rows(
        f"""SELECT e.number, {ADDRESS} AS url FROM knowledge_entries e WHERE e.shelf = :shelf
        ORDER BY e.id DESC LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    same_address, same_but_language = (
        _group_by_key(rows, variants.loose),
        _group_by_key(rows, variants.without_language),
    )
    groups: list[tuple[Sequence[int], str]] = [(numbers, "address") for numbers in same_address]
    groups += [(pair, "page") for pair in _claimed_by_pages(db, shelf)]
    groups += [(pair, "language") for pair in _versions_by_pages(db, shelf)]
    groups += [(numbers, "language") for numbers in same_but_language if numbers not in same_address]
    handled = _rejected_pairs(db, shelf, {number for numbers, _ in groups for number in numbers})
    pairs = []
    for numbers, reason in groups:
        pair = next((pair for pair in combinations(sorted(numbers), 2) if pair not in handled), None)
        if pair is not None:
            pairs.append(Candidate(pair, reason))
            handled.add(pair)
    return pairs


def addresses(db: SyncReader, shelf: int, numbers: Collection[int]) -> Mapping[int, str]:
    """The addresses of entries, by number."""
    rows = db.rows(
        f"""SELECT e.number, {ADDRESS} AS url FROM knowledge_entries e WHERE e.shelf = :shelf
        AND e.number IN (SELECT value FROM json_each(:numbers))""",
        shelf=shelf,
        numbers=json.dumps(sorted(numbers)),
    )
    return {row["number"]: row["url"] or "" for row in rows}


def _rejected_pairs(db: SyncReader, shelf: int, numbers: Collection[int]) -> set[Pair]:
    """The pairs of these entries that people rejected as duplicates."""
    rows = db.rows(
        """SELECT one.number, other.number AS other FROM knowledge_statements s
        JOIN knowledge_pages p ON p.id = s.page JOIN knowledge_entries one ON one.id = p.entry
        JOIN knowledge_pages t ON t.id = s.target JOIN knowledge_entries other ON other.id = t.entry
        WHERE s.field = 'not_same_as' AND s.target IS NOT NULL AND s.withdrawn IS NULL AND one.shelf = :shelf
        AND one.number IN (SELECT value FROM json_each(:numbers))""",
        shelf=shelf,
        numbers=json.dumps(sorted(numbers)),
    )
    return {(min(row["number"], row["other"]), max(row["number"], row["other"])) for row in rows}


def _group_by_key(rows: Sequence[Row], key_of: Callable[[str], str | None]) -> list[tuple[int, ...]]:
    """The numbers of entries whose addresses share a key."""
    by_key: dict[str, list[int]] = {}
    for row in rows:
        if key := row["url"] and key_of(row["url"]):
            by_key.setdefault(key, []).append(row["number"])
    return [tuple(sorted(numbers)) for numbers in by_key.values() if len(numbers) > 1]


def _claimed_by_pages(db: SyncReader, shelf: int) -> list[Pair]:
    rows = db.rows(
        f"""SELECT e.number, f.final_url, f.canonical, h.moved_to, coalesce(f.url, {ADDRESS}) AS url
        FROM knowledge_entries e
        JOIN knowledge_pages p ON p.entry = e.id LEFT JOIN knowledge_facts f ON f.page = p.id LEFT
        JOIN knowledge_health h ON h.entry = e.id AND {BELIEVED}
        WHERE e.shelf = :shelf AND (f.final_url IS NOT NULL OR f.canonical IS NOT NULL OR h.moved_to IS NOT NULL)
        ORDER BY e.id DESC LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    pairs = []
    for row in rows:
        for target in (row["canonical"], row["final_url"], row["moved_to"]):
            if not target or not row["url"] or not variants.may_join(row["url"], target):
                continue
            other = db.value(
                """SELECT e.number FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
                WHERE p.key = :key AND p.shelf = :shelf""",
                shelf=shelf,
                key=digest(canonical(target) or target),
            )
            if other is not None and other != row["number"]:
                pairs.append((int(other), int(row["number"])))
    return pairs


def _versions_by_pages(db: SyncReader, shelf: int) -> list[Pair]:
    """Pairs of pages of which one names the other as its version in another language (`hreflang`)."""
    rows = db.rows(
        """SELECT e.number AS one, o.number AS other FROM knowledge_facts f
        JOIN knowledge_pages p ON p.id = f.page JOIN knowledge_entries e ON e.id = p.entry JOIN json_each(f.versions) v
        JOIN knowledge_pages t ON t.key = v.value AND t.shelf = p.shelf JOIN knowledge_entries o ON o.id = t.entry
        WHERE e.shelf = :shelf AND f.versions IS NOT NULL AND o.id <> e.id ORDER BY e.id DESC LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    return [(row["one"], row["other"]) for row in rows]
