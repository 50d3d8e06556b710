"""Pages whose keys were made by older rules are filed anew.

Pages that the new rules call one are joined; a page that they call several is taken apart. What people said of a page
stays with its number: with the part whose address stands in the YAML or was shared first. What limits where the page
may be seen holds for every part.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import forget_resource, renew
from plugins.knowledge.store.access import CLEAR, LABELS
from plugins.knowledge.store.ids import digest, entries_of, entry_of, first_number, resources_of
from plugins.knowledge.store.joins import merge
from plugins.knowledge.store.yielding import OWN, WHOLE
from plugins.knowledge.urls.canonical import VERSION, canonical

Parts = Mapping[int, Sequence[str]]
"""A page by new key → the addresses that have it; the part that keeps the number first."""

_MOVED = """coalesce((SELECT value FROM put_aside WHERE shelf = m.shelf AND resource = m.moved_from AND field = 'url'),
    (SELECT c.value FROM corrections c JOIN entries e ON e.id = c.entry
    WHERE e.id = m.entry AND e.resource = m.moved_from AND c.field = 'url'))"""
"""The newest address to which the page moved of which the page of `merged m` is an address."""


def refile(tx: SyncTransaction, rules: Rules, most: int) -> bool:
    """Makes the keys of pages anew that older rules made; answers whether there are more to do."""
    old = tx.rows("SELECT id FROM resources WHERE version <> :now LIMIT :most", now=VERSION, most=most)
    for row in old:
        _refile(tx, rules, row["id"])
    return len(old) == most


def refile_recommended(tx: SyncTransaction, rules: Rules) -> None:
    """The same at once for what the YAML recommends, before it is looked for by its new keys."""
    for row in tx.rows(
        "SELECT id FROM resources WHERE version <> :now AND id IN (SELECT resource FROM curations)", now=VERSION
    ):
        _refile(tx, rules, row["id"])


def _refile(tx: SyncTransaction, rules: Rules, resource: int) -> None:
    rows = tx.rows(
        f"""SELECT entry, url FROM (SELECT entry, url, 0 AS at, 0 AS id FROM curations WHERE resource = :id
        UNION ALL SELECT m.entry, {_MOVED}, 0, 1 FROM merged m WHERE m.resource = :id AND m.number =
        (SELECT max(number) FROM merged WHERE shelf = m.shelf AND entry = m.entry AND moved_from = m.moved_from)
        UNION ALL SELECT entry, url, sent_at, id FROM shares WHERE resource = :id)
        WHERE url IS NOT NULL ORDER BY at, id""",
        id=resource,
    )
    keys = {row["url"]: canonical(row["url"]) or row["url"] for row in rows}
    tx.execute("UPDATE resources SET version = :now WHERE id = :id", now=VERSION, id=resource)
    if len(set(keys.values())) == 1:
        key = digest(next(iter(keys.values())))
        if tx.value("SELECT id FROM resources WHERE key = :key AND id <> :id", key=key, id=resource) is None:
            tx.execute("UPDATE resources SET key = :key WHERE id = :id", key=key, id=resource)
            return
    resources = resources_of(tx, set(keys.values()))
    entries: dict[int, dict[int, list[str]]] = {}
    for row in rows:
        entries.setdefault(row["entry"], {}).setdefault(resources[keys[row["url"]]], []).append(row["url"])
    for entry, parts in entries.items():
        _file_anew(tx, rules, entry, resource, parts)
    forget_resource(tx, resource)


@dataclass(frozen=True, slots=True)
class _Page:
    """What an entry has under the key `old`: its own page, or one that was joined to it; `label` by itself."""

    entry: int
    shelf: int
    old: int
    own: bool
    label: int


def _file_anew(tx: SyncTransaction, rules: Rules, entry: int, old: int, parts: Parts) -> None:
    """What an entry has of the page `old` is filed by the new keys of its addresses."""
    about = tx.row("SELECT shelf, resource FROM entries WHERE id = :entry", entry=entry)
    if about is None or set(parts) == {old}:
        return
    shelf = about["shelf"]
    label = _label_of(tx, entry, shelf, old)
    page = _Page(entry, shelf, old, about["resource"] == old, label)
    limits = _limits(tx, entry)
    kept = old if old in parts else next(iter(parts))
    others = [new for new in parts if new != kept]
    filed = {kept: entry}
    for new in (kept, *others) if page.own else (*others, kept):
        if new == kept:
            if new != old:
                _rekey(tx, rules, page, new, parts[new])
        elif page.own:
            filed[new] = entries_of(tx, [(shelf, new)])[shelf, new]
            _move(tx, page, filed[new], new, parts[new])
        else:  # by way of a join, which stays as it was made
            filed[new] = entry
            _join(tx, rules, page, new, parts[new])
    if kept != old:
        _move_rest(tx, page, kept)
    for new, to in filed.items():
        _keep_label(tx, shelf, to, new, label)
    renew(tx, rules, set(filed.values()))
    _limit(tx, rules, set(filed.values()), limits)


def _rekey(tx: SyncTransaction, rules: Rules, page: _Page, new: int, urls: Sequence[str]) -> None:
    """A page has a new key, and what was shared meanwhile under that key joins it. The page keeps the number people
    know it by; the younger number leads to it by way of the old key."""
    about: dict[str, object] = {"entry": page.entry, "shelf": page.shelf, "old": page.old, "new": new}
    if page.own:
        _join_meanwhile(tx, rules, page, new)
        tx.execute(
            "UPDATE merged SET resource = :old, moved_from = NULL WHERE shelf = :shelf AND resource = :new", **about
        )
        tx.execute("UPDATE entries SET resource = :new WHERE id = :entry", **about)
        _move(tx, page, page.entry, new, urls)
    elif entry_of(tx, page.shelf, new) is None:
        tx.execute("UPDATE merged SET resource = :new WHERE shelf = :shelf AND resource = :old", **about)
        _join(tx, rules, page, new, urls)
    else:
        _join(tx, rules, page, new, urls, said=True)
        tx.execute("DELETE FROM put_aside WHERE shelf = :shelf AND resource = :old", **about)
        tx.execute(
            """UPDATE merged SET moved_from = (SELECT moved_from FROM merged WHERE shelf = :shelf AND resource = :old),
            number = (SELECT sum(number) FROM merged WHERE shelf = :shelf AND resource IN (:old, :new)) - number
            WHERE shelf = :shelf AND resource IN (:old, :new)
            AND EXISTS (SELECT 1 FROM merged WHERE shelf = :shelf AND resource = :new)""",
            **about,
        )


def _join(tx: SyncTransaction, rules: Rules, page: _Page, new: int, urls: Sequence[str], *, said: bool = False) -> None:
    """What was shared by these addresses is joined to the entry by a new key, as it was by the old one; so is what was
    shared meanwhile under the new key. What was put aside for the page limits this part, too; `said`: all of it is this
    part's."""
    _join_meanwhile(tx, rules, page, new)
    about: dict[str, object] = {"shelf": page.shelf, "old": page.old, "new": new}
    if entry_of(tx, page.shelf, new) is None:
        tx.execute(
            """INSERT INTO merged (shelf, resource, entry, number, moved_from, brought)
            SELECT shelf, :new, entry, :number, moved_from, brought FROM merged
            WHERE shelf = :shelf AND resource = :old""",
            number=first_number(tx, page.shelf, 1),
            **about,
        )
    label = max(page.label, _label_of(tx, page.entry, page.shelf, new))
    _move(tx, page, page.entry, new, urls)
    tx.execute(
        """INSERT INTO put_aside (shelf, resource, field, value, by, at, brought)
        SELECT shelf, :new, field, value, by, at, brought FROM put_aside
        WHERE shelf = :shelf AND resource = :old AND (:said OR field IN ('hidden', 'label', :whole))
        AND EXISTS (SELECT 1 FROM merged WHERE shelf = :shelf AND resource = :new)
        ON CONFLICT DO UPDATE SET value = excluded.value, by = excluded.by, at = excluded.at, brought = excluded.brought
        WHERE field <> 'hidden' OR value = :own""",
        said=int(said),
        whole=WHOLE,
        own=OWN,
        **about,
    )
    _keep_label(tx, page.shelf, page.entry, new, label)


