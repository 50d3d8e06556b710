"""People share on shelves and ask, without any rooms: for tests of the index itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.api import Hub, Reader, Transaction
from plugins.knowledge.capture.links import shared_links
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import engine
from plugins.knowledge.search.engine import SearchResult
from plugins.knowledge.search.query_parser import parse
from plugins.knowledge.store import access, history
from plugins.knowledge.store.access import MEMBERS, Scope
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.store.tlp import GREEN, LABELS
from plugins.knowledge.views import load
from plugins.knowledge.views.load import Entry
from tests.knowledge.hubs import hub

ANA, LUIS = "@ana:example.org", "@luis:example.org"
HUBS = (hub(), hub("audit"))
RULES = Rules(HUBS)
YEAR = 365 * 86_400_000
NOW = 50 * YEAR


async def say(
    tx: Transaction,
    text: str,
    *,
    event: str = "$1",
    edit: str | None = None,
    sender: str = ANA,
    hub: str = "transparency",
    circle: str = MEMBERS,
    at: int = NOW - YEAR,
    keep_notes: bool = True,
    rules: Rules = RULES,
) -> tuple[Mapping[NewShare, int], Collection[int]]:
    """A message in the hub's room, or an edit of it; what `update.replace` answers."""
    found = shared_links(text)
    room = f"!{hub}-{circle}:example.org"
    shares = [
        NewShare(
            hub=hub,
            circle=circle,
            url=link.url,
            canonical=link.canonical,
            sent_at=at,
            sender=sender,
            room=room,
            event=event,
            said_in=edit or event,
            note=link.note if keep_notes else None,
            topics=link.hashtags,
            tlp=LABELS.index(found.label) if found.label else GREEN,
        )
        for link in found.links
    ]
    return await tx.run(update.replace, rules, room, event, sender, shares)


async def remove(tx: Transaction, event: str, *, hub: str = "transparency", circle: str = MEMBERS) -> Collection[int]:
    """A message, or its last edit, is redacted."""
    return await tx.run(update.remove, RULES, f"!{hub}-{circle}:example.org", event)


async def numbered(tx: Transaction, number: int, hub: str = "transparency") -> Entry:
    """The entry of that number, also a hidden one."""
    [entry] = await tx.run(load.numbered, await seen(tx, hub), number, hidden=True)
    return entry


async def correct(tx: Transaction, number: int, *, by: str = ANA, event: str | None = None, **values: str) -> None:
    """Somebody says something of the entry of that number: `title="…"`, `hidden="1"`; a label is a number (tlp.py)."""
    entry = await numbered(tx, number)
    sayings = [NewStatement(field, value) for field, value in values.items()]
    await tx.run(update.edit, RULES, entry.id, Author(by, NOW, event), sayings)


async def merge(tx: Transaction, into: int, other: int, by: str = ANA) -> None:
    pair = await numbered(tx, into), await numbered(tx, other)
    await tx.run(update.merge, RULES, pair[0].id, pair[1].id, Author(by, NOW))


async def split(tx: Transaction, number: int, by: str = ANA) -> bool:
    """Takes the page of that number out of its entry; whether it could be."""
    entry = await numbered(tx, number)
    page = await tx.value(
        "SELECT id FROM knowledge_pages WHERE shelf = :shelf AND number = :number", shelf=entry.shelf.id, number=number
    )
    return bool(await tx.run(update.split, RULES, page, Author(by, NOW)))


async def undo_last(tx: Transaction, by: str = ANA, hub: str = "transparency") -> None:
    """Withdraws a person's newest change of which anything counts."""
    shelves = [shelf.id for shelf in (await seen(tx, hub)).own]
    [change] = await tx.run(history.last_of, shelves, by, 1)
    assert await tx.run(update.undo, RULES, change.id)


async def vote(tx: Transaction, entry: int, user: str, event: str | None = None) -> None:
    await tx.run(update.vote, RULES, entry, Author(user, NOW, event))


async def recommend(tx: Transaction, *hubs: Hub) -> None:
    """The YAML of these hubs is read."""
    await tx.run(update.recommend, Rules(hubs), hubs)


async def seen(db: Reader, *own: str, others: Sequence[str] = ()) -> Scope:
    """All of some hubs' shelves (`transparency` if none is named), and what others let be seen."""
    main = {shelf.hub: shelf for shelf in await db.run(access.every_shelf) if shelf.circle == MEMBERS}
    return Scope(
        tuple(main[name] for name in own or ("transparency",) if name in main),
        tuple(main[name] for name in others if name in main),
    )


async def ask(
    db: Reader,
    words: str,
    *own: str,
    others: Sequence[str] = (),
    limit: int = 10,
    hubs: Sequence[Hub] = HUBS,
    topics: Sequence[str] = (),
) -> SearchResult:
    terms = merged_thesaurus(hubs)
    scope = await seen(db, *own, others=others)
    return await db.run(engine.find, scope, parse(words, terms), topics, NOW, thesaurus=terms, limit=limit)


async def entries(db: Reader, words: str, *own: str, others: Sequence[str] = ()) -> Sequence[Entry]:
    """The entries found, best first."""
    found = await ask(db, words, *own, others=others)
    return await db.run(load.load, await seen(db, *own, others=others), [hit.id for hit in found.hits])


async def urls(db: Reader, words: str, *own: str, others: Sequence[str] = (), full: bool = True) -> Sequence[str]:
    """The addresses found, best first; `full`: only of entries that have all that was asked."""
    found = await ask(db, words, *own, others=others)
    hits = [hit.id for hit in found.hits if hit.full or not full]
    return [entry.url for entry in await db.run(load.load, await seen(db, *own, others=others), hits)]


async def everything(db: Reader, *own: str) -> Sequence[Entry]:
    """All entries of the hubs, the newest first."""
    return await entries(db, "since:1970", *own)
