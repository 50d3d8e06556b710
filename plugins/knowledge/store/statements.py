"""What people say of pages by command: rows that are added, and withdrawn. Each function answers the entries it
touched.

What limits who finds a page is said of every page of its entry, and names the page that is shown first; all else is
said of that page only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.api import Context, SyncReader, SyncTransaction
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import (
    IDS,
    as_list,
    edges_of,
    entries_of,
    members_of,
    pages_of,
    person,
    regroup,
    room_id,
    take_seqs,
)
from plugins.knowledge.store.resolve import LIMITS, Part, Statement, groups, is_hidden, is_joining, label_of, resolve
from plugins.knowledge.store.tlp import AMBER, GREEN

MERGED, MOVED, REKEYED = "merged", "moved", "rekey"
"""The values of `same_as`: pages that a person joined, the new address of a page, pages that new URL rules made one."""


UNUSED = "NOT EXISTS (SELECT 1 FROM knowledge_statements WHERE command = knowledge_commands.id)"
"""SQL for the condition that nothing is left of what a command said."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who says something, when, and by which message of which room."""

    user: str
    at: int
    event: str | None = None
    room: str | None = None


class NewStatement(NamedTuple):
    """One thing to be said of an entry."""

    field: str
    value: str
    key: str = ""
    target: int | None = None


def author(ctx: Context) -> Author:
    return Author(ctx.sender, ctx.now, ctx.message.event_id, ctx.room.id)


def edit(tx: SyncTransaction, entry: int, author: Author, sayings: Sequence[NewStatement]) -> set[int]:
    """What one command says of an entry. What holds already is not said again; nothing new: no entry is touched."""
    parts = load(tx, [entry])[entry]
    new = [saying for saying in sayings if not _is_already_set(tx, entry, parts, saying)]
    if not new:
        return set()
    shelf, pages = _shelf_of(tx, entry), [part.page for part in parts]
    command = create_command(tx, shelf, "edit", author, page=entry)
    for saying in new:
        best = _best(entry, parts)
        if saying.field in LIMITS:
            limited = [part.page for part in _limited(parts, best, saying)]
            add_statement(tx, shelf, limited, command, saying._replace(target=best))
        elif saying.field == "pinned" and saying.value == "0":
            add_statement(tx, shelf, pages, command, saying)
        else:
            add_statement(tx, shelf, [best], command, saying)
    return {entry}


def _limited(parts: Sequence[Part], best: int, saying: NewStatement) -> Sequence[Part]:
    """The pages of an entry that a limit is said of: those that are shown, and others only if it is stricter for them.
    What was hidden before the entry was stays hidden when the entry is shown again."""
    if saying.field == "label":
        entry = resolve(best, parts)
        shown = entry.shown if entry else parts
        return [part for part in parts if part in shown or int(saying.value) > (label_of(part) or GREEN)]
    hidden = {part.page: one.seq for part in parts if (one := part.decisive(saying.field)) and one.value == "1"}
    if saying.value == "1":  # a sharer's own word may have ended, when somebody else shared the page
        ended = saying.field == "own_hidden"
        return [part for part in parts if part.page not in hidden or (ended and not is_hidden(part))]
    since = hidden.get(best) or max(hidden.values(), default=0)
    return [part for part in parts if hidden.get(part.page) == since]


def best_page(db: SyncReader, entry: int) -> int:
    """The page of an entry that is shown first."""
    return _best(entry, load(db, [entry])[entry])


def _best(entry: int, parts: Sequence[Part]) -> int:
    resolved = resolve(entry, parts)
    return resolved.shown[0].page if resolved else entry


def vote(tx: SyncTransaction, pages: Collection[int], author: Author) -> set[int]:
    """A person found these pages useful."""
    for page in sorted(pages):
        shelf = _shelf_of(tx, page)
        add_statement(
            tx, shelf, [page], create_command(tx, shelf, "vote", author, page=page), NewStatement("useful", "1")
        )
    return entries_of(tx, pages)


def merge(tx: SyncTransaction, into: int, other: int, author: Author) -> set[int]:
    """The entry `other` becomes part of the entry `into` of the same shelf."""
    shelf = _shelf_of(tx, into)
    command = create_command(tx, shelf, "edit", author, page=into)
    add_statement(tx, shelf, [other], command, NewStatement("same_as", MERGED, target=into))
    return regroup(tx, [into, other])


