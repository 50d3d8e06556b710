"""What can results be filtered by? Each such thing is one word of the column `facets`: filters are part of MATCH.

Nothing people write reaches this column: their words are always asked for in the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from plugins.knowledge.store.access import Scope

SHARED = "o"  # may be seen from every shared hub; short, as most entries have it
NOTHING = "nothing"  # no entry has it
GOOD = "good"  # recommended, pinned or found useful: looked at first when too much matches


def shelf(id_: int) -> str:
    """All of a shelf."""
    return f"s{id_}"


def open_part(id_: int) -> str:
    """What of a shelf other hubs may see."""
    return f"o{id_}"


def of_scope(scope: Scope) -> Sequence[str]:
    """The words of which every entry that may be seen has one."""
    own = [shelf(one.id) for one in scope.own]
    if scope.all_shared and len(scope.others) > 1:
        return [*own, SHARED]
    return own + [open_part(one.id) for one in scope.others]


def topic(id_: str) -> str:
    return f"t{_digest(id_)}"


def site(host: str) -> str:
    """A host or a domain above it."""
    return f"h{_digest(host)}"


def sites(host: str) -> Iterable[str]:
    """A host and the domains above it, but for the last label."""
    labels = host.split(".")
    return (site(".".join(labels[start:])) for start in range(max(1, len(labels) - 1)))


def language(code: str) -> str:
    return f"l{code}"


def kind(name: str) -> str:
    return f"k{name}"


def sharer(id_: int) -> str:
    return f"u{id_}"


def times(instants: Iterable[int]) -> Iterable[str]:
    """The months and years (UTC) of instants."""
    for at in instants:
        month = _month(at)
        yield f"y{(month - 1) // 12}"
        yield f"m{month}"


def between(since: int | None, until: int | None, now: int) -> list[str]:
    """Words of which an entry shared from `since` to `until` (exclusive) has at least one; others may have one, too."""
    start = _month(since) if since is not None else 1990 * 12
    end = _month(until - 1 if until else now)
    found: list[str] = []
    month = start
    while month <= end and len(found) < 200:
        year = (month - 1) // 12
        if month % 12 == 1 and month + 11 <= end:
            found.append(f"y{year}")
            month += 12
        else:
            found.append(f"m{month}")
            month += 1
    return found or [NOTHING]


def _month(at: int) -> int:
    """Months since year 0; instants that no calendar has count as the nearest one that it has."""
    moment = datetime.fromtimestamp(max(0, min(at, 253_402_300_799_000)) / 1000, UTC)
    return moment.year * 12 + moment.month


@lru_cache(maxsize=10_000)
def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode(), digest_size=4).hexdigest()
