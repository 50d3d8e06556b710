"""Generates synthetic shares: any number, the same each time, with word frequencies as in real text (Zipf)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from plugins.knowledge.index.thesaurus import own_terms
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.urls.canonical import canonical

HUBS = 100
PEOPLE = 800
VOCABULARY = 60_000
TITLE, NOTE = 8, 12  # words
FIRST_DAY = 1_577_836_800_000  # 2020
SPAN = 5 * 365 * 86_400_000


class World:
    """A seeded generator: its words, most frequent first, and its shares."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - data for measuring, not secrets
        self.words = self._invent_words()
        self._weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
        self._terms = [name for languages in own_terms().values() for names in languages.values() for name in names]

    def hubs(self) -> Sequence[str]:
        return [f"hub{number}" for number in range(HUBS)]

    def shares(self, count: int) -> Iterator[NewShare]:
        draw = self._random
        for number in range(count):
            title = self._draw_words(TITLE)
            if draw.random() < 0.3:
                title[draw.randrange(TITLE)] = draw.choice(self._terms)
            url = f"https://site{draw.randrange(5000)}.example/{'-'.join(self._draw_words(3))}/{number}"
            hub = draw.randrange(HUBS)
            yield NewShare(
                hub=f"hub{hub}",
                url=url,
                canonical=canonical(url) or url,
                sent_at=FIRST_DAY + SPAN * number // count,
                sender=f"@person{draw.randrange(PEOPLE)}:server{hub % 8}.example",
                room=f"!room{hub}:server{hub % 8}.example",
                event=f"${number:043d}",
                label=" ".join(title),
                note=" ".join(self._draw_words(NOTE)),
                topics=(f"topic{draw.randrange(40)}",) if draw.random() < 0.5 else (),
            )

    def _draw_words(self, count: int) -> list[str]:
        return self._random.choices(self.words, cum_weights=self._weights, k=count)

    def _invent_words(self) -> Sequence[str]:
        letters = "abcdefghijlmnopqrstuvz"
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            size = min(3 + len(words) // 6000, 12)
            words["".join(self._random.choice(letters) for _ in range(self._random.randint(size, size + 3)))] = None
        return list(words)


def batches(shares: Iterator[NewShare], size: int) -> Iterator[Sequence[NewShare]]:
    while batch := list(islice(shares, size)):
        yield batch
