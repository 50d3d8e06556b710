"""The full-text index on disk: deleted words must leave the file, too."""

from __future__ import annotations

from bot.api import SyncTransaction

LARGE = 200_000  # entries; from here on the index is not rewritten in one transaction: it takes seconds
STEP = 500  # pages of the index that are rewritten in one transaction


def erase(tx: SyncTransaction, large: int = LARGE) -> bool:
    """Lets deleted words leave the disk: a deleted row alone leaves them in the search index and in the log.

    The index is rewritten, about 0.1 s for ten thousand entries. Not one that is large: then the answer is False, and
    `rewrite_some` does it in steps.
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
    """One step of `rewrite`, a tenth of a second; whether there are more. The first one must `begin`.

    SQLite, "FTS5", 6.7: the rank is negative to begin; a step that changes less than two rows was the last.
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
