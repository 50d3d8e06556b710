"""Rooms that are more open than their hub: nothing of a private or restricted hub is shown there, and those who can
change it are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import structlog

from bot.api import Reply
from bot.core import openness
from bot.core.events import RoomUpdate, StateChange, id_of
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Reader, Transaction, Translator
from bot.runtime import message_builder
from bot.runtime.directory import Place
from bot.runtime.services import CORE, Services
from bot.storage import outbox, rooms

log = structlog.get_logger()

TOO_OPEN = Text(
    "I can't show anything of the hub here: this room is more open than the hub. Its coordinators know more."
)
TOLD = Text("The room {room} is more open than this hub, so I show nothing of the hub there and send nothing to it.")
HERE = Text("This room is more open than its hub, so I show nothing of the hub here.")


async def examine(db: Reader, services: Services, room: str) -> Sequence[Text]:
    """Finds out how a room is too open for its hub, and keeps it in the directory."""
    place = services.directory.place(room)
    closed = place and place.hub.visibility != "shared"
    openings = openness.openings(await rooms.state_of(db, room)) if closed else ()
    services.directory.set_openings(room, openings)
    return openings


async def follow(tx: Transaction, services: Services, update: RoomUpdate, now: int) -> None:
    """Looks at a room again after a batch brought state that says how open it is; done before anything in the batch is
    answered."""
    place = services.directory.place(update.room)
    new = [event for event in update.events if id_of(event) not in update.old]
    changes = [one for one in (*update.state, *new) if isinstance(one, StateChange) and one.type in openness.STATE]
    if place is None or not changes:
        return
    before = services.directory.openings(update.room)
    for change in changes:
        await rooms.apply_state(tx, change)
    openings = await examine(tx, services, update.room)
    if openings and openings != before:
        await _tell(tx, services, place, update.room, openings, changes[-1].event_id, now)


def lines(openings: Collection[Text], words: Translator, first: str) -> str:
    """What is open and how to close it, below a first sentence."""
    return "\n".join((first, *(f"- {words.t(opening)}" for opening in openings)))


async def _tell(
    tx: Transaction, services: Services, place: Place, room: str, openings: Sequence[Text], cause: str, now: int
) -> None:
    name = place.room.alias or room
    log.error("a room is more open than its hub", hub=place.hub.id, room=name, why=[str(one) for one in openings])
    words = services.translations.translator(CORE, place.hub.languages[0])
    reply = Reply(lines(openings, words, words.t(TOLD, room=name)))
    for desk in services.directory.rooms_of(place.hub, "coordinators"):
        if await rooms.is_joined(tx, desk):
            content = message_builder.announcement(reply)
            await outbox.enqueue(tx, key=key("notice", desk, room, cause), room=desk, content=content, now=now)
