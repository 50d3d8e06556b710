"""Candidates are the same whichever way they are looked for, and the best are among them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from bot.api import SyncReader
from bot.storage.database import SqliteDatabase
from plugins.knowledge import index, pool, shelves
from plugins.knowledge.asking import Question, read
from plugins.knowledge.index import Share
from plugins.knowledge.matching import match
from plugins.knowledge.rules import Rules, together
from plugins.knowledge.shelves import AMBER, COORDINATORS, GREEN, MEMBERS, Sight
from plugins.knowledge.weighing import weigh
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, NOW, urls

HUBS = tuple(hub(name, visibility=visibility) for name, visibility in
             (("transparency", "shared"), ("audit", "shared"), ("closed", "private")))  # fmt: skip
RULES = Rules(HUBS)
TERMS = together(HUBS)
WORDS = ("volcano", "lava", "audits", "gift", "mountain", "regalos", "steam")


def share(number: int, title: str, note: str = "", *, hub: str = "transparency", **more: object) -> Share:
    made = {
        "hub": hub, "url": f"https://example.org/{number}", "canonical": f"example.org/{number}", "sent_at": NOW - 1,
        "sender": ANA, "room": f"!{hub}:example.org", "event": f"${number}", "label": title, "note": note, **more,
    }  # fmt: skip
    return Share(**made)  # type: ignore[arg-type]  # the values of a dict have one type


async def put(db: SqliteDatabase, shares: Sequence[Share]) -> None:
    async with db.transaction() as tx:
        await tx.run(index.put, RULES, shares)


async def sights(db: SqliteDatabase) -> Sequence[Sight]:
    every = await db.reading().run(shelves.every)
    main = [shelf for shelf in every if shelf.circle == MEMBERS]
    shared = tuple(shelf for shelf in main if shelf.hub in ("transparency", "audit"))
    return [
        *(Sight((shelf,)) for shelf in every),
        Sight(tuple(main)),
        Sight(shared[:1], shared[1:]),
        Sight(shared[:1], shared[1:], all_shared=True),
        Sight((main[-1],), shared),
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
    for sight in await sights(db):
        conditions = pool.Conditions(sight, (), Question())
        for words in ("", *WORDS, "volcano lava", '"gift mountain"', "steam -lava"):
            question = read(words, TERMS)
            ways = [
                match(facets, question.units, question.without)
                for facets in ([sight.words], *([()] if question.units else []))
            ]
            answers = [await db.reading().run(pool.newest, conditions, way, most=1000) for way in ways]
            assert answers[0] == answers[-1], (sight, words)
            found.append(len(answers[0]))
    assert min(found[1:8]) > 0


async def facets_for(db: SqliteDatabase, sight: Sight, words: str) -> Sequence[Sequence[str]]:
    def ask(reader: SyncReader) -> Sequence[Sequence[str]]:
        weighed, _ = weigh(reader, sight, read(words, TERMS).units, TERMS)
        return list(pool.Conditions(sight, (), Question()).facets_for(weighed))

    return await db.reading().run(ask)


async def test_facets_are_asked_for_where_most_of_what_matches_may_not_be_seen(db: SqliteDatabase) -> None:
    many = pool.FEW + 1
    await put(
        db,
        [
            *(share(number, "Volcano", hub="audit") for number in range(many)),
            *(share(many + number, "Lava") for number in range(many)),
            share(3 * many, "Volcano steam"),
        ],
    )
    everything, one_hub, *_ = [Sight(tuple(await db.reading().run(shelves.every))), *await sights(db)]
    own = Sight(tuple(shelf for shelf in everything.own if shelf.hub == "transparency"))
    assert await facets_for(db, own, "volcano") == [own.words]
    assert await facets_for(db, own, "lava") == []
    assert await facets_for(db, own, "steam volcano") == [], "few have the one"
    assert await facets_for(db, everything, "volcano") == []
    assert await facets_for(db, one_hub, "nothing") == [one_hub.words], "nothing is known of it"
    assert await urls(db.reading(), "volcano") == [f"https://example.org/{3 * many}"]


@pytest.mark.parametrize("most", [pool.POOL, 4 * pool.POOL])
async def test_what_has_all_words_in_its_title_is_weighed_however_much_is_newer(db: SqliteDatabase, most: int) -> None:
    titled = [share(number, "Volcano and lava") for number in range(4)]
    newer = [share(9 + number, "Mountain", "a volcano, and lava") for number in range(5 * pool.POOL)]
    await put(db, [*titled, *newer])
    (sight,) = [one for one in await sights(db) if one.own[0].hub == "transparency"][:1]

    def ask(reader: SyncReader) -> set[int]:
        weighed, _ = weigh(reader, sight, read("volcano lava", TERMS).units, TERMS)
        rows = pool.candidates(reader, pool.Conditions(sight, (), Question()), weighed, NOW, most)
        return {row["id"] for row in rows}

    oldest = [row["id"] for row in await db.reading().rows("SELECT id FROM entries ORDER BY id LIMIT 4")]
    assert set(oldest) <= await db.reading().run(ask)


async def test_of_many_that_have_it_in_their_titles_the_others_are_not_weighed(db: SqliteDatabase) -> None:
    await put(db, [share(number, "Volcano") for number in range(3 * pool.POOL)])
    await put(db, [share(1000 + number, "Mountain", "a volcano") for number in range(pool.POOL)])
    found = await urls(db.reading(), "volcano")
    assert found[0] == f"https://example.org/{3 * pool.POOL - 1}"
    assert len(found) >= pool.POOL // 2
    assert not any(url.rpartition("/")[2].startswith("10") and len(url.rpartition("/")[2]) == 4 for url in found)
