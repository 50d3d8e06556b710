"""What gives way when somebody shares a page later: a label set by command, where the new share is stricter; and that
its only sharer hid it, where the new one is another's."""

from __future__ import annotations

import json
from collections.abc import Collection

from bot.api import SyncTransaction
from plugins.knowledge.store.access import AMBER, GREEN, LABELS

OWN = "own"  # what `hidden` is set to by a page's only sharer; by coordinators to "1"
WHOLE = "whole:label"  # in `put_aside`: not of the part, but of the entry it was joined to, before that

_IDS = "(SELECT value FROM json_each(:ids))"
_PART = f"""EXISTS (SELECT 1 FROM merged m WHERE m.entry IN {_IDS} AND m.shelf = put_aside.shelf
    AND m.resource = put_aside.resource)"""


def give_way(tx: SyncTransaction, filed: Collection[tuple[int, int, int | None]]) -> None:
    """These shares (entry, label, id of the sender) were filed just now; renewing the entries is left to the caller."""
    there = tx.value(
        f"""SELECT EXISTS (SELECT 1 FROM corrections WHERE entry IN {_IDS} AND field IN ('hidden', 'label'))
        OR EXISTS (SELECT 1 FROM merged m JOIN put_aside a ON a.shelf = m.shelf AND a.resource = m.resource
        WHERE m.entry IN {_IDS} AND a.field IN ('hidden', 'label'))""",
        ids=_json({entry for entry, _, _ in filed}),
    )
    if not there:  # nearly always
        return
    for label in (GREEN, AMBER):
        _loosen(tx, label, {entry for entry, said, _ in filed if said == label})
    for sender in {sender for _, _, sender in filed}:
        _drop(
            tx,
            {entry for entry, _, by in filed if by == sender},
            "field = 'hidden' AND value = :own AND by IS NOT :sender",
            own=OWN,
            sender=sender,
        )


def _loosen(tx: SyncTransaction, label: int, entries: Collection[int]) -> None:
    """What opened these entries further than this label no longer does, and does not come back by `!undo`."""
    open_ = "IN (SELECT value FROM json_each(:open))"
    below = json.dumps(LABELS[:label])
    _drop(tx, entries, f"field IN ('label', :whole) AND value {open_}", whole=WHOLE, open=below)
    tx.execute(
        f"""UPDATE changes SET before = NULL WHERE what = 'label' AND before {open_} AND (shelf, number) IN
        (SELECT shelf, number FROM entries WHERE id IN {_IDS}
        UNION SELECT shelf, number FROM merged WHERE entry IN {_IDS})""",
        ids=_json(entries),
        open=below,
    )


def _drop(tx: SyncTransaction, entries: Collection[int], which: str, **params: object) -> None:
    """Drops corrections of these entries, and those put aside for their parts."""
    tx.execute(f"DELETE FROM corrections WHERE entry IN {_IDS} AND {which}", ids=_json(entries), **params)
    tx.execute(f"DELETE FROM put_aside WHERE {_PART} AND {which}", ids=_json(entries), **params)


def _json(entries: Collection[int]) -> str:
    return json.dumps(sorted(entries))
