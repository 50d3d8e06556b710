"""Reading: which entries answer a question, among the hubs the asker may see and no others.

Hubs are a condition of the SQL, twice: as a token inside MATCH, which makes it fast, and on the joined rows, which
makes it sure. Nothing is filtered afterwards, so pages, numbers and counts tell nothing about other hubs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from bot.api import Reader, Row
from plugins.knowledge.canonical import canonical
from plugins.knowledge.text import SHORTEST_PREFIX, joined, question

WEIGHTS = "0, 10, 6, 3, 1"  # bm25 of the columns of entry_words: scope, title, topics, notes, address


@dataclass(frozen=True, slots=True)
class Query:
    """A question. `sender` is `@ana:example.org`, or `ana` on any server; `since` is an instant.

    Both speak of the same share: somebody shared it since then.
    """

    words: str = ""
    topic: str | None = None
    sender: str | None = None
    since: int | None = None
    any_word: bool = False

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a hub knows of a page. `title` is by language ({} if nobody gave one); `score`: higher is better."""

    id: int
    hub: str
    number: int
    resource: int
    url: str
    title: Mapping[str, str]
    language: str | None
    curated: bool
    shared_at: int | None
    shared_by: str | None
    topics: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Share:
    room: str
    event: str
    sender: str
    sent_at: int
    note: str | None


def scope(hub: str) -> str:
    """A hub's id as one word that no question contains by itself."""
    return f"zhub{hub.encode().hex()}"


async def find(db: Reader, hubs: Sequence[str], query: Query, limit: int) -> tuple[Query, Sequence[Entry]]:
    """Best first; and the question as it was answered: where no entry has all the words, those that have any."""
    entries = await page(db, hubs, query, limit=limit)
    if not entries and len(question(query.words)) > 1 and _key(query) is None:
        query = replace(query, any_word=True)
        entries = await page(db, hubs, query, limit=limit)
    return query, entries


async def page(db: Reader, hubs: Sequence[str], query: Query, *, limit: int, skip: int = 0) -> Sequence[Entry]:
    """A page of the entries that answer `query`, best first; newest first if it has no words.

    Words that are an address ask for that page.
    """
    conditions, params = _conditions(hubs, query)
    source, score = "entries e", "0.0"
    if key := _key(query):
        conditions.append("e.resource = (SELECT id FROM resources WHERE canonical = :key)")
        params["key"] = key
    elif query.words:
        match = _match(hubs, query)
        if match is None:
            return ()
        conditions.append("entry_words MATCH :match")
        params["match"] = match
        # CROSS: the index leads and the entries follow; the other way round takes seconds.
        source = "entry_words CROSS JOIN entries e ON e.id = entry_words.rowid"
        score = f"-bm25(entry_words, {WEIGHTS})"
    rows = await db.rows(
        f"""SELECT e.*, {score} AS score, {_TOPICS} FROM {source}
        WHERE {" AND ".join(conditions)}
        ORDER BY score DESC, e.shared_at DESC, e.id DESC LIMIT :limit OFFSET :skip""",  # noqa: S608 - our own text
        limit=limit,
        skip=skip,
        **params,
    )
    return [_entry(row) for row in rows]


async def numbered(db: Reader, hubs: Sequence[str], number: int) -> Sequence[Entry]:
    """The entries of that number, at most one per hub."""
    rows = await db.rows(
        f"SELECT e.*, 0.0 AS score, {_TOPICS} FROM entries e WHERE {_VISIBLE} AND e.number = :number",  # noqa: S608 - our own text
        hubs=json.dumps(list(hubs)),
        number=number,
    )
    return sorted((_entry(row) for row in rows), key=lambda entry: hubs.index(entry.hub))


