"""Facets: everything that results can be filtered by, each as one word of the column `facets`, so that filters are
part of MATCH.

The words of a question never match this column (fts_query.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from plugins.knowledge.store.access import Scope

SHARED = "o"  # visible from every shared hub; short, as most entries have it
NOTHING = "nothing"  # no entry has it
GOOD = "good"  # recommended, pinned or found useful: always candidates, however many entries match


def shelf(id_: int) -> str:
    """Every entry of a shelf."""
    return f"s{id_}"


def open_part(id_: int) -> str:
    """The entries of a shelf that other hubs may see."""
    return f"o{id_}"


def of_scope(scope: Scope) -> Sequence[str]:
    """The facets of a scope: every visible entry has at least one of them."""
    own = [shelf(shelf_.id) for shelf_ in scope.own]
    if scope.all_shared and len(scope.others) > 1:
        return [*own, SHARED]
    return own + [open_part(shelf_.id) for shelf_ in scope.others]


def topic(id_: str) -> str:
    return f"t{_digest(id_)}"


def site(host: str) -> str:
    """A host or a domain above it."""
    return f"h{_digest(host)}"


def sites(host: str) -> Iterable[str]:
    """A host and its parent domains, without the top-level domain."""
    labels = host.split(".")
    return (site(".".join(labels[start:])) for start in range(max(1, len(labels) - 1)))


def language(code: str) -> str:
    return f"l{code}"


def kind(name: str) -> str:
    return f"k{name}"


def sharer(id_: int) -> str:
    return f"u{id_}"


def times(instants: Iterable[int]) -> Iterable[str]:
    """The facets of the months and years (UTC) of instants."""
    for at in instants:
        month = _month(at)
        yield f"y{(month - 1) // 12}"
        yield f"m{month}"


def between(since: int | None, until: int | None, now: int) -> list[str]:
    """Facets that cover the months from `since` to `until` (exclusive). Entries shared outside may have one, too."""
    start = _month(since) if since is not None else 1990 * 12
    end = _month(until - 1 if until else now)
    facet_words: list[str] = []
    month = start
    while month <= end and len(facet_words) < 200:
        year = (month - 1) // 12
        if month % 12 == 1 and month + 11 <= end:
            facet_words.append(f"y{year}")
            month += 12
        else:
            facet_words.append(f"m{month}")
            month += 1
    return facet_words or [NOTHING]


def _month(at: int) -> int:
    """Months since year 0; instants out of the range of `datetime` are clamped."""
    moment = datetime.fromtimestamp(max(0, min(at, 253_402_300_799_000)) / 1000, UTC)
    return moment.year * 12 + moment.month


@lru_cache(maxsize=10_000)
def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode(), digest_size=4).hexdigest()
