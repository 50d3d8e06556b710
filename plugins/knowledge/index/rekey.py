"""Pages whose keys were made by older rules get new ones.

Pages that the new rules call one are joined for good, to the older one; what coordinators hid of either is hidden of
both. A page that they call several is taken apart: its number stays with what is recommended or was shared first; what
hides it, and what it is joined to, holds for every part, and no part is labelled less strictly than the result was."""

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
from plugins.knowledge.store.statements import REKEYED, Saying, begin, say
from plugins.knowledge.store.tlp import AMBER, CLEAR, GREEN
from plugins.knowledge.urls.canonical import VERSION, canonical

_COPIED = ", ".join(f"'{name}'" for name in sorted(LIMITS | {"same_as", "cut"}))


def rekey(tx: SyncTransaction, rules: Rules, most: int) -> bool:
    """Gives some pages new keys; answers whether there are more to do."""
    rows = tx.rows(
        "SELECT id FROM knowledge_pages WHERE version <> :now AND key IS NOT NULL ORDER BY number LIMIT :most",
        now=VERSION,
        most=most,
    )
    touched: set[int] = set()
    for row in rows:
        touched |= _rekey(tx, row["id"])
    rebuild(tx, rules, touched)
    return len(rows) == most


def rekey_recommended(tx: SyncTransaction, rules: Rules) -> None:
    """The same at once for what the YAML recommends, before it is looked for by its new keys."""
    rows = tx.rows(
        """SELECT id FROM knowledge_pages WHERE version <> :now AND key IS NOT NULL
        AND id IN (SELECT page FROM knowledge_recommendations) ORDER BY number""",
        now=VERSION,
    )
    touched: set[int] = set()
    for row in rows:
        touched |= _rekey(tx, row["id"])
    rebuild(tx, rules, touched)


def _rekey(tx: SyncTransaction, page: int) -> set[int]:
    """Answers the entries that were touched."""
    tx.execute("UPDATE knowledge_pages SET version = :now WHERE id = :page", now=VERSION, page=page)
    keys = _keys(tx, page)
    if not keys:  # all that is known of it is that coordinators hid it
        return set()
    shelf: int = tx.value("SELECT shelf FROM knowledge_pages WHERE id = :page", page=page)
    _set_key(tx, page, None)  # it may be another page's new one
    touched: set[int] = set()
    others: set[int] = set()
    for key in keys:
        other = page_with(tx, shelf, key)
        if other is not None and tx.value("SELECT version FROM knowledge_pages WHERE id = :id", id=other) != VERSION:
            touched |= _rekey(tx, other)  # it has the key by older rules, and maybe no longer
            other = page_with(tx, shelf, key)
        if other is not None:
            others.add(other)
    if len(keys) == 1 and not others:
        _set_key(tx, page, next(iter(keys)))
        return touched
    before = _labels(tx, {page, *others})
    new = [_take_out(tx, page, shelf, urls) for urls in list(keys.values())[1:]]
    before |= dict.fromkeys(new, before[page])
    touched |= regroup(tx, [page, *new])
    for one, key in zip((page, *new), keys, strict=True):
        touched |= _give_key(tx, one, shelf, key)
    _keep_labels(tx, shelf, touched, before)
    return touched


def _keys(tx: SyncTransaction, page: int) -> Mapping[str, Sequence[str]]:
    """The new keys of a page's addresses, with those addresses; that of what is recommended or was shared first
    leads."""
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


def _give_key(tx: SyncTransaction, page: int, shelf: int, key: str) -> set[int]:
    """A page has this key now. One that has it already is the same page: the younger is joined to the older."""
    there = page_with(tx, shelf, key)
    if there is None:
        _set_key(tx, page, key)
        return set()
    older, younger = _by_number(tx, page, there)
    _set_key(tx, younger, None)
    _set_key(tx, older, key)
    say(tx, shelf, [younger], _begin(tx, shelf, older), Saying("same_as", REKEYED, target=older))
    parts = {part.page: part for of_entry in load(tx, entries_of(tx, [older, younger])).values() for part in of_entry}
    for one, other in ((older, younger), (younger, older)):
        hiding = parts[one].decisive("hidden")
        if hiding and hiding.value == "1":
            _copy(tx, one, other, "seq = :seq", seq=hiding.seq)
    return regroup(tx, [older, younger])


def _take_out(tx: SyncTransaction, page: int, shelf: int, urls: Sequence[str]) -> int:
    """What a page has by these addresses becomes a page of its own, as hidden, as labelled and joined to the same
    pages."""
    new = add_page(tx, shelf, take_numbers(tx, shelf, 1))
    for table in ("knowledge_shares", "knowledge_facts"):
        tx.execute(
            f"UPDATE {table} SET page = :new WHERE page = :page AND url IN {IDS}", new=new, page=page, ids=as_list(urls)
        )
    _copy(tx, page, new, f"field IN ({_COPIED})")
    return new


def _labels(tx: SyncTransaction, pages: Collection[int]) -> dict[int, int]:
    """How strictly the pages of these pages' entries are labelled: each as its entry is, or as it is itself where its
    entry does not show it."""
    labels: dict[int, int] = {}
    for entry, parts in load(tx, entries_of(tx, pages)).items():
        labels |= {part.page: label_of(part) or CLEAR for part in parts}
        if resolved := resolve(entry, parts):
            labels |= {part.page: resolved.label for part in resolved.shown}
    return labels


def _keep_labels(tx: SyncTransaction, shelf: int, entries: Collection[int], before: Mapping[int, int]) -> None:
    """Labels pages as they were labelled before, where they are labelled less strictly now."""
    after = _labels(tx, entries)
    for label in (GREEN, AMBER):
        below = sorted(page for page, was in before.items() if was == label and after[page] < label)
        if below:
            say(tx, shelf, below, _begin(tx, shelf, below[0]), Saying("label", str(label)))


def _copy(tx: SyncTransaction, page: int, to: int, which: str, **params: object) -> None:
    """Says the same of another page, in the same place; what is said of it already stays."""
    tx.execute(
        f"""INSERT INTO knowledge_statements (page, seq, field, key, target, value, command, withdrawn)
        SELECT :to, seq, field, key, target, value, command, withdrawn FROM knowledge_statements
        WHERE page = :page AND {which} ON CONFLICT DO NOTHING""",
        page=page,
        to=to,
        **params,
    )


def _set_key(tx: SyncTransaction, page: int, key: str | None) -> None:
    tx.execute(
        "UPDATE knowledge_pages SET key = :key, version = :now WHERE id = :page", key=key, now=VERSION, page=page
    )


def _begin(tx: SyncTransaction, shelf: int, page: int) -> int:
    """A command that nobody gave, dated as what was shared last of the page."""
    at = tx.value("SELECT coalesce(max(sent_at), 0) FROM knowledge_shares WHERE page = :page", page=page)
    return begin(tx, shelf, "rekey", None, at=at, page=page)


def _by_number(tx: SyncTransaction, *pages: int) -> tuple[int, int]:
    rows = tx.rows(f"SELECT id FROM knowledge_pages WHERE id IN {IDS} ORDER BY number", ids=as_list(pages))
    return rows[0]["id"], rows[1]["id"]
