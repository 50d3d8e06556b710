"""What was said changes, and the entries follow, in one transaction: the one place where the store and the index
meet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.api import Hub, Reaction, SyncTransaction, section
from plugins.knowledge.index.fts import erase
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store import imports, privacy, recommendations, shares, statements
from plugins.knowledge.store.pages import entries_of, entry_of_each
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, Saying

THUMBS_UP = "👍"  # in any colour: skin tones follow it


def put(tx: SyncTransaction, rules: Rules, new: Sequence[NewShare]) -> Mapping[NewShare, int]:
    """Stores shares; answers the entry each is in now. A share that is there already stays as it is."""
    if not new:
        return {}
    pages = shares.add(tx, new)
    rebuild(tx, rules, entries_of(tx, set(pages.values())))
    return _entries(tx, pages)


def replace(
    tx: SyncTransaction, rules: Rules, room: str, event: str, sender: str, new: Sequence[NewShare]
) -> tuple[Mapping[NewShare, int], Collection[int]]:
    """Makes `new` what this message shares; answers the entry each is in now, and the entries something went from."""
    pages, went = shares.replace(tx, room, event, sender, new)
    lost = entries_of(tx, went)
    rebuild(tx, rules, lost | entries_of(tx, set(pages.values())))
    return _entries(tx, pages), lost


def remove(tx: SyncTransaction, rules: Rules, room: str, event: str) -> Collection[int]:
    """Removes what a message shares, given its id or that of its last edit; answers the entries something went from."""
    touched = entries_of(tx, shares.remove(tx, room, event))
    rebuild(tx, rules, touched)
    return touched


def redact(tx: SyncTransaction, rules: Rules, hub: str, event: str) -> Collection[int]:
    """Takes the words and votes that a message or reaction gave which was deleted in a room of the hub."""
    touched = statements.redact(tx, hub, event)
    rebuild(tx, rules, touched)
    return touched


def react(tx: SyncTransaction, rules: Rules, reaction: Reaction) -> None:
    """👍 finds what a message shares useful; nobody what they shared by it themselves."""
    if not reaction.key.startswith(THUMBS_UP):
        return
    pages = shares.of_message(tx, reaction.room, reaction.target, but=reaction.sender)
    if pages:
        author = Author(reaction.sender, reaction.sent_at, reaction.event_id)
        rebuild(tx, rules, statements.vote(tx, pages, author))


def vote(tx: SyncTransaction, rules: Rules, entry: int, author: Author) -> bool:
    """Whether it counts: nobody finds only their own share useful."""
    if shares.is_theirs_alone(tx, entry, author.user):
        return False
    rebuild(tx, rules, statements.vote(tx, [entry], author))
    return True


def edit(tx: SyncTransaction, rules: Rules, entry: int, author: Author, sayings: Sequence[Saying]) -> bool:
    """Says something of an entry; whether anything of it is new."""
    touched = statements.edit(tx, entry, author, sayings)
    rebuild(tx, rules, touched)
    return bool(touched)


def merge(tx: SyncTransaction, rules: Rules, into: int, other: int, author: Author) -> None:
    """The entry `other` becomes part of `into`, of the same shelf; its number leads there from now on."""
    rebuild(tx, rules, statements.merge(tx, into, other, author))


def split(tx: SyncTransaction, rules: Rules, page: int, author: Author) -> Collection[int]:
    """Takes a page out of its entry; the entries there are now, none if it could not be."""
    touched = statements.split(tx, page, author)
    rebuild(tx, rules, touched)
    return touched


def move(tx: SyncTransaction, rules: Rules, entry: int, url: str, key: str, author: Author) -> None:
    """The page of an entry has a new address: it is shown, and what is shared by it belongs to the entry."""
    rebuild(tx, rules, statements.move(tx, entry, url, key, author))


def undo(tx: SyncTransaction, rules: Rules, command: int) -> Collection[int]:
    """Withdraws what a command said; the entries that were touched, none if nothing of it counted any more."""
    touched = statements.undo(tx, command)
    rebuild(tx, rules, touched)
    return touched


def undo_some_of_import(tx: SyncTransaction, rules: Rules, command: int) -> int:
    """Removes what an import added from some pages; how many entries were touched, 0: all of it is gone."""
    touched = imports.undo_some(tx, command)
    rebuild(tx, rules, touched)
    return len(touched)


def recommend(tx: SyncTransaction, rules: Rules, hubs: Sequence[Hub]) -> None:
    """Brings the index in line with the hubs' YAML: what they recommend, and whether they keep notes."""
    touched = recommendations.recommend(tx, hubs)
    for hub in hubs:
        if not section(hub, KnowledgeHub).keep_notes:
            touched |= shares.drop_words(tx, hub.id)
    rebuild(tx, rules, touched)


def forget(tx: SyncTransaction, rules: Rules, user: str) -> None:
    """Removes everything a person shared, wrote and found useful; the words leave the disk."""
    touched = privacy.forget(tx, user)
    if touched is not None:
        rebuild(tx, rules, touched)
        erase(tx)


def purge(tx: SyncTransaction, rules: Rules, entries: Collection[int]) -> None:
    """These entries go with all that was said of them."""
    touched = entries_of(tx, entries)
    privacy.purge(tx, entries)
    rebuild(tx, rules, touched)


def purge_some(tx: SyncTransaction, rules: Rules, hub: str) -> int:
    """How many entries of the hub went; 0: there were none left."""
    entries = privacy.some_of_hub(tx, hub)
    purge(tx, rules, entries)
    return len(entries)


def _entries(tx: SyncTransaction, pages: Mapping[NewShare, int]) -> Mapping[NewShare, int]:
    """The entry of each share's page."""
    entry = entry_of_each(tx, set(pages.values()))
    return {share: entry[page] for share, page in pages.items()}
