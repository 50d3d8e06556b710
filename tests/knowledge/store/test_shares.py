"""What is said becomes entries of the shelf it was said on; what is taken back goes, down to the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.api import Transaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge.index import fts, update, vocabulary
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import history
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.views import load
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import (
    ANA,
    LUIS,
    NOW,
    RULES,
    ask,
    correct,
    entries,
    everything,
    recommend,
    remove,
    say,
    seen,
    undo_last,
    urls,
    vote,
)

GUIDE: dict[str, Any] = {  # Any: YAML
    "url": "https://example.org/guide",
    "title": {"en": "Gift guide", "es": "Guía de regalos"},
    "topics": ["gifts"],
}


async def curate(tx: Transaction, *resources: dict[str, Any], **more: Any) -> None:  # Any: YAML
    await recommend(tx, hub(resources=resources, **more))


async def test_a_shared_link_is_found_by_its_words_and_its_address(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "A good report on bribery https://example.org/customs-reform")
        assert await urls(tx, "bribery") == ["https://example.org/customs-reform"]
        assert await urls(tx, "reform") == ["https://example.org/customs-reform"]
        assert await urls(tx, "volcano") == []


async def test_the_same_page_shared_twice_is_one_entry(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a?utm_source=mail", event="$1", at=1)
        await say(tx, "https://EXAMPLE.org/a#top", event="$2", at=2, sender=LUIS)
        [entry] = await everything(tx)
        assert (entry.number, entry.shared_by, entry.shared_at) == (1, LUIS, 2)
        shares = await tx.run(load.shares_of, entry, 5)
        assert [share.event for share in shares] == ["$2", "$1"]


async def test_an_edit_changes_what_a_message_shares(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/wrong", at=1000)
        _, went = await say(tx, "https://example.org/right", edit="$edit", at=5000)
        assert went
        [entry] = await everything(tx)
        assert entry.url == "https://example.org/right"
        assert entry.shared_at == 1000
        await say(tx, "no link any more", edit="$edit2")
        assert await tx.value("SELECT count(*) FROM knowledge_entries") == 0


async def test_an_edit_that_keeps_the_link_keeps_its_number(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "wrong words https://example.org/a")
        await say(tx, "better words https://example.org/a", edit="$edit")
        [entry] = await everything(tx)
        assert (entry.number, entry.note) == (1, "better words")
        assert await urls(tx, "wrong") == []


async def test_somebody_elses_edit_takes_nothing_away(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a")
        await say(tx, "nothing", edit="$edit", sender="@mallory:example.org")
        assert [entry.url for entry in await everything(tx)] == ["https://example.org/a"]


@pytest.mark.parametrize("target", ["$1", "$edit"])
async def test_redacting_a_message_or_its_last_edit_removes_its_shares(db: SqliteDatabase, target: str) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a and https://example.org/b")
        await say(tx, "https://example.org/b", edit="$edit")
        assert await remove(tx, target)
        for table in ("shares", "entries", "entry_words", "vocabulary", "traces"):
            assert await tx.value(f"SELECT count(*) FROM knowledge_{table}") == 0  # noqa: S608 - names from above
        assert await tx.value("SELECT count(*) FROM knowledge_pages WHERE key IS NOT NULL") == 0


async def test_a_redaction_of_what_shared_nothing_removes_nothing(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a")
        assert not await remove(tx, "$other")
        assert not await remove(tx, "$1", hub="audit")
        assert len(await everything(tx)) == 1


async def test_a_page_stays_while_anybody_shares_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "first words https://example.org/a", event="$1")
        await say(tx, "second words https://example.org/a", event="$2")
        await remove(tx, "$1")
        assert await urls(tx, "second") == ["https://example.org/a"]
        assert await urls(tx, "first") == []


async def test_numbers_are_given_per_shelf_and_never_twice(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a https://example.org/b", event="$1")
        await say(tx, "https://example.org/c", event="$2", hub="audit")
        await say(tx, "https://example.org/d", event="$4", circle="coordinators")
        await remove(tx, "$1")
        await say(tx, "https://example.org/a", event="$3")
        rows = await tx.rows(
            """SELECT s.hub, s.circle, e.number FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf
            ORDER BY hub, circle"""
        )
        assert [tuple(row.values()) for row in rows] == [
            ("audit", "members", 1),
            ("transparency", "coordinators", 1),
            ("transparency", "members", 3),
        ]


async def test_what_is_filed_together_is_numbered_in_its_order_on_each_shelf(db: SqliteDatabase) -> None:
    told = [("audit", "a"), ("customs", "b"), ("audit", "c"), ("customs", "a"), ("audit", "a"), ("audit", "d")]
    shares = [
        NewShare(hub=name, url=f"https://example.org/{page}", canonical=f"https://example.org/{page}", sent_at=1)
        for name, page in told
    ]
    async with db.transaction() as tx:
        await tx.run(update.put, RULES, [shares[2]])
        entries = await tx.run(update.put, RULES, shares)
        rows = await tx.rows(
            """SELECT e.id, s.hub, e.number, (SELECT url FROM knowledge_shares WHERE page = e.id LIMIT 1) AS url
            FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf"""
        )
    numbers = {(row["hub"], row["url"][-1]): (row["number"], row["id"]) for row in rows}
    assert {place: number for place, (number, _) in numbers.items()} == {
        ("audit", "c"): 1,
        ("audit", "a"): 2,
        ("audit", "d"): 3,
        ("customs", "b"): 1,
        ("customs", "a"): 2,
    }
    assert {(share.hub, share.url[-1]): entry for share, entry in entries.items()} == {
        place: id_ for place, (_, id_) in numbers.items()
    }


async def test_one_page_in_three_hubs_is_three_entries_each_removable_alone(db: SqliteDatabase) -> None:
    rules = Rules([hub(name) for name in ("transparency", "audit", "customs")])
    async with db.transaction() as tx:
        for name in ("transparency", "audit", "customs"):
            await say(tx, f"{name}words https://example.org/a", event=f"${name}", hub=name, rules=rules)
        assert await tx.value("SELECT count(*) FROM knowledge_entries") == 3
        for name in ("transparency", "audit", "customs"):
            assert [entry.note for entry in await everything(tx, name)] == [f"{name}words"]
            assert await urls(tx, "auditwords", name) == (["https://example.org/a"] if name == "audit" else [])
        await remove(tx, "$audit", hub="audit")
        assert await everything(tx, "audit") == []
        assert len(await everything(tx, "transparency")) == len(await everything(tx, "customs")) == 1


async def test_a_hub_that_keeps_no_notes_stores_no_words(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "confidential thoughts https://example.org/a", keep_notes=False)
        assert await urls(tx, "confidential") == []
        assert await tx.value("SELECT note FROM knowledge_shares") is None


async def test_turning_notes_off_drops_those_already_kept(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "zanzibarista thoughts https://example.org/a")
        await say(tx, "thoughts of another hub https://example.org/a", hub="audit", event="$2")
        await curate(tx, keep_notes=False)
        assert await urls(tx, "zanzibarista") == []
        assert await tx.value("SELECT note FROM knowledge_shares WHERE event = '$1'") is None
        assert await tx.value("SELECT count(*) FROM knowledge_vocabulary WHERE word = 'zanzibarista'") == 0
        assert await urls(tx, "example") == ["https://example.org/a"]
        assert await urls(tx, "thoughts", "audit") == ["https://example.org/a"]


async def test_curated_resources_are_in_the_same_index(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await curate(tx, GUIDE)
        [entry] = await entries(tx, "guia")
        assert entry.recommended
        assert "gifts" in entry.topics
        assert entry.title["es"] == "Guía de regalos"
        found = await ask(tx, "topic:gifts", topics=["gifts"])
        assert [hit.id for hit in found.hits] == [entry.id]
        assert (await tx.run(vocabulary.topic_counts, await seen(tx)))["gifts"] == 1


async def test_what_leaves_the_yaml_loses_its_mark_and_goes_unless_shared(db: SqliteDatabase) -> None:
    other = {"url": "https://example.org/other", "title": "Other"}
    async with db.transaction() as tx:
        await curate(tx, GUIDE, other)
        await say(tx, "useful: https://example.org/guide")
        await curate(tx)
        [entry] = await everything(tx)
        assert (entry.url, entry.recommended, entry.topics, entry.number) == (GUIDE["url"], False, (), 1)
        assert await tx.value("SELECT count(*) FROM knowledge_entries") == 1


async def test_what_changes_in_the_yaml_changes_in_the_index(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await curate(tx, GUIDE)
        await curate(tx, {**GUIDE, "title": "Regulation of presents"})
        [entry] = await entries(tx, "regulation")
        assert (entry.number, entry.title) == (1, {"": "Regulation of presents"})
        assert await urls(tx, '"guía de regalos"') == []


async def test_reading_the_same_yaml_again_changes_nothing(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await curate(tx, GUIDE)
        before = await tx.rows("SELECT * FROM knowledge_entries"), await tx.value("SELECT total_changes()")
        await curate(tx, GUIDE)
        assert (await tx.rows("SELECT * FROM knowledge_entries"), await tx.value("SELECT total_changes()")) == before


async def test_a_removed_hub_keeps_no_curated_resources(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await curate(tx, GUIDE)
        await recommend(tx)
        assert await tx.value("SELECT count(*) FROM knowledge_entries") == 0


async def test_hashtags_and_ideas_become_topics(db: SqliteDatabase) -> None:
    """A hub's own topic where it has one of that name, else the idea or the hashtag itself."""
    async with db.transaction() as tx:
        await say(tx, "obsequios y #Regalos, #mi_idea: lavado de activos https://example.org/a")
        [entry] = await everything(tx)
        assert set(entry.topics) == {"gifts", "mi-idea", "money-laundering"}


