"""Which entries of a shelf may be one page? Shown to moderators, who decide; nothing is joined by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader
from plugins.knowledge import alike
from plugins.knowledge.canonical import canonical
from plugins.knowledge.placing import digest
from plugins.knowledge.rows import entry_of

MOST_COMPARED = 5_000  # entries of a shelf, the newest, that are compared


@dataclass(frozen=True, slots=True)
class Candidate:
    """Entries of a shelf that may be one page, by their numbers; `reason` is address, language, or page."""

    numbers: tuple[int, ...]
    reason: str


def candidates(db: SyncReader, shelf: int, limit: int) -> Sequence[Candidate]:
    """Entries of a shelf that may be one page: addresses that differ in little, versions in other languages, and pages
    that name another one as theirs."""
    rows = db.rows(
        """SELECT e.number, coalesce(e.url, (SELECT url FROM shares WHERE entry = e.id LIMIT 1)) AS url
        FROM entries e WHERE e.shelf = :shelf ORDER BY e.id DESC LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    spelt, translated = _together(rows, alike.loose), _together(rows, alike.without_language)
    found = [Candidate(numbers, "address") for numbers in spelt]
    found += _said_by_pages(db, shelf, limit)
    found += _versions_by_pages(db, shelf, limit)
    found += [Candidate(numbers, "language") for numbers in translated if numbers not in spelt]
    return list(dict.fromkeys(found))[:limit]


def _together(rows: Sequence[Row], form: Callable[[str], str | None]) -> list[tuple[int, ...]]:
    """The numbers of entries whose addresses have this form in common."""
    by_form: dict[str, list[int]] = {}
    for row in rows:
        if found := row["url"] and form(row["url"]):
            by_form.setdefault(found, []).append(row["number"])
    return [tuple(sorted(numbers)) for numbers in by_form.values() if len(numbers) > 1]


def _said_by_pages(db: SyncReader, shelf: int, limit: int) -> list[Candidate]:
    rows = db.rows(
        """SELECT e.number, f.final_url, f.canonical, h.moved_to,
        coalesce(f.url, e.url, (SELECT url FROM shares WHERE entry = e.id LIMIT 1)) AS url FROM entries e
        LEFT JOIN facts f ON f.entry = e.id LEFT JOIN health h ON h.entry = e.id WHERE e.shelf = :shelf
        AND (f.final_url IS NOT NULL OR f.canonical IS NOT NULL OR h.moved_to IS NOT NULL) LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    found = []
    for row in rows:
        for target in (row["canonical"], row["final_url"], row["moved_to"]):
            if not target or not row["url"] or not alike.may_join(row["url"], target):
                continue
            other = db.value(
                f"""SELECT e.number FROM resources r JOIN entries e ON e.id = {entry_of(":shelf", "r.id")}
                WHERE r.key = :key""",
                shelf=shelf,
                key=digest(canonical(target) or target),
            )
            if other is not None and other != row["number"]:
                first, second = sorted((int(other), int(row["number"])))
                found.append(Candidate((first, second), "page"))
        if len(found) >= limit:
            break
    return found


def _versions_by_pages(db: SyncReader, shelf: int, limit: int) -> list[Candidate]:
    """Pages that name another one of the shelf as themselves in another language (`hreflang`)."""
    rows = db.rows(
        f"""SELECT DISTINCT min(e.number, o.number) AS first, max(e.number, o.number) AS second
        FROM facts f JOIN entries e ON e.id = f.entry JOIN json_each(f.versions) v
        JOIN resources r ON r.key = v.value JOIN entries o ON o.id = {entry_of("e.shelf", "r.id")}
        WHERE e.shelf = :shelf AND f.versions IS NOT NULL AND o.id <> e.id LIMIT :limit""",
        shelf=shelf,
        limit=limit,
    )
    return [Candidate((row["first"], row["second"]), "language") for row in rows]
