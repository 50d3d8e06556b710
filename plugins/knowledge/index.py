"""Writing: what people share and moderators recommend is filed under its page and shelf, and taken out again.

`shares`, `curations`, `corrections` and `votes` are what was said; entries are made from them (renewal.py) in the same
transaction and from one shelf's rows alone, so that nothing of a shelf can be seen through another's entry.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.api import Hub, Reader, Row, Transaction, section
from plugins.knowledge.canonical import VERSION, canonical, without_credentials
from plugins.knowledge.renewal import renew
from plugins.knowledge.rules import Rules
from plugins.knowledge.settings import Curated, KnowledgeHub
from plugins.knowledge.shelves import GREEN, MEMBERS, shelf_for

LARGE = 200_000  # entries; from here on the index is rewritten once a day, not with each erasure: it takes seconds

Place = tuple[int, int]  # shelf id, resource id: what an entry is about


@dataclass(frozen=True, slots=True)
class Share:
    """One link in one message, or one line of a file that is brought in (then it has no `event`).

    `canonical` is the key of the address (canonical.py); `said_in` the edit its present text came with, if one did.
    """

    hub: str
    url: str
    canonical: str
    sent_at: int
    sender: str | None = None
    circle: str = MEMBERS
    room: str | None = None
    event: str | None = None
    said_in: str | None = None
    label: str | None = None
    note: str | None = None
    topics: tuple[str, ...] = ()
    tlp: int = GREEN
    file: str | None = None


async def put(tx: Transaction, rules: Rules, shares: Sequence[Share]) -> Mapping[Share, int]:
    """Files shares; answers the entry each is in now. A share that is there already stays as it is."""
    if not shares:
        return {}
    entries = await file(tx, shares)
    await renew(tx, rules, set(entries.values()))
    return entries


async def file(tx: Transaction, shares: Sequence[Share]) -> Mapping[Share, int]:
    """`put` without making the entries anew: whoever calls this does."""
    shelves = {}
    for place in dict.fromkeys((share.hub, share.circle) for share in shares):
        shelves[place] = (await shelf_for(tx, *place)).id
    senders = await _ids(tx, "sharers", "user", {share.sender for share in shares if share.sender})
    places = await _ids(tx, "places", "room", {share.room for share in shares if share.room})
    resources = await resources_of(tx, {share.canonical for share in shares})
    about = {share: (shelves[share.hub, share.circle], resources[share.canonical]) for share in shares}
    entries = await entries_of(tx, list(dict.fromkeys(about.values())))
    found = {share: entries[about[share]] for share in shares}
    await tx.execute_many(
        """INSERT INTO shares (entry, resource, place, event, said_in, sender, sent_at, url, label, note, topics, tlp,
        file) VALUES (:entry, :resource, :place, :event, :said_in, :sender, :sent_at, :url, :label, :note, :topics,
        :tlp, :file) ON CONFLICT DO NOTHING""",
        (
            {
                "entry": found[share],
                "resource": about[share][1],
                "place": places.get(share.room or ""),
                "event": share.event,
                "said_in": share.said_in if share.said_in != share.event else None,
                "sender": senders.get(share.sender or ""),
                "sent_at": share.sent_at,
                "url": share.url,
                "label": share.label or None,
                "note": share.note or None,
                "topics": _json(share.topics) if share.topics else None,
                "tlp": share.tlp,
                "file": share.file,
            }
            for share in shares
        ),
    )
    return found


async def replace(
    tx: Transaction, rules: Rules, room: str, event: str, sender: str, shares: Sequence[Share]
) -> tuple[Mapping[Share, int], bool]:
    """Makes `shares` what this message shares, in place of what it shared before; whether anything went, too.

    A message is dated when it was first seen to share something. Somebody else's shares of it stay as they are.
    """
    mine = """event = :event AND place = (SELECT id FROM places WHERE room = :room)
        AND sender = (SELECT id FROM sharers WHERE user = :sender)"""
    said = {"room": room, "event": event, "sender": sender}
    old = await tx.rows(f"SELECT entry, sent_at FROM shares WHERE {mine}", **said)
    if old:
        await tx.execute(f"DELETE FROM shares WHERE {mine}", **said)
    entries = await file(tx, shares) if shares else {}
    if old:
        await tx.execute(
            f"UPDATE shares SET sent_at = :first WHERE {mine}",
            first=min(row["sent_at"] for row in old),
            **said,
        )
    await renew(tx, rules, {*entries.values(), *(row["entry"] for row in old)})
    return entries, bool(old)


async def is_known(db: Reader, share: Share) -> bool:
    """Whether its shelf has its page already, by another message."""
    return bool(
        await db.value(
            """SELECT EXISTS (SELECT 1 FROM shelves s, resources r, entries e LEFT JOIN merged m ON m.entry = e.id
            WHERE s.hub = :hub AND s.circle = :circle AND r.key = :key AND e.shelf = s.id
            AND (e.resource = r.id OR m.resource = r.id))""",
            hub=share.hub,
            circle=share.circle,
            key=digest(share.canonical),
        )
    )


async def is_said_in(db: Reader, room: str, event: str, said_in: str) -> bool:
    """Whether what a message shares came with that text."""
    return bool(
        await db.value(
            """SELECT EXISTS (SELECT 1 FROM shares WHERE event = :event AND said_in = :said_in
            AND place = (SELECT id FROM places WHERE room = :room))""",
            room=room,
            event=event,
            said_in=said_in,
        )
    )


async def remove(tx: Transaction, rules: Rules, room: str, event: str) -> bool:
    """Removes what a message shares, given its id or that of the edit which holds its present text."""
    gone = "place = (SELECT id FROM places WHERE room = :room) AND (event = :event OR said_in = :event)"
    return await _remove(tx, rules, gone, room=room, event=event)


async def forget(tx: Transaction, rules: Rules, user: str) -> None:
    """Removes everything a person shared, wrote and found useful; the words leave the disk."""
    id_ = await tx.value("SELECT id FROM sharers WHERE user = :user", user=user)
    if id_ is None:
        return
    touched = await tx.rows(
        """SELECT entry FROM votes WHERE sharer = :id UNION SELECT entry FROM corrections WHERE by = :id
        UNION SELECT entry FROM changes WHERE by = :id AND entry IS NOT NULL
        UNION SELECT entry FROM shares WHERE sender = :id""",
        id=id_,
    )
    # What they set goes, but for what others rely on without its being words: what is hidden stays hidden.
    # Their words may stand in what others did, too: replaced by them, or brought back.
    await tx.execute(
        """DELETE FROM corrections WHERE field IN ('title', 'note') AND (by = :id OR EXISTS (SELECT 1 FROM changes c
        WHERE c.by = :id AND c.entry = corrections.entry AND c.what = field AND c.after = value))""",
        id=id_,
    )
    await tx.execute(
        """UPDATE changes SET before = NULL WHERE what IN ('title', 'note') AND EXISTS (SELECT 1 FROM changes c
        WHERE c.by = :id AND c.entry = changes.entry AND c.what = changes.what AND c.after = changes.before)""",
        id=id_,
    )
    await tx.execute(
        """DELETE FROM put_aside WHERE field IN ('title', 'note') AND (by = :id OR EXISTS (SELECT 1 FROM changes c
        WHERE c.by = :id AND c.shelf = put_aside.shelf AND c.what = field AND c.after = value))""",
        id=id_,
    )
    for table in ("corrections", "put_aside"):
        await tx.execute(f"UPDATE {table} SET by = NULL WHERE by = :id", id=id_)
    await tx.execute("UPDATE changes SET before = NULL, after = NULL, by = NULL WHERE by = :id", id=id_)
    await tx.execute("DELETE FROM votes WHERE sharer = :id", id=id_)
    await tx.execute("DELETE FROM choices WHERE sharer = :id", id=id_)
    await tx.execute("DELETE FROM shares WHERE sender = :id", id=id_)
    await renew(tx, rules, {row["entry"] for row in touched})
    await tx.execute("UPDATE entries SET shared_by = NULL WHERE shared_by = :id", id=id_)
    await tx.execute("DELETE FROM sharers WHERE id = :id", id=id_)
    await erase(tx)


async def curate(tx: Transaction, rules: Rules, hubs: Sequence[Hub]) -> None:
    """Brings the index in line with the hubs' YAML: their resources, and whether they keep notes."""
    wanted: dict[tuple[int, int], Row] = {}
    for hub in hubs:
        shelf = await shelf_for(tx, hub.id)
        recommended = section(hub, KnowledgeHub).resources
        keys = {resource.url: canonical(resource.url) or resource.url for resource in recommended}
        resources = await resources_of(tx, set(keys.values()))
        entries = await entries_of(tx, list(dict.fromkeys((shelf.id, id_) for id_ in resources.values())))
        for one in recommended:
            resource = resources[keys[one.url]]
            entry = entries[shelf.id, resource]
            wanted.setdefault((entry, resource), _curation(entry, resource, one))
    present = {(row["entry"], row["resource"]): row for row in await tx.rows("SELECT * FROM curations")}
    changed = [place for place in present.keys() | wanted.keys() if present.get(place) != wanted.get(place)]
    await tx.execute_many(
        "DELETE FROM curations WHERE entry = :entry AND resource = :resource",
        ({"entry": entry, "resource": resource} for entry, resource in changed),
    )
    await tx.execute_many(
        """INSERT INTO curations (entry, resource, url, title, note, language, topics)
        VALUES (:entry, :resource, :url, :title, :note, :language, :topics)""",
        (wanted[place] for place in changed if place in wanted),
    )
    await renew(tx, rules, {entry for entry, _ in changed} | await _drop_notes(tx, hubs))


