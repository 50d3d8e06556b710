"""Who may see what: the access scope of a question.

A shelf is what a hub's rooms share; coordinators' rooms have one of their own, and what is on it is found only there.
From its own rooms all of a shelf is seen, from other hubs what their `visibility` and its sharing label let them see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.api import Context, Hub, SyncReader, SyncTransaction
from plugins.knowledge.store.tlp import AMBER

MEMBERS, COORDINATORS = "members", "coordinators"


@dataclass(frozen=True, slots=True)
class Shelf:
    id: int
    hub: str
    circle: str


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
    """`others` are all the shelves of shared hubs there are, but for `own`."""

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


def partition(shelf: int, label: int) -> int:
    """The partition of the vocabulary an entry counts in: the shelf's id for what is open, its negative for what is
    amber."""
    return -shelf if label == AMBER else shelf


async def scope(ctx: Context) -> Scope:
    """What the asker may see here and now."""
    by_place = {(shelf.hub, shelf.circle): shelf for shelf in await ctx.db.run(every_shelf)}
    main = [by_place[hub.id, MEMBERS] for hub in ctx.hubs if (hub.id, MEMBERS) in by_place]
    if ctx.room.direct:
        return Scope(tuple(main))
    circle = circle_of(ctx)
    here = ctx.hub.id
    own = [by_place[here, name] for name in dict.fromkeys((MEMBERS, circle)) if (here, name) in by_place]
    shared = ctx.hub.visibility == "shared" and all(hub.visibility == "shared" for hub in ctx.hubs)
    return Scope(tuple(own), tuple(shelf for shelf in main if shelf.hub != here), all_shared=shared)


def scope_of(db: SyncReader, hubs: Sequence[Hub]) -> Scope:
    """What members of these hubs see in a direct chat: for the shell."""
    ids = {hub.id for hub in hubs}
    return Scope(tuple(shelf for shelf in every_shelf(db) if shelf.hub in ids and shelf.circle == MEMBERS))


def every_shelf(db: SyncReader) -> Sequence[Shelf]:
    return [
        Shelf(row["id"], row["hub"], row["circle"]) for row in db.rows("SELECT id, hub, circle FROM knowledge_shelves")
    ]


def shelf_for(tx: SyncTransaction, hub: str, circle: str = MEMBERS) -> Shelf:
    """A hub's shelf; made if it is new."""
    find = "SELECT id FROM knowledge_shelves WHERE hub = :hub AND circle = :circle"
    id_ = tx.value(find, hub=hub, circle=circle)
    if id_ is None:
        tx.execute("INSERT INTO knowledge_shelves (hub, circle) VALUES (:hub, :circle)", hub=hub, circle=circle)
        id_ = tx.value(find, hub=hub, circle=circle)
    return Shelf(id_, hub, circle)


def circle_of(ctx: Context) -> str:
    """Whose room this is."""
    return ctx.room.settings.role if ctx.room.settings is not None else MEMBERS