async def shares_of(db: Reader, entry: Entry, limit: int) -> Sequence[Share]:
    """Who shared an entry in its hub, newest first."""
    rows = await db.rows(
        """SELECT room, event, sender, sent_at, note FROM shares WHERE hub = :hub AND resource = :resource
        ORDER BY sent_at DESC, id DESC LIMIT :limit""",
        hub=entry.hub,
        resource=entry.resource,
        limit=limit,
    )
    return [Share(**row) for row in rows]


async def recommendation(db: Reader, entry: Entry) -> Mapping[str, str]:
    """What the hub's moderators say of an entry, by language; {} if nothing."""
    note = await db.value(
        "SELECT note FROM curations WHERE hub = :hub AND resource = :resource", hub=entry.hub, resource=entry.resource
    )
    said: Mapping[str, str] = json.loads(note or "{}")
    return said


async def topic_counts(db: Reader, hubs: Sequence[str]) -> Mapping[str, int]:
    """Topics that entries of these hubs have, with how many have them."""
    rows = await db.rows(
        f"""SELECT t.topic, count(*) AS entries FROM entry_topics t JOIN entries e ON e.id = t.entry
        WHERE {_VISIBLE} GROUP BY t.topic""",  # noqa: S608 - our own text
        hubs=json.dumps(list(hubs)),
    )
    return {row["topic"]: row["entries"] for row in rows}


_TOPICS = "(SELECT json_group_array(topic) FROM entry_topics WHERE entry = e.id) AS topics"
_VISIBLE = "e.hub IN (SELECT value FROM json_each(:hubs))"


def _key(query: Query) -> str | None:
    """The page that is asked for, if the words are an address."""
    return canonical(query.words.strip("<>"))


def _conditions(hubs: Sequence[str], query: Query) -> tuple[list[str], dict[str, object]]:
    conditions = [_VISIBLE]
    values: dict[str, object] = {"hubs": json.dumps(list(hubs))}
    if query.topic is not None:
        conditions.append("EXISTS (SELECT 1 FROM entry_topics t WHERE t.entry = e.id AND t.topic = :topic)")
        values["topic"] = query.topic
    shared = []
    if query.sender is not None:
        whole = ":" in query.sender
        shared.append("lower(s.sender) = :sender" if whole else "substr(lower(s.sender), 1, length(:sender)) = :sender")
        values["sender"] = query.sender if whole else f"@{query.sender}:"
    if query.since is not None:
        shared.append("s.sent_at >= :since")
        values["since"] = query.since
    if shared:
        about = "s.hub = e.hub AND s.resource = e.resource"
        conditions.append(f"EXISTS (SELECT 1 FROM shares s WHERE {about} AND {' AND '.join(shared)})")  # noqa: S608 - our own text
    return conditions, values


def _match(hubs: Sequence[str], query: Query) -> str | None:
    """The question in FTS5's language; None if it holds no word. Every word is quoted: nothing a person writes is
    an operator, or reaches the column `scope`."""
    words = question(query.words)
    if not words or not hubs:
        return None
    terms = [_term(parts, prefix=parts is words[-1]) for parts in words]
    scopes = " OR ".join(f'"{scope(hub)}"' for hub in hubs)
    asked = (" OR " if query.any_word else " AND ").join(terms)
    return f"scope : ({scopes}) AND {{title topics notes address}} : ({asked})"


def _term(parts: Sequence[str], *, prefix: bool) -> str:
    """`"gift"`, or for a compound `(("anti" AND "bribery") OR "antibribery")`."""
    star = "*" if prefix and len(parts[-1]) >= SHORTEST_PREFIX else ""
    last = f'"{parts[-1]}"{star}'
    if len(parts) == 1:
        return last
    separate = " AND ".join([*(f'"{part}"' for part in parts[:-1]), last])
    return f'(({separate}) OR "{joined(parts)}"{star})'


def _entry(row: Row) -> Entry:
    values = dict(row)
    return Entry(
        **{
            **values,
            "title": json.loads(values["title"]),
            "topics": tuple(json.loads(values["topics"])),
            "curated": bool(values["curated"]),
        }
    )