def move(tx: SyncTransaction, entry: int, url: str, key: str, author: Author) -> set[int]:
    """The page of an entry has a new address, with this canonical key: what is shared by it belongs to the entry, and
    is hidden where the page is."""
    shelf = _shelf_of(tx, entry)
    new = pages_of(tx, shelf, [key])[key]
    parts = load(tx, [entry])[entry]
    old = _best(entry, parts)
    command = create_command(tx, shelf, "edit", author, page=entry)
    add_statement(tx, shelf, [old], command, NewStatement("url", url))
    if new not in {part.page for part in parts}:
        add_statement(tx, shelf, [new], command, NewStatement("same_as", MOVED, target=old))
        if any(part.page == old and part.last("hidden") == "1" for part in parts):
            add_statement(tx, shelf, [new], command, NewStatement("hidden", "1"))
    return regroup(tx, [entry, new])


def split(tx: SyncTransaction, page: int, author: Author) -> set[int]:
    """Takes a page out of the group it was joined to, with what was joined to it. No entry is touched where it is no
    part of one, or where nothing would be left of either side."""
    lead: int = tx.value("SELECT entry FROM knowledge_pages WHERE id = :page", page=page)
    pages = members_of(tx, [lead])
    edges = list(edges_of(tx, pages))
    next_seq: int = tx.value("SELECT last_seq + 1 FROM knowledge_shelves WHERE id = :shelf", shelf=_shelf_of(tx, page))
    cuts: list[Statement] = []
    grouped = groups(pages, edges)
    while grouped[page] == grouped[lead]:
        if page == lead or (edge := _edge_towards(edges, page, lead)) is None:
            return set()
        cuts.append(Statement(edge.page, next_seq + len(cuts), "cut", target=edge.seq))
        edges.append(cuts[-1])
        grouped = groups(pages, edges)
    parts = load(tx, [lead])[lead]
    sides = [[part for part in parts if grouped[part.page] == grouped[one]] for one in (page, lead)]
    if any(resolve(side[0].page, side) is None for side in sides):
        return set()
    shelf = _shelf_of(tx, page)
    command = create_command(tx, shelf, "edit", author, page=page)
    for cut in cuts:
        add_statement(tx, shelf, [cut.page], command, NewStatement("cut", "1", target=cut.target))
    return regroup(tx, pages)


def undo(tx: SyncTransaction, command: int, event: str | None = None) -> set[int]:
    """What a command said no longer counts; the entries are as if it had never been said. No entry is touched where all
    of it was withdrawn before. `event`: the message that asked for it."""
    ends = _edge_endpoints(tx, command)
    if not ends:
        return set()
    tx.execute(
        "UPDATE knowledge_statements SET withdrawn = 'undone' WHERE command = :command AND withdrawn IS NULL",
        command=command,
    )
    tx.execute(
        "UPDATE knowledge_commands SET state = 'undone', undone_by = :event WHERE id = :command",
        command=command,
        event=event,
    )
    return regroup(tx, ends)


def withdraw_edited(tx: SyncTransaction, event: str, user: str) -> set[int]:
    """A person edits the message of a command: it is undone, and its words and votes go. Answers the entries that were
    touched."""
    theirs = "c.event = :event AND c.by = (SELECT id FROM knowledge_people WHERE user_id = :user)"
    touched: set[int] = set()
    for row in tx.rows(
        f"SELECT c.id FROM knowledge_commands c WHERE {theirs} AND c.kind = 'edit'", event=event, user=user
    ):
        touched |= undo(tx, row["id"])
    return touched | take_words(tx, theirs, "undone", event=event, user=user)


def redact(tx: SyncTransaction, hub: str, event: str) -> set[int]:
    """A message was deleted in a room of a hub: the words it gave go, and its votes. What it hid, labelled, pinned,
    joined or split stays so: nothing becomes visible by deleting."""
    theirs = "c.event = :event AND (c.kind = 'vote' OR c.shelf IN (SELECT id FROM knowledge_shelves WHERE hub = :hub))"
    return take_words(tx, theirs, "redacted", event=event, hub=hub)


