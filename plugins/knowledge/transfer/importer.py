"""Bringing in links from a file, onto one shelf: what import_plan.py works out is read and stored here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store import ids
from plugins.knowledge.store import shares as stored_shares
from plugins.knowledge.store.access import AMBER, Shelf, shelf_for
from plugins.knowledge.store.proposals import APART
from plugins.knowledge.store.sql import PAGE_URL, PAGES
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import FACTS, Intake, Manner, Outcome, Page
from plugins.knowledge.transfer.share_fingerprint import marks_of
from plugins.knowledge.urls.canonical import canonical

SLICE = 200  # links, or shares of them, in one transaction: everything else waits for it

_ENTRIES = """SELECT r.id AS resource, r.key, coalesce(m.entry, e.id) AS entry FROM resources r
    LEFT JOIN merged m ON m.shelf = :shelf AND m.resource = r.id
    LEFT JOIN entries e ON e.shelf = :shelf AND e.resource = r.id
    WHERE coalesce(m.entry, e.id) IS NOT NULL"""


def known(db: SyncReader, manner: Manner, urls: Collection[str]) -> set[str]:
    """Which of these addresses the shelf has, and somebody says."""
    shelf = db.value(
        "SELECT id FROM shelves WHERE hub = :hub AND circle = :circle", hub=manner.hub, circle=manner.circle
    )
    keys = {url: ids.digest(_key(url)) for url in urls}
    rows = db.rows(
        f"{_ENTRIES} AND r.key IN (SELECT value FROM json_each(:keys))",
        shelf=shelf,
        keys=json.dumps(sorted(set(keys.values()))),
    )
    shown = _shown(db, json.dumps(sorted({row["entry"] for row in rows})))
    there = {row["key"] for row in rows if row["resource"] in shown}
    return {url for url, key in keys.items() if key in there}


def bring(tx: SyncTransaction, rules: Rules, manner: Manner, items: Sequence[Item]) -> Sequence[Outcome]:
    """Files items, all of them in this transaction; what became of each, in their order."""
    if not items:
        return ()
    shelf = shelf_for(tx, manner.hub, manner.circle)
    keys = [
        [_key(item.url), *(_key(share.url) for share in item.shares), *(_key(one.url) for one in item.versions)]
        for item in items
    ]
    resources = ids.resources_of(tx, {key for mine in keys for key in mine})
    last = tx.value("SELECT last FROM shelves WHERE id = :id", id=shelf.id)
    intake = Intake(rules.of(manner.hub), manner, last, _unlogged(tx) if manner.keep_sharers else ())
    others = _known_pages(tx, {url for item in items for url in item.apart})
    _load(tx, shelf, intake, {*resources.values(), *others.values()})
    outcomes = [
        intake.take(item, [resources[key] for key in mine], [others[url] for url in item.apart if url in others])
        for item, mine in zip(items, keys, strict=True)
    ]
    _store(tx, rules, manner, shelf, intake)
    return outcomes


def _known_pages(tx: SyncTransaction, urls: Collection[str]) -> Mapping[str, int]:
    """Those of these addresses whose pages are known, on any shelf; no new ones are made."""
    found = {url: tx.value("SELECT id FROM resources WHERE key = :key", key=ids.digest(_key(url))) for url in urls}
    return {url: id_ for url, id_ in found.items() if id_ is not None}


def _load(tx: SyncTransaction, shelf: Shelf, intake: Intake, resources: Collection[int]) -> None:
    """What the shelf has of these pages."""
    wanted = json.dumps(sorted(resources))
    found = tx.rows(f"{_ENTRIES} AND r.id IN (SELECT value FROM json_each(:wanted))", shelf=shelf.id, wanted=wanted)
    entries = json.dumps(sorted({row["entry"] for row in found}))
    rows = tx.rows(
        """SELECT e.id, e.number, e.resource, e.title, e.votes, e.label,
        EXISTS (SELECT 1 FROM facts WHERE entry = e.id) AS told,
        EXISTS (SELECT 1 FROM curations WHERE entry = e.id AND note <> '{}') AS noted,
        (SELECT json_group_array(field) FROM corrections WHERE entry = e.id) AS fields,
        (SELECT json_group_array(topic) FROM entry_topics WHERE entry = e.id) AS topics
        FROM entries e WHERE e.id IN (SELECT value FROM json_each(:entries))""",
        entries=entries,
    )
    pages = {}
    for row in rows:
        fields = json.loads(row["fields"])
        pages[row["id"]] = Page(
            number=row["number"],
            resource=row["resource"],
            id=row["id"],
            titled=row["title"] != "{}",  # NULL: as the newest share calls it
            noted=bool(row["noted"]) or any(name.partition(":")[0] == "note" for name in fields),
            voted=bool(row["votes"]),
            told=bool(row["told"]),
            labelled=row["label"] == AMBER or "label" in fields,
            apart={int(name.removeprefix(APART)) for name in fields if name.startswith(APART)},
            stays="stays" in fields,
            topics={*json.loads(row["topics"]), *(name[6:] for name in fields if name.startswith("topic:"))},
        )
    intake.pages = {row["resource"]: pages[row["entry"]] for row in found}
    intake.shown = _shown(tx, entries)
    shares = tx.rows(
        "SELECT resource, sent_at, note, label FROM shares WHERE entry IN (SELECT value FROM json_each(:entries))",
        entries=entries,
    )
    intake.there.update(mark for share in shares for mark in marks_of(**share))


def _shown(db: SyncReader, entries: str) -> set[int]:
    """The pages of these entries (JSON) whose address somebody says: a page that was joined to another one stays known
    when all that was said of it is gone."""
    rows = db.rows(
        f"""SELECT p.resource FROM ({PAGES}) p JOIN entries e ON e.id = p.entry WHERE {PAGE_URL} IS NOT NULL
        UNION SELECT resource FROM merged WHERE entry IN (SELECT value FROM json_each(:ids))
        AND moved_from IS NOT NULL""",
        ids=entries,
    )
    return {row["resource"] for row in rows}


def _store(tx: SyncTransaction, rules: Rules, manner: Manner, shelf: Shelf, intake: Intake) -> None:
    new = {page.number: page for page in intake.pages.values() if page.id is None}
    old = json.dumps(sorted({page.id for page in intake.pages.values() if page.id is not None}))
    for page, id_ in zip(new.values(), ids.new_ids(tx, "entries"), strict=False):
        page.id = id_
    tx.execute_many(
        "INSERT INTO entries (id, shelf, number, resource) VALUES (:id, :shelf, :number, :resource)",
        ({"id": page.id, "shelf": shelf.id, "number": page.number, "resource": page.resource} for page in new.values()),
    )
    tx.execute_many(
        """INSERT INTO merged (shelf, resource, entry, number, brought)
        VALUES (:shelf, :resource, :entry, :number, :brought)""",
        (
            {
                "shelf": shelf.id,
                "resource": resource,
                "entry": page.id,
                "number": intake.last + nth,
                "brought": manner.brought,
            }
            for nth, (resource, page) in enumerate(intake.joined, start=1)
        ),
    )
    last = intake.last + len(intake.joined)
    tx.execute("UPDATE shelves SET last = :last WHERE id = :shelf", last=last, shelf=shelf.id)
    if manner.brought is not None:
        _remember(tx, manner.brought, old)
    entries = stored_shares.file(tx, intake.shares)
    if manner.brought is not None:
        _given_way(tx, manner.brought, old)
    said = {page.number: page for page in intake.pages.values() if page.added or page.number in new}
    _say(tx, manner, list(said.values()))
    renew(tx, rules, {*entries.values(), *(page.id for page in said.values() if page.id is not None)})


def _remember(tx: SyncTransaction, brought: int, entries: str) -> None:
    """What may give way to the file's shares, to come back when it is taken back."""
    tx.execute(
        """INSERT INTO given_way (brought, entry, field, value, by, at)
        SELECT :brought, entry, field, value, by, at FROM corrections
        WHERE entry IN (SELECT value FROM json_each(:entries)) AND field IN ('hidden', 'label')
        ON CONFLICT DO NOTHING""",
        brought=brought,
        entries=entries,
    )