async def test_the_strictest_label_counts_however_often_a_page_is_shared(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "TLP:AMBER https://example.org/a", event="$amber", at=1)
        for number in range(60):
            await say(tx, "https://example.org/a", event=f"${number}", at=1000 + number)
        [entry] = await everything(tx)
        assert entry.label == 2
        assert await urls(tx, "example", "audit", others=["transparency"]) == []


@pytest.mark.parametrize("at", [10**17, -(10**17), 253_402_300_800_000, 0, 2**62])
async def test_any_instant_a_homeserver_claims_can_be_filed(db: SqliteDatabase, at: int) -> None:
    async with db.transaction() as tx:
        await say(tx, "policy https://example.org/a", at=at)
        assert await urls(tx, "policy") == ["https://example.org/a"]


async def test_secrets_in_an_address_are_not_searchable(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/report?id=7&token=opensesame")
        assert await urls(tx, "opensesame") == []
        assert await urls(tx, "report") != []


async def held(db: Any, word: str) -> bool:  # Any: a reader or a transaction
    """Whether the search index's own tables hold the end of a word (its beginning may be shared with others)."""
    found = "SELECT count(*) > 0 FROM {} WHERE instr(CAST({} AS BLOB), CAST(:word AS BLOB))"
    columns = (("entry_words_data", "block"), ("entry_words_content", "c3"), ("vocabulary", "word"), ("traces", "word"),
               ("statements", "value"))  # fmt: skip
    return any([await db.value(found.format(f"knowledge_{table}", column), word=word) for table, column in columns])


async def test_forgetting_a_person_removes_their_shares_and_the_words_themselves(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "zanzibarista memories https://example.org/a", event="$1")
        await say(tx, "xylophone music https://example.org/b", event="$2", sender=LUIS)
        assert await held(tx, "nzibarista")
        await tx.run(update.forget, RULES, ANA)
        assert not await held(tx, "nzibarista")
        assert await held(tx, "lophone")
        assert [entry.url for entry in await everything(tx)] == ["https://example.org/b"]
        assert await tx.value("SELECT count(*) FROM knowledge_people WHERE user_id = :ana", ana=ANA) == 0


async def test_a_large_index_is_rewritten_in_steps(db: SqliteDatabase) -> None:
    """So that nothing waits for it for seconds."""
    async with db.transaction() as tx:
        for number in range(200):
            await say(tx, f"zanzibarista {number} https://example.org/{number}", event=f"${number}")
        for number in range(200):
            await remove(tx, f"${number}")
        assert not await tx.run(fts.erase, large=0)
        assert await held(tx, "nzibarista")
        steps = 1
        while await tx.run(fts.rewrite_some, begin=steps == 1):
            steps += 1
        assert not await held(tx, "nzibarista")


async def test_forgetting_a_person_leaves_what_others_said_of_the_same_page(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "zanzibarista https://example.org/a", event="$1", at=2000)
        await say(tx, "xylophone https://example.org/a", event="$2", at=1000, sender=LUIS)
        [entry] = await everything(tx)
        await vote(tx, entry.id, ANA)
        await tx.run(update.forget, RULES, ANA)
        [entry] = await everything(tx)
        assert (entry.shared_by, entry.note, entry.votes) == (LUIS, "xylophone", 0)


async def test_forgetting_a_person_takes_the_titles_and_notes_they_gave(db: SqliteDatabase) -> None:
    """What others rely on without its being words stays: what is hidden stays hidden."""
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a", sender=LUIS)
        await correct(tx, 1, title="zanzibarista title", note="zanzibarista note", label="2")
        await tx.run(update.forget, RULES, ANA)
        [entry] = await everything(tx)
        assert (dict(entry.title), entry.label) == ({}, 2)
        assert not await held(tx, "nzibarista")
        [change] = await tx.run(history.changes, [entry.shelf.id], 10)
        assert change.by is None
        assert [(one.field, one.value) for one in change.said] == [("title", None), ("note", None), ("label", "2")]


async def test_a_forgotten_persons_words_are_in_nobodys_changes(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a", sender=LUIS)
        await correct(tx, 1, by=ANA, title="zanzibarista")
        await correct(tx, 1, by=LUIS, title="another title")
        await tx.run(update.forget, RULES, ANA)
        [entry] = await everything(tx)
        assert entry.title == {"": "another title"}
        changes = await tx.run(history.changes, [entry.shelf.id], 10)
        assert [(one.by, one.said[0].value) for one in changes] == [(LUIS, "another title"), (None, None)]


async def test_a_forgotten_persons_title_that_somebody_brought_back_goes_too(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a", sender=LUIS)
        await correct(tx, 1, by=ANA, title="zanzibarista")
        await correct(tx, 1, by=LUIS, title="another title")
        await undo_last(tx, LUIS)
        [entry] = await everything(tx)
        assert entry.title == {"": "zanzibarista"}
        await tx.run(update.forget, RULES, ANA)
        [entry] = await everything(tx)
        assert entry.title == {}
        assert not await held(tx, "nzibarista")


async def test_the_topics_a_forgotten_person_gave_go_too(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a", sender=LUIS)
        [entry] = await everything(tx)
        given = [NewStatement("topic", "+", key="zanzibarista")]
        await tx.run(update.edit, RULES, entry.id, Author(ANA, NOW), given)
        assert (await everything(tx))[0].topics == ("zanzibarista",)
        await tx.run(update.forget, RULES, ANA)
        assert (await everything(tx))[0].topics == ()
        assert not await held(tx, "nzibarista")
        assert await tx.value("SELECT count(*) FROM knowledge_statements WHERE key <> ''") == 0


async def test_the_words_leave_the_file(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with SqliteDatabase(file) as db:
        await db.migrate("knowledge", steps_in(SCHEMA))
        async with db.transaction() as tx:
            for number in range(50):
                await say(tx, f"zanzibarista {number} https://example.org/{number}", event=f"${number}")
    assert b"nzibarista" in file.read_bytes()
    async with SqliteDatabase(file) as db:
        async with db.transaction() as tx:
            await tx.run(update.forget, RULES, ANA)
        assert b"nzibarista" not in b"".join(part.read_bytes() for part in tmp_path.iterdir())
