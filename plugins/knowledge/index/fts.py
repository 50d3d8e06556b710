"""Rewrites the full-text index, so that deleted words leave the disk, too."""

from __future__ import annotations

from bot.api import SyncTransaction

LARGE = 200_000  # entries; a larger index is not rewritten in one transaction, which would take seconds
STEP = 500  # pages of the index to rewrite in one transaction


def erase(tx: SyncTransaction, large: int = LARGE) -> bool:
    """Erases deleted words from disk: deleting a row alone leaves them in the index and in the write-ahead log.

    Rewrites the index, about 0.1 s for ten thousand entries. Returns False for a large one: then call `rewrite_some`
    until it is done.
    """
    entries = tx.value("SELECT count(*) FROM (SELECT 1 FROM knowledge_entries LIMIT :large)", large=large)
    small = int(entries) < large
    if small:
        rewrite(tx)
    tx.erase()
    return small


def rewrite(tx: SyncTransaction) -> None:
    tx.execute("INSERT INTO knowledge_entry_words (knowledge_entry_words) VALUES ('optimize')")
    tx.erase()


def rewrite_some(tx: SyncTransaction, *, begin: bool) -> bool:
    """Does one step of `rewrite`, about 0.1 s. Returns whether there are more; the first step must `begin`.

    SQLite, "FTS5", 6.7: a negative rank begins; a step that changes fewer than two rows was the last.
    """
    before = tx.value("SELECT total_changes()")
    tx.execute(
        "INSERT INTO knowledge_entry_words (knowledge_entry_words, rank) VALUES ('merge', :pages)",
        pages=-STEP if begin else STEP,
    )
    more = tx.value("SELECT total_changes()") - before >= 2
    if not more:
        tx.erase()
    return bool(more)
