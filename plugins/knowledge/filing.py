"""Which entry an address belongs to, where that changes: two entries joined by a moderator, an address taken out of
one again, and pages whose keys were made by older rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.api import Reader, Row, Transaction
from plugins.knowledge import alike
from plugins.knowledge.canonical import VERSION, canonical
from plugins.knowledge.placing import digest, entries_of, resources_of
from plugins.knowledge.renewal import forget_resource, renew
from plugins.knowledge.rules import Rules
from plugins.knowledge.shelves import LABELS

MOST_COMPARED = 5_000  # entries of a shelf, the newest, that are compared


@dataclass(frozen=True, slots=True)
class Candidate:
    """Entries of a shelf that may be one page, by their numbers; `reason` is address, language, or page."""

    numbers: tuple[int, ...]
    reason: str


async def merge(tx: Transaction, rules: Rules, into: int, other: int) -> None:
    """The entry `other` becomes part of `into`, of the same shelf; its number leads there from now on."""
    row = await tx.row("SELECT shelf, resource, number FROM entries WHERE id = :other", other=other)
    if row is None:
        return
    for table in ("shares", "curations"):
        await tx.execute(f"UPDATE {table} SET entry = :into WHERE entry = :other", into=into, other=other)
    await _hand_over(tx, into, other, row)
    await renew(tx, rules, {into, other})


async def split(tx: Transaction, rules: Rules, shelf: int, number: int) -> int | None:
    """What was once the entry of that number is one again; its id, or None if it is no part of another, or nothing
    is left of it. What hid or labelled the whole does so for both parts: nothing is opened by this."""
    row = await tx.row(
        """SELECT resource, entry FROM merged m WHERE shelf = :shelf AND number = :number
        AND (EXISTS (SELECT 1 FROM shares WHERE entry = m.entry AND resource = m.resource)
        OR EXISTS (SELECT 1 FROM curations WHERE entry = m.entry AND resource = m.resource))""",
        shelf=shelf,
        number=number,
    )
    if row is None:
        return None
    own = await tx.value(
        "INSERT INTO entries (shelf, number, resource) VALUES (:shelf, :number, :resource) RETURNING id",
        shelf=shelf,
        number=number,
        resource=row["resource"],
    )
    for table in ("shares", "curations"):
        await tx.execute(
            f"UPDATE {table} SET entry = :own WHERE entry = :entry AND resource = :resource",
            own=own,
            **row,
        )
    await _take_back(tx, own, row["entry"], shelf, row["resource"])
    await tx.execute("DELETE FROM merged WHERE shelf = :shelf AND number = :number", shelf=shelf, number=number)
    await renew(tx, rules, {own, row["entry"]})
    return int(own)


async def _take_back(tx: Transaction, own: int, entry: int, shelf: int, resource: int) -> None:
    """The corrections of a part before it was joined are its own again, and no longer those of the whole."""
    await tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at) SELECT :own, field, value, by, at FROM put_aside
        WHERE shelf = :shelf AND resource = :resource""",
        own=own,
        shelf=shelf,
        resource=resource,
    )
    await tx.execute(
        """DELETE FROM corrections WHERE entry = :entry AND EXISTS (SELECT 1 FROM put_aside a WHERE a.shelf = :shelf
        AND a.resource = :resource AND a.field = corrections.field AND a.value = corrections.value
        AND a.by IS corrections.by AND a.at = corrections.at)""",
        entry=entry,
        shelf=shelf,
        resource=resource,
    )
    await tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at) SELECT :own, field, value, by, at FROM corrections
        WHERE entry = :entry AND field IN ('hidden', 'label')
        ON CONFLICT (entry, field) DO UPDATE SET value = excluded.value
        WHERE excluded.value = 'amber' OR (excluded.value = 'green' AND value = 'clear')""",
        own=own,
        entry=entry,
    )


async def candidates(db: Reader, shelf: int, limit: int) -> Sequence[Candidate]:
    """Entries of a shelf that may be one page: addresses that differ in little, versions in other languages, and pages
    that name another one as theirs."""
    rows = await db.rows(
        """SELECT e.number, coalesce(e.url, (SELECT url FROM shares WHERE entry = e.id LIMIT 1)) AS url
        FROM entries e WHERE e.shelf = :shelf ORDER BY e.id DESC LIMIT :most""",
        shelf=shelf,
        most=MOST_COMPARED,
    )
    spelt, translated = _together(rows, alike.loose), _together(rows, alike.without_language)
    found = [Candidate(numbers, "address") for numbers in spelt]
    found += await _said_by_pages(db, shelf, limit)
    found += await _versions_by_pages(db, shelf, limit)
    found += [Candidate(numbers, "language") for numbers in translated if numbers not in spelt]
    return list(dict.fromkeys(found))[:limit]


def _together(rows: Sequence[Row], form: Callable[[str], str | None]) -> list[tuple[int, ...]]:
    """The numbers of entries whose addresses have this form in common."""
    by_form: dict[str, list[int]] = {}
    for row in rows:
        if found := row["url"] and form(row["url"]):
            by_form.setdefault(found, []).append(row["number"])
    return [tuple(sorted(numbers)) for numbers in by_form.values() if len(numbers) > 1]


async def _said_by_pages(db: Reader, shelf: int, limit: int) -> list[Candidate]:
    rows = await db.rows(
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
            other = await db.value(
                """SELECT e.number FROM entries e JOIN resources r ON r.id = e.resource
                WHERE e.shelf = :shelf AND r.key = :key""",
                shelf=shelf,
                key=digest(canonical(target) or target),
            )
            if other is not None and other != row["number"]:
                first, second = sorted((int(other), int(row["number"])))
                found.append(Candidate((first, second), "page"))
        if len(found) >= limit:
            break
    return found


async def _versions_by_pages(db: Reader, shelf: int, limit: int) -> list[Candidate]:
    """Pages that name another one of the shelf as themselves in another language (`hreflang`)."""
    rows = await db.rows(
        """SELECT DISTINCT min(e.number, o.number) AS first, max(e.number, o.number) AS second
        FROM facts f JOIN entries e ON e.id = f.entry JOIN json_each(f.versions) v
        JOIN resources r ON r.key = v.value JOIN entries o ON o.shelf = e.shelf AND o.resource = r.id
        WHERE e.shelf = :shelf AND f.versions IS NOT NULL AND o.id <> e.id LIMIT :limit""",
        shelf=shelf,
        limit=limit,
    )
    return [Candidate((row["first"], row["second"]), "language") for row in rows]


async def refile(tx: Transaction, rules: Rules, most: int) -> bool:
    """Makes the keys of pages anew that older rules made; answers whether there are more to do.

    Pages that the new rules call one are joined; a page that they call two is taken apart.
    """
    old = await tx.rows("SELECT id FROM resources WHERE version <> :now LIMIT :most", now=VERSION, most=most)
    for row in old:
        await _refile(tx, rules, row["id"])
    return len(old) == most


async def refile_recommended(tx: Transaction, rules: Rules) -> None:
    """The same at once for what the YAML recommends, before it is looked for by its new keys."""
    for row in await tx.rows(
        "SELECT id FROM resources WHERE version <> :now AND id IN (SELECT resource FROM curations)", now=VERSION
    ):
        await _refile(tx, rules, row["id"])


async def _refile(tx: Transaction, rules: Rules, resource: int) -> None:
    rows = await tx.rows(
        """SELECT entry, url FROM shares WHERE resource = :id UNION SELECT entry, url FROM curations
        WHERE resource = :id""",
        id=resource,
    )
    keys = {row["url"]: canonical(row["url"]) or row["url"] for row in rows}
    taken = {
        key: await tx.value("SELECT id FROM resources WHERE key = :key AND id <> :id", key=digest(key), id=resource)
        for key in set(keys.values())
    }
    if len(taken) == 1 and None in taken.values():
        key = next(iter(taken))
        await tx.execute(
            "UPDATE resources SET key = :key, version = :now WHERE id = :id",
            key=digest(key),
            now=VERSION,
            id=resource,
        )
        return
    await tx.execute("UPDATE resources SET version = :now WHERE id = :id", now=VERSION, id=resource)
    resources = await resources_of(tx, set(keys.values()))
    touched: set[int] = set()
    for row in rows:
        new = resources[keys[row["url"]]]
        touched |= await _move(tx, rules, row, resource, new)
    await renew(tx, rules, touched)
    await forget_resource(tx, resource)


async def _move(tx: Transaction, rules: Rules, row: Row, resource: int, new: int) -> set[int]:
    """What an entry has of one address goes to the entry of its new key on the same shelf."""
    about = await tx.row("SELECT shelf, number, resource FROM entries WHERE id = :entry", entry=row["entry"])
    if about is None or new == resource:
        return set()
    entry = row["entry"]
    if about["resource"] != resource:  # by way of a join, which stays as it was made
        await _join_anew(tx, rules, entry, about["shelf"], resource, new)
    else:
        entry = (await entries_of(tx, [(about["shelf"], new)]))[about["shelf"], new]
    for table in ("shares", "curations"):
        await tx.execute(
            f"""UPDATE OR REPLACE {table} SET entry = :to, resource = :new
            WHERE entry = :entry AND resource = :resource AND url = :url""",
            to=entry,
            new=new,
            entry=row["entry"],
            resource=resource,
            url=row["url"],
        )
    left = await tx.value(
        """SELECT EXISTS (SELECT 1 FROM shares WHERE entry = :entry)
        OR EXISTS (SELECT 1 FROM curations WHERE entry = :entry)""",
        entry=row["entry"],
    )
    if not left and entry != row["entry"]:
        await _hand_over(tx, entry, row["entry"], about)
    return {entry, int(row["entry"])}


async def _join_anew(tx: Transaction, rules: Rules, entry: int, shelf: int, old: int, new: int) -> None:
    """A part of an entry has a new key; what was shared meanwhile under that key joins, with a number of its own."""
    meanwhile = await tx.value(
        """SELECT id FROM entries WHERE shelf = :shelf AND resource = :new UNION ALL
        SELECT entry FROM merged WHERE shelf = :shelf AND resource = :new""",
        shelf=shelf,
        new=new,
    )
    if meanwhile == entry:
        return
    if meanwhile is not None:
        await merge(tx, rules, entry, meanwhile)
        # The part keeps the number people know it by; the younger number leads to the entry by way of the old key.
        await tx.execute(
            """UPDATE merged SET number = (SELECT sum(number) FROM merged WHERE shelf = :shelf
            AND resource IN (:old, :new)) - number WHERE shelf = :shelf AND resource IN (:old, :new)""",
            shelf=shelf,
            old=old,
            new=new,
        )
        return
    await tx.execute(
        "UPDATE merged SET resource = :new WHERE shelf = :shelf AND resource = :old", shelf=shelf, old=old, new=new
    )


async def _hand_over(tx: Transaction, into: int, other: int, about: Row) -> None:
    """What people said of an entry that goes, and its number, are those of another from now on."""
    await tx.execute(
        """INSERT INTO merged (shelf, resource, entry, number) VALUES (:shelf, :resource, :into, :number)
        ON CONFLICT DO NOTHING""",
        into=into,
        **about,
    )
    await tx.execute(
        """INSERT INTO put_aside (shelf, resource, field, value, by, at)
        SELECT :shelf, :resource, field, value, by, at FROM corrections WHERE entry = :other ON CONFLICT DO NOTHING""",
        other=other,
        shelf=about["shelf"],
        resource=about["resource"],
    )
    for table in ("votes", "corrections", "merged"):
        await tx.execute(
            f"UPDATE OR IGNORE {table} SET entry = :into WHERE entry = :other",
            into=into,
            other=other,
        )
    # A label somebody set for one of them is that of both now: the stricter of the two counts.
    strictest = await tx.value(
        """SELECT max(label) FROM entries WHERE id IN (:into, :other)
        AND coalesce(title, url, shared_at) IS NOT NULL""",  # one that is just made has none yet
        into=into,
        other=other,
    )
    if strictest is not None:
        await tx.execute(
            "UPDATE corrections SET value = :label WHERE entry = :into AND field = 'label'",
            label=LABELS[strictest],
            into=into,
        )
