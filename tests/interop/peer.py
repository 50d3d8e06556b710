"""A modern Matrix client as the other side of encrypted conversations."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bot.testing.patience import patient
from bot.testing.person import Person

if TYPE_CHECKING:
    from tests.interop.peers import Peers

PATIENCE = patient(20)  # seconds, a little more than peer.mjs has itself

T = TypeVar("T")
Event = Mapping[str, Any]  # as the homeserver sends it, decrypted; see `Peer`


class PeerError(Exception):
    """A modern client could not do what it was asked to; the text is its own."""


@dataclass(frozen=True, slots=True)
class Emoji:
    """What two people compare: seven names of emoji, and the same as three numbers."""

    emoji: tuple[str, ...]
    decimal: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """What a client thinks of somebody: `verified` by its owner, the identity `changed`, and each device."""

    verified: bool
    changed: bool
    signed: Mapping[str, bool]  # device → signed by its owner's identity
    trusted: Mapping[str, bool]  # device → signed, and its owner verified


class Peer:
    """One modern client. Events are as `Person` has them, decrypted, with four more entries:

    `encrypted`, `failure` (why it is unreadable, or None), `shield` (`colour` 0 none, 1 grey, 2 red; None if plain)
    and `highlight` (it mentions the reader).
    """

    def __init__(self, peers: Peers, who: str, person: Person) -> None:
        self._peers, self._who, self._person = peers, who, person
        self._heard: dict[str, Event] = {}  # by event id: an event is told again when it is decrypted
        self._news = asyncio.Event()

    @property
    def user_id(self) -> str:
        return self._person.user_id

    @property
    def device_id(self) -> str:
        return self._person.device_id

    def hear(self, event: Event) -> None:
        self._heard[event["event_id"]] = event
        self._news.set()

    @property
    def heard(self) -> list[Event]:
        return list(self._heard.values())

    async def do(self, what: str, **request: object) -> Any:
        return await self._peers.do(self._who, what, **request)

    async def create_room(self, name: str, *, invite: tuple[str, ...] = (), encrypted: bool = True) -> str:
        return str(await self.do("createRoom", name=name, invite=list(invite), encrypted=encrypted))

    async def invite(self, room: str, user_id: str) -> None:
        await self.do("invite", room=room, user=user_id)

    async def join(self, room: str) -> str:
        return str(await self.do("join", room=room))

    async def send(self, room: str, body: str, *, to: tuple[str, ...] = (), plain: bool = False) -> str:
        """A text message, encrypted unless the room is plain. Answers the event id.

        Sent once this client knows that `to` are in the room: they get the key.
        """
        message = {"msgtype": "m.text", "body": body}
        return await self.send_event(room, "m.room.message", message, to=to, plain=plain)

    async def _text(self, room: str, body: str, content: Mapping[str, object]) -> str:
        return await self.send_event(room, "m.room.message", {"msgtype": "m.text", "body": body, **content})

    async def send_event(
        self, room: str, type_: str, content: Mapping[str, object], *, to: tuple[str, ...] = (), plain: bool = False
    ) -> str:
        return str(await self.do("send", room=room, type=type_, content=content, members=to, plain=plain))

    async def edit(self, room: str, event_id: str, body: str) -> str:
        new = {"msgtype": "m.text", "body": body}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        return await self._text(room, f"* {body}", {"m.new_content": new, "m.relates_to": relation})

    async def send_in_thread(self, room: str, root: str, body: str) -> str:
        fallback = {"is_falling_back": True, "m.in_reply_to": {"event_id": root}}
        return await self._text(room, body, {"m.relates_to": {"rel_type": "m.thread", "event_id": root, **fallback}})

    async def react(self, room: str, event_id: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send_event(room, "m.reaction", {"m.relates_to": relation})

    async def send_file(self, room: str, name: str, content: bytes, mimetype: str, **extra: object) -> str:
        file = await self.do("upload", base64=base64.b64encode(content).decode())
        info = {"mimetype": mimetype, "size": len(content)}
        return await self._text(room, name, {"msgtype": "m.file", "file": file, "info": info, **extra})

    async def download(self, event: Event) -> bytes:
        """The file of a message, decrypted; its hash is checked."""
        return base64.b64decode(await self.do("download", file=event["content"]["file"]))

    async def only_signed_devices(self, on: bool = True) -> None:
        """MSC4153: nothing to, and nothing from, devices that their owners have not signed."""
        await self.do("onlySigned", on=on)

    async def only_verified_devices(self, on: bool = True) -> None:
        """No keys for devices this person has not verified."""
        await self.do("onlyVerified", on=on)

    async def trust(self, user_id: str) -> Trust:
        """What this client thinks of somebody, devices asked for anew."""
        told = await self.do("trust", user=user_id)
        devices = told["devices"].items()
        signed, trusted = {d: of["signed"] for d, of in devices}, {d: of["verified"] for d, of in devices}
        return Trust(told["verified"], told["changed"], signed, trusted)

    async def signed_device_of(self, user_id: str, *, other_than: str | None = None) -> str:
        """Waits until this client knows a device of somebody that its owner has signed; answers it."""

        async def known() -> str | None:
            signed = (await self.trust(user_id)).signed.items()
            return next((device for device, yes in signed if yes and device != other_than), None)

        return await self._poll(known, f"a signed device of {user_id}")

    async def verified(self, user_id: str) -> None:
        """Waits until this client counts somebody as verified."""

        async def known() -> bool:
            return (await self.trust(user_id)).verified

        await self._poll(known, f"the verification of {user_id}")

    async def _poll(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        try:
            async with asyncio.timeout(PATIENCE):
                while not (seen := await look()):  # noqa: ASYNC110 - what changes is in another process
                    await asyncio.sleep(0.2)
                return seen
        except TimeoutError:
            raise TimeoutError(f"{self.user_id} waited {PATIENCE} s in vain for {what}") from None

    async def verify(self, user_id: str, *, device: str | None = None, room: str | None = None) -> Emoji:
        """Begins a verification by emoji: in a room, or with a device by to-device messages."""
        shown = await self.do("verify", user=user_id, device=device, room=room)
        return Emoji(tuple(shown["emoji"]), tuple(shown["decimal"]))

    async def confirm(self) -> None:
        """Says that the emoji match; returns when the other side has said so too."""
        await self.do("confirm")

    async def deny(self) -> None:
        """Says that the emoji do not match."""
        await self.do("confirm", match=False)

    async def recovery_key(self) -> str:
        """Stores the identity's secrets in the account as Element does; answers the recovery key."""
        return str(await self.do("recovery"))

    async def wait_for(self, matches: Callable[[Event], bool], *, within: float = 15, what: str = "an event") -> Event:
        """The first event heard so far, or from now on, that matches. Raises `TimeoutError` naming `what`."""
        try:
            async with asyncio.timeout(patient(within)):
                while True:
                    self._news.clear()
                    for event in self._heard.values():
                        if matches(event):
                            return event
                    await self._news.wait()
        except TimeoutError:
            unread = [event["failure"] for event in self.heard if event["failure"]]
            raise TimeoutError(f"{self.user_id} waited {within:.0f} s for {what}; unreadable: {unread}") from None

    async def answer_to(self, event_id: str, *, within: float = 15) -> Event:
        """The message that replies to an event, once it is readable."""

        def replies(event: Event) -> bool:
            relation = event["content"].get("m.relates_to") or {}
            readable = event["failure"] is None and event["type"] == "m.room.message"
            return readable and bool(relation.get("m.in_reply_to", {}).get("event_id") == event_id)

        return await self.wait_for(replies, within=within, what=f"an answer to {event_id}")

    async def edit_of(self, event_id: str, *, within: float = 15) -> Event:
        """The event that replaces another, once it is readable."""

        def replaces(event: Event) -> bool:
            relation = event["content"].get("m.relates_to") or {}
            readable = event["failure"] is None and "m.new_content" in event["content"]
            return readable and (relation.get("rel_type"), relation.get("event_id")) == ("m.replace", event_id)

        return await self.wait_for(replaces, within=within, what=f"an edit of {event_id}")
