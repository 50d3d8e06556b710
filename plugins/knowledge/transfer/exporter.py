"""Hands out what a shelf has, for files: each entry as an `Item`, and what of the shelf is left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.api import Reader, Row, SyncReader
from plugins.knowledge.store.access import MEMBERS, PLAIN
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import IDS, as_list
from plugins.knowledge.store.resolve import Resolved, page_url, resolve
from plugins.knowledge.store.tlp import AMBER, CLEAR, LABELS
from plugins.knowledge.transfer.formats.item import Item, ShareItem, VersionItem
from plugins.knowledge.urls.display import has_secret

SLICE = 200  # entries read at once

_ADDRESS = "coalesce(e.url, n.url)"


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
    kind: str = PLAIN


def count(db: SyncReader, manner: Manner) -> int:
    """How many entries the shelf has."""
    return int(
        db.value(
            """SELECT count(*) FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf
            WHERE s.hub = :hub AND s.circle = :circle AND s.kind = :kind""",
            hub=manner.hub,
            circle=manner.circle,
            kind=manner.kind,
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
        f"""SELECT e.*, {_ADDRESS} AS address, n.label AS called,
        (SELECT json_group_array(topic) FROM knowledge_entry_topics WHERE entry = e.id) AS topics
        FROM knowledge_shelves s JOIN knowledge_pages p ON p.shelf = s.id JOIN knowledge_entries e ON e.id = p.id
        LEFT JOIN knowledge_shares n ON n.id = e.newest
        WHERE s.hub = :hub AND s.circle = :circle AND s.kind = :kind AND p.number > :last
        ORDER BY p.number LIMIT :slice""",
        hub=manner.hub,
        circle=manner.circle,
        kind=manner.kind,
        last=last,
        slice=SLICE,
    )


def _apart(db: SyncReader, manner: Manner) -> Mapping[int, set[str]]:
    """Entries → the addresses of those that people said to be other pages; of two each has the other's.
    Those that were joined since are one."""
    rows = db.rows(
        f"""SELECT a.entry, (SELECT {_ADDRESS} FROM knowledge_entries e LEFT JOIN knowledge_shares n ON n.id = e.newest
        WHERE e.id = a.entry) AS url, a.other, (SELECT {_ADDRESS} FROM knowledge_entries e
        LEFT JOIN knowledge_shares n ON n.id = e.newest WHERE e.id = a.other) AS other_url
        FROM (SELECT p.entry, t.entry AS other FROM knowledge_statements s JOIN knowledge_pages p ON p.id = s.page
        JOIN knowledge_pages t ON t.id = s.target JOIN knowledge_shelves f ON f.id = p.shelf
        WHERE s.field = 'not_same_as' AND s.target IS NOT NULL AND s.withdrawn IS NULL AND p.entry <> t.entry
        AND f.hub = :hub AND f.circle = :circle AND f.kind = :kind) a""",
        hub=manner.hub,
        circle=manner.circle,
        kind=manner.kind,
    )
    apart: dict[int, set[str]] = {}
    for row in rows:
        for entry, url in ((row["entry"], row["other_url"]), (row["other"], row["url"])):
            if _is_web(url or ""):
                apart.setdefault(entry, set()).add(url)
    return apart


def _items(db: SyncReader, manner: Manner, rows: Sequence[Row], apart: Mapping[int, set[str]]) -> Sequence[Item]:
    entries = {row["id"] for row in rows}
    resolved = {entry: resolve(entry, parts) for entry, parts in load(db, entries).items()}
    # A hidden page that was joined to a result that is shown stays out of it.
    shown = {part.page: entry for entry, one in resolved.items() if one for part in one.shown}
    addresses = {row["id"]: row["address"] for row in rows}
    shares: dict[int, list[ShareItem]] = {}
    for share in db.rows(
        f"""SELECT s.page, s.url, u.user_id AS sender, s.sent_at, s.note, s.label, r.room, s.event
        FROM knowledge_shares s
        LEFT JOIN knowledge_rooms r ON r.id = s.room LEFT JOIN knowledge_people u ON u.id = s.sender
        WHERE s.page IN {IDS} ORDER BY s.sent_at, s.seq""",
        ids=as_list(shown),
    ):
        if _is_web(share["url"]):
            entry = shown[share["page"]]
            shares.setdefault(entry, []).append(_share(manner, addresses[entry], share))
    return [
        _item(manner, row, one, shares.get(row["id"], ()), apart.get(row["id"], ()))
        for row in rows
        if (one := resolved[row["id"]])
    ]


def _item(manner: Manner, row: Row, resolved: Resolved, shares: Sequence[ShareItem], apart: Iterable[str]) -> Item:
    facts = next(iter(resolved.facts), {})
    item = Item(
        url=row["address"],
        title=json.loads(row["title"]) if row["title"] else {"": row["called"]} if row["called"] else {},
        note=resolved.note,
        topics=tuple(json.loads(row["topics"])),
        language=next(iter((row["languages"] or "").split()), None),
        kind=row["kind"],
        label=LABELS[row["label"]],
        pinned=bool(row["pinned"]),
        hidden=bool(row["hidden"]),
        votes=row["votes"],
        shares=tuple(shares),
        description=facts.get("description"),
        site=facts.get("site"),
        author=facts.get("author"),
        published=facts.get("published"),
        number=row["number"],
        recommended=bool(row["recommended"]),
        without_topics=tuple(topic for topic, sign in resolved.topics.items() if sign == "-"),
        versions=tuple(_versions(row["address"], resolved)),
        apart=tuple(sorted(apart)),
        stays=next((stays for part in resolved.shown if (stays := part.last("stays"))), None),
    )
    return replace(item, votes=0, without_topics=(), versions=(), apart=(), stays=None) if manner.public else item


def _versions(address: str, resolved: Resolved) -> Iterable[VersionItem]:
    """The pages that the YAML recommends beside the one shown, and the languages of those that were joined. What it
    says of the first is said of the whole."""
    versions: dict[str, VersionItem] = {}
    for nth, row in enumerate(resolved.recommendations):
        versions[row["url"]] = VersionItem(
            row["url"],
            title=json.loads(row["title"]) if nth else {},
            note=json.loads(row["note"]) if nth else {},
            language=row["language"] if nth else None,
        )
    for part in resolved.shown:
        url = page_url(part)
        if part.page != resolved.lead and url and part.facts and part.facts["language"]:
            before = versions.get(part.facts["url"], VersionItem(part.facts["url"]))
            versions[part.facts["url"]] = replace(before, language=before.language or part.facts["language"])
    return (version for url, version in versions.items() if url != address and _is_web(url))


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http:", "https:"))


def _share(manner: Manner, address: str, share: Row) -> ShareItem:
    if manner.public:
        return ShareItem(address, sent_at=share["sent_at"])
    item = ShareItem(share["url"], sent_at=share["sent_at"], note=share["note"] or "", label=share["label"])
    if not manner.people:
        return item
    return replace(item, sender=share["sender"], room=share["room"], event=share["event"])
