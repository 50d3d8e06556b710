"""What happens in Matrix, as plain data. Instants (`*_at`) are UTC milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.files import Attachment


@dataclass(frozen=True, slots=True)
class Message:
    """A text, emote or file message of a person. Notices (`m.notice`) come from bots and are ignored.

    Example::

        @listen(Message)
        async def on_message(self, ctx: Context, message: Message) -> None:
            if "thanks" in message.body.casefold():
                await ctx.react("🙏")
    """

    room: str
    event_id: str
    sender: str
    sent_at: int  # as the sender's homeserver claims (origin_server_ts)
    body: str  # without the quoted fallback of a reply
    html: str | None = None  # formatted_body, without its <mx-reply>
    reply_to: str | None = None
    thread: str | None = None
    mentions: frozenset[str] = frozenset()
    kind: str = "m.text"
    encrypted: bool = False
    sender_known: bool = True  # in encrypted rooms: the key belongs to a device of the sender
    attachment: Attachment | None = None  # `body` is then its name or caption


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the message with the id `target`; `message` is the new text, with the id of the edit."""

    target: str
    message: Message
    became_command: bool = False  # for listeners: the new text is a command, already answered


@dataclass(frozen=True, slots=True)
class Superseded:
    """The message with the id `target` is being edited by its sender: what it said no longer holds. Listeners take back
    what they did because of it; then its new text is handled, as if it were the first.

    Of a message the bot did not answer nobody knows here who sent it: compare `sender` with whom you acted for."""

    room: str
    event_id: str
    sender: str
    sent_at: int
    target: str


@dataclass(frozen=True, slots=True)
class Redaction:
    """The event with the id `target` (a message, an edit or a reaction) was deleted."""

    room: str
    event_id: str
    sender: str
    sent_at: int
    target: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to the event with the id `target`; `key` is the emoji or word."""

    room: str
    event_id: str
    sender: str
    sent_at: int
    target: str
    key: str


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of room state, such as a name, power levels or a tombstone; `content` is the new value."""

    room: str
    type: str
    state_key: str
    sender: str
    event_id: str
    content: Mapping[str, object] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Invite:
    """Somebody asks the bot into a room."""

    room: str
    sender: str
    direct: bool


Event = Message | Edit | Superseded | Redaction | Reaction | StateChange


def id_of(event: Event) -> str:
    """The event's own id (of an edit: the edit's, not its target's)."""
    return event.message.event_id if isinstance(event, Edit) else event.event_id


@dataclass(frozen=True, slots=True)
class RoomUpdate:
    """What one sync brought for one joined room, oldest first."""

    room: str
    state: tuple[StateChange, ...] = ()  # state before the timeline
    events: tuple[Event, ...] = ()  # the timeline, state changes included
    old: frozenset[str] = frozenset()  # ids of events found by filling a gap
    gap: bool = False  # the homeserver left something out
    incomplete: bool = False  # … and not all of it could be read, or the bot was not in the room meanwhile


@dataclass(frozen=True, slots=True)
class Undecryptable:
    """An encrypted event whose key is missing; it may come later."""

    room: str
    event_id: str
    sender: str
    sent_at: int
    session_id: str
    raw: Mapping[str, object] = field(hash=False)  # as the homeserver sent it, still encrypted


@dataclass(frozen=True, slots=True)
class Withheld:
    """A sender's client says that it does not give the bot the key of a session (`m.room_key.withheld`)."""

    room: str
    sender: str
    session_id: str
    code: str  # "m.unverified", "m.blacklisted"…


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `/sync` response brought, and the token that stands for having handled it."""

    token: str
    rooms: tuple[RoomUpdate, ...] = ()
    invites: tuple[Invite, ...] = ()
    left: tuple[str, ...] = ()  # rooms the bot was removed from, or left
    first: bool = False  # the account's very first sync: nothing in it is answered
    catching_up: bool = False  # the first after a start, or after the homeserver was away
    undecryptable: tuple[Undecryptable, ...] = ()
    keys: frozenset[tuple[str, str]] = frozenset()  # (room, session id) of keys that came with this batch
    withheld: tuple[Withheld, ...] = ()
