"""Is a share of a file one that the shelf has already?"""

from __future__ import annotations

from collections.abc import Sequence

from plugins.knowledge.store.shares import NewShare

Mark = tuple[object, ...]
"""What a share is known by."""


def marks_of(page: str, sent_at: int, note: str | None, label: str | None) -> Sequence[Mark]:
    """All that a share on the shelf may be known by."""
    return (
        ("share", page, sent_at, note or None, label or None),
        ("second", page, sent_at // 1000),
        ("words", page, note or None, label or None),
        ("page", page),
    )


def mark_of(page: str, share: NewShare, *, dated: bool) -> Mark:
    """What a share of a file must have in common with one on the shelf to be the same: what the file knows of it.

    Some programs keep whole seconds, and no words.
    """
    exact, second, words, address = marks_of(page, share.sent_at, share.note, share.label)
    bare = not (share.note or share.label)
    if not dated:
        return address if bare else words
    return second if bare and share.sent_at % 1000 == 0 else exact
