"""Gives new keys to pages whose keys were made by an older version of the canonicalisation rules.

Pages with the same new key are merged for good into the older one; if coordinators hid either, both are hidden. A page
whose addresses have several new keys is split: its number stays with what is recommended or was shared first; hiding
and merges hold for every part, and no part is labelled less strictly than the entry was."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.api import SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import (
    IDS,
    add_page,
    as_list,
    digest,
    entries_of,
    page_with,
    regroup,
    take_numbers,
)
from plugins.knowledge.store.resolve import LIMITS, label_of, resolve
from plugins.knowledge.store.statements import REKEYED, NewStatement, add_statement, create_command
from plugins.knowledge.store.tlp import AMBER, CLEAR, GREEN
from plugins.knowledge.urls.canonical import VERSION, canonical

_LIMITS = ", ".join(f"'{name}'" for name in sorted(LIMITS))
_COPIED = f"{_LIMITS}, 'same_as', 'cut'"


def rekey(tx: SyncTransaction, rules: Rules, most: int) -> bool:
    """Gives new keys to up to `most` pages; returns whether there may be more."""
    rows = tx.rows(
        """SELECT id FROM knowledge_pages WHERE version <> :version AND key IS NOT NULL AND address_of IS NULL
        ORDER BY number LIMIT :most""",
        version=VERSION,
        most=most,
    )
    touched: set[int] = set()
    for row in rows:
        touched |= _rekey(tx, row["id"])
    rebuild(tx, rules, touched)
    return len(rows) == most


def rekey_recommended(tx: SyncTransaction, rules: Rules) -> None:
    """The same for all recommended pages at once, before the YAML is matched by new keys."""
    rows = tx.rows(
        """SELECT id FROM knowledge_pages WHERE version <> :version AND key IS NOT NULL
        AND id IN (SELECT page FROM knowledge_recommendations) ORDER BY number""",
        version=VERSION,
    )
    touched: set[int] = set()
    for row in rows:
        touched |= _rekey(tx, row["id"])
    rebuild(tx, rules, touched)


def _rekey(tx: SyncTransaction, page: int) -> set[int]:
    """Gives one page its new key; returns the entries that changed."""
    tx.execute("UPDATE knowledge_pages SET version = :version WHERE id = :page", version=VERSION, page=page)
    keys = _keys(tx, page)
    if not keys:  # nobody shares it any more; it only remains hidden by coordinators
        return set()
    shelf: int = tx.value("SELECT shelf FROM knowledge_pages WHERE id = :page", page=page)
    _set_key(tx, page, None)  # it may be the new key of another page
    touched: set[int] = set()
    others: set[int] = set()
    for key in keys:
        other = page_with(tx, shelf, key)
        if other is not None and tx.value("SELECT version FROM knowledge_pages WHERE id = :id", id=other) != VERSION:
            touched |= _rekey(tx, other)  # it has this key by the older rules, and may lose it
            other = page_with(tx, shelf, key)
        if other is not None:
            others.add(other)
    if len(keys) == 1 and not others:
        _set_key(tx, page, next(iter(keys)))
        return touched
    labels_before = _labels(tx, {page, *others})
    split_off = [_split_off(tx, page, shelf, urls) for urls in list(keys.values())[1:]]
    labels_before |= dict.fromkeys(split_off, labels_before[page])
    touched |= regroup(tx, [page, *split_off])
    for part, key in zip((page, *split_off), keys, strict=True):
        touched |= _assign_key(tx, part, shelf, key)
    _keep_labels(tx, shelf, touched, labels_before)
    return touched


def _keys(tx: SyncTransaction, page: int) -> Mapping[str, Sequence[str]]:
    """The new keys of a page → its addresses with that key; first the key of what is recommended or was shared
    first."""
    rows = tx.rows(
        """SELECT url FROM (SELECT url, 0 AS seq FROM knowledge_recommendations WHERE page = :page
        UNION ALL SELECT url, seq FROM knowledge_shares WHERE page = :page) ORDER BY seq""",
        page=page,
    ) or tx.rows(  # a new address that nobody shared yet
        """SELECT moved.value AS url FROM knowledge_statements edge
        JOIN knowledge_statements moved ON moved.command = edge.command AND moved.field = 'url'
        WHERE edge.page = :page AND edge.field = 'same_as' AND moved.value IS NOT NULL ORDER BY moved.seq DESC
        LIMIT 1""",
        page=page,
    )
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(digest(canonical(row["url"]) or row["url"]), []).append(row["url"])
    return keys


def _assign_key(tx: SyncTransaction, page: int, shelf: int, key: str) -> set[int]:
    """Gives a page this key. If another page has it already, the younger one is merged into the older."""
    existing = page_with(tx, shelf, key)
    if existing is None:
        _set_key(tx, page, key)
        return set()
    older, younger = _by_number(tx, page, existing)
    _set_key(tx, younger, None)
    _set_key(tx, older, key)
    add_statement(tx, shelf, [younger], _begin_rekey(tx, shelf, older), NewStatement("same_as", REKEYED, target=older))
    parts = {part.page: part for of_entry in load(tx, entries_of(tx, [older, younger])).values() for part in of_entry}
    for source, target in ((older, younger), (younger, older)):
        hiding = parts[source].decisive("hidden")
        if hiding and hiding.value == "1":
            _copy(tx, source, target, "seq = :seq", seq=hiding.seq)
    return regroup(tx, [older, younger])


def _split_off(tx: SyncTransaction, page: int, shelf: int, urls: Sequence[str]) -> int:
    """Moves the shares and facts of these addresses to a new page that is hidden, labelled and merged as the old
    one."""
    new = add_page(tx, shelf, take_numbers(tx, shelf, 1))
    for table in ("knowledge_shares", "knowledge_facts"):
        tx.execute(
            f"UPDATE {table} SET page = :new WHERE page = :page AND url IN {IDS}", new=new, page=page, ids=as_list(urls)
        )
    _copy(tx, page, new, f"field IN ({_COPIED})")
    return new


def _labels(tx: SyncTransaction, pages: Collection[int]) -> dict[int, int]:
    """The sharing labels of all pages of these pages' entries: that of the entry, or the page's own if the entry does
    not show it."""
    labels: dict[int, int] = {}
    for entry, parts in load(tx, entries_of(tx, pages)).items():
        labels |= {part.page: label_of(part) or CLEAR for part in parts}
        if resolved := resolve(entry, parts):
            labels |= {part.page: resolved.label for part in resolved.shown}
    return labels


def _keep_labels(tx: SyncTransaction, shelf: int, entries: Collection[int], labels_before: Mapping[int, int]) -> None:
    """Restores the label of pages that would be labelled less strictly than before."""
    labels_after = _labels(tx, entries)
    for label in (GREEN, AMBER):
        below = sorted(page for page, was in labels_before.items() if was == label and labels_after[page] < label)
        if below:
            add_statement(tx, shelf, below, _begin_rekey(tx, shelf, below[0]), NewStatement("label", str(label)))


def _copy(tx: SyncTransaction, page: int, to: int, condition: str, **params: object) -> None:
    """Copies statements to another page with the same `seq`; those it already has stay. What limits the page limits the
    other one by itself."""
    tx.execute(
        f"""INSERT INTO knowledge_statements (page, seq, field, key, target, value, command, withdrawn)
        SELECT :to, seq, field, key,
        CASE WHEN target = :page AND field IN ({_LIMITS}) THEN :to ELSE target END, value, command, withdrawn
        FROM knowledge_statements
        WHERE page = :page AND {condition} ON CONFLICT DO NOTHING""",
        page=page,
        to=to,
        **params,
    )


def _set_key(tx: SyncTransaction, page: int, key: str | None) -> None:
    tx.execute(
        "UPDATE knowledge_pages SET key = :key, version = :version WHERE id = :page",
        key=key,
        version=VERSION,
        page=page,
    )


def _begin_rekey(tx: SyncTransaction, shelf: int, page: int) -> int:
    """Begins a command without an author, dated like the last share of the page."""
    at = tx.value("SELECT coalesce(max(sent_at), 0) FROM knowledge_shares WHERE page = :page", page=page)
    return create_command(tx, shelf, "rekey", None, at=at, page=page)


def _by_number(tx: SyncTransaction, *pages: int) -> tuple[int, int]:
    rows = tx.rows(f"SELECT id FROM knowledge_pages WHERE id IN {IDS} ORDER BY number", ids=as_list(pages))
    return rows[0]["id"], rows[1]["id"]
