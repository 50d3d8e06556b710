"""What is said becomes entries of the hub it was said in; what is taken back goes, down to the words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.ports import Transaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge import index, search
from plugins.knowledge.links import shared
from plugins.knowledge.search import Query
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub

GUIDE = {
    "url": "https://example.org/guide",
    "title": {"en": "Gift guide", "es": "Guía de regalos"},
    "topics": ["gifts"],
}


async def say(
    tx: Transaction,
    text: str,
    *,
    event: str = "$1",
    edit: str | None = None,
    sender: str = "@ana:example.org",
    hub: str = "transparency",
    at: int = 1000,
    keep_notes: bool = True,
) -> bool:
    said = index.Said(hub, f"!{hub}:example.org", event, edit or event, sender, at)
    return await index.record(tx, said, shared(text), keep_notes=keep_notes)


async def found(tx: Transaction, words: str, *hubs: str, **filters: Any) -> Sequence[str]:
    query = Query(words, **filters)
    return [entry.url for entry in await search.page(tx, hubs or ("transparency",), query, limit=20)]


async def test_a_shared_link_is_found_by_its_words_and_its_address(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "A good report on bribery https://example.org/customs-reform")
        assert await found(tx, "bribery") == ["https://example.org/customs-reform"]
        assert await found(tx, "reform") == ["https://example.org/customs-reform"]
        assert await found(tx, "gifts") == []


async def test_the_same_page_shared_twice_is_one_entry(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a?utm_source=mail", event="$1", at=1)
        await say(tx, "https://EXAMPLE.org/a#top", event="$2", at=2, sender="@luis:example.org")
        [entry] = await search.page(tx, ["transparency"], Query(), limit=5)
        assert (entry.number, entry.shared_by, entry.shared_at) == (1, "@luis:example.org", 2)
        shares = await search.shares_of(tx, entry, 5)
        assert [share.event for share in shares] == ["$2", "$1"]


async def test_an_edit_changes_what_a_message_shares(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/wrong", at=1000)
        assert await say(tx, "https://example.org/right", edit="$edit", at=5000)
        [entry] = await search.page(tx, ["transparency"], Query(), limit=5)
        assert entry.url == "https://example.org/right"
        assert entry.shared_at == 1000
        await say(tx, "no link any more", edit="$edit2")
        assert await tx.value("SELECT count(*) FROM resources") == 0


async def test_somebody_elses_edit_takes_nothing_away(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a")
        await say(tx, "nothing", edit="$edit", sender="@mallory:example.org")
        assert await found(tx, "") == ["https://example.org/a"]


@pytest.mark.parametrize("target", ["$1", "$edit"])
async def test_redacting_a_message_or_its_last_edit_removes_its_shares(db: SqliteDatabase, target: str) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a and https://example.org/b")
        await say(tx, "https://example.org/b", edit="$edit")
        assert await index.remove(tx, "!transparency:example.org", target)
        for table in ("shares", "entries", "entry_words", "resources"):
            assert await tx.value(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names from above


async def test_a_page_stays_while_anybody_shares_it(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "first words https://example.org/a", event="$1")
        await say(tx, "second words https://example.org/a", event="$2")
        await index.remove(tx, "!transparency:example.org", "$1")
        assert await found(tx, "second") == ["https://example.org/a"]
        assert await found(tx, "first") == []


async def test_numbers_are_given_per_hub_and_never_twice(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/a https://example.org/b", event="$1")
        await say(tx, "https://example.org/c", event="$2", hub="audit")
        await index.remove(tx, "!transparency:example.org", "$1")
        await say(tx, "https://example.org/a", event="$3")
        rows = await tx.rows("SELECT hub, number FROM entries ORDER BY hub")
        assert [tuple(row.values()) for row in rows] == [("audit", 1), ("transparency", 3)]


async def test_a_hub_that_keeps_no_notes_stores_no_words(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "confidential thoughts https://example.org/a", keep_notes=False)
        assert await found(tx, "confidential") == []
        assert await tx.value("SELECT note FROM shares") is None


async def test_turning_notes_off_drops_those_already_kept(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "confidential thoughts https://example.org/a")
        await index.curate(tx, [hub(keep_notes=False)])
        assert await found(tx, "confidential") == []
        assert await tx.value("SELECT note FROM shares") is None
        assert await found(tx, "example") == ["https://example.org/a"]


async def test_curated_resources_are_in_the_same_index(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=[GUIDE])])
        [entry] = await search.page(tx, ["transparency"], Query("guia"), limit=5)
        assert entry.curated
        assert entry.topics == ("gifts",)
        assert entry.title["es"] == "Guía de regalos"
        assert await found(tx, "", topic="gifts") == [GUIDE["url"]]
        assert await search.topic_counts(tx, ["transparency"]) == {"gifts": 1}


async def test_what_leaves_the_yaml_loses_its_mark_and_goes_unless_shared(db: SqliteDatabase) -> None:
    other = {"url": "https://example.org/other", "title": "Other"}
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=[GUIDE, other])])
        await say(tx, "useful: https://example.org/guide")
        await index.curate(tx, [hub()])
        [entry] = await search.page(tx, ["transparency"], Query(), limit=5)
        assert (entry.url, entry.curated, entry.topics, entry.number) == (GUIDE["url"], False, (), 1)


async def test_reading_the_same_yaml_again_changes_nothing(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=[GUIDE])])
        before = await tx.rows("SELECT * FROM entries"), await tx.value("SELECT total_changes()")
        await index.curate(tx, [hub(resources=[GUIDE])])
        assert (await tx.rows("SELECT * FROM entries"), await tx.value("SELECT total_changes()")) == before


async def test_a_removed_hub_keeps_no_curated_resources(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await index.curate(tx, [hub(resources=[GUIDE])])
        await index.curate(tx, [])
        assert await tx.value("SELECT count(*) FROM entries") == 0


async def test_forgetting_a_person_removes_their_shares_and_the_words_themselves(db: SqliteDatabase) -> None:
    async def held(word: str) -> list[bool]:
        """Whether the index's own tables hold the word's end (its beginning may be shared with other words)."""
        columns = (("entry_words_data", "block"), ("entry_words_content", "c3"))
        found = "SELECT count(*) > 0 FROM {} WHERE instr(CAST({} AS BLOB), CAST(:word AS BLOB))"
        return [bool(await tx.value(found.format(*column), word=word)) for column in columns]

    async with db.transaction() as tx:
        await say(tx, "zanzibarista memories https://example.org/a", event="$1")
        await say(tx, "xylophone music https://example.org/b", event="$2", sender="@luis:example.org")
        assert await held("nzibarista") == [True, True]
        await index.forget(tx, "@ana:example.org")
        assert await held("nzibarista") == [False, False]
        assert await held("lophone") == [True, True]
        assert await found(tx, "") == ["https://example.org/b"]
        assert await tx.value("SELECT count(*) FROM shares WHERE sender = '@ana:example.org'") == 0


async def test_the_words_leave_the_file(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with SqliteDatabase(file) as db:
        await db.migrate("knowledge", steps_in(SCHEMA))
        async with db.transaction() as tx:
            for number in range(50):
                await say(tx, f"zanzibarista {number} https://example.org/{number}", event=f"${number}")
    assert b"nzibarista" in file.read_bytes()
    async with SqliteDatabase(file) as db, db.transaction() as tx:
        await index.forget(tx, "@ana:example.org")
    assert b"nzibarista" not in b"".join(part.read_bytes() for part in tmp_path.iterdir())


async def test_secrets_in_an_address_are_not_searchable(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/report?id=7&token=opensesame")
        assert await found(tx, "opensesame") == []
        assert await found(tx, "report") != []
