"""A member of the room sends what no client would; the bot goes on for everybody."""

from __future__ import annotations

import json
from typing import Any

from bot.testing.person import HomeserverError
from tests.running import running
from tests.town import Town

LONG = 60_000  # characters; an event may have 65 536 bytes


def _text(body: object, **more: object) -> dict[str, object]:
    return {"msgtype": "m.text", "body": body, **more}


def messages(own: str, command: str) -> list[tuple[str, dict[str, object]]]:
    """Events to be sent; `command` is the id of another person's question."""
    bodies: list[object] = [
        7,
        None,
        True,
        [],
        {},
        "",
        " ",
        "!",
        "!\u0000help",
        "\u202e!help",
        "\u200b" * 500,
        "!" * 5000,
    ]
    bodies += ["!find " + "a" * LONG, "!find " + 'topic:"' * 8000, "!find " + "(" * 9000, "!find \u0000\u0001\uffff 💥"]
    bodies += ["\n".join(f"https://example.org/{n}" for n in range(500)), "http://" * 8000, "> <@x:y> " * 6000]
    bodies += ["!find " + "*" * 3000 + "[" * 3000, "!show -1", "!show 99999999999999999999", "!language \u202e"]
    relations: list[object] = ["x", 7, [], {"rel_type": "m.replace"}, {"rel_type": ["m.replace"], "event_id": {}}]
    relations += [{"rel_type": "m.thread", "event_id": 5, "m.in_reply_to": "x"}, {"m.in_reply_to": {"event_id": [1]}}]
    edits: list[object] = [None, 7, [], {}, {"msgtype": 1, "body": 2}, _text(["!help"]), _text("!find edit")]
    sent = [("m.room.message", _text(body)) for body in bodies]
    sent += [("m.room.message", _text("!help find", **{"m.relates_to": relation})) for relation in relations]
    for target in ("$nothing", command, "x", 5):
        relation = {"rel_type": "m.replace", "event_id": target}
        sent += [("m.room.message", _text("* x", **{"m.relates_to": relation, "m.new_content": new})) for new in edits]
    for mentions in ("x", 7, {"user_ids": "x"}, {"user_ids": [own] * 3000}, {"user_ids": [7, None, {}], "room": 1}):
        sent.append(("m.room.message", _text("hello", **{"m.mentions": mentions})))
    for html in (7, ["x"], "<a href=x>" * 5000, "<" * LONG, "<mx-reply>" * 4000, "<a href='https://example.org/x"):
        sent.append(("m.room.message", _text("html", format="org.matrix.custom.html", formatted_body=html)))
    kinds: tuple[object, ...] = (None, 7, [], "m.notice", "m.image", "m.location", "x" * 5000)
    for kind in kinds:
        sent.append(("m.room.message", _text("!help find", msgtype=kind)))
    reactions: list[dict[str, object]] = [{}, {"m.relates_to": 5}]
    reactions.append({"m.relates_to": {"rel_type": "m.annotation", "event_id": 5, "key": []}})
    sent += [("m.reaction", content) for content in reactions]
    sent += [("m.room.redaction", {"redacts": "$nothing"}), ("m.room.redaction", {"redacts": 5})]
    sent += [("m.room.encrypted", {}), ("m.room.encrypted", {"algorithm": 5, "ciphertext": []}), ("x" * 200, {})]
    sent.append(("m.room.message", _text("!help find", deep=json.loads("[" * 100 + "]" * 100))))
    return sent


STATE: list[tuple[str, str, dict[str, Any]]] = [
    ("m.room.name", "", {"name": 7}),
    ("m.room.name", "odd", {"name": ["x"]}),
    ("m.room.canonical_alias", "", {"alias": 7, "alt_aliases": "x"}),
    ("m.room.tombstone", "", {"replacement_room": [], "body": {}}),
    ("m.room.tombstone", "", {"replacement_room": "!nowhere:example.org"}),
    ("m.room.power_levels", "odd", {"users": []}),
    ("m.room.encryption", "odd", {"algorithm": 7}),
]
LEVELS: list[dict[str, Any]] = [
    {"users_default": -(2**53) + 1},
    {"users_default": "50"},
    {"users": []},
    {"users": {"x": 100}},
    {"events": []},
    {"ban": 2**70},
    {"kick": None},
]