def take_words(tx: SyncTransaction, theirs: str, reason: str, **params: object) -> set[int]:
    """Takes the words and votes of these commands (a condition on `knowledge_commands c`) for good."""
    mine = f"command IN (SELECT id FROM knowledge_commands c WHERE {theirs} AND kind IN ('edit', 'vote'))"
    said = f"{mine} AND (field = 'useful' OR field IN ('title', 'note', 'topic') AND (value IS NOT NULL OR key <> ''))"
    pages = {row["page"] for row in tx.rows(f"SELECT page FROM knowledge_statements WHERE {said}", **params)}
    if not pages:
        return set()
    tx.execute(f"DELETE FROM knowledge_statements WHERE {mine} AND field = 'useful'", **params)
    tx.execute(
        f"""UPDATE knowledge_statements SET key = '', value = NULL, withdrawn = coalesce(withdrawn, :reason)
        WHERE {mine} AND field IN ('title', 'note', 'topic')""",
        reason=reason,
        **params,
    )
    tx.execute(
        f"""UPDATE knowledge_commands AS c SET state = 'undone' WHERE {theirs} AND kind = 'edit'
        AND NOT EXISTS (SELECT 1 FROM knowledge_statements WHERE command = c.id AND withdrawn IS NULL)""",
        **params,
    )
    tx.execute(
        f"""DELETE FROM knowledge_commands WHERE id IN (SELECT id FROM knowledge_commands c WHERE {theirs})
        AND kind = 'vote' AND {UNUSED}""",
        **params,
    )
    return entries_of(tx, pages)


def tombstone_pages(tx: SyncTransaction, parts: Collection[Part]) -> None:
    """Nobody shares or recommends these pages any more: what was said of them goes for good; that something was said
    stays. What people hid or labelled stays known by its key, so that sharing it again does not show it more widely."""
    ids = as_list([part.page for part in parts])
    blocked = as_list([part.page for part in parts if _is_limited(part)])
    tx.execute(f"DELETE FROM knowledge_shares WHERE page IN {IDS}", ids=ids)
    tx.execute(f"DELETE FROM knowledge_facts WHERE page IN {IDS}", ids=ids)
    tx.execute(f"DELETE FROM knowledge_statements WHERE page IN {IDS} AND field = 'useful'", ids=ids)
    tx.execute(f"DELETE FROM knowledge_commands WHERE page IN {IDS} AND kind = 'vote' AND {UNUSED}", ids=ids)
    kept = "(field IN ('hidden', 'label') AND page IN (SELECT value FROM json_each(:blocked)))"
    for of_these in (f"page IN {IDS}", f"target IN {IDS} AND field IN ('same_as', 'not_same_as')"):
        tx.execute(
            f"""UPDATE knowledge_statements SET withdrawn = coalesce(withdrawn, 'gone') WHERE {of_these}
            AND NOT {kept}""",
            ids=ids,
            blocked=blocked,
        )
    tx.execute(
        f"""UPDATE knowledge_statements SET key = '', value = NULL
        WHERE page IN {IDS} AND field IN ('title', 'note', 'topic', 'url', 'stays')""",
        ids=ids,
    )
    tx.execute(
        f"""UPDATE knowledge_pages SET entry = id,
        key = CASE WHEN id IN (SELECT value FROM json_each(:blocked)) THEN key END WHERE id IN {IDS}""",
        ids=ids,
        blocked=blocked,
    )


def _is_limited(part: Part) -> bool:
    """Whether people hid the page, or labelled it more strictly than what is shared without a label."""
    return part.last_by_people("hidden") == "1" or int(part.last_by_people("label") or GREEN) > GREEN


def create_command(
    tx: SyncTransaction, shelf: int, kind: str, author: Author | None, *, at: int = 0, page: int | None = None
) -> int:
    """A new command; what it says names it."""
    command: int = tx.value(
        """INSERT INTO knowledge_commands (shelf, kind, page, by, at, event, room)
        VALUES (:shelf, :kind, :page, :by, :at, :event, :room) RETURNING id""",
        shelf=shelf,
        kind=kind,
        page=page,
        by=person(tx, author.user) if author else None,
        at=author.at if author else at,
        event=author.event if author else None,
        room=room_id(tx, author.room) if author and author.room else None,
    )
    return command


def add_statement(tx: SyncTransaction, shelf: int, pages: Sequence[int], command: int, saying: NewStatement) -> None:
    """Says one thing of some pages at once."""
    seq = take_seqs(tx, shelf, 1)
    tx.execute_many(
        """INSERT INTO knowledge_statements (page, seq, field, key, target, value, command)
        VALUES (:page, :seq, :field, :key, :target, :value, :command)""",
        (
            {
                "page": page,
                "seq": seq,
                "field": saying.field,
                "key": saying.key,
                "target": saying.target,
                "value": saying.value,
                "command": command,
            }
            for page in pages
        ),
    )


