"""Modern Matrix clients as the other side of encrypted conversations: `peer.mjs` on Node, wrapped."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.testing.person import Person

PATIENCE = 20  # a little more than peer.mjs has itself
LONGEST_LINE = 8 * 1024 * 1024  # bytes: a downloaded file is one line


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


class Peers:
    """The Node process. Use as `async with`; it ends with its standard input."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._errors: deque[str] = deque(maxlen=40)  # the end of what it wrote to standard error
        self._peers: dict[str, Peer] = {}

    async def __aenter__(self) -> Peers:
        self._answers[0] = ready = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            "node",
            "peer.mjs",
            cwd=self._folder,
            limit=LONGEST_LINE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._tasks = [asyncio.create_task(self._read(self._process)), asyncio.create_task(self._log(self._process))]
        await self._within(ready, "node to start")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._tasks)

    async def log_in(self, person: Person, *, identity: bool = True) -> Peer:
        """A modern client on the person's own device, cross-signed unless `identity` is False."""
        who = f"{person.user_id} {person.device_id}"
        peer = self._peers[who] = Peer(self, who, person)
        account = {"url": person.url, "user": person.user_id, "password": person.password}
        device = {"device": person.device_id, "token": person.token, "identity": identity}
        await self.do(who, "login", **account, **device)
        return peer

    async def do(self, who: str, what: str, **request: object) -> Any:
        """One request to `peer.mjs`. Raises `PeerError`, also when there is no answer in time."""
        assert self._process
        assert self._process.stdin
        number = next(self._numbers)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "who": who, "do": what, **request})
        self._process.stdin.write(line.encode() + b"\n")
        return await self._within(answer, f"{what} of {who}")

    async def _within(self, answer: asyncio.Future[Any], what: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            raise PeerError(f"waited in vain for {what}\n{self.log}") from None

    @property
    def log(self) -> str:
        return "\n".join(self._errors)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            told = json.loads(line)
            if "event" in told:
                self._peers[told["who"]].hear(told["event"])
                continue
            answer = self._answers.pop(told.get("id", 0))
            if answer.done():
                continue  # nobody waits for it any more
            if "error" in told:
                answer.set_exception(PeerError(told["error"]))
            else:
                answer.set_result(told.get("ok"))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(PeerError(f"node ended\n{self.log}"))
                answer.exception()  # it may have no reader any more; that is no fault
        self._answers.clear()

    async def _log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self._errors.append(line.decode(errors="replace").rstrip())


class Peer:
    """One modern client. Events are as `Person` has them, decrypted, with four more entries:

    `encrypted`, `failure` (why it is unreadable, or None), `shield` (`colour` 0 none, 1 grey, 2 red; None if plain)
    and `highlight` (it mentions the reader).
    """

    def __init__(self, peers: Peers, who: str, person: Person) -> None:
        self._peers, self._who, self._person = peers, who, person
        self._heard: dict[str, Mapping[str, Any]] = {}  # by event id: an event is told again when it is decrypted
        self._news = asyncio.Event()

    @property
    def user_id(self) -> str:
        return self._person.user_id

    @property
    def device_id(self) -> str:
        return self._person.device_id

    def hear(self, event: Mapping[str, Any]) -> None:
        self._heard[event["event_id"]] = event
        self._news.set()

    @property
    def heard(self) -> list[Mapping[str, Any]]:
        return list(self._heard.values())

    async def do(self, what: str, **request: object) -> Any:
        return await self._peers.do(self._who, what, **request)

    async def create_room(self, name: str, *, invite: tuple[str, ...] = (), encrypted: bool = True) -> str:
        return str(await self.do("createRoom", name=name, invite=list(invite), encrypted=encrypted))

    async def invite(self, room: str, user_id: str) -> None:
        await self.do("invite", room=room, user=user_id)

    async def join(self, room: str) -> str:
        return str(await self.do("join", room=room))

    async def send(self, room: str, body: str, *, to: tuple[str, ...] = (), **content: object) -> str:
        """An encrypted text message, sent once this client knows that `to` are in the room. Answers the event id."""
        return await self._text(room, body, content, to)

    async def _text(self, room: str, body: str, content: Mapping[str, object], to: tuple[str, ...] = ()) -> str:
        message = {"msgtype": "m.text", "body": body, **content}
        return await self.send_event(room, "m.room.message", message, to=to)

    async def send_event(
        self, room: str, type_: str, content: Mapping[str, object], *, to: tuple[str, ...] = ()
    ) -> str:
        return str(await self.do("send", room=room, type=type_, content=content, members=to))

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

    async def download(self, event: Mapping[str, Any]) -> bytes:
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

    async def stop(self) -> None:
        await self.do("stop")

    async def wait_for(
        self, matches: Callable[[Mapping[str, Any]], bool], *, within: float = 15, what: str = "an event"
    ) -> Mapping[str, Any]:
        """The first event heard so far, or from now on, that matches. Raises `TimeoutError` naming `what`."""
        try:
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    for event in self._heard.values():
                        if matches(event):
                            return event
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.user_id} waited {within:.0f} s in vain for {what}\n{self._peers.log}") from None

    async def answer_to(self, event_id: str, *, within: float = 15) -> Mapping[str, Any]:
        """The message that replies to an event, readable or not."""

        def replies(event: Mapping[str, Any]) -> bool:
            relation = event["content"].get("m.relates_to") or {}
            told = event["type"] == "m.room.message" or event["failure"] is not None
            return told and bool(relation.get("m.in_reply_to", {}).get("event_id") == event_id)

        return await self.wait_for(replies, within=within, what=f"an answer to {event_id}")
