"""What may a misspelt word be? Words within one or two slips of it (typo_index.py), among those of the shelves that may
be seen."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from rapidfuzz.distance import OSA

from bot.api import SyncReader
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.typo_index import SHORTEST, TWO_SLIPS_FROM, Traces, asked, sound, traces
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import LONGEST_WORD, stems

MOST_HEARD = 3  # slips in all, if at most one of them can be heard
PLURALS = ("", "s", "es")
SHORTEST_DOUBTED = 5  # letters of a word that somebody wrote and that may be misspelt all the same
FAR_MORE = 5  # times as many entries must have the word that may be meant instead


def meant(db: SyncReader, word: str, scope: Scope, known: Traces) -> str | None:
    """The word that is nearest to a misspelt one: of those entries have that may be seen, or of the `known` ones.

    The more frequent of two that are equally near. If none is near, that may be because only its singular is known.
    A word that is known is no slip, though no entry that may be seen has it.
    """
    for ending in PLURALS:
        if word.endswith(ending) and (found := _nearest(db, word.removesuffix(ending), scope, known)):
            return found if found != word else None
    return None


def likelier(db: SyncReader, word: str, scope: Scope, known: Traces) -> str | None:
    """A word one slip away from one that hardly any entry has, if far more have that one: then it may be meant.

    Not where the word is known, nor another form of it: that is found anyway.
    """
    found = traces(word)
    if not SHORTEST_DOUBTED <= len(word) <= LONGEST_WORD or any(word in known.get(trace, ()) for trace in found):
        return None
    forms = {word, *stems(word)}
    near = [one for one in _met(db, found) if slips(word, one, 1) == 1 and forms.isdisjoint((one, *stems(one)))]
    counts = vocabulary.counts(db, [word, *near], scope) if near else {}
    enough = FAR_MORE * max(1, counts[word].seen if word in counts else 0)
    return max((one for one in near if one in counts and counts[one].seen >= enough),
               key=lambda one: (counts[one].seen, one), default=None)  # fmt: skip


def _met(db: SyncReader, found: Collection[int]) -> Sequence[str]:
    """Words that left one of these traces, on any shelf: `vocabulary` says which may be seen."""
    rows = db.rows(
        "SELECT DISTINCT word FROM knowledge_traces WHERE trace IN (SELECT value FROM json_each(:traces))",
        traces=json.dumps(sorted(found)),
    )
    return [row["word"] for row in rows]


def _nearest(db: SyncReader, word: str, scope: Scope, known: Traces) -> str | None:
    if not SHORTEST <= len(word) <= LONGEST_WORD:
        return None
    found = asked(word)
    # How far they are first: to count each would take longer, as there may be hundreds.
    near = [one for one in _met(db, found) if _apart(word, one, wrote=True) is not None]
    counts = vocabulary.counts(db, near, scope)
    frequent = {one: 0 for trace in found for one in known.get(trace, ())}
    frequent |= {one: count.seen for one, count in counts.items() if count.seen}
    best = min(
        (
            (apart, one[:1] != word[:1], -entries, one)
            for one, entries in frequent.items()
            if (apart := _apart(word, one, wrote=bool(entries))) is not None
        ),
        default=None,
    )
    return best[3] if best else None


def _apart(word: str, one: str, *, wrote: bool) -> float | None:
    """How far a word is from a known one, if that may be meant: slips that cannot be heard are half ones. What nobody
    wrote must be nearer."""
    long = len(word) >= TWO_SLIPS_FROM
    most = 2 if long and wrote else 1
    written = slips(word, one, MOST_HEARD if long else 2)
    heard = slips(sound(word), sound(one), most)
    if written <= most or (heard <= most - 1 and written <= (MOST_HEARD if long else 2)):
        return (written + min(heard, written)) / 2
    return None


def slips(one: str, other: str, most: int) -> int:
    """How many slips lie between two words: letters added, left out, replaced, or swapped with the next
    (optimal string alignment). `most + 1` stands for more than `most`."""
    return OSA.distance(one, other, score_cutoff=most)
