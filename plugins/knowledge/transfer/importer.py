"""Imports links from a file onto one shelf: what import_plan.py works out is read and stored here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.store import imports, privacy, shares
from plugins.knowledge.store.access import Shelf, shelf_for
from plugins.knowledge.store.pages import IDS, add_pages, as_list, digest, entries_of, regroup, take_seqs
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import FACTS, Entry, ImportPlan, Manner, Outcome
from plugins.knowledge.transfer.share_fingerprint import marks_of
from plugins.knowledge.urls.canonical import canonical

SLICE = 200  # links, or shares of them, in one transaction: everything else waits for it

_SAID = f"""SELECT p.key FROM knowledge_pages p WHERE p.id IN {IDS} AND p.key IS NOT NULL
    AND (EXISTS (SELECT 1 FROM knowledge_shares WHERE page = p.id AND bare = 0)
    OR EXISTS (SELECT 1 FROM knowledge_recommendations WHERE page = p.id)
    OR EXISTS (SELECT 1 FROM knowledge_statements WHERE page = p.id AND withdrawn IS NULL
    AND (field = 'url' OR field = 'same_as' AND value = 'moved')))"""
"""The keys of those of the pages `:ids` whose address somebody says."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file: the file's digest and name, how many of its items are done after it, whether it is the last,
    and whether another one was stored before it."""

    digest: str
    name: str
    items: int
    end: bool
    goes_on: bool = False


def known(db: SyncReader, manner: Manner, urls: Collection[str]) -> set[str]:
    """Which of these addresses the shelf has, and somebody says."""
    keys = {url: digest(_key(url)) for url in urls}
    rows = db.rows(
        f"""SELECT p.id FROM knowledge_pages p JOIN knowledge_shelves s ON s.id = p.shelf
        WHERE s.hub = :hub AND s.circle = :circle AND s.kind = :kind AND p.key IN {IDS}""",
        hub=manner.hub,
        circle=manner.circle,
        kind=manner.kind,
        ids=as_list(set(keys.values())),
    )
    said = {row["key"] for row in db.rows(_SAID, ids=as_list([row["id"] for row in rows]))}
    return {url for url, key in keys.items() if key in said}


def import_slice(
    tx: SyncTransaction, rules: Rules, manner: Manner, items: Sequence[Item], part: Slice
) -> Sequence[Outcome]:
    """Files a part of a file, all of it in this transaction; what became of each item, in their order. A file is one
    change, however many parts and interruptions there are."""
    shelf = shelf_for(tx, manner.hub, manner.circle, manner.kind)
    command = imports.open_import(tx, shelf.id, part.digest, part.name, manner.now, goes_on=part.goes_on)
    last = tx.value("SELECT last_number FROM knowledge_shelves WHERE id = :id", id=shelf.id)
    plan = ImportPlan(rules.of(manner.hub), manner, command, last, privacy.unlogged(tx) if manner.keep_sharers else ())
    pages = [
        [
            digest(_key(item.url)),
            *(digest(_key(share.url)) for share in item.shares),
            *(digest(_key(version.url)) for version in item.versions),
        ]
        for item in items
    ]
    others = [[digest(_key(url)) for url in item.apart] for item in items]
    ids = _load(tx, shelf, plan, {page for of_item in (*pages, *others) for page in of_item})
    outcomes = [plan.take(*one) for one in zip(items, pages, others, strict=True)]
    plan.number_joined()
    _store(tx, rules, shelf, plan, ids)
    links = sum(one.what != "known" for one in outcomes)
    imports.progress(tx, command, items=part.items, links=links, end=part.end)
    return outcomes


def _load(tx: SyncTransaction, shelf: Shelf, plan: ImportPlan, keys: Collection[str]) -> dict[str, int]:
    """What the shelf has of these pages; their ids."""
    rows = tx.rows(
        f"""SELECT p.id, p.key, p.number, p.entry, e.id IS NOT NULL AS there FROM knowledge_pages p
        LEFT JOIN knowledge_entries e ON e.id = p.entry WHERE p.shelf = :shelf AND p.key IN {IDS}""",
        shelf=shelf.id,
        ids=as_list(keys),
    )
    plan.numbers = {row["key"]: row["number"] for row in rows}
    entry_ids = {row["entry"] for row in rows if row["there"]}
    entries, leads = _entries(tx, entry_ids)
    plan.entries = {row["key"]: entries[row["entry"]] for row in rows if row["there"]}
    pages = {row["key"]: row["id"] for row in rows}
    plan.said = {row["key"] for row in tx.rows(_SAID, ids=as_list(pages.values()))}
    for share in tx.rows(
        f"""SELECT p.key, s.url, s.sent_at, s.note, s.label FROM knowledge_shares s
        JOIN knowledge_pages p ON p.id = s.page WHERE p.entry IN {IDS}
        AND s.bare = 0""",
        ids=as_list({row["entry"] for row in rows}),
    ):
        page = share["key"] or digest(_key(share["url"]))  # newer rules joined it to the page with that key
        plan.there.update(marks_of(page, share["sent_at"], share["note"], share["label"]))
    return leads | pages


def _entries(tx: SyncTransaction, ids: Collection[int]) -> tuple[Mapping[int, Entry], dict[str, int]]:
    """These entries as the plan wants them, and the ids of their lead pages."""
    rows = tx.rows(
        f"""SELECT e.id, e.number, coalesce(p.key, 'page ' || p.id) AS lead, e.title, n.label AS called, e.votes,
        e.label,
        e.note IS NOT NULL AS noted,
        (SELECT json_group_array(topic) FROM knowledge_entry_topics WHERE entry = e.id) AS topics,
        EXISTS (SELECT 1 FROM knowledge_pages m JOIN knowledge_facts f ON f.page = m.id
        WHERE m.entry = e.id) AS has_facts,
        EXISTS (SELECT 1 FROM knowledge_pages m JOIN knowledge_recommendations r ON r.page = m.id
            WHERE m.entry = e.id) AS recommended
        FROM knowledge_entries e JOIN knowledge_pages p ON p.id = e.id
        LEFT JOIN knowledge_shares n ON n.id = e.newest WHERE e.id IN {IDS}""",
        ids=as_list(ids),
    )
    entries = {
        row["id"]: Entry(
            number=row["number"],
            lead=row["lead"],
            label=row["label"],
            titles=json.loads(row["title"]) if row["title"] else {"": row["called"]} if row["called"] else {},
            titled=bool(row["recommended"]),
            noted=bool(row["noted"]),
            voted=bool(row["votes"]),
            has_facts=bool(row["has_facts"]),
            topics=set(json.loads(row["topics"])),
        )
        for row in rows
    }
    for said in tx.rows(
        f"""SELECT p.entry, s.field, s.key, t.entry AS other FROM knowledge_pages p
        JOIN knowledge_statements s ON s.page = p.id LEFT JOIN knowledge_pages t ON t.id = s.target
        WHERE p.entry IN {IDS} AND s.withdrawn IS NULL""",
        ids=as_list(ids),
    ):
        entry = entries[said["entry"]]
        entry.titled |= said["field"] == "title"
        entry.stays |= said["field"] == "stays"
        if said["field"] == "topic":
            entry.topics.add(said["key"])
        elif said["field"] == "not_same_as" and said["other"] in entries:
            entry.apart.add(entries[said["other"]].lead)
    return entries, {row["lead"]: row["id"] for row in rows}


def _store(tx: SyncTransaction, rules: Rules, shelf: Shelf, plan: ImportPlan, ids: dict[str, int]) -> None:
    ids |= add_pages(tx, shelf.id, list(plan.new_pages.items()))
    tx.execute("UPDATE knowledge_shelves SET last_number = :last WHERE id = :shelf", last=plan.last, shelf=shelf.id)
    touched = set(shares.add(tx, plan.shares).values())
    seqs = count(take_seqs(tx, shelf.id, len(plan.statements)))
    tx.execute_many(
        """INSERT INTO knowledge_statements (page, seq, field, key, target, value, command)
        VALUES (:page, :seq, :field, :key, :target, :value, :command)""",
        (
            {
                "page": ids[one.page],
                "seq": seq,
                "field": one.field,
                "key": one.key,
                "target": ids[one.target] if one.target else None,
                "value": one.value,
                "command": plan.command,
            }
            for one, seq in zip(plan.statements, seqs, strict=False)
        ),
    )
    tx.execute_many(
        f"""INSERT INTO knowledge_facts (page, url, state, command, {", ".join(FACTS)})
        VALUES (:page, :url, 'ok', :command, {", ".join(f":{name}" for name in FACTS)}) ON CONFLICT DO NOTHING""",
        (
            {**dict.fromkeys(FACTS), "page": ids[page], "command": plan.command, **facts}
            for page, facts in plan.facts.items()
        ),
    )
    touched |= {ids[one.page] for one in plan.statements} | {ids[page] for page in plan.facts}
    joined = {ids[page] for one in plan.statements if one.field == "same_as" for page in (one.page, one.target) if page}
    rebuild(tx, rules, entries_of(tx, touched) | (regroup(tx, joined) if joined else set()))


def _key(url: str) -> str:
    return canonical(url) or url
