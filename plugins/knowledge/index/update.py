"""Changes the store and rebuilds the entries concerned, in one transaction. Nothing else connects store and index."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from bot.api import Hub, Reaction, SyncTransaction, section
from plugins.knowledge.index.fts import erase
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store import doubt as store_doubt
from plugins.knowledge.store import imports, privacy, recommendations, shares, statements
from plugins.knowledge.store.pages import entries_of, entry_of_each
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement

THUMBS_UP = "👍"  # in any colour: skin tones follow it


def put(tx: SyncTransaction, rules: Rules, new: Sequence[NewShare]) -> Mapping[NewShare, int]:
    """Stores shares; returns the entry of each. Idempotent: a share that exists already stays as it is."""
    if not new:
        return {}
    pages = shares.add(tx, new)
    rebuild(tx, rules, entries_of(tx, set(pages.values())))
    return _entries(tx, pages)


def replace(
    tx: SyncTransaction, rules: Rules, room: str, event: str, sender: str, new: Sequence[NewShare]
) -> tuple[Mapping[NewShare, int], Collection[int]]:
    """Replaces the shares of a message; returns the entry of each new share, and the entries that lost one."""
    pages, went = shares.replace(tx, room, event, sender, new)
    lost = entries_of(tx, went)
    rebuild(tx, rules, lost | entries_of(tx, set(pages.values())))
    return _entries(tx, pages), lost


def remove(tx: SyncTransaction, rules: Rules, room: str, event: str) -> Collection[int]:
    """Deletes the shares of a message, given its id or that of its last edit; returns the entries that lost one."""
    touched = entries_of(tx, shares.remove(tx, room, event))
    rebuild(tx, rules, touched)
    return touched


def redact(tx: SyncTransaction, rules: Rules, hub: str, event: str) -> Collection[int]:
    """Withdraws the votes and erases the words of a message or reaction that was redacted; returns the entries."""
    touched = statements.redact(tx, hub, event)
    rebuild(tx, rules, touched)
    return touched


def react(tx: SyncTransaction, rules: Rules, reaction: Reaction) -> None:
    """Counts a 👍 as a vote for the entries that a message shares. Nobody can vote for their own share."""
    if not reaction.key.startswith(THUMBS_UP):
        return
    pages = shares.of_message(tx, reaction.room, reaction.target, but=reaction.sender)
    if pages:
        author = Author(reaction.sender, reaction.sent_at, reaction.event_id, reaction.room)
        rebuild(tx, rules, statements.vote(tx, pages, author))


def vote(tx: SyncTransaction, rules: Rules, entry: int, author: Author) -> bool:
    """Records a vote; returns False if the entry has no share by anybody else."""
    if shares.is_theirs_alone(tx, entry, author.user):
        return False
    rebuild(tx, rules, statements.vote(tx, [statements.best_page(tx, entry)], author))
    return True


def edit(tx: SyncTransaction, rules: Rules, entry: int, author: Author, sayings: Sequence[NewStatement]) -> bool:
    """Records statements about an entry; returns whether any of them is new."""
    touched = statements.edit(tx, entry, author, sayings)
    rebuild(tx, rules, touched)
    return bool(touched)


def merge(tx: SyncTransaction, rules: Rules, into: int, other: int, author: Author) -> None:
    """Merges the entry `other` into `into`, of the same shelf; its number then refers to the merged entry."""
    rebuild(tx, rules, statements.merge(tx, into, other, author))


def split(tx: SyncTransaction, rules: Rules, page: int, author: Author) -> Collection[int]:
    """Splits a page from its entry; returns the entries that changed, none if it could not be split."""
    touched = statements.split(tx, page, author)
    rebuild(tx, rules, touched)
    return touched


def move(tx: SyncTransaction, rules: Rules, entry: int, url: str, key: str, author: Author) -> None:
    """Gives an entry a new address, which is shown from now on; shares of that address belong to the entry, too."""
    rebuild(tx, rules, statements.move(tx, entry, url, key, author))


def undo(tx: SyncTransaction, rules: Rules, command: int, event: str | None = None) -> Collection[int]:
    """Withdraws the statements of a command; returns the entries that changed, none if no statement counted any
    more. `event`: the message that asked for it."""
    touched = statements.undo(tx, command, event)
    rebuild(tx, rules, touched)
    return touched


def withdraw_edited(tx: SyncTransaction, rules: Rules, event: str, user: str) -> Collection[int]:
    """Undoes what a person's message did as a command, and erases its words; returns the entries that changed."""
    touched = statements.withdraw_edited(tx, event, user)
    rebuild(tx, rules, touched)
    return touched


def undo_some_of_import(tx: SyncTransaction, rules: Rules, command: int) -> int:
    """Undoes an import for some pages; returns how many entries changed, 0 when the import is undone completely."""
    touched = imports.undo_some(tx, command)
    rebuild(tx, rules, touched)
    return len(touched)


def recommend(tx: SyncTransaction, rules: Rules, hubs: Sequence[Hub]) -> None:
    """Applies the hubs' YAML: their recommendations, and whether they keep notes."""
    touched = recommendations.recommend(tx, hubs)
    for hub in hubs:
        if not section(hub, KnowledgeHub).keep_notes:
            touched |= shares.drop_words(tx, hub.id)
    rebuild(tx, rules, touched)


def forget(tx: SyncTransaction, rules: Rules, user: str) -> None:
    """Deletes everything a person shared and wrote, and their votes; erases the words from disk."""
    touched = privacy.forget(tx, user)
    if touched is not None:
        rebuild(tx, rules, touched)
        erase(tx)


def doubt(tx: SyncTransaction, rules: Rules, room: str) -> int:
    """Stops showing what only this room shares, until it is checked; returns how many messages are in doubt."""
    messages, entries = store_doubt.begin(tx, room)
    rebuild(tx, rules, entries)
    return messages


def trust(tx: SyncTransaction, rules: Rules, room: str, checked: Sequence[str]) -> None:
    """Shows again what these messages share."""
    rebuild(tx, rules, store_doubt.end(tx, room, json.dumps(list(checked))))


def purge(tx: SyncTransaction, rules: Rules, entries: Collection[int]) -> None:
    """Deletes entries with all their shares and statements."""
    touched = entries_of(tx, entries)
    privacy.purge(tx, entries)
    rebuild(tx, rules, touched)


def purge_some(tx: SyncTransaction, rules: Rules, hub: str) -> int:
    """Deletes some entries of a hub; returns how many, 0 when none are left."""
    entries = privacy.some_of_hub(tx, hub)
    purge(tx, rules, entries)
    return len(entries)


def _entries(tx: SyncTransaction, pages: Mapping[NewShare, int]) -> Mapping[NewShare, int]:
    """The entry of each share's page."""
    entry = entry_of_each(tx, set(pages.values()))
    return {share: entry[page] for share, page in pages.items()}
