"""Loads entries for display, within the access scope."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader
from plugins.knowledge.index.thesaurus import Thesaurus
from plugins.knowledge.search.candidates import POOL
from plugins.knowledge.search.engine import SearchResult, find
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store import load as store
from plugins.knowledge.store.access import ADDRESSES, SIGNS, Scope, Shelf, every_shelf
from plugins.knowledge.store.load import BELIEVED
from plugins.knowledge.store.pages import IDS, as_list
from plugins.knowledge.store.resolve import page_url
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical

_NAME = re.compile(rf"#?({SIGNS})(\d{{1,9}})", re.ASCII | re.IGNORECASE)
MOST_VERSIONS = 20  # of an entry that are listed


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry for display. `title` and `recommendation` (why it is worth reading) are by language; {} if there is
    none."""

    id: int
    shelf: Shelf
    number: int
    url: str
    title: Mapping[str, str]
    recommendation: Mapping[str, str]
    languages: tuple[str, ...]
    kind: str | None
    recommended: bool
    pinned: bool
    hidden: bool
    label: int
    votes: int
    shared_at: int | None
    shared_by: str | None
    room: str | None
    """The room of the last share, whose message is `event`."""
    event: str | None
    note: str | None
    """The words around the link in the last share."""
    own_note: bool
    """Whether that share has the address that is shown; else it is of a page that was merged into it."""
    about: str | None
    attachment: Mapping[str, object] | None
    topics: tuple[str, ...]
    state: str | None
    """The state of its link: waiting, ok, moved, gone, unsure; None if it is not checked, or a move was rejected."""
    state_since: int | None
    moved_to: str | None
    site: str | None = None
    """From the page itself, as are `author` and `published` (an ISO date)."""
    author: str | None = None
    published: str | None = None


@dataclass(frozen=True, slots=True)
class ShareDetails:
    room: str | None
    event: str | None
    sender: str | None
    sent_at: int
    note: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Version:
    """Another page of an entry. `language`: from the page, the YAML or the address."""

    url: str
    language: str | None


_SELECT = f"""SELECT e.*, s.hub, s.circle, s.kind AS shelf_kind, coalesce(e.url, n.url) AS address,
    n.label AS called, n.event,
    n.note AS words, n.attachment, r.room, u.user_id, h.state, h.since, h.moved_to, f.description, f.site,
    f.author, f.published,
    (SELECT json_group_array(topic) FROM knowledge_entry_topics WHERE entry = e.id) AS topics
    FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf
    LEFT JOIN knowledge_shares n ON n.id = e.newest LEFT JOIN knowledge_rooms r ON r.id = n.room
    LEFT JOIN knowledge_people u ON u.id = n.sender LEFT JOIN knowledge_facts f ON f.page = e.facts
    LEFT JOIN knowledge_health h ON h.entry = e.id AND {BELIEVED}"""


def answer(
    db: SyncReader, scope: Scope, question: Question, topics: Sequence[str], now: int, *, thesaurus: Thesaurus,
    count: int, after: int = 0, most: int = POOL,
) -> tuple[SearchResult, Sequence[Entry]]:  # fmt: skip
    """Searches, and loads one page of results: `count` entries `after` the first ones. `most` as in `engine.find`."""
    result = find(db, scope, question, topics, now, thesaurus=thesaurus, limit=after + count + 1, most=most)
    return result, load(db, scope, [hit.id for hit in result.hits[after : after + count]])


def load(db: SyncReader, scope: Scope, ids: Sequence[int]) -> Sequence[Entry]:
    """Loads entries in the order of the ids, without those outside the scope."""
    rows = db.rows(
        f"{_SELECT} WHERE {Scope.WHERE} AND e.id IN (SELECT value FROM json_each(:ids))",
        ids=json.dumps(list(ids)),
        **scope.params,
    )
    entries = {row["id"]: _entry(row) for row in rows}
    return [entries[id_] for id_ in ids if id_ in entries]


