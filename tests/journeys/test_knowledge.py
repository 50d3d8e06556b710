"""What people share with the real bot on a real homeserver, and who finds it, corrects it and takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.testing.patience import patient
from bot.testing.person import Person
from tests.journeys.conftest import TwoHubs
from tests.journeys.test_first_days import ask
from tests.journeys.test_wellbeing import settled
from tests.running import running
from tests.town import Town

PDF = b"%PDF-1.4\n%%EOF\n"


def name(person: Person) -> str:
    """The local part of somebody's id."""
    return person.user_id[1:].partition(":")[0]


async def until(true: Callable[[], bool], what: str, within: float = 15) -> None:
    """Waits for something another process does."""
    try:
        async with asyncio.timeout(patient(within)):
            while not true():  # noqa: ASYNC110 - what changes is in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"waited {within:.0f} s in vain for {what}") from None


async def chat_with_bot(town: Town, person: Person) -> str:
    """A direct chat with the bot, which has come."""
    chat = await person.create_room("", invite=(town.bot.user_id,), direct=True)
    await person.wait_for(
        lambda event: (
            event["room_id"] == chat
            and event.get("state_key") == town.bot.user_id
            and event["content"].get("membership") == "join"
        ),
        what="the bot in a direct chat",
    )
    return chat


def first_lines(answer: str) -> list[str]:
    """The numbers and titles of the results in an answer."""
    return [line.partition(" (http")[0] for line in answer.splitlines() if line.partition(". ")[0].isdigit()]


@pytest.mark.core
async def test_shared_links_are_found_in_two_languages_with_filters_and_page_by_page(two: TwoHubs) -> None:
    town = two.town
    async with running(town.config):
        await town.ben.send(town.hall, "A policy on hospitality https://example.org/policy.pdf #gifts")
        await town.carla.send(
            town.hall,
            "Read the regalos guide",
            format="org.matrix.custom.html",
            formatted_body='Read <a href="https://example.net/r?utm_source=x">the regalos guide</a>',
        )
        await town.ana.send(town.hall, "\n".join(f"survey https://example.org/survey/{n}" for n in range(6)))
        both = await ask(town.ana, town.hall, "!find gifts")
        assert sorted(first_lines(both)) == ["1. policy", "2. the regalos guide"]
        assert first_lines(await ask(town.ana, town.hall, "!buscar regalos tipo:pdf de:" + name(town.ben))) == [
            "1. policy"
        ]
        assert first_lines(await ask(town.ana, town.hall, "!find site:example.net since:2020")) == [
            "2. the regalos guide"
        ]
        page = await ask(town.carla, town.hall, "!find survey")
        rest = await ask(town.carla, town.hall, "!more")
        assert (len(first_lines(page)), len(first_lines(rest))) == (5, 1)
        assert set(first_lines(page)).isdisjoint(first_lines(rest))
        assert "No more results" in await ask(town.carla, town.hall, "!more")
        shown = await ask(town.ana, town.hall, "!show 1")
        assert town.ben.user_id in shown
        assert "https://matrix.to/#/" in shown
        assert "`topic:gifts`): 2" in await formatted(town.ana, town.hall, "!topics")


async def formatted(person: Person, room: str, words: str) -> str:
    """The HTML of an answer, with backticks for its code."""
    answer = await person.answer_to(await person.send(room, words))
    return str(answer["content"]["formatted_body"]).replace("<code>", "`").replace("</code>", "`")


async def test_what_an_edit_or_a_redaction_takes_back_leaves_the_file_too(two: TwoHubs) -> None:
    town = two.town
    async with running(town.config):
        edited = await town.ben.send(town.hall, "zanzibarista https://example.org/quokkaly")
        redacted = await town.carla.send(town.hall, "platypusly https://example.org/wombatish")
        assert "quokkaly" in await ask(town.ana, town.hall, "!find zanzibarista")
        await town.ben.edit(town.hall, edited, "tidied https://example.org/tidy")
        await town.carla.redact(town.hall, redacted)
        assert "Nothing found" in await ask(town.ana, town.hall, "!find platypusl*")
        assert "Nothing found" in await ask(town.ana, town.hall, "!find zanzibarist*")
        assert "example.org/tidy" in await ask(town.ana, town.hall, "!find tidied")
        with town.database() as db:  # as if a minute had passed
            db.execute("UPDATE core_alarms SET due = 0 WHERE name = 'erase'")
        await ask(town.ana, town.hall, "!help")
        words = ("nzibarista", "uokkaly", "latypusly", "ombatish")
        await until(lambda: not held(town.config.parent / "data", words), "words to leave the file")


