"""How well is found what was meant? Judged questions over a list of resources, of which only titles, addresses and
publishers are known: nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bench.knowledge.invented import FIRST_DAY
from bot.api import Database
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.thesaurus import with_terms
from plugins.knowledge.search import query_parser
from plugins.knowledge.store.access import Scope, every_shelf
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import load

FIRST, MOST = 3, 10  # results: one that is wanted must be among the first; recall is measured over the most
SUCCESS, RECALL = 0.95, 0.9  # at least, over all questions


class Resource(BaseModel):
    """One of the list; what else it says is passed over."""

    model_config = ConfigDict(frozen=True)

    url: str
    title: str
    publisher: str = ""


class Judged(BaseModel):
    """A question `q`, and the resources it should find, by their places in the list, from 1."""

    model_config = ConfigDict(frozen=True)

    q: str
    want: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    lang: str = ""
    typo: bool = False


RESOURCES = TypeAdapter(tuple[Resource, ...])
QUESTIONS = TypeAdapter(tuple[Judged, ...])


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, best first: of each result the places in the list (two, if two addresses are one page)."""

    judged: Judged
    found: Sequence[Sequence[int]]
    corrected: Mapping[str, str]

    @property
    def succeeds(self) -> bool:
        return any(place in self.judged.want for places in self.found[:FIRST] for place in places)

    @property
    def recall(self) -> float:
        """The part of what is wanted that was found."""
        wanted = set(self.judged.want)
        found = {place for places in self.found[:MOST] for place in places}
        return len(wanted & found) / min(MOST, len(wanted))


async def measure(db: Database, resources: Sequence[Resource], questions: Sequence[Judged]) -> Sequence[Answer]:
    """Files the resources, titles as titles and publishers as words around them; then asks."""
    shares = [
        NewShare(
            hub="bench",
            url=one.url,
            canonical=canonical(one.url) or one.url,
            sent_at=FIRST_DAY,
            label=one.title,
            note=one.publisher,
        )
        for one in resources
    ]
    async with db.transaction() as tx:
        entries = await tx.run(update.put, Rules(()), shares)
    places: dict[int, list[int]] = {}
    for place, share in enumerate(shares, start=1):
        places.setdefault(entries[share], []).append(place)
    seen = Scope(tuple(await db.reading().run(every_shelf)))
    return [await _ask(db, seen, one, places) for one in questions]


async def _ask(db: Database, seen: Scope, judged: Judged, places: Mapping[int, Sequence[int]]) -> Answer:
    terms = with_terms(())
    question = query_parser.read(judged.q, terms)
    found, shown = await db.reading().run(load.answer, seen, question, (), FIRST_DAY, terms=terms, count=MOST)
    return Answer(judged, [places[entry.id] for entry in shown], found.corrected)