async def sent(request: Any) -> bool:
    """Whether the homeserver took it."""
    try:
        await request
    except HomeserverError:
        return False
    return True


async def test_nothing_a_member_sends_keeps_the_bot_from_answering(town: Town) -> None:
    town.settings["cooldown"] = {"per_person": 1000, "per_room": 1000}
    town.write()
    async with running(town.config) as bot:
        command = await town.ana.send(town.hall, "!help find")
        answer = await town.ana.answer_to(command)
        hostile = messages(town.bot.user_id, command)
        taken = [await sent(town.carla.send_event(town.hall, type_, content)) for type_, content in hostile]
        assert sum(taken) > len(taken) / 2, "the homeserver let most of it through"
        await sent(town.carla.redact(town.hall, str(answer["event_id"])))
        question = await town.ana.send(town.hall, "!help find")
        await town.ana.answer_to(question, within=30)
        assert await bot.stop() == 0
    async with running(town.config):
        question = await town.ana.send(town.hall, "!find edit")
        await town.ana.answer_to(question)
        events = await town.ana.messages(town.hall)
        edits = [
            event for event in events if event["sender"] == town.bot.user_id and "m.new_content" in event["content"]
        ]
        assert edits == [], "nobody changes the answer to somebody else's question"


async def test_odd_state_harms_nobody(town: Town) -> None:
    async with running(town.config) as bot:
        path = "/rooms/{}/state/{}/{}"
        taken = [
            await sent(town.ana.request("PUT", path, town.hall, *where, body=content)) for *where, content in STATE
        ]
        levels = await town.ana.request("GET", "/rooms/{}/state/m.room.power_levels", town.hall)
        for odd in LEVELS:
            body = {**levels, **odd}
            if "users" not in odd:
                body["users"] = {**levels["users"], town.carla.user_id: 0, town.bot.user_id: 0}
            taken.append(await sent(town.ana.request("PUT", path, town.hall, "m.room.power_levels", "", body=body)))
        assert sum(taken) >= 3
        question = await town.carla.send(town.hall, "!help find")
        await town.carla.answer_to(question)
        assert await bot.stop() == 0
    async with running(town.config):
        question = await town.carla.send(town.hall, "!help find")
        await town.carla.answer_to(question)


async def test_a_room_of_version_12_is_a_room_like_any_other(town: Town) -> None:
    body = {"room_version": "12", "preset": "private_chat", "invite": [town.bot.user_id, town.carla.user_id]}
    room = str((await town.ana.request("POST", "/createRoom", body=body))["room_id"])
    await town.carla.join(room)
    town.settings["hubs"][0]["rooms"].append({"id": room})
    town.write()
    async with running(town.config):
        question = await town.carla.send(room, "!help find")
        answer = await town.carla.answer_to(question)
        await town.carla.redact(room, question)
        await town.carla.wait_for(
            lambda event: event["type"] == "m.room.redaction" and event["content"].get("redacts") == answer["event_id"],
            what="the redaction of the answer",
        )


async def test_two_bots_do_not_talk_to_each_other_for_ever(town: Town) -> None:
    """Carla's bot repeats what is said as a notice, then as a text: the first is not heard, the second slowed down."""
    town.settings["cooldown"] = {"per_person": 5, "per_room": 50}
    town.write()
    async with running(town.config):
        for kind, most in (("m.notice", 0), ("m.text", 6)):
            before = len([event for event in await town.ana.messages(town.hall) if event["sender"] == town.bot.user_id])
            for _ in range(15):
                await town.carla.send_event(town.hall, "m.room.message", {"msgtype": kind, "body": "!help find"})
            question = await town.ana.send(town.hall, "!help find")
            await town.ana.answer_to(question)
            after = [event for event in await town.ana.messages(town.hall) if event["sender"] == town.bot.user_id]
            assert len([event for event in after if event["type"] == "m.room.message"]) - before <= most + 2
