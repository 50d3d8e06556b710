"""Handing out what a shelf has, for files: each entry as an `Item`, and what of the shelf is left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.api import Reader, Row, SyncReader
from plugins.knowledge.store.access import AMBER, CLEAR, LABELS, MEMBERS
from plugins.knowledge.store.proposals import APART
from plugins.knowledge.store.sql import ADDRESS, CURATIONS, TOLD, by_entry
from plugins.knowledge.transfer.formats.item import Item, ShareItem, VersionItem
from plugins.knowledge.urls.display import has_secret
from plugins.knowledge.views.load import noted, recommended

SLICE = 200  # entries read at once

_THESE = "entry IN (SELECT value FROM json_each(:ids))"


@dataclass(frozen=True, slots=True)
class Manner:
    """What of a shelf is handed out.

    `public`: only what is marked `clear`, without people, their words, their votes, and addresses that open doors.
    `flags`: the format can say that something is hidden; `labels`: that it is amber; without, such links stay here.
    """

    hub: str
    circle: str = MEMBERS
    people: bool = False
    public: bool = False
    flags: bool = True
    labels: bool = True


def count(db: SyncReader, manner: Manner) -> int:
    """How many entries the shelf has."""
    return int(
        db.value(
            "SELECT count(*) FROM entries e JOIN shelves s ON s.id = e.shelf WHERE s.hub = :hub AND s.circle = :circle",
            hub=manner.hub,
            circle=manner.circle,
        )
    )


async def pages(db: Reader, manner: Manner, left_out: Counter[str]) -> AsyncIterator[tuple[int, Sequence[Item]]]:
    """The items in the order of their numbers, some at a time, with how many entries were read for them.

    `left_out` counts the others by why: file, hidden, amber, not clear, secret.
    """
    last = 0
    apart = await db.run(_apart, manner)
    while rows := await db.run(_entries, manner, last):
        last = rows[-1]["number"]
        wanted = []
        for row in rows:
            if why := _refusal(manner, row):
                left_out[why] += 1
            else:
                wanted.append(row)
        yield len(rows), await db.run(_items, manner, wanted, apart)


def _refusal(manner: Manner, row: Row) -> str | None:
    if not _is_web(row["address"]):
        return "file"
    if row["hidden"] and (manner.public or not manner.flags):
        return "hidden"
    if manner.public and row["label"] != CLEAR:
        return "not clear"
    if row["label"] == AMBER and not manner.labels:
        return "amber"
    if manner.public and has_secret(row["address"]):
        return "secret"
    return None


def _entries(db: SyncReader, manner: Manner, last: int) -> Sequence[Row]:
    return db.rows(
        f"""SELECT e.*, coalesce(e.url, n.url) AS address, n.label AS said_title, f.description, f.site, f.author,
        f.published, (SELECT json_group_array(topic) FROM entry_topics WHERE entry = e.id) AS topics
        FROM entries e JOIN shelves s ON s.id = e.shelf
        LEFT JOIN shares n ON n.id = (SELECT id FROM shares WHERE entry = e.id ORDER BY sent_at DESC, id DESC LIMIT 1)
        {TOLD}
        WHERE s.hub = :hub AND s.circle = :circle AND e.number > :last AND coalesce(e.url, n.url) IS NOT NULL
        ORDER BY e.number LIMIT :slice""",
        hub=manner.hub,
        circle=manner.circle,
        last=last,
        slice=SLICE,
    )


def _apart(db: SyncReader, manner: Manner) -> Mapping[int, set[str]]:
    """Entries → the addresses of those that people said to be other pages; of two each has the other's.
    Those that were joined since are one."""
    rows = db.rows(
        f"""SELECT a.entry, (SELECT {ADDRESS} FROM entries e WHERE e.id = a.entry) AS url,
        a.other, (SELECT {ADDRESS} FROM entries e WHERE e.id = a.other) AS other_url FROM
        (SELECT one.id AS entry, two.id AS other FROM corrections c JOIN entries one ON one.id = c.entry
        JOIN shelves s ON s.id = one.shelf JOIN entries two ON two.shelf = one.shelf
        AND two.number = CAST(substr(c.field, :after) AS INTEGER) AND two.id <> one.id
        WHERE c.field >= 'apart:' AND c.field < 'apart;' AND s.hub = :hub AND s.circle = :circle) a""",
        after=len(APART) + 1,
        hub=manner.hub,
        circle=manner.circle,
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        for entry, url in ((row["entry"], row["other_url"]), (row["other"], row["url"])):
            if _is_web(url or ""):
                found.setdefault(entry, set()).add(url)
    return found


def _items(db: SyncReader, manner: Manner, rows: Sequence[Row], apart: Mapping[int, set[str]]) -> Sequence[Item]:
    ids = json.dumps([row["id"] for row in rows])
    shares = by_entry(
        db,
        f"""SELECT n.entry, n.url, u.user AS sender, n.sent_at, n.note, n.label, p.room, n.event FROM shares n
        LEFT JOIN places p ON p.id = n.place LEFT JOIN sharers u ON u.id = n.sender
        WHERE n.{_THESE} ORDER BY n.sent_at, n.id""",
        ids,
    )
    said = by_entry(db, f"SELECT entry, field, value FROM corrections WHERE {_THESE}", ids)
    curated = by_entry(db, CURATIONS, ids)
    told = by_entry(
        db,
        f"""SELECT f.* FROM facts f JOIN entries e ON e.id = f.entry WHERE f.{_THESE} AND f.resource <> e.resource
        AND f.state = 'ok' AND f.language IS NOT NULL ORDER BY f.resource""",
        ids,
    )
    return [
        _item(
            manner,
            row,
            {one["field"]: one["value"] for one in said.get(row["id"], ())},
            recommended(curated.get(row["id"], ())),
            [_share(manner, row, one) for one in shares.get(row["id"], ()) if _is_web(one["url"])],
            _versions(row, curated.get(row["id"], ()), told.get(row["id"], ())),
            apart.get(row["id"], ()),
        )
        for row in rows
    ]


def _item(
    manner: Manner, row: Row, said: Mapping[str, str], curated: Mapping[str, str], shares: Sequence[ShareItem],
    versions: Sequence[VersionItem], apart: Iterable[str],
) -> Item:  # fmt: skip
    called = row["said_title"]
    item = Item(
        url=row["address"],
        title=json.loads(row["title"]) if row["title"] else {"": called} if called else {},
        note=noted(said, curated),
        topics=tuple(json.loads(row["topics"])),
        language=next(iter((row["languages"] or "").split()), None),
        kind=row["kind"],
        label=LABELS[row["label"]],
        pinned=bool(row["pinned"]),
        hidden=bool(row["hidden"]),
        votes=row["votes"],
        shares=tuple(shares),
        description=row["description"],
        site=row["site"],
        author=row["author"],
        published=row["published"],
        number=row["number"],
        recommended=bool(row["curated"]),
        without_topics=tuple(field[6:] for field, value in said.items() if field.startswith("topic:") and value == "-"),
        versions=tuple(versions),
        apart=tuple(sorted(apart)),
        stays=said.get("stays"),
    )
    return replace(item, votes=0, without_topics=(), versions=(), apart=(), stays=None) if manner.public else item


def _versions(row: Row, curated: Sequence[Row], told: Sequence[Row]) -> Sequence[VersionItem]:
    """The pages that the YAML recommends beside the one shown, and the languages of those that were joined. What it
    says of the first is said of the whole."""
    found = {
        one["url"]: VersionItem(
            one["url"],
            title=json.loads(one["title"]) if nth else {},
            note=json.loads(one["note"]) if nth else {},
            language=one["language"] if nth else None,
        )
        for nth, one in enumerate(curated)
    }
    for one in told:
        before = found.get(one["url"], VersionItem(one["url"]))
        found[one["url"]] = replace(before, language=before.language or one["language"])
    return [version for url, version in found.items() if url != row["address"] and _is_web(url)]


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http:", "https:"))


def _share(manner: Manner, row: Row, share: Row) -> ShareItem:
    if manner.public:
        return ShareItem(row["address"], sent_at=share["sent_at"])
    item = ShareItem(share["url"], sent_at=share["sent_at"], note=share["note"] or "", label=share["label"])
    if not manner.people:
        return item
    return replace(item, sender=share["sender"], room=share["room"], event=share["event"])
