"""Conversations in a hub with a member's room and a coordinators' room, a moderator and a coordinator."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.events import Message, Reaction
from bot.testing.story import Story
from tests.knowledge.test_plugin import ANA, ROOM

MOD, COORDINATOR, EVA = "@mod:example.org", "@co:example.org", "@eva:example.org"
INSIDE = "!inside:example.org"
MINUTE = 60_000
ROOMS = [{"id": ROOM, "log_links": True}, {"id": INSIDE, "log_links": True, "role": "coordinators"}]


async def like(s: Story, who: str, message: Message, sign: str = "👍", event: str = "$like") -> None:
    await s.hear(Reaction(message.room, event, who, s.clock.now(), message.event_id, sign))


async def share(s: Story, text: str = "policy https://example.org/a", who: str = ANA, room: str = ROOM) -> Message:
    message = s.message(who, text, room=room)
    await s.hear(message)
    return message


async def said(s: Story, who: str, text: str, room: str = ROOM) -> str:
    return str(await s.say(who, text, room=room))


def reactions(s: Story) -> list[str]:
    found = []
    for row in s.sent:
        about = row.content.get("m.relates_to")
        if row.type == "m.reaction" and isinstance(about, Mapping):
            found.append(str(about["key"]))
    return found
