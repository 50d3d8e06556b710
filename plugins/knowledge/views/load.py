"""What is known of the entries that are shown: read only for the few that are, and only if they may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader
from plugins.knowledge.fetch.queue import BELIEVED
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.build_entry import by_language
from plugins.knowledge.index.thesaurus import Thesaurus
from plugins.knowledge.search.candidates import POOL
from plugins.knowledge.search.engine import Found, find
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.store.access import COORDINATORS, Shelf, Sight
from plugins.knowledge.store.sql import CURATIONS, PAGE_URL, PAGES, TOLD, by_entry
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical

MOST_VERSIONS = 20  # of an entry that are told


@dataclass(frozen=True, slots=True)
class Entry:
    """What a shelf knows of a page. `title` is by language ({} if nobody gave one)."""

    id: int
    shelf: Shelf
    number: int
    resource: int
    url: str
    title: Mapping[str, str]
    languages: tuple[str, ...]
    kind: str | None
    curated: bool
    pinned: bool
    hidden: bool
    label: int
    votes: int
    shared_at: int | None
    shared_by: str | None
    room: str | None
    """Where it was shared last, in `event`."""
    event: str | None
    note: str | None
    """The words it was shared with last."""
    about: str | None
    file: Mapping[str, object] | None
    topics: tuple[str, ...]
    state: str | None
    """Of its link: waiting, ok, moved, gone, unsure; None if it is not checked, or a move was rejected."""
    state_since: int | None
    moved_to: str | None
    site: str | None = None
    """As the page calls itself; so `author`, and `published` as an ISO date."""
    author: str | None = None
    published: str | None = None


@dataclass(frozen=True, slots=True)
class ShareShown:
    room: str | None
    event: str | None
    sender: str | None
    sent_at: int
    note: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Version:
    """Another page that is part of an entry. `language`: as the page, the YAML or the address says."""

    url: str
    language: str | None


_SELECT = f"""SELECT e.*, s.hub, s.circle, coalesce(e.url, n.url) AS address, n.label AS said_title, n.event, n.note,
    n.file, p.room, u.user, f.description AS about, f.site, f.author, f.published, h.state, h.since, h.moved_to,
    (SELECT json_group_array(topic) FROM entry_topics WHERE entry = e.id) AS topics
    FROM entries e JOIN shelves s ON s.id = e.shelf
    LEFT JOIN shares n ON n.id = (SELECT id FROM shares WHERE entry = e.id ORDER BY sent_at DESC, id DESC LIMIT 1)
    LEFT JOIN places p ON p.id = n.place LEFT JOIN sharers u ON u.id = n.sender
    {TOLD} LEFT JOIN health h ON h.entry = e.id AND {BELIEVED}"""


def answer(
    db: SyncReader, sight: Sight, question: Question, topics: Sequence[str], now: int, *, terms: Thesaurus, count: int,
    after: int = 0, most: int = POOL,
) -> tuple[Found, Sequence[Entry]]:  # fmt: skip
    """What a question finds (`most` as in search.find), and `count` entries of it `after` the first ones."""
    found = find(db, sight, question, topics, now, terms=terms, limit=after + count + 1, most=most)
    return found, load(db, sight, [hit.id for hit in found.hits[after : after + count]])


def load(db: SyncReader, sight: Sight, ids: Sequence[int]) -> Sequence[Entry]:
    """These entries, in this order; what may not be seen is left out."""
    rows = db.rows(
        f"{_SELECT} WHERE {Sight.WHERE} AND e.id IN (SELECT value FROM json_each(:ids))",
        ids=json.dumps(list(ids)),
        **sight.params,
    )
    found = {row["id"]: _entry(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def numbered(
    db: SyncReader, sight: Sight, number: int, *, circle: str | None = None, hidden: bool = False
) -> Sequence[Entry]:
    """The entries of that number, at most one per shelf, those of the own shelves first; also by a number an entry had
    before it was joined to another. `hidden`: also hidden ones of the own shelves."""
    where = Sight.WHERE
    if hidden:
        where = f"({where} OR {Sight.OWN})"
    rows = db.rows(
        f"""{_SELECT} WHERE {where} AND e.id IN
        (SELECT id FROM entries WHERE number = :number AND shelf IN (SELECT value FROM json_each(:shelves))
        UNION SELECT entry FROM merged WHERE number = :number AND shelf IN (SELECT value FROM json_each(:shelves)))""",
        number=number,
        shelves=json.dumps([shelf.id for shelf in sight.shelves]),
        **sight.params,
    )
    order = {shelf.id: place for place, shelf in enumerate(sight.shelves)}
    found = [_entry(row) for row in rows if circle is None or row["circle"] == circle]
    return sorted(found, key=lambda entry: order[entry.shelf.id])


def shares_of(db: SyncReader, entry: Entry, limit: int) -> Sequence[ShareShown]:
    """Who shared an entry, newest first."""
    rows = db.rows(
        """SELECT p.room, n.event, u.user AS sender, n.sent_at, n.note, n.url FROM shares n
        LEFT JOIN places p ON p.id = n.place LEFT JOIN sharers u ON u.id = n.sender
        WHERE n.entry = :entry ORDER BY n.sent_at DESC, n.id DESC LIMIT :limit""",
        entry=entry.id,
        limit=limit,
    )
    return [ShareShown(**row) for row in rows]


def versions_of(db: SyncReader, entry: Entry) -> Sequence[Version]:
    """The other pages of an entry that may be opened: those that were joined, and its own where another is shown."""
    rows = db.rows(
        f"""SELECT {PAGE_URL} AS url, coalesce(f.language, c.language) AS language
        FROM ({PAGES}) p JOIN entries e ON e.id = p.entry
        LEFT JOIN facts f ON f.entry = e.id AND f.resource = p.resource AND f.state = 'ok'
        LEFT JOIN curations c ON c.entry = e.id AND c.resource = p.resource ORDER BY p.resource""",
        ids=json.dumps([entry.id]),
    )
    found = {canonical(row["url"]): row for row in rows if row["url"]}
    others = [row for key, row in found.items() if key not in (None, canonical(entry.url))]
    return [Version(row["url"], row["language"] or display.language(row["url"])) for row in others[:MOST_VERSIONS]]


def recommendation(db: SyncReader, entry: Entry) -> Mapping[str, str]:
    """What the hub's moderators say of an entry, by language; {} if nothing."""
    rows = db.rows("SELECT field, value FROM corrections WHERE entry = :entry", entry=entry.id)
    corrections = {row["field"]: row["value"] for row in rows}
    curated = by_entry(db, CURATIONS, json.dumps([entry.id]))
    return noted(corrections, recommended(curated.get(entry.id, ())))