def _join_meanwhile(tx: SyncTransaction, rules: Rules, page: _Page, new: int) -> None:
    there = entry_of(tx, page.shelf, new)
    if there is not None and there != page.entry:
        merge(tx, rules, page.entry, there)


def _move(tx: SyncTransaction, page: _Page, to: int, new: int, urls: Sequence[str]) -> None:
    """What was said of the page by these addresses is filed with an entry, by the new key."""
    for table in ("shares", "curations", "facts"):
        tx.execute(
            f"""UPDATE OR REPLACE {table} SET entry = :to, resource = :new WHERE entry = :entry AND resource = :old
            AND url IN (SELECT value FROM json_each(:urls))""",
            to=to,
            new=new,
            entry=page.entry,
            old=page.old,
            urls=json.dumps(urls),
        )


def _move_rest(tx: SyncTransaction, page: _Page, new: int) -> None:
    """What else is known of the page stays with its number."""
    about: dict[str, object] = {"entry": page.entry, "shelf": page.shelf, "old": page.old, "new": new}
    for table in ("facts", "votes"):
        tx.execute(f"UPDATE OR REPLACE {table} SET resource = :new WHERE entry = :entry AND resource = :old", **about)
    tx.execute("UPDATE merged SET moved_from = :new WHERE shelf = :shelf AND moved_from = :old", **about)


