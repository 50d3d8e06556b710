"""Candidates are the same whichever way they are looked for, and the best are among them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from bot.api import SyncReader
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index import facets, update
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import candidates, engine, ranking
from plugins.knowledge.search.fts_query import match
from plugins.knowledge.search.interpret import interpret
from plugins.knowledge.search.query_parser import parse
from plugins.knowledge.store import access
from plugins.knowledge.store.access import COORDINATORS, MEMBERS, Scope
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.tlp import AMBER, GREEN
from plugins.knowledge.views import load
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, NOW, urls, vote

HUBS = tuple(hub(name, visibility=visibility) for name, visibility in
             (("transparency", "shared"), ("audit", "shared"), ("closed", "private")))  # fmt: skip
RULES = Rules(HUBS)
TERMS = merged_thesaurus(HUBS)
WORDS = ("volcano", "lava", "audits", "gift", "mountain", "regalos", "steam")


def share(number: int, title: str, note: str = "", *, hub: str = "transparency", **more: object) -> NewShare:
    made = {
        "hub": hub, "url": f"https://example.org/{number}", "canonical": f"example.org/{number}", "sent_at": NOW - 1,
        "sender": ANA, "room": f"!{hub}:example.org", "event": f"${number}", "label": title, "note": note, **more,
    }  # fmt: skip
    return NewShare(**made)  # type: ignore[arg-type]  # the values of a dict have one type


async def put(db: SqliteDatabase, shares: Sequence[NewShare]) -> None:
    async with db.transaction() as tx:
        await tx.run(update.put, RULES, shares)


async def sights(db: SqliteDatabase) -> Sequence[Scope]:
    every = await db.reading().run(access.every_shelf)
    main = [shelf for shelf in every if shelf.circle == MEMBERS]
    shared = tuple(shelf for shelf in main if shelf.hub in ("transparency", "audit"))
    return [
        *(Scope((shelf,)) for shelf in every),
        Scope(tuple(main)),
        Scope(shared[:1], shared[1:]),
        Scope(shared[:1], shared[1:], all_shared=True),
        Scope((main[-1],), shared),
    ]


async def test_what_may_be_seen_is_the_same_with_and_without_the_facets(db: SqliteDatabase) -> None:
    draw = random.Random(4)  # noqa: S311 - data, not secrets
    await put(
        db,
        [
            share(
                number,
                " ".join(draw.sample(WORDS, 2)),
                draw.choice(WORDS),
                hub=draw.choice(("transparency", "audit", "closed")),
                circle=draw.choice((MEMBERS, MEMBERS, COORDINATORS)),
                tlp=draw.choice((GREEN, GREEN, AMBER)),
            )
            for number in range(300)
        ],
    )
    found = []
    for scope in await sights(db):
        conditions = candidates.Conditions(scope)
        for words in ("", *WORDS, "volcano lava", '"gift mountain"', "steam -lava"):
            question = parse(words, TERMS)
            ways = [
                match(required, question.units, question.without)
                for required in ([facets.of_scope(scope)], *([()] if question.units else []))
            ]
            answers = [await db.reading().run(candidates.newest, conditions, way, most=1000) for way in ways]
            assert answers[0] == answers[-1], (scope, words)
            found.append(len(answers[0]))
    assert min(found[1:8]) > 0


async def facets_for(db: SqliteDatabase, scope: Scope, words: str) -> Sequence[Sequence[str]]:
    def ask(reader: SyncReader) -> Sequence[Sequence[str]]:
        query_terms = interpret(reader, scope, parse(words, TERMS).units, TERMS).terms
        return list(candidates.Conditions(scope).facets_for(query_terms))

    return await db.reading().run(ask)


async def test_facets_are_asked_for_where_most_of_what_matches_may_not_be_seen(db: SqliteDatabase) -> None:
    many = 20
    await put(
        db,
        [
            *(share(number, "Volcano", hub="audit") for number in range(many)),
            *(share(many + number, "Lava") for number in range(2 * many)),
            share(4 * many, "Volcano steam"),
        ],
    )
    everything, one_hub, *_ = [Scope(tuple(await db.reading().run(access.every_shelf))), *await sights(db)]
    own = Scope(tuple(shelf for shelf in everything.own if shelf.hub == "transparency"))
    assert await facets_for(db, own, "volcano") == [facets.of_scope(own)]
    assert await facets_for(db, own, "lava") == []
    assert await facets_for(db, own, "lava volcano") == [facets.of_scope(own)]
    assert await facets_for(db, everything, "volcano") == []
    assert await facets_for(db, one_hub, "nothing") == [facets.of_scope(one_hub)], "nothing is known of it"
    assert await urls(db.reading(), "volcano") == [f"https://example.org/{4 * many}"]


async def test_what_few_seem_to_have_is_found_among_many_that_may_not_be_seen(db: SqliteDatabase) -> None:
    """A word is counted as it is written, and found in its other forms."""
    await put(db, [share(number, "Ferry", hub="closed") for number in range(candidates.FEW_MATCHES + 1)])
    await put(db, [share(5000, "Ferries"), share(5001, "Ferry")])
    found = [url.rpartition("/")[2] for url in await urls(db.reading(), "ferries")]
    assert found == ["5000", "5001"]


def weighed_ids(reader: SyncReader, scope: Scope, words: str) -> list[int]:
    query_terms, _, good_count, _ = interpret(reader, scope, parse(words, TERMS).units, TERMS)
    rows, _ = candidates.full_matches(reader, candidates.Conditions(scope), query_terms, good_count, NOW)
    return [row["id"] for row in rows]


async def own_sight(db: SqliteDatabase) -> Scope:
    every = await db.reading().run(access.every_shelf)
    return Scope(tuple(shelf for shelf in every if shelf.hub == "transparency"))


@pytest.mark.parametrize("newer", [2, 5, 12])
async def test_what_has_all_words_in_its_title_is_weighed_however_much_is_newer(db: SqliteDatabase, newer: int) -> None:
    await put(db, [share(number, "Volcano and lava") for number in range(4)])
    oldest = {row["id"] for row in await db.reading().rows("SELECT id FROM knowledge_entries")}
    await put(db, [share(9 + number, "Mountain", "a volcano, and lava") for number in range(newer * candidates.POOL)])
    assert oldest <= set(await db.reading().run(weighed_ids, await own_sight(db), "volcano lava"))


async def test_of_many_that_have_it_in_their_titles_the_others_are_not_weighed(db: SqliteDatabase) -> None:
    await put(db, [share(number, "Volcano") for number in range(candidates.FEW_MATCHES + 1)])
    await put(db, [share(1000 + number, "Mountain", "a volcano") for number in range(candidates.POOL)])
    found = await urls(db.reading(), "volcano")
    assert found == [f"https://example.org/{candidates.FEW_MATCHES - number}" for number in range(candidates.POOL)]


async def test_the_newest_come_first_where_that_is_asked_though_others_have_it_in_their_titles(
    db: SqliteDatabase,
) -> None:
    year = ranking.YEAR
    await put(db, [share(number, "Volcano", sent_at=NOW - 2 * year) for number in range(candidates.FEW_MATCHES + 1)])
    await put(db, [share(1000, "Mountain", "a volcano", sent_at=NOW - year)])
    assert (await urls(db.reading(), "volcano sort:new"))[0] == "https://example.org/1000"


async def test_a_word_in_the_title_and_one_elsewhere_is_weighed_though_many_have_both_as_topics(
    db: SqliteDatabase,
) -> None:
    await put(
        db, [share(number, "Mountain", topics=("volcano", "lava")) for number in range(candidates.FEW_MATCHES + 1)]
    )
    await put(db, [share(5000, "Volcano rules in practice", "about lava")])
    assert (await urls(db.reading(), "volcano lava"))[0] == "https://example.org/5000"


async def test_what_is_good_is_found_however_much_is_good_elsewhere(db: SqliteDatabase) -> None:
    async def useful(number: int, hub: str) -> None:
        async with db.transaction() as tx:
            for entry in (await tx.run(update.put, RULES, [share(number, "Mountain", "a volcano", hub=hub)])).values():
                await vote(tx, entry, "@ben:example.org")

    await useful(1, "transparency")
    await put(db, [share(10 + number, "A volcano") for number in range(3 * candidates.POOL)])
    before = await urls(db.reading(), "volcano sort:useful")
    assert before[0] == "https://example.org/1"
    async with db.transaction() as tx:  # as if so many were there
        await tx.execute(
            """INSERT INTO knowledge_vocabulary (word, shelf, entries)
            SELECT '=good', id + 1000, :many FROM knowledge_shelves WHERE hub = 'transparency'""",
            many=100 * candidates.GOOD_ENTRIES_READ,
        )
    await useful(5000, "closed")
    assert await urls(db.reading(), "volcano sort:useful") == before


async def in_part(db: SqliteDatabase, scope: Scope) -> Sequence[str]:
    """What is found of three words, of which no entry has more than two."""
    found = await db.reading().run(engine.find, scope, parse("volcano lava steam", TERMS), (), NOW, thesaurus=TERMS)
    return [entry.url for entry in await db.reading().run(load.load, scope, [hit.id for hit in found.hits])]


async def test_what_others_shared_since_hides_nothing_that_has_some_of_the_words(db: SqliteDatabase) -> None:
    await put(
        db,
        [
            share(1, "Volcano, lava", hub="closed"),
            *(share(10 + number, ("Volcano", "Lava", "Steam")[number % 3], hub="closed") for number in range(200)),
            share(1000, "Mountain"),
        ],
    )
    scope = Scope(tuple(shelf for shelf in await db.reading().run(access.every_shelf) if shelf.hub == "closed"))
    before = await in_part(db, scope)
    assert before[0] == "https://example.org/1"
    async with db.transaction() as tx:  # as if so many were there
        await tx.execute(
            """INSERT INTO knowledge_pages (id, shelf, number, version, entry)
            SELECT 10000000, id, 10000000, 0, 10000000 FROM knowledge_shelves WHERE hub = 'transparency'"""
        )
        await tx.execute(
            """INSERT INTO knowledge_entries (id, shelf, number)
            SELECT id, shelf, number FROM knowledge_pages WHERE id = 10000000"""
        )
        await tx.execute(
            """INSERT INTO knowledge_vocabulary (word, shelf, entries)
            SELECT DISTINCT word, 99, :many FROM knowledge_vocabulary""",
            many=2 * candidates.FEW_MATCHES,
        )
    assert await in_part(db, scope) == before


async def test_that_there_may_be_more_that_have_some_of_the_words_is_told(db: SqliteDatabase) -> None:
    question = parse("volcano lava steam", TERMS)
    for number, complete in ((5, True), (3 * candidates.POOL, False)):
        await put(db, [share(1000, "Steam"), *(share(one, "Volcano, lava") for one in range(number))])
        found = await db.reading().run(engine.find, await own_sight(db), question, (), NOW, thesaurus=TERMS)
        assert found.complete is complete


@pytest.mark.parametrize(
    "words", ["volcano", "volcano lava", "volcano sort:new", '"a volcano"', "volcano -steam", "sort:new"]
)
async def test_page_after_page_shows_each_result_once(db: SqliteDatabase, words: str) -> None:
    draw = random.Random(8)  # noqa: S311 - data, not secrets

    def title() -> str:
        first = draw.choice(("A volcano", "Mountain", "Volcano, lava"))
        return " ".join([first, *draw.choices(WORDS, k=draw.randrange(11))])

    await put(
        db,
        [
            share(number, title(), draw.choice(("a volcano and lava", "lava", "")),
                  sent_at=NOW - draw.randrange(5 * ranking.YEAR))
            for number in range(1500)
        ],
    )  # fmt: skip
    scope, question, shown = await own_sight(db), parse(words, TERMS), list[str]()
    for page in range(100):
        _, entries = await db.reading().run(
            load.answer, scope, question, (), NOW, thesaurus=TERMS, count=5, after=5 * page
        )
        if not entries:
            break
        shown += [entry.url for entry in entries]
    assert len(shown) >= candidates.POOL
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize(
    ("words", "count", "complete"),
    [("volcano", 3 * candidates.POOL, False), ("volcano", 2 * candidates.POOL - 1, True),
     ("volcano", candidates.POOL, True), ("sort:new", 210, False), ("sort:new", 199, True), ("from:ana", 210, False),
     ("from:ana", 199, True)],
)  # fmt: skip
async def test_whether_these_are_all_is_told_and_more_are_weighed_where_more_are_wanted(
    db: SqliteDatabase, words: str, count: int, complete: bool
) -> None:
    await put(db, [share(number, "A volcano") for number in range(count)])
    scope, question = await own_sight(db), parse(words, TERMS)
    found = await db.reading().run(engine.find, scope, question, (), NOW, thesaurus=TERMS)
    assert found.complete is complete
    every = await db.reading().run(engine.find, scope, question, (), NOW, thesaurus=TERMS, most=10 * count)
    assert every.complete
    assert len(every.hits) == count
