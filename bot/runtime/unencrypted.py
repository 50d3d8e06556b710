"""What the bot says in encrypted rooms where encryption does not work, which is never meant to be."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Reply
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Transaction
from bot.runtime import message_builder
from bot.runtime.services import CORE, Services
from bot.storage import outbox, rooms

CANNOT_READ = Text(
    "I can neither read nor answer what is written in this encrypted room, because encryption does not work where I "
    "run; please tell the people who run me."
)


async def tell(tx: Transaction, services: Services, now: int) -> Sequence[str]:
    """Says it in each joined room that is encrypted, readable to all; answers the ids of these rooms.

    Once: the row in the outbox is known by its key for as long as sent rows are kept.
    """
    closed = sorted(await rooms.encrypted_among(tx, await rooms.joined_ids(tx)))
    for room in closed:
        place = services.directory.place(room)
        words = services.translations.translator(CORE, place.hub.languages[0] if place else "en")
        await outbox.enqueue(
            tx,
            key=key("notice", room, "unencrypted"),
            room=room,
            content=message_builder.announcement(Reply(words.t(CANNOT_READ))),
            plain=True,
            now=now,
        )
    return closed
