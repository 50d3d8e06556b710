"""What is redacted, or whose author is forgotten, leaves the index and the file."""

from __future__ import annotations

import re
from pathlib import Path

from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.people import People
from tests.knowledge.hubs import hub
from tests.knowledge.talk import EVA, MINUTE, MOD, said, share
from tests.knowledge.test_plugin import ANA, HOUR, LUIS, count


async def test_forgetting_a_person_takes_what_they_shared_said_and_chose(tmp_path: Path) -> None:
    """In the file, too: neither the database nor its log holds a word of it."""
    file = tmp_path / "faro.db"
    settings = hub(moderators=[MOD])
    async with story([Knowledge], [settings], database=file) as s:
        await share(s, "zanzibarista quokkaly https://example.org/wombatish", LUIS)
        await share(s, "theirs https://example.org/theirs")
        await said(s, LUIS, "!title 1 zanzibarista quokkaly")
        await said(s, LUIS, "!find zanzibarista quokkaly")
        await said(s, MOD, "!title 1 Other")
        await said(s, LUIS, "!askme on")
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish")
        async with s.db.transaction() as tx:
            await s.services.registry.plugins["knowledge"].forget(tx, LUIS)
            await tx.execute("DELETE FROM core_outbox")  # the core's own: what it said and sent
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish") == []
        assert "theirs" in await said(s, ANA, "!find theirs")


async def test_a_title_or_note_goes_with_the_message_that_gave_it(tmp_path: Path) -> None:
    """What was before is back, the words are gone from the list of changes and from the file."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        await share(s)
        await said(s, ANA, "!title 1 Gift policy")
        title, note = [await share(s, f"!{what} 1 zanzibarista", MOD) for what in ("title", "note")]
        await said(s, MOD, "!undo")
        await s.redact(title)
        await s.redact(note)
        assert (await said(s, LUIS, "!find policy")).startswith("1. Gift policy")
        assert "zanzi" not in await said(s, MOD, "!changes")
        assert "no change to undo" in await said(s, MOD, "!undo")
        async with s.db.transaction() as tx:
            await tx.execute("DELETE FROM core_outbox")  # the core's own: what it said and sent
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista") == []


async def test_redacted_words_have_left_the_file_a_minute_later(tmp_path: Path) -> None:
    async with story([Knowledge], [hub()], database=tmp_path / "faro.db") as s:
        for number in range(30):
            await share(s, f"policy {number} https://example.org/{number}")
        message = await share(s, "zanzibarista quokkaly https://example.org/wombatish")
        edited = await share(s, "platypusly https://example.org/edited")
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish", "latypusly") != []
        await s.redact(message)
        await s.edit(edited, "tidied up https://example.org/edited")
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish", "latypusly") == []
        assert "Nothing found" in await said(s, LUIS, "!find quokka")


async def test_topics_go_with_the_message_that_gave_them(tmp_path: Path) -> None:
    """Also where the result was merged into another since; topics of other messages stay."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        for number in range(4):
            await share(s, f"policy https://example.org/{number}")
        given = [await share(s, f"!topic {number} +zanzibarista", MOD) for number in (1, 2)]
        await said(s, MOD, "!topic 1 +quokkaly")
        await said(s, MOD, "!merge 3 2")
        for message in given:
            await s.redact(message)
        assert "#zanzi" not in await said(s, MOD, "!find policy")
        assert "zanzi" not in await said(s, MOD, "!changes")
        assert "https://example.org/0" in await said(s, LUIS, "!find topic:quokkaly")
        await forget_what_was_sent(s)
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista") == []


async def test_what_moderators_wrote_about_a_result_goes_with_it(tmp_path: Path) -> None:
    """That they changed it, and when, stays; what they wrote about others too."""
    async with story([Knowledge], [hub(moderators=[MOD])], database=tmp_path / "faro.db") as s:
        messages = [await share(s, f"policy https://example.org/{number}") for number in range(3)]
        for what in ("title", "note", "topic"):
            await said(s, MOD, f"!{what} 1 zanzibarista")
            await said(s, MOD, f"!{what} 2 quokkaly")
        await said(s, MOD, "!title 3 wombatish")
        await said(s, MOD, "!merge 2 3")
        assert "wombatish" in await said(s, MOD, "!changes"), "a part of another result is still there"
        await s.redact(messages[0])
        changes = await said(s, MOD, "!changes")
        assert "zanzi" not in changes
        assert len(re.findall(r" o[fn] 1$", changes, re.MULTILINE)) == 3
        assert changes.count("quokkaly") == 3
        await s.redact(messages[1])
        await s.redact(messages[2])
        changes = await said(s, MOD, "!changes")
        assert "quokkaly" not in changes
        assert "wombatish" not in changes
        await forget_what_was_sent(s)
        await s.advance(MINUTE)
        assert held(tmp_path, "nzibarista", "uokkaly", "ombatish") == []


async def test_a_question_goes_with_its_message_and_an_old_one_with_the_next(tmp_path: Path) -> None:
    """From the file, too."""
    async with story([Knowledge], [hub()], database=tmp_path / "faro.db") as s:
        await share(s)
        question = s.message(ANA, "!find policy -zanzibarista")
        await s.hear(question)
        await said(s, LUIS, "!find policy -quokkaly")
        await forget_what_was_sent(s)
        assert held(tmp_path, "nzibarista", "uokkaly") == ["nzibarista", "uokkaly"]
        await s.redact(question)
        assert held(tmp_path, "nzibarista") == []
        await s.advance(HOUR + 1)
        await said(s, EVA, "!find policy")
        assert held(tmp_path, "uokkaly") == []


async def test_who_wants_nothing_kept_and_is_forgotten_finds_nothing_kept_either() -> None:
    """The question before says so, and how to have that forgotten, too."""
    async with story([Knowledge, People], [hub()]) as s:
        await said(s, ANA, "!mylinks off")
        assert "write !mylinks on first" in await said(s, ANA, "!forget me")
        await said(s, ANA, "!forget me yes")
        await share(s)
        assert await count(s, "knowledge_shares") == 0
        await said(s, ANA, "!mylinks on")
        await said(s, ANA, "!forget me yes")
        assert await count(s, "knowledge_people") == 0


async def forget_what_was_sent(s: Story) -> None:
    """The core's own: what the bot said, until it is sent."""
    async with s.db.transaction() as tx:
        await tx.execute("DELETE FROM core_outbox")


def held(folder: Path, *words: str) -> list[str]:
    """Which of the words stand in the database or in its log."""
    data = b"".join(part.read_bytes() for part in folder.iterdir() if part.name.startswith("faro.db"))
    return [word for word in words if word.encode() in data]
