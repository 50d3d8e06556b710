"""Who may see what: the access scope of a question.

A shelf is what a hub's rooms share; coordinators' rooms have one of their own, and what is on it is found only there.
What encrypted rooms share is on a shelf apart, which is found in encrypted rooms of the hub and in encrypted direct
chats with their members, unless the hub's `encrypted_rooms_share` opens it, or only the addresses on it.
From its own rooms all of a shelf is seen, from other hubs what their `visibility` and its sharing label let them see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.api import Context, Hub, SyncReader, SyncTransaction, section
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.store.tlp import AMBER

MEMBERS, COORDINATORS = "members", "coordinators"
PLAIN, ENCRYPTED, ADDRESSES = "plain", "encrypted", "addresses"

_SIGNS = {PLAIN: "", ENCRYPTED: "e", ADDRESSES: "a"}

SIGNS = "c?[ea]?"
"""A regular expression for the sign of a shelf."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """`kind` is what it holds: shares of plain rooms, shares of encrypted ones, or the mere addresses of the latter
    (derived; index/addresses.py)."""

    id: int
    hub: str
    circle: str = MEMBERS
    kind: str = PLAIN

    @property
    def sign(self) -> str:
        """What stands before the numbers of its entries: `c` for coordinators, `e` for encrypted, `a` for addresses."""
        return ("c" if self.circle == COORDINATORS else "") + _SIGNS[self.kind]


@dataclass(frozen=True)  # without slots: what `params` makes is kept beside the fields
class Scope:
    """What somebody may see in one place: `own` shelves whole, `others` but for what is amber.

    Every query has this as a condition, so that what may not be seen neither appears nor counts. Its one parameter
    `:scope` has a digit for each shelf, by id: of its entries those may be seen whose label is less. A list of a
    hundred shelves would take SQLite longer to read, in each statement, than all else.
    """

    own: tuple[Shelf, ...]
    others: tuple[Shelf, ...] = ()
    all_shared: bool = False
    """`others` includes every shelf that shared hubs open to each other, but for `own`."""

    # A cast makes 0 of the nothing that stands where no digit does: of other shelves nothing is seen.
    WHERE = "(e.hidden = 0 AND e.label < CAST(substr(:scope, e.shelf, 1) AS INTEGER))"
    """The condition on `entries e`; its parameters are `params`."""
    OWN = f"(CAST(substr(:scope, e.shelf, 1) AS INTEGER) = {AMBER + 1})"
    """Whether `entries e` are of an own shelf."""
    PARTITIONS = f"(CAST(substr(:scope, abs(shelf), 1) AS INTEGER) > CASE WHEN shelf < 0 THEN {AMBER} ELSE 0 END)"
    """The condition on the partitions of `knowledge_vocabulary`."""

    @cached_property
    def params(self) -> Mapping[str, object]:
        digits = dict.fromkeys((shelf.id for shelf in self.others), AMBER)
        digits |= dict.fromkeys((shelf.id for shelf in self.own), AMBER + 1)
        return {"scope": "".join(str(digits.get(id_, 0)) for id_ in range(1, max(digits, default=0) + 1))}

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        return self.own + self.others

    def of_hubs(self, hubs: Sequence[str]) -> Scope:
        """Only these hubs, as far as they may be seen."""
        return Scope(
            tuple(shelf for shelf in self.own if shelf.hub in hubs),
            tuple(shelf for shelf in self.others if shelf.hub in hubs),
        )

    def with_sign(self, sign: str) -> Scope:
        """Only the shelves with this sign."""
        return Scope(
            tuple(shelf for shelf in self.own if shelf.sign == sign),
            tuple(shelf for shelf in self.others if shelf.sign == sign),
        )


def partition(shelf: int, label: int) -> int:
    """The partition of the vocabulary an entry counts in: the shelf's id for what is open, its negative for what is
    amber."""
    return -shelf if label == AMBER else shelf


async def scope(ctx: Context) -> Scope:
    """What the asker may see here and now."""
    every = await ctx.db.run(every_shelf)
    own: list[Shelf] = []
    others: list[Shelf] = []
    for hub in ctx.hubs:
        at_home = ctx.room.direct or hub is ctx.hubs[0]
        circles = (MEMBERS, circle_of(ctx)) if at_home and not ctx.room.direct else (MEMBERS,)
        kinds = visible_kinds(hub, encrypted=hub.id in ctx.encrypted_hubs)
        seen = [shelf for shelf in every if shelf.hub == hub.id and shelf.circle in circles and shelf.kind in kinds]
        # Of mere addresses nothing can be corrected, and what is amber stays in the encrypted rooms.
        own += [shelf for shelf in seen if at_home and shelf.kind != ADDRESSES]
        others += [shelf for shelf in seen if not at_home or shelf.kind == ADDRESSES]
    shared = not ctx.room.direct and bool(ctx.hubs) and all(hub.visibility == "shared" for hub in ctx.hubs)
    return Scope(tuple(own), tuple(others), all_shared=shared)


def visible_kinds(hub: Hub, *, encrypted: bool) -> Sequence[str]:
    """The kinds of a hub's shelves that are seen in a place. `encrypted`: the place is one where what the hub's
    encrypted rooms share is found."""
    shared = section(hub, KnowledgeHub).encrypted_rooms_share
    if encrypted or shared == "words":
        return (PLAIN, ENCRYPTED)
    return (PLAIN, ADDRESSES) if shared == "links" else (PLAIN,)


def scope_of(db: SyncReader, hubs: Sequence[Hub]) -> Scope:
    """What members of these hubs see in an encrypted direct chat: for the shell."""
    ids = {hub.id for hub in hubs}
    return Scope(
        tuple(shelf for shelf in every_shelf(db) if shelf.hub in ids and shelf.sign in ("", _SIGNS[ENCRYPTED]))
    )


def every_shelf(db: SyncReader) -> Sequence[Shelf]:
    """All shelves, in the order they were made."""
    return [Shelf(**row) for row in db.rows("SELECT id, hub, circle, kind FROM knowledge_shelves ORDER BY id")]


def shelf_for(tx: SyncTransaction, hub: str, circle: str = MEMBERS, kind: str = PLAIN) -> Shelf:
    """A hub's shelf; made if it is new."""
    of = {"hub": hub, "circle": circle, "kind": kind}
    find = "SELECT id FROM knowledge_shelves WHERE hub = :hub AND circle = :circle AND kind = :kind"
    id_ = tx.value(find, **of)
    if id_ is None:
        tx.execute("INSERT INTO knowledge_shelves (hub, circle, kind) VALUES (:hub, :circle, :kind)", **of)
        id_ = tx.value(find, **of)
    return Shelf(id_, hub, circle, kind)


def circle_of(ctx: Context) -> str:
    """Whose room this is."""
    return ctx.room.settings.role if ctx.room.settings is not None else MEMBERS


def kind_of(ctx: Context) -> str:
    """On which kind of shelf belongs what is shared in this room."""
    return ENCRYPTED if ctx.room.encrypted else PLAIN