def numbered(db: SyncReader, scope: Scope, number: int, *, hidden: bool = False) -> Sequence[Entry]:
    """The entries with a page of this number, at most one per shelf, own shelves first. `hidden`: includes hidden
    entries of own shelves."""
    where = f"({Scope.WHERE} OR {Scope.OWN})" if hidden else Scope.WHERE
    rows = db.rows(
        f"""{_SELECT} WHERE {where} AND e.id IN (SELECT entry FROM knowledge_pages
        WHERE number = :number AND shelf IN (SELECT value FROM json_each(:shelves)))""",
        number=number,
        shelves=json.dumps([shelf.id for shelf in scope.shelves]),
        **scope.params,
    )
    order = {shelf.id: rank for rank, shelf in enumerate(scope.shelves)}
    return sorted(map(_entry, rows), key=lambda entry: order[entry.shelf.id])


def of_hub(db: SyncReader, hub: str, name: str) -> Entry | None:
    """The entry of a hub that is written like this, as `short_name` does it, hidden or not."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    scope = Scope(tuple(shelf for shelf in every_shelf(db) if shelf.hub == hub and shelf.kind != ADDRESSES))
    return next(iter(numbered(db, scope.with_sign(match[1].lower()), int(match[2]), hidden=True)), None)


def shares_of(db: SyncReader, entry: Entry, limit: int) -> Sequence[ShareDetails]:
    """The shares of an entry, newest first, without those of hidden pages that were merged into it."""
    resolved = store.resolved(db, entry.id)
    rows = db.rows(
        f"""SELECT r.room, s.event, u.user_id AS sender, s.sent_at, s.note, s.url FROM knowledge_shares s
        LEFT JOIN knowledge_rooms r ON r.id = s.room LEFT JOIN knowledge_people u ON u.id = s.sender
        WHERE s.page IN {IDS} AND s.bare = 0 ORDER BY s.sent_at DESC, s.seq DESC LIMIT :limit""",
        ids=as_list([part.page for part in resolved.shown] if resolved else []),
        limit=limit,
    )
    return [ShareDetails(**row) for row in rows]


def versions_of(db: SyncReader, entry: Entry) -> Sequence[Version]:
    """The other pages of an entry that have an address: those merged into it, and its own if another one is shown."""
    resolved = store.resolved(db, entry.id)
    versions: dict[str | None, Version] = {}
    for part in sorted(resolved.shown, key=lambda part: part.number) if resolved else ():
        if url := page_url(part):
            page_language = part.facts["language"] if part.facts and part.facts["state"] == "ok" else None
            recommended_language = part.recommendation["language"] if part.recommendation else None
            versions[canonical(url)] = Version(url, page_language or recommended_language or display.language(url))
    excluded = (None, canonical(entry.url))
    return [version for key, version in versions.items() if key not in excluded][:MOST_VERSIONS]


def short_name(entry: Entry) -> str:
    """The number of an entry as its hub writes it: `12`, or with the sign of its shelf, `c3` or `e4`."""
    return f"{entry.shelf.sign}{entry.number}"


def _entry(row: Row) -> Entry:
    label = row["called"]
    return Entry(
        id=row["id"],
        shelf=Shelf(row["shelf"], row["hub"], row["circle"], row["shelf_kind"]),
        number=row["number"],
        url=row["address"] or "",
        title=json.loads(row["title"]) if row["title"] else {"": label} if label else {},
        recommendation=json.loads(row["note"]) if row["note"] else {},
        languages=tuple((row["languages"] or "").split()),
        kind=row["kind"],
        recommended=bool(row["recommended"]),
        pinned=bool(row["pinned"]),
        hidden=bool(row["hidden"]),
        label=row["label"],
        votes=row["votes"],
        shared_at=row["shared_at"],
        shared_by=row["user_id"],
        room=row["room"],
        event=row["event"],
        note=row["words"],
        own_note=row["url"] is None,
        about=row["description"],
        attachment=json.loads(row["attachment"]) if row["attachment"] else None,
        topics=tuple(json.loads(row["topics"])),
        state=row["state"],
        state_since=row["since"],
        moved_to=row["moved_to"],
        site=row["site"],
        author=row["author"],
        published=row["published"],
    )