def _label_of(tx: SyncTransaction, entry: int, shelf: int, resource: int) -> int:
    """The label of a page of an entry by itself: as it was set, and not for a page that was joined, or that of its
    shares."""
    said = tx.value(
        """SELECT value FROM put_aside WHERE shelf = :shelf AND resource = :resource AND field = 'label'
        UNION ALL SELECT value FROM corrections c JOIN entries e ON e.id = c.entry
        WHERE e.id = :entry AND e.resource = :resource AND field = 'label' AND NOT EXISTS
        (SELECT 1 FROM merged m JOIN put_aside a ON a.shelf = m.shelf AND a.resource = m.resource
        WHERE m.entry = e.id AND a.field = 'label' AND a.by IS c.by AND a.at = c.at)""",
        entry=entry,
        shelf=shelf,
        resource=resource,
    )
    if said is not None:
        return LABELS.index(said)
    shared = tx.value(
        "SELECT max(tlp) FROM shares WHERE entry = :entry AND resource = :resource", entry=entry, resource=resource
    )
    return CLEAR if shared is None else int(shared)


def _keep_label(tx: SyncTransaction, shelf: int, entry: int, resource: int, label: int) -> None:
    """A page of an entry has this label by itself, or a stricter one, whatever becomes of the entry's other pages. Said
    by nobody, at a time that is no other label's: by that they are told apart."""
    if _label_of(tx, entry, shelf, resource) >= label:
        return
    about = {"shelf": shelf, "entry": entry, "resource": resource}
    joined = "FROM merged WHERE shelf = :shelf AND resource = :resource"
    if tx.value(f"SELECT EXISTS (SELECT 1 {joined})", **about):
        tx.execute(
            f"""INSERT INTO put_aside (shelf, resource, field, value, at)
            SELECT shelf, resource, 'label', :label, -resource {joined}
            ON CONFLICT DO UPDATE SET value = excluded.value""",
            label=LABELS[label],
            **about,
        )
    else:
        now = tx.value("SELECT label FROM entries WHERE id = :entry", **about)
        tx.execute(
            """INSERT INTO corrections (entry, field, value, at) VALUES (:entry, 'label', :label, -:resource)
            ON CONFLICT DO UPDATE SET value = excluded.value, by = NULL, at = excluded.at""",
            entry=entry,
            resource=resource,
            label=LABELS[max(label, now)],
        )


def _limits(tx: SyncTransaction, entry: int) -> Sequence[Row]:
    """What limits where an entry may be seen, as corrections say it."""
    return tx.rows(
        """SELECT 'label' AS field, label AS strictness, c.by, coalesce(c.at, shared_at, 0) AS at, NULL AS value
        FROM entries LEFT JOIN corrections c ON c.entry = id AND field = 'label' WHERE id = :entry
        UNION ALL SELECT field, NULL, by, at, value FROM corrections WHERE entry = :entry AND field = 'hidden'""",
        entry=entry,
    )


def _limit(tx: SyncTransaction, rules: Rules, entries: Collection[int], limits: Sequence[Row]) -> None:
    """None of these entries, made just now, may be seen where the whole might not."""
    changed = 0
    for said in limits:
        hides = said["field"] == "hidden"
        changed += tx.execute(
            """INSERT INTO corrections (entry, field, value, by, at) SELECT id, :field, :value, :by, :at FROM entries
            WHERE id IN (SELECT value FROM json_each(:entries)) AND (:hides OR label < :strictness)
            ON CONFLICT DO UPDATE SET value = excluded.value WHERE excluded.value <> :own""",
            entries=json.dumps(sorted(entries)),
            hides=int(hides),
            own=OWN,
            **{**said, "value": said["value"] if hides else LABELS[said["strictness"]]},
        )
    if changed:
        renew(tx, rules, entries)