def _given_way(tx: SyncTransaction, brought: int, entries: str) -> None:
    """Keeps of that what did."""
    tx.execute(
        """DELETE FROM given_way WHERE entry IN (SELECT value FROM json_each(:entries)) AND brought = :brought
        AND EXISTS (SELECT 1 FROM corrections c WHERE c.entry = given_way.entry AND c.field = given_way.field)""",
        brought=brought,
        entries=entries,
    )


def _say(tx: SyncTransaction, manner: Manner, pages: Sequence[Page]) -> None:
    tx.execute_many(
        """INSERT INTO corrections (entry, field, value, by, at, brought)
        VALUES (:entry, :field, :value, NULL, :at, :brought)
        ON CONFLICT DO NOTHING""",
        (
            {"entry": page.id, "field": name, "value": value, "at": manner.now, "brought": manner.brought}
            for page in pages
            for name, value in page.corrections.items()
        ),
    )
    tx.execute_many(
        """INSERT INTO put_aside (shelf, resource, field, value, by, at, brought)
        SELECT shelf, :resource, field, value, by, at, brought FROM corrections c JOIN entries e ON e.id = c.entry
        WHERE c.entry = :entry AND field = :field AND (at, brought) IS (:at, :brought) ON CONFLICT DO NOTHING""",
        (
            {"resource": part, "entry": page.id, "field": name, "at": manner.now, "brought": manner.brought}
            for page in pages
            for part, name in page.aside
        ),
    )
    tx.execute_many(
        """INSERT INTO facts (entry, resource, url, state, brought, language)
        VALUES (:entry, :resource, :url, 'ok', :brought, :language) ON CONFLICT DO NOTHING""",
        ({"entry": page.id, "brought": manner.brought, **version} for page in pages for version in page.versions),
    )
    tx.execute_many(
        f"""INSERT INTO facts (entry, resource, url, state, brought, {", ".join(FACTS)})
        VALUES (:entry, :resource, :url, 'ok', :brought, {", ".join(f":{name}" for name in FACTS)})
        ON CONFLICT DO NOTHING""",
        ({"entry": page.id, "brought": manner.brought, **page.facts} for page in pages if page.facts),
    )


def _unlogged(tx: SyncTransaction) -> frozenset[str]:
    """Who wants nothing kept."""
    rows = tx.rows("SELECT u.user FROM choices c JOIN sharers u ON u.id = c.sharer WHERE c.unlogged = 1")
    return frozenset(row["user"] for row in rows)


def _key(url: str) -> str:
    return canonical(url) or url
