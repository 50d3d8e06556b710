"""Corrects misspelt words: finds the nearest word by edit distance among those in the scope (typo_index.py)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from rapidfuzz.distance import OSA

from bot.api import SyncReader
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.typo_index import SHORTEST, TWO_EDITS_FROM, TraceIndex, lookup_traces, sound, traces
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import LONGEST_WORD, stems

MOST_SILENT_EDITS = 3  # edits, if at most one of them changes the pronunciation
PLURALS = ("", "s", "es")
SHORTEST_QUESTIONED = 5  # letters; shorter words that some entry has are not questioned
MUCH_MORE_FREQUENT = 5  # times as many entries must have the word that is suggested


def correct(db: SyncReader, word: str, scope: Scope, dictionary: TraceIndex) -> str | None:
    """The correction of a misspelt word: the nearest word of the visible entries or of the `dictionary`.

    Of two at the same distance, the more frequent one. If there is none, the singular is tried. None if the word is in
    the dictionary itself, even if no visible entry has it.
    """
    for ending in PLURALS:
        if word.endswith(ending) and (nearest := _nearest_word(db, word.removesuffix(ending), scope, dictionary)):
            return nearest if nearest != word else None
    return None


def likelier_word(db: SyncReader, word: str, scope: Scope, dictionary: TraceIndex) -> str | None:
    """A far more frequent word at edit distance 1 from a rare one; None if there is none.

    Words of the dictionary are not questioned. Other forms of the word are no suggestion: the search finds them anyway.
    """
    word_traces = traces(word)
    if not SHORTEST_QUESTIONED <= len(word) <= LONGEST_WORD or any(
        word in dictionary.get(trace, ()) for trace in word_traces
    ):
        return None
    forms = {word, *stems(word)}
    neighbours = [
        neighbour
        for neighbour in _words_with_traces(db, word_traces)
        if edit_distance(word, neighbour, 1) == 1 and forms.isdisjoint((neighbour, *stems(neighbour)))
    ]
    counts = vocabulary.counts(db, [word, *neighbours], scope) if neighbours else {}
    threshold = MUCH_MORE_FREQUENT * max(1, counts[word].visible if word in counts else 0)
    return max((other for other in neighbours if other in counts and counts[other].visible >= threshold),
               key=lambda other: (counts[other].visible, other), default=None)  # fmt: skip


def _words_with_traces(db: SyncReader, wanted: Collection[int]) -> Sequence[str]:
    """Words of any shelf with one of these traces. The caller must check in `vocabulary` which are visible."""
    rows = db.rows(
        "SELECT DISTINCT word FROM knowledge_traces WHERE trace IN (SELECT value FROM json_each(:traces))",
        traces=json.dumps(sorted(wanted)),
    )
    return [row["word"] for row in rows]


def _nearest_word(db: SyncReader, word: str, scope: Scope, dictionary: TraceIndex) -> str | None:
    if not SHORTEST <= len(word) <= LONGEST_WORD:
        return None
    word_traces = lookup_traces(word)
    # Distance first: there may be hundreds of words, and counting each would take longer.
    neighbours = [
        candidate
        for candidate in _words_with_traces(db, word_traces)
        if _distance(word, candidate, is_used=True) is not None
    ]
    counts = vocabulary.counts(db, neighbours, scope)
    frequencies = {candidate: 0 for trace in word_traces for candidate in dictionary.get(trace, ())}
    frequencies |= {candidate: count.visible for candidate, count in counts.items() if count.visible}
    best = min(
        (
            (distance, candidate[:1] != word[:1], -entries, candidate)
            for candidate, entries in frequencies.items()
            if (distance := _distance(word, candidate, is_used=bool(entries))) is not None
        ),
        default=None,
    )
    return best[3] if best else None


def _distance(word: str, candidate: str, *, is_used: bool) -> float | None:
    """The edit distance to a candidate; None if it is too far. Edits that do not change the pronunciation count half.

    A candidate that no visible entry uses must be nearer.
    """
    is_long = len(word) >= TWO_EDITS_FROM
    most = 2 if is_long and is_used else 1
    spelling_edits = edit_distance(word, candidate, MOST_SILENT_EDITS if is_long else 2)
    sound_edits = edit_distance(sound(word), sound(candidate), most)
    if spelling_edits <= most or (sound_edits <= most - 1 and spelling_edits <= (MOST_SILENT_EDITS if is_long else 2)):
        return (spelling_edits + min(sound_edits, spelling_edits)) / 2
    return None


def edit_distance(word: str, other: str, most: int) -> int:
    """The optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbouring letters.
    `most + 1` stands for more than `most`."""
    return OSA.distance(word, other, score_cutoff=most)
