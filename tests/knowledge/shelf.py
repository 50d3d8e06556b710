"""People share on shelves and ask, without any rooms: for tests of the index itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.api import Hub, Reader, Transaction
from plugins.knowledge.capture.links import shared
from plugins.knowledge.index.hub_rules import Rules, together
from plugins.knowledge.search import engine
from plugins.knowledge.search.engine import Found
from plugins.knowledge.search.query_parser import read
from plugins.knowledge.store import access
from plugins.knowledge.store import shares as stored_shares
from plugins.knowledge.store.access import GREEN, LABELS, MEMBERS, Sight
from plugins.knowledge.store.shares import Share
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
) -> tuple[Mapping[Share, int], Collection[int]]:
    """A message in the hub's room, or an edit of it; what `index.replace` answers."""
    found = shared(text)
    room = f"!{hub}-{circle}:example.org"
    shares = [
        Share(
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
    return await tx.run(stored_shares.replace, rules, room, event, sender, shares)


async def remove(tx: Transaction, event: str, *, hub: str = "transparency", circle: str = MEMBERS) -> Collection[int]:
    """A message, or its last edit, is redacted."""
    return await tx.run(stored_shares.remove, RULES, f"!{hub}-{circle}:example.org", event)


async def seen(db: Reader, *own: str, others: Sequence[str] = ()) -> Sight:
    """All of some hubs' shelves (`transparency` if none is named), and what others let be seen."""
    main = {shelf.hub: shelf for shelf in await db.run(access.every) if shelf.circle == MEMBERS}
    return Sight(
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
) -> Found:
    terms = together(hubs)
    sight = await seen(db, *own, others=others)
    return await db.run(engine.find, sight, read(words, terms), topics, NOW, terms=terms, limit=limit)


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
