"""A database of the first version keeps its numbers, shares and notes, and everything in it is found again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.storage.database import SqliteDatabase, steps_in
from bot.testing.story import story
from plugins.knowledge import Knowledge
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.ids import digest
from plugins.knowledge.transfer import imports
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.transfer.imports import Part
from plugins.knowledge.urls.canonical import VERSION, canonical
from tests.knowledge.conftest import SCHEMA
from tests.knowledge.hubs import hub
from tests.knowledge.test_plugin import ANA, LUIS, ROOM, count

GUIDE = {"url": "https://example.org/guide", "title": {"en": "Gift guide", "es": "Guía de regalos"}}
HUBS = [hub(resources=[GUIDE]), hub("audit")]

# hub, number, url, its key by the old rules, title, notes of the shares
OLD: Sequence[tuple[str, int, str, str, dict[str, str], Sequence[str]]] = [
    ("transparency", 1, "https://example.org/guide", "https://example.org/guide", GUIDE["title"], ()),  # type: ignore[list-item]  # the test's own literal
    ("transparency", 2, "https://example.org/a?utm_source=x", "https://example.org/a", {}, ("bribery", "kickbacks")),
    ("transparency", 4, "https://example.org/b", "https://example.org/b", {"": "A label"}, ("second page",)),
    ("audit", 1, "https://example.org/a", "https://example.org/a", {}, ("the same page elsewhere",)),
    # Two keys that are one by the present rules, and one that is two.
    ("transparency", 5, "https://example.org/c?fbclid=1", "https://example.org/c?fbclid=1", {}, ("twins",)),
    ("transparency", 6, "https://example.org/c", "https://example.org/c", {}, ("siblings",)),
]


async def old(file: Path) -> None:
    """A database as the first version left it."""
    first = [step for step in steps_in(SCHEMA) if step[0] == 1]
    async with SqliteDatabase(file) as db:
        await db.migrate("knowledge", first)
        async with db.transaction() as tx:
            for hub_id, last in (("transparency", 7), ("audit", 1)):
                await tx.execute("INSERT INTO entry_numbers VALUES (:hub, :last)", hub=hub_id, last=last)
            for place, (hub_id, number, url, key, title, notes) in enumerate(OLD):
                await tx.execute(
                    "INSERT INTO resources (canonical, key_version) VALUES (:key, 1) ON CONFLICT DO NOTHING", key=key
                )
                about = {"hub": hub_id, "url": url, "title": json.dumps(title)}
                about_id = await tx.value("SELECT id FROM resources WHERE canonical = :key", key=key)
                await tx.execute(
                    """INSERT INTO entries (hub, number, resource, url, title, curated, shared_at, shared_by)
                    VALUES (:hub, :number, :resource, :url, :title, :curated, 1000, :ana)""",
                    number=number, resource=about_id, curated=not notes, ana=ANA, **about,
                )  # fmt: skip
                if not notes:
                    await tx.execute(
                        """INSERT INTO curations (hub, resource, url, title, note, topics, topic_words)
                        VALUES (:hub, :resource, :url, :title, '{}', '[]', '')""", resource=about_id, **about,
                    )  # fmt: skip
                for nth, note in enumerate(notes):
                    await tx.execute(
                        """INSERT INTO shares (resource, hub, room, event, said_in, sender, sent_at, url, label, note)
                        VALUES (:resource, :hub, :room, :event, :event, :ana, 1000, :url, :label, :note)""",
                        resource=about_id, hub=hub_id, room=f"!{hub_id}:example.org", event=f"${place}-{nth}",
                        ana=ANA, url=url, label=title.get(""), note=note,
                    )  # fmt: skip


async def test_what_the_first_version_knew_is_found_by_its_number_and_words(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    await old(file)
    async with story([Knowledge], HUBS, database=file) as told:
        await told.settle()  # background work
        for number, url in ((1, "guide"), (2, "a"), (4, "b"), (5, "c"), (6, "c")):
            assert f"https://example.org/{url}" in str(await told.say(LUIS, f"!show {number}")), number
        assert "no result" in str(await told.say(LUIS, "!show 3"))
        for words in ("bribery", "kickbacks", '"second page"', "regalos", "twins"):
            assert "Nothing found" not in str(await told.say(LUIS, f"!find {words}")), words
        answer = str(await told.say(LUIS, "!find elsewhere", room="!audit:example.org"))
        assert answer.startswith("1. ")
        assert await count(told, "shares") == 6
        assert await count(told, "stale") == 0


async def test_pages_that_are_one_now_are_one_result_and_both_numbers_lead_there(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    await old(file)
    async with story([Knowledge], HUBS, database=file) as told:
        await told.settle()
        answer = str(await told.say(LUIS, "!show 5"))
        assert "“twins”" in answer
        assert "“siblings”" in answer
        assert answer == await told.say(LUIS, "!show 6")


async def test_every_key_is_of_the_present_rules_and_no_page_has_two(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    await old(file)
    async with story([Knowledge], HUBS, database=file) as told:
        await told.settle()
        db = told.db.reading()
        assert await db.value("SELECT count(*) FROM resources WHERE version <> :now", now=VERSION) == 0
        for row in await db.rows("SELECT s.url, r.key FROM shares s JOIN resources r ON r.id = s.resource"):
            assert row["key"] == digest(canonical(row["url"]) or "")
        before = await count(told, "entries")
        await told.say(ANA, "again https://example.org/a https://example.org/b https://example.org/guide")
        await told.say(ANA, "again https://example.org/c?utm_source=mail")
        assert await count(told, "entries") == before


async def test_new_numbers_go_on_from_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    await old(file)
    async with story([Knowledge], HUBS, database=file) as told:
        await told.settle()
        await told.say(ANA, "new https://example.org/new")
        assert "https://example.org/new" in str(await told.say(LUIS, "!show 8"))


async def test_a_message_of_before_can_still_be_edited_and_redacted(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    await old(file)
    async with story([Knowledge], HUBS, database=file) as told:
        await told.settle()
        gone = told.message(ANA, "")
        await told.redact(replace(gone, event_id="$2-0", room=ROOM))
        assert "no result" in str(await told.say(LUIS, "!show 4"))


async def test_what_pages_said_and_who_found_them_useful_is_their_own_again_after_they_were_joined() -> None:
    """Step 2 knew neither of which page of an entry it was."""
    steps = steps_in(SCHEMA)
    guide, other = "https://example.org/guide", "https://example.org/guia"
    async with SqliteDatabase(None) as db:
        await db.migrate("knowledge", [step for step in steps if step[0] <= 2])
        async with db.transaction() as tx:
            for sql in (
                "INSERT INTO shelves (id, hub, circle, last) VALUES (1, 'transparency', 'members', 3)",
                "INSERT INTO sharers (id, user) VALUES (1, '@ana:example.org')",
                "INSERT INTO resources (id, key, version) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)",
                "INSERT INTO entries (id, shelf, number, resource) VALUES (7, 1, 1, 1), (8, 1, 3, 3)",
                "INSERT INTO merged (shelf, resource, entry, number) VALUES (1, 2, 7, 2)",
                "INSERT INTO votes (entry, sharer, event) VALUES (7, 1, '$9'), (8, 1, NULL)",
            ):
                await tx.execute(sql)
            for entry, resource, url in ((7, 1, guide), (7, 2, other), (8, 3, "https://example.org/c")):
                await tx.execute(
                    "INSERT INTO shares (entry, resource, sent_at, url) VALUES (:entry, :resource, 1000, :url)",
                    entry=entry, resource=resource, url=url,
                )  # fmt: skip
            for entry, url in ((7, other), (8, "https://example.org/moved-here")):
                await tx.execute(
                    "INSERT INTO facts (entry, url, state, tries, title) VALUES (:entry, :url, 'ok', 1, 'A title')",
                    entry=entry, url=url,
                )  # fmt: skip
        await db.migrate("knowledge", steps)
        facts = await db.reading().rows("SELECT entry, resource, url, title FROM facts ORDER BY entry")
        assert [tuple(row.values()) for row in facts] == [
            (7, 2, other, "A title"),
            (8, 3, "https://example.org/moved-here", "A title"),
        ]
        votes = await db.reading().rows("SELECT entry, sharer, resource, event FROM votes ORDER BY entry")
        assert [tuple(row.values()) for row in votes] == [(7, 1, 1, "$9"), (8, 1, 3, None)]
        assert await db.reading().value("SELECT count(*) FROM pragma_foreign_key_check") == 0


async def test_what_was_brought_in_before_that_was_written_down_stays_and_an_interrupted_file_goes_on() -> None:
    """Step 4 did not know which file a link came with: it belongs to none, and cannot be taken back."""
    steps = steps_in(SCHEMA)
    async with SqliteDatabase(None) as db:
        await db.migrate("knowledge", [step for step in steps if step[0] <= 4])
        async with db.transaction() as tx:
            for sql in (
                "INSERT INTO shelves (id, hub, circle, last) VALUES (1, 'transparency', 'members', 1)",
                "INSERT INTO resources (id, key, version) VALUES (1, 'a', 1), (2, 'b', 1)",
                "INSERT INTO entries (id, shelf, number, resource) VALUES (7, 1, 1, 1)",
                "INSERT INTO shares (entry, resource, sent_at, url) VALUES (7, 1, 1000, 'https://example.org/a')",
                "INSERT INTO corrections (entry, field, value, at) VALUES (7, 'title:en', 'A', 1000)",
                "INSERT INTO merged (shelf, resource, entry, number) VALUES (1, 2, 7, 2)",
                "INSERT INTO facts (entry, resource, url, state) VALUES (7, 1, 'https://example.org/a', 'ok')",
                "INSERT INTO imports VALUES ('half', 200)",
            ):
                await tx.execute(sql)
        await db.migrate("knowledge", steps)
        for table in ("shares", "corrections", "facts", "merged"):
            rows = await db.reading().rows(f"SELECT brought FROM {table}")  # noqa: S608 - names of tables
            assert [row["brought"] for row in rows] == [None]
        assert await db.reading().run(imports.files, "transparency") == []
        async with db.transaction() as tx:
            item, part = Item("https://example.org/c"), Part("half", "links.csv", None)
            await tx.run(imports.bring, Rules(HUBS), Manner("transparency", 5), [item], part)
            [file] = await tx.run(imports.files, "transparency")
            assert (file.file, file.links) == ("links.csv", 1)
            assert await tx.run(imports.take_back_some, Rules(HUBS), file.id) == 1
        urls = await db.reading().value("SELECT group_concat(url) FROM shares")
        assert urls == "https://example.org/a"