def held(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Which of the words stand in the database or in its log."""
    data = b"".join(part.read_bytes() for part in folder.iterdir() if part.name.startswith("faro.db"))
    return [word for word in words if word.encode() in data]


async def test_an_uploaded_document_is_found_by_its_type_until_it_is_redacted(two: TwoHubs) -> None:
    town = two.town
    async with running(town.config):
        url = await town.ben.upload(PDF)
        info = {"mimetype": "application/pdf", "size": len(PDF)}
        file = {"msgtype": "m.file", "filename": "Gift register 2026.pdf", "url": url, "info": info}
        event = await town.ben.send_event(town.hall, "m.room.message", {**file, "body": "The register we use #gifts"})
        await town.ben.send(town.hall, "A page on gifts https://example.org/a")
        found = await ask(town.ana, town.hall, "!find gifts type:pdf")
        assert first_lines(found) == ["1. Gift register 2026 (Gift register 2026.pdf)"]
        assert "mxc:" not in found
        assert f"shared by {name(town.ben)}" in found
        await town.ben.redact(town.hall, event)
        assert "Nothing found" in await ask(town.ana, town.hall, "!find gifts type:pdf")


async def test_a_thumb_up_counts_until_it_is_taken_back(two: TwoHubs) -> None:
    town = two.town
    async with running(town.config):
        shared = await town.ben.send(town.hall, "A policy https://example.org/a")
        await town.ben.react(town.hall, shared, "👍")  # one's own does not count
        liked = await town.carla.react(town.hall, shared, "👍🏽")
        assert "useful to 1 person" in await ask(town.ana, town.hall, "!find policy")
        await town.carla.redact(town.hall, liked)
        assert "useful" not in await ask(town.ana, town.hall, "!find policy")


async def test_a_moderator_corrects_and_undoes_what_a_member_may_not(two: TwoHubs) -> None:
    town, dora = two.town, two.dora
    async with running(town.config):
        await settled(town)
        assert "Saved as 1" in await ask(town.ben, town.hall, "!share https://example.org/a why it helps #audit")
        await town.ben.send(town.hall, "the same https://www.example.org/a/")
        commands = ("!title 1 Hers", "!note 1 X", "!topic 1 +gifts", "!hide 1", "!pin 1", "!merge 1 2", "!changes")
        for command in commands:
            assert "coordinators" in await ask(town.carla, town.hall, command), command
        assert "1. The policy" in await ask(dora, town.hall, "!title 1 The policy")
        assert "Gifts" in await ask(dora, town.hall, "!topic 1 +regalos -audit")
        await ask(dora, town.hall, "!note 1 zanzibarista")
        assert "pinned" in await ask(dora, town.hall, "!pin 1")
        assert first_lines(await ask(town.carla, town.hall, "!find zanzibarista topic:gifts")) == ["1. The policy"]
        assert "2 is now part of 1" in await ask(dora, town.hall, "!merge 1 2")
        assert "1. The policy" in await ask(town.carla, town.hall, "!show 2")
        assert "is a separate result again" in await ask(dora, town.hall, "!split 2")
        assert "2. " in await ask(town.carla, town.hall, "!show 2")
        assert "searches do not show it" in await ask(dora, town.hall, "!hide 1")
        assert "Nothing found" in await ask(town.carla, town.hall, "!find zanzibarista")
        assert "1 hidden" in await ask(dora, town.hall, "!undo")
        assert first_lines(await ask(town.carla, town.hall, "!find zanzibarista")) == ["1. The policy"]
        changes = (await ask(dora, town.hall, "!changes")).splitlines()
        assert changes[0].endswith("1 hidden · undone")
        assert all(dora.user_id in line for line in changes)
        (title,) = [line.split()[1] for line in changes if "title of 1" in line]
        assert "title of 1" in await ask(town.ana, town.hall, f"!undo {title}")
        assert "The policy" not in await ask(town.carla, town.hall, "!show 1")


async def test_a_quiet_reaction_tells_what_is_kept_and_goes_with_the_message(two: TwoHubs) -> None:
    town = two.town
    two.hubs[0]["tell_kept"] = True
    town.write()
    async with running(town.config):
        shared = await town.ben.send(town.hall, "A policy https://example.org/a")
        again = await town.carla.send(town.hall, "Look https://example.org/a#top")
        kept = await reaction_to(town, shared)
        known = await reaction_to(town, again)
        assert (sign(kept), sign(known)) == ("stored", "already known")
        await town.ben.redact(town.hall, shared)
        gone = await town.ana.wait_for(
            lambda event: event["type"] == "m.room.redaction" and event["sender"] == town.bot.user_id,
            what="the reaction's redaction",
        )
        assert (gone.get("redacts") or gone["content"].get("redacts")) == kept["event_id"]
    said = [event for event in await town.ana.messages(town.hall) if event["sender"] == town.bot.user_id]
    assert not [event for event in said if event["type"] == "m.room.message"]


async def reaction_to(town: Town, event_id: str) -> Mapping[str, Any]:
    def is_it(event: Mapping[str, Any]) -> bool:
        relation = event["content"].get("m.relates_to") or {}
        return event["type"] == "m.reaction" and relation.get("event_id") == event_id

    return await town.ana.wait_for(is_it, what="a reaction of the bot")


def sign(reaction: Mapping[str, Any]) -> str:
    return str(reaction["content"]["m.relates_to"]["key"])


@pytest.mark.core
async def test_a_private_hub_is_found_by_its_members_of_now_only(two: TwoHubs) -> None:
    town = two.town
    async with running(town.config) as bot:
        await town.ben.send(two.vault, "zanzibarista https://example.org/secret #gifts")
        assert "secret" in await ask(town.ben, two.vault, "!find zanzibarista")
        for question in ("!find zanzibarista", "!find gifts", "!find hub:audit zanzibarista", "!show audit/1",
                         "!similar audit/1", "!recent", "!topics", "!who gifts"):  # fmt: skip
            answer = await ask(town.ben, town.hall, question)
            assert "example.org/secret" not in answer, question
            assert "1 result" not in answer, question
        carlas, doras = await chat_with_bot(town, town.carla), await chat_with_bot(town, two.dora)
        assert "audit/1" in await ask(town.carla, carlas, "!find zanzibarista")
        assert "Nothing found" in await ask(two.dora, doras, "!find zanzibarista")
        await town.carla.leave(two.vault)
        assert "Nothing found" in await ask(town.carla, carlas, "!find zanzibarista")
        assert "secret" not in await ask(town.carla, carlas, "!more")
        assert "secret" not in await ask(town.carla, carlas, "!show audit/1")
        await town.ana.invite(two.vault, town.carla.user_id)
        await town.carla.join(two.vault)
        assert "audit/1" in await ask(town.carla, carlas, "!find zanzibarista")
        assert await bot.stop() == 0
    await town.carla.leave(two.vault)
    late = await town.carla.send(carlas, "!find zanzibarista")  # both are heard in one batch
    async with running(town.config):
        assert "secret" not in (await town.carla.answer_to(late))["content"]["body"]


async def test_the_coordinators_room_and_what_is_amber_stay_where_they_belong(two: TwoHubs) -> None:
    town = two.town
    two.hubs[0] |= {"visibility": "restricted", "visible_to": ["audit"]}
    two.hubs[0]["rooms"][1]["log_links"] = True
    town.write()
    async with running(town.config):
        await town.ben.send(town.desk, "zanzibarista https://example.org/coordinators")
        await town.ben.send(town.hall, "quokkaly https://example.org/amber TLP:AMBER")
        await town.ben.send(town.hall, "quokkaly https://example.org/green")
        await town.ben.send(town.hall, "quokkaly https://example.org/red TLP:RED")
        direct = await chat_with_bot(town, town.ben)
        for room in (town.hall, two.vault, direct):
            assert "Nothing found" in await ask(town.ben, room, "!find zanzibarista")
        hall, vault = [await ask(town.ben, room, "!find quokkaly") for room in (town.hall, two.vault)]
        assert ("example.org/amber" in hall, "example.org/green" in hall) == (True, True)
        assert ("example.org/amber" in vault, "example.org/green" in vault) == (False, True)
        assert "TLP:AMBER" in hall
        assert "example.org/red" not in hall + vault
        assert "c1. " in await ask(town.ben, town.desk, "!find zanzibarista")
        assert "Saved as c1." in await ask(town.ben, town.desk, "!share https://example.org/coordinators again")
        await ask(town.ben, town.desk, "!pin c1")
        assert "c1 pinned" in await ask(town.ben, town.desk, "!changes")
