"""Measures relevance with judged queries over a list of resources, of which only titles, addresses and publishers are
indexed: nothing is fetched."""

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

FIRST, MOST = 3, 10  # results: a wanted one must be among the FIRST; recall is measured over the MOST
SUCCESS, RECALL = 0.95, 0.9  # minimum, over all queries


class Resource(BaseModel):
    """A resource of the list; other fields are ignored."""

    model_config = ConfigDict(frozen=True)

    url: str
    title: str
    publisher: str = ""


class JudgedQuery(BaseModel):
    """A query `q`, and the resources it should find, by their numbers in the list, from 1."""

    model_config = ConfigDict(frozen=True)

    q: str
    want: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    lang: str = ""
    typo: bool = False


RESOURCES = TypeAdapter(tuple[Resource, ...])
QUESTIONS = TypeAdapter(tuple[JudgedQuery, ...])


@dataclass(frozen=True, slots=True)
class Answer:
    """The results of a query, best first: for each its numbers in the list (two, if two addresses are one page)."""

    judged: JudgedQuery
    results: Sequence[Sequence[int]]
    corrected: Mapping[str, str]

    @property
    def succeeds(self) -> bool:
        return any(number in self.judged.want for numbers in self.results[:FIRST] for number in numbers)

    @property
    def recall(self) -> float:
        """The part of the wanted resources that was found."""
        wanted = set(self.judged.want)
        found_numbers = {number for numbers in self.results[:MOST] for number in numbers}
        return len(wanted & found_numbers) / min(MOST, len(wanted))


async def measure(db: Database, resources: Sequence[Resource], questions: Sequence[JudgedQuery]) -> Sequence[Answer]:
    """Indexes the resources, titles as link texts and publishers as notes; then runs the queries."""
    shares = [
        NewShare(
            hub="bench",
            url=resource.url,
            canonical=canonical(resource.url) or resource.url,
            sent_at=FIRST_DAY,
            label=resource.title,
            note=resource.publisher,
        )
        for resource in resources
    ]
    async with db.transaction() as tx:
        entries = await tx.run(update.put, Rules(()), shares)
    numbers_by_entry: dict[int, list[int]] = {}
    for number, share in enumerate(shares, start=1):
        numbers_by_entry.setdefault(entries[share], []).append(number)
    scope = Scope(tuple(await db.reading().run(every_shelf)))
    return [await _ask(db, scope, judged, numbers_by_entry) for judged in questions]


async def _ask(
    db: Database, scope: Scope, judged: JudgedQuery, numbers_by_entry: Mapping[int, Sequence[int]]
) -> Answer:
    thesaurus = with_terms(())
    question = query_parser.parse(judged.q, thesaurus)
    result, entries = await db.reading().run(
        load.answer, scope, question, (), FIRST_DAY, thesaurus=thesaurus, count=MOST
    )
    return Answer(judged, [numbers_by_entry[entry.id] for entry in entries], result.corrected)
