"""Writing: what people share and moderators recommend becomes entries of their hub, and stops being so.

`shares` and `curations` are what was said; `entries`, `entry_topics` and `entry_words` are made from them by `_renew`,
in the same transaction and from one hub's rows alone, so that nothing of a hub can be seen through another's entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.api import Hub, Row, Transaction, section
from plugins.knowledge import address
from plugins.knowledge.canonical import VERSION, canonical, without_credentials
from plugins.knowledge.links import Shared
from plugins.knowledge.search import scope
from plugins.knowledge.settings import Curated, KnowledgeHub
from plugins.knowledge.text import index_words

MOST_NOTES = 50  # of an entry that are indexed, newest first
NOTHING = Shared()

Place = tuple[str, int]  # hub id, resource id: what an entry is about


@dataclass(frozen=True, slots=True)
class Said:
    """Where and by whom something was shared. `said_in` is the event with its present text: `event`, or an edit."""

    hub: str
    room: str
    event: str
    said_in: str
    sender: str
    sent_at: int


async def record(tx: Transaction, said: Said, shared: Shared, *, keep_notes: bool) -> bool:
    """Makes `shared` what this message shares, in place of what it shared before; answers whether anything went.

    A message is dated when it was first seen to share something. Somebody else's shares of it stay as they are.
    """
    mine = {"room": said.room, "event": said.event, "sender": said.sender}
    old = await tx.rows(
        "SELECT hub, resource, sent_at FROM shares WHERE room = :room AND event = :event AND sender = :sender",
        **mine,
    )
    await tx.execute("DELETE FROM shares WHERE room = :room AND event = :event AND sender = :sender", **mine)
    places = _places(old)
    for link in shared.links:
        resource = await _resource(tx, link.canonical)
        await tx.execute(
            """INSERT INTO shares (resource, hub, room, event, said_in, sender, sent_at, url, label, note)
            VALUES (:resource, :hub, :room, :event, :said_in, :sender, :sent_at, :url, :label, :note)
            ON CONFLICT DO NOTHING""",
            resource=resource,
            hub=said.hub,
            said_in=said.said_in,
            sent_at=min((row["sent_at"] for row in old), default=said.sent_at),
            url=link.url,
            label=link.label if keep_notes else None,
            note=shared.note or None if keep_notes else None,
            **mine,
        )
        places.add((said.hub, resource))
    await _renew_all(tx, places)
    return bool(old)


async def remove(tx: Transaction, room: str, event: str) -> bool:
    """Removes what a message shares, given its id or that of the edit which holds its present text."""
    gone = "room = :room AND (event = :event OR said_in = :event)"
    return await _remove(tx, gone, room=room, event=event)


async def forget(tx: Transaction, user: str) -> None:
    """Removes everything a person shared; the words leave the index for good."""
    await _remove(tx, "sender = :user", user=user)
    await optimize(tx)


async def curate(tx: Transaction, hubs: Sequence[Hub]) -> None:
    """Brings the index in line with the hubs' YAML: their resources, and whether they keep notes."""
    wanted: dict[Place, Row] = {}
    for hub in hubs:
        for resource in section(hub, KnowledgeHub).resources:
            place = (hub.id, await _resource(tx, canonical(resource.url) or resource.url))
            wanted.setdefault(place, _curation(hub, place, resource))
    present = {_place(row): row for row in await tx.rows("SELECT * FROM curations")}
    changed = {place for place in present.keys() | wanted.keys() if present.get(place) != wanted.get(place)}
    for hub_id, resource_id in changed:
        await tx.execute("DELETE FROM curations WHERE hub = :hub AND resource = :r", hub=hub_id, r=resource_id)
        if row := wanted.get((hub_id, resource_id)):
            await tx.execute(
                """INSERT INTO curations (hub, resource, url, title, note, language, topics, topic_words)
                VALUES (:hub, :resource, :url, :title, :note, :language, :topics, :topic_words)""",
                **row,
            )
    await _renew_all(tx, changed | await _drop_notes(tx, hubs))


async def optimize(tx: Transaction) -> None:
    """Rewrites the search index without deleted words: a deleted row alone leaves them in the file.

    About 0.1 s for ten thousand entries, 0.6 s for a hundred thousand; nothing to do costs nothing.
    """
    await tx.execute("INSERT INTO entry_words (entry_words) VALUES ('optimize')")


async def _remove(tx: Transaction, gone: str, **params: object) -> bool:
    old = await tx.rows(f"SELECT DISTINCT hub, resource FROM shares WHERE {gone}", **params)  # noqa: S608 - our own text
    await tx.execute(f"DELETE FROM shares WHERE {gone}", **params)  # noqa: S608 - our own text
    await _renew_all(tx, _places(old))
    return bool(old)


async def _drop_notes(tx: Transaction, hubs: Sequence[Hub]) -> set[Place]:
    """A hub that no longer keeps notes keeps none from before."""
    places: set[Place] = set()
    for hub in hubs:
        if not section(hub, KnowledgeHub).keep_notes:
            noted = "hub = :hub AND (note IS NOT NULL OR label IS NOT NULL)"
            places |= _places(await tx.rows(f"SELECT hub, resource FROM shares WHERE {noted}", hub=hub.id))  # noqa: S608 - our own text
            await tx.execute(f"UPDATE shares SET note = NULL, label = NULL WHERE {noted}", hub=hub.id)  # noqa: S608 - our own text
    return places