def recommended(curations: Sequence[Row]) -> Mapping[str, str]:
    """The note of the first of these (rows.CURATIONS) that has one; {} if none has."""
    return next((note for row in curations if (note := json.loads(row["note"]))), {})


def noted(corrections: Mapping[str, str], curated: Mapping[str, str]) -> Mapping[str, str]:
    """What a hub says of a page: as somebody set it by command, as its YAML has it, or as a file brought it in."""
    if "note" in corrections:
        return {"": corrections["note"]}
    return curated or by_language(corrections, "note")


def topic_counts(db: SyncReader, sight: Sight) -> Mapping[str, int]:
    """Topics that entries have, with how many have them; the most frequent first, and no more than 500."""
    rows = db.rows(
        f"""SELECT substr(word, 2) AS topic, sum(entries) AS entries FROM vocabulary WHERE word >= '#' AND word < '$'
        AND {Sight.SCOPES} GROUP BY word ORDER BY entries DESC, word LIMIT 500""",
        **sight.params,
    )
    return {row["topic"]: row["entries"] for row in rows}


def topics_used(db: SyncReader, sight: Sight, topics: Iterable[str]) -> Sequence[str]:
    """Those of the topics that entries have, however rare."""
    counts = vocabulary.counts(db, [f"#{topic}" for topic in topics], sight)
    return [word[1:] for word, count in counts.items() if count.seen]


def short_name(entry: Entry) -> str:
    """Its number, as it is called in its hub: `12`, and on the coordinators' shelf `c3`."""
    return f"c{entry.number}" if entry.shelf.circle == COORDINATORS else str(entry.number)


def _entry(row: Row) -> Entry:
    label = row["said_title"]
    return Entry(
        id=row["id"],
        shelf=Shelf(row["shelf"], row["hub"], row["circle"]),
        number=row["number"],
        resource=row["resource"],
        url=row["address"] or "",
        title=json.loads(row["title"]) if row["title"] else {"": label} if label else {},
        languages=tuple((row["languages"] or "").split()),
        kind=row["kind"],
        curated=bool(row["curated"]),
        pinned=bool(row["pinned"]),
        hidden=bool(row["hidden"]),
        label=row["label"],
        votes=row["votes"],
        shared_at=row["shared_at"],
        shared_by=row["user"],
        room=row["room"],
        event=row["event"],
        note=row["note"],
        about=row["about"],
        file=json.loads(row["file"]) if row["file"] else None,
        topics=tuple(json.loads(row["topics"])),
        state=row["state"],
        state_since=row["since"],
        moved_to=row["moved_to"],
        site=row["site"],
        author=row["author"],
        published=row["published"],
    )