async def erase(tx: Transaction) -> None:
    """Lets deleted words leave the disk: a deleted row alone leaves them in the search index and in the log.

    The index is rewritten, about 0.1 s for ten thousand entries; one that is `LARGE`, by `refresh` once a day.
    """
    if int(await tx.value("SELECT count(*) FROM (SELECT 1 FROM entries LIMIT :large)", large=LARGE)) < LARGE:
        await rewrite(tx)
    await tx.erase()


async def rewrite(tx: Transaction) -> None:
    await tx.execute("INSERT INTO entry_words (entry_words) VALUES ('optimize')")
    await tx.erase()


async def resources_of(tx: Transaction, keys: Collection[str]) -> Mapping[str, int]:
    """The pages of these canonical addresses; new ones are made."""
    digests = {digest(key): key for key in keys}
    await tx.execute_many(
        "INSERT INTO resources (key, version) VALUES (:key, :version) ON CONFLICT DO NOTHING",
        ({"key": made, "version": VERSION} for made in digests),
    )
    rows = await tx.rows(
        "SELECT id, key FROM resources WHERE key IN (SELECT value FROM json_each(:keys))", keys=json.dumps([*digests])
    )
    return {digests[row["key"]]: row["id"] for row in rows}


async def entries_of(tx: Transaction, places: Sequence[Place]) -> Mapping[Place, int]:
    """The entries of these pages on these shelves; new ones get the next numbers."""
    found = await _entries(tx, places)
    new = [place for place in places if place not in found]
    if not new:
        return found
    numbered = []
    for shelf in dict.fromkeys(shelf for shelf, _ in new):
        mine = [resource for one, resource in new if one == shelf]
        last = await tx.value(
            "UPDATE shelves SET last = last + :count WHERE id = :shelf RETURNING last", count=len(mine), shelf=shelf
        )
        first = last - len(mine) + 1
        numbered += [
            {"shelf": shelf, "number": first + place, "resource": resource} for place, resource in enumerate(mine)
        ]
    await tx.execute_many("INSERT INTO entries (shelf, number, resource) VALUES (:shelf, :number, :resource)", numbered)
    return {**found, **await _entries(tx, new)}


