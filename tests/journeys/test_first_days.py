"""What people of a hub live through with the real bot on a real homeserver."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from bot.testing.person import Person
from tests.running import RunningBot, running, soon, until
from tests.town import Town

LINK = "https://www.unodc.org/corruption/en/learn/thematic-areas/whistle-blower-protection.html"


async def ask(person: Person, room: str, words: str) -> str:
    """The body of the answer to a question."""
    answer = await person.answer_to(await person.send(room, words))
    return str(answer["content"]["body"])


@pytest.mark.core
async def test_the_bot_joins_its_rooms_logs_a_link_and_finds_it_again(town: Town) -> None:
    async with running(town.config):
        assert town.bot.user_id in await town.ana.members(town.hall)
        assert town.bot.user_id in await town.ana.members(town.desk)
        await town.ben.send(town.hall, f"This helps with whistle-blowers: {LINK}")
        found = await ask(town.carla, town.hall, "!find whistle-blowers")
        assert LINK in found
        shown = await ask(town.carla, town.hall, "!show 1")
        assert town.ben.user_id in shown
        assert "https://matrix.to/#/" in shown


@pytest.mark.core
async def test_editing_and_redacting_a_message_changes_what_is_found(town: Town) -> None:
    async with running(town.config):
        shared = await town.ben.send(town.hall, "Read https://example.org/old please")
        assert "example.org/old" in await ask(town.ana, town.hall, "!recent")
        await town.ben.edit(town.hall, shared, "Read https://example.org/new please")
        assert "example.org/new" in await ask(town.ana, town.hall, "!recent")
        assert "example.org/old" not in await ask(town.ana, town.hall, "!find please")
        await town.ben.redact(town.hall, shared)
        assert "example.org" not in await ask(town.ana, town.hall, "!find please")


async def test_an_edited_question_has_its_answer_edited_and_a_redacted_one_loses_it(town: Town) -> None:
    async with running(town.config):
        question = await town.ana.send(town.hall, "!language fr")
        answer = await town.ana.answer_to(question)
        await town.ana.edit(town.hall, question, "!language es")

        def replaced(event: Any) -> bool:
            relation = event["content"].get("m.relates_to") or {}
            return bool(relation.get("rel_type") == "m.replace" and relation.get("event_id") == answer["event_id"])

        edit = await town.ana.wait_for(replaced, what="an edit of the answer")
        assert "m.new_content" in edit["content"]
        await town.ana.redact(town.hall, question)
        await town.ana.wait_for(
            lambda event: event["type"] == "m.room.redaction" and event["sender"] == town.bot.user_id,
            what="the redaction of the answer",
        )


async def test_what_was_edited_into_a_command_is_answered_in_its_thread(town: Town) -> None:
    async with running(town.config):
        root = await town.ana.send(town.hall, "Let us talk about it")
        relation = {"rel_type": "m.thread", "event_id": root, "m.in_reply_to": {"event_id": root}}
        question = await town.ana.send(town.hall, "please help", **{"m.relates_to": relation})
        await town.ana.edit(town.hall, question, "!help")
        answer = (await town.ana.answer_to(question))["content"]["m.relates_to"]
        assert (answer["rel_type"], answer["event_id"]) == ("m.thread", root)


@pytest.mark.core
async def test_a_restart_answers_what_was_asked_meanwhile_and_answers_nothing_twice(town: Town) -> None:
    async with running(town.config) as bot:
        first = await town.ana.send(town.hall, "!language en")
        await town.ana.answer_to(first)
        assert await bot.stop() == 0
    await town.ben.send(town.hall, "While you were away: https://example.org/meanwhile")
    for n in range(60):  # more than a sync brings: a gap
        await town.carla.send(town.hall, f"talk {n}")
    late = await town.ana.send(town.hall, "!find meanwhile")
    async with running(town.config):
        answer = await town.ana.answer_to(late)
        assert "example.org/meanwhile" in answer["content"]["body"]
        await ask(town.ana, town.hall, "!help")
    answers = [event for event in await town.ana.messages(town.hall) if event["sender"] == town.bot.user_id]
    said = [event for event in answers if event["type"] == "m.room.message"]
    targets = [event["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] for event in said]
    assert targets[:2] == [first, late]
    assert len(targets) == 3  # the third is to !help


async def test_the_session_is_kept_private_and_reused(town: Town) -> None:
    async with running(town.config) as bot:
        await bot.stop()
    file = town.config.parent / "data" / "session.json"
    assert file.stat().st_mode & 0o777 == 0o600
    before = json.loads(file.read_text())
    town.settings["password"] = "not needed any more"
    town.write()
    async with running(town.config):
        assert json.loads(file.read_text()) == before


async def test_a_revoked_token_ends_the_bot_with_exit_code_3_and_a_reason(town: Town) -> None:
    async with running(town.config) as bot:
        session = json.loads((town.config.parent / "data" / "session.json").read_text())
        town.bot.token = session["access_token"]
        await town.bot.close()
        await town.bot.request("POST", "/logout", body={})
        assert await bot.ended() == 3
        assert any("M_UNKNOWN_TOKEN" in line for line in bot.lines)


async def test_a_wrong_password_ends_the_start_as_a_wrong_configuration_does(town: Town) -> None:
    """systemd must not try it again and again: the account would be locked."""
    town.settings["password"] = "wrong"
    town.write()
    bot = RunningBot(town.config)
    await bot.start()
    assert await bot.ended() == 2
    assert any("refused to log in" in line for line in bot.lines)


async def test_a_kick_is_noticed_and_the_other_rooms_go_on(town: Town) -> None:
    async with running(town.config) as bot:
        await town.ana.kick(town.desk, town.bot.user_id)
        await bot.logged("no longer in a room")
        assert await ask(town.ana, town.hall, "!help")


async def test_the_bot_lives_through_a_restart_of_the_homeserver(town: Town) -> None:
    async with running(town.config) as bot:
        await town.homeserver.restart()
        await bot.logged("sync works again")
        for person in town.people:
            await person.close()
        assert await ask(town.ana, town.hall, "!help")


async def test_a_room_that_cannot_be_joined_is_named_and_stops_no_other(town: Town) -> None:
    town.settings["hubs"][0]["rooms"].insert(0, {"alias": "#nowhere:example.test"})
    town.write()
    async with running(town.config) as bot:
        assert any("cannot join #nowhere:example.test" in line for line in bot.lines)
        assert await ask(town.ana, town.hall, "!help")


async def test_a_room_is_made_where_the_configuration_says_so(town: Town) -> None:
    alias = f"#made-{town.ana.user_id[5:13]}:{town.homeserver.name}"
    town.settings["hubs"][0]["rooms"].append({"alias": alias, "create": True, "title": "Made by the bot"})
    away = "@carol:127.0.0.1:1"  # nobody answers there, so she cannot be invited; the others are
    town.settings["hubs"][0]["coordinators"].insert(0, {"user": away})
    town.write()
    async with running(town.config) as bot:
        assert not any("cannot join" in line for line in bot.lines)
        await bot.logged("invited a coordinator")
        room = await town.ana.join(alias)
        assert town.bot.user_id in await town.ana.members(room)


@pytest.mark.core
async def test_invites_of_strangers_are_rejected_and_of_coordinators_accepted(town: Town) -> None:
    async with running(town.config) as bot:
        trap = await town.carla.create_room("Trap", invite=(town.bot.user_id,))
        await bot.logged("rejected an invite")
        membership = await town.carla.request("GET", "/rooms/{}/state/m.room.member/{}", trap, town.bot.user_id)
        assert membership["membership"] == "leave"
        chat = await town.ana.create_room("", invite=(town.bot.user_id,), direct=True)
        await town.ana.wait_for(
            lambda event: (
                event["room_id"] == chat
                and event.get("state_key") == town.bot.user_id
                and event["content"]["membership"] == "join"
            ),
            what="the bot in a direct chat",
        )
        assert "!find" in await ask(town.ana, chat, "help")


@pytest.mark.core
async def test_a_meeting_is_reminded_of_once_in_the_coordinators_room(town: Town) -> None:
    begun = time.monotonic()
    async with running(town.config):
        start_takes = time.monotonic() - begun
    due = soon(start_takes)
    town.plan_meeting(due)
    async with running(town.config):
        await until(due)
        reminder = await town.ana.wait_for(
            lambda event: (
                event["sender"] == town.bot.user_id
                and event["room_id"] == town.desk
                and event["type"] == "m.room.message"
            ),
            what="a reminder",
        )
        assert "Coordinators" in reminder["content"]["body"]
        assert "https://meet.example.org/faro" in reminder["content"]["body"]
        assert set(reminder["content"]["m.mentions"]["user_ids"]) == {town.ana.user_id, town.ben.user_id}
    async with running(town.config):
        await ask(town.ana, town.hall, "!help")
    said = [event for event in await town.ana.messages(town.desk) if event["sender"] == town.bot.user_id]
    assert len([event for event in said if event["type"] == "m.room.message"]) == 1