async def _resource(tx: Transaction, key: str) -> int:
    await tx.execute(
        "INSERT INTO resources (canonical, key_version) VALUES (:key, :version) ON CONFLICT DO NOTHING",
        key=key,
        version=VERSION,
    )
    return int(await tx.value("SELECT id FROM resources WHERE canonical = :key", key=key))


def _curation(hub: Hub, place: Place, resource: Curated) -> Row:
    titles = [" ".join((topic.id, *topic.title.values())) for topic in hub.topics if topic.id in resource.topics]
    return {
        "hub": place[0],
        "resource": place[1],
        "url": without_credentials(resource.url),
        "title": _json(resource.title),
        "note": _json(resource.note or {}),
        "language": resource.language,
        "topics": _json(resource.topics),
        "topic_words": " ".join(titles),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _place(row: Row) -> Place:
    return row["hub"], row["resource"]


def _places(rows: Iterable[Row]) -> set[Place]:
    return {_place(row) for row in rows}


# -- from what was said to what is found -------------------------------------------------------------------------------


async def _renew_all(tx: Transaction, places: Iterable[Place]) -> None:
    for hub, resource in sorted(places):
        await _renew(tx, hub, resource)


async def _renew(tx: Transaction, hub: str, resource: int) -> None:
    """Makes a hub's entry of a page again from what the hub says of it; without any, the entry goes."""
    about = {"hub": hub, "resource": resource}
    curation = await tx.row("SELECT * FROM curations WHERE hub = :hub AND resource = :resource", **about)
    shares = await tx.rows(
        """SELECT * FROM shares WHERE hub = :hub AND resource = :resource
        ORDER BY sent_at DESC, id DESC LIMIT :most""",
        most=MOST_NOTES,
        **about,
    )
    entry = await tx.value("SELECT id FROM entries WHERE hub = :hub AND resource = :resource", **about)
    if entry is not None:
        await tx.execute("DELETE FROM entry_words WHERE rowid = :entry", entry=entry)
        await tx.execute("DELETE FROM entry_topics WHERE entry = :entry", entry=entry)
    if curation is None and not shares:
        await tx.execute("DELETE FROM entries WHERE id = :entry", entry=entry)
        await tx.execute(
            """DELETE FROM resources WHERE id = :resource
            AND NOT EXISTS (SELECT 1 FROM entries WHERE resource = :resource)
            AND NOT EXISTS (SELECT 1 FROM shares WHERE resource = :resource)
            AND NOT EXISTS (SELECT 1 FROM curations WHERE resource = :resource)""",
            resource=resource,
        )
        return
    if entry is None:
        entry = await _numbered(tx, hub, resource)
    await tx.execute(
        """UPDATE entries SET url = :url, title = :title, language = :language, curated = :curated,
        shared_at = :shared_at, shared_by = :shared_by WHERE id = :entry""",
        entry=entry,
        **_entry(curation, shares),
    )
    for topic in json.loads(curation["topics"]) if curation else ():
        await tx.execute(
            "INSERT INTO entry_topics VALUES (:entry, :topic) ON CONFLICT DO NOTHING",
            entry=entry,
            topic=topic,
        )
    await tx.execute(
        """INSERT INTO entry_words (rowid, scope, title, topics, notes, address)
        VALUES (:entry, :scope, :title, :topics, :notes, :address)""",
        entry=entry,
        scope=scope(hub),
        **_words(curation, shares),
    )


async def _numbered(tx: Transaction, hub: str, resource: int) -> int:
    """A new entry under the hub's next number."""
    await tx.execute(
        """INSERT INTO entry_numbers (hub, last) VALUES (:hub, 1)
        ON CONFLICT (hub) DO UPDATE SET last = last + 1""",
        hub=hub,
    )
    row = await tx.row(
        """INSERT INTO entries (hub, number, resource, url, title, curated)
        SELECT hub, last, :resource, '', '{}', 0 FROM entry_numbers WHERE hub = :hub RETURNING id""",
        hub=hub,
        resource=resource,
    )
    return int(row["id"]) if row else 0


def _entry(curation: Row | None, shares: Sequence[Row]) -> Mapping[str, object]:
    label = next((share["label"] for share in shares if share["label"]), None)
    newest = shares[0] if shares else None
    return {
        "url": curation["url"] if curation else shares[-1]["url"],
        "title": curation["title"] if curation else _json({"": label} if label else {}),
        "language": curation["language"] if curation else None,
        "curated": int(curation is not None),
        "shared_at": newest["sent_at"] if newest else None,
        "shared_by": newest["sender"] if newest else None,
    }


def _words(curation: Row | None, shares: Sequence[Row]) -> Mapping[str, str]:
    titles = list(json.loads(curation["title"]).values()) if curation else []
    notes = list(json.loads(curation["note"]).values()) if curation else []
    labels = [share["label"] for share in shares if share["label"]]
    notes += [share["note"] for share in shares if share["note"]]
    if not titles:
        titles, labels = labels[:1], labels[1:]
    urls = ([curation["url"]] if curation else []) + [share["url"] for share in shares]
    return {
        "title": index_words("\n".join(titles)),
        "topics": index_words(curation["topic_words"] if curation else ""),
        "notes": index_words("\n".join(dict.fromkeys(labels + notes))),
        "address": index_words("\n".join(dict.fromkeys(map(address.words, urls)))),
    }