def digest(key: str) -> str:
    """A canonical address as it is stored: shorter than the address, and nothing to be read from it."""
    return urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=15).digest()).decode()


async def _entries(tx: Transaction, places: Sequence[Place]) -> dict[Place, int]:
    rows = await tx.rows(
        """SELECT p.value ->> 0 AS shelf, p.value ->> 1 AS resource, coalesce(m.entry, e.id) AS entry
        FROM json_each(:places) p
        LEFT JOIN merged m ON m.shelf = p.value ->> 0 AND m.resource = p.value ->> 1
        LEFT JOIN entries e ON e.shelf = p.value ->> 0 AND e.resource = p.value ->> 1
        WHERE coalesce(m.entry, e.id) IS NOT NULL""",
        places=json.dumps(places),
    )
    return {(row["shelf"], row["resource"]): row["entry"] for row in rows}


async def _remove(tx: Transaction, rules: Rules, gone: str, **params: object) -> bool:
    old = await tx.rows(f"SELECT DISTINCT entry FROM shares WHERE {gone}", **params)
    if old:
        await tx.execute(f"DELETE FROM shares WHERE {gone}", **params)
        await renew(tx, rules, {row["entry"] for row in old})
    return bool(old)


async def _drop_notes(tx: Transaction, hubs: Sequence[Hub]) -> set[int]:
    """A hub that no longer keeps notes keeps none from before."""
    entries: set[int] = set()
    for hub in hubs:
        if section(hub, KnowledgeHub).keep_notes:
            continue
        noted = """(note IS NOT NULL OR label IS NOT NULL) AND entry IN
            (SELECT e.id FROM entries e JOIN shelves s ON s.id = e.shelf WHERE s.hub = :hub)"""
        rows = await tx.rows(f"SELECT DISTINCT entry FROM shares WHERE {noted}", hub=hub.id)
        if rows:
            await tx.execute(f"UPDATE shares SET note = NULL, label = NULL WHERE {noted}", hub=hub.id)
            entries |= {row["entry"] for row in rows}
    return entries


async def _ids(tx: Transaction, table: str, column: str, names: Iterable[str]) -> Mapping[str, int]:
    """The ids of people or rooms, new ones included."""
    wanted = set(names)
    find = f"SELECT id, {column} AS name FROM {table} WHERE {column} IN (SELECT value FROM json_each(:names))"
    rows = await tx.rows(find, names=json.dumps(sorted(wanted)))
    if new := wanted - {row["name"] for row in rows}:
        await tx.execute_many(
            f"INSERT INTO {table} ({column}) VALUES (:name)", ({"name": name} for name in sorted(new))
        )
        rows = await tx.rows(find, names=json.dumps(sorted(wanted)))
    return {row["name"]: row["id"] for row in rows}


def _curation(entry: int, resource: int, one: Curated) -> Row:
    return {
        "entry": entry,
        "resource": resource,
        "url": without_credentials(one.url),
        "title": _json(one.title),
        "note": _json(one.note or {}),
        "language": one.language,
        "topics": _json(one.topics),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