def is_hidden_by(db: SyncReader, entry: int, user: str | None = None, *, own: bool) -> bool:
    """Whether a page of an entry is hidden by its only sharer (`own`), or by a coordinator; by this person, if one is
    named."""
    person_id = db.value("SELECT id FROM knowledge_people WHERE user_id = :user", user=user) if user else None
    if user and person_id is None:
        return False
    decisive = [part.decisive("own_hidden" if own else "hidden") for part in load(db, [entry]).get(entry, ())]
    return any(
        statement is not None and statement.value == "1" and (user is None or statement.by == person_id)
        for statement in decisive
    )


def are_marked_distinct(db: SyncReader, entry: int, other: int) -> bool:
    """Whether somebody said that these entries are two pages."""
    of_entry, of_other = (f"(SELECT id FROM knowledge_pages WHERE entry = :{name})" for name in ("entry", "other"))
    return any(
        db.value(
            f"""SELECT EXISTS (SELECT 1 FROM knowledge_statements
            WHERE field = 'not_same_as' AND withdrawn IS NULL AND page IN {of_entry} AND target IN {of_other})""",
            entry=one,
            other=another,
        )
        for one, another in ((entry, other), (other, entry))
    )


def _is_already_set(db: SyncReader, entry: int, parts: Sequence[Part], saying: NewStatement) -> bool:
    """Whether people said so already, and it has its effect."""
    match saying.field:
        case "not_same_as" if saying.target is not None:
            return are_marked_distinct(db, entry, saying.target)
        case "hidden" if saying.value == "1":
            return all(part.last("hidden") == "1" for part in parts)
        case "own_hidden" if saying.value == "1":
            return all(is_hidden(part) for part in parts)
        case "label":
            # Amber is kept as people's word, too: what it comes from may go.
            kept = saying.value != str(AMBER)
            return all(
                str(label_of(part)) == saying.value and (kept or part.last_by_people("label") == saying.value)
                for part in _limited(parts, _best(entry, parts), saying)
            )
        case "hidden" | "own_hidden" | "pinned" if saying.value == "0":
            return not any(part.last(saying.field) == "1" for part in parts)
        case "topic":
            statements = [statement for part in parts for statement in part.statements if not statement.imported]
            given = [one for one in statements if one.field == "topic" and one.key == saying.key]
            last = max(given, key=lambda one: (one.seq, one.page), default=None)
            return last is not None and last.value == saying.value
        case _:
            best = _best(entry, parts)
            return any(part.page == best and part.last_by_people(saying.field) == saying.value for part in parts)


def _edge_endpoints(db: SyncReader, command: int) -> set[int]:
    """The pages of what counts of a command: of an edge both ends, also of one that it cuts."""
    rows = db.rows(
        """SELECT s.page, CASE s.field WHEN 'same_as' THEN s.target WHEN 'cut' THEN edge.target END AS other
        FROM knowledge_statements s
        LEFT JOIN knowledge_statements edge ON s.field = 'cut' AND edge.page = s.page AND edge.seq = s.target
        WHERE s.command = :command AND s.withdrawn IS NULL""",
        command=command,
    )
    return {page for row in rows for page in (row["page"], row["other"]) if page is not None}


def _edge_towards(edges: Sequence[Statement], page: int, lead: int) -> Statement | None:
    """The first edge on the way from a page to its lead that may be cut."""
    cut = {(one.page, one.target) for one in edges if one.field == "cut"}
    joining = [one for one in edges if is_joining(one, cut)]
    way: list[tuple[int, Statement | None]] = [(page, None)]
    seen = {page}
    for here, first in way:
        if here == lead:
            return first
        for edge in joining:
            for one, other in ((edge.page, edge.target), (edge.target, edge.page)):
                if one == here and other is not None and other not in seen:
                    seen.add(other)
                    way.append((other, first or (None if edge.value == REKEYED else edge)))
    return None


def _shelf_of(db: SyncReader, page: int) -> int:
    return int(db.value("SELECT shelf FROM knowledge_pages WHERE id = :page", page=page))
