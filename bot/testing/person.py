"""Somebody who talks on a real homeserver, as any Matrix client would."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.testing.patience import patient

ANSWER_WITHIN = patient(60)  # seconds
HEARD_AT_ONCE = json.dumps({"room": {"timeline": {"limit": 500}}})  # who looks away for a while misses nothing


class HomeserverError(Exception):
    """The homeserver did not start, or said no to a person."""


@dataclass(slots=True)
class Person:
    """An account that talks, for journeys and the demo. Every wait is bounded."""

    url: str
    user_id: str
    password: str
    token: str
    device_id: str
    _http: aiohttp.ClientSession | None = None
    _since: str | None = None
    _heard: list[Mapping[str, Any]] = field(default_factory=list)  # timeline events, each with its `room_id`

    async def close(self) -> None:
        if self._http:
            await self._http.close()
            self._http = None

    async def request(
        self, method: str, path: str, *segments: str, body: object = None, **query: str
    ) -> dict[str, Any]:
        """One client-server request; `{}` in the path are filled by quoted segments. Raises `HomeserverError`."""
        url = self.url + "/_matrix/client/v3" + path.format(*(quote(segment, safe="") for segment in segments))
        try:
            async with self._session.request(method, url, json=body, params=query) as got:
                answer: dict[str, Any] = await got.json()
        except aiohttp.ClientError as error:
            raise HomeserverError(f"{method} {path}: {error}") from error
        if got.status >= 300:
            raise HomeserverError(f"{method} {path}: {got.status} {answer}")
        return answer

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.token}"}, timeout=aiohttp.ClientTimeout(ANSWER_WITHIN)
            )
        return self._http

    async def upload(self, content: bytes) -> str:
        """Puts bytes on the homeserver; answers their address."""
        async with self._session.post(f"{self.url}/_matrix/media/v3/upload", data=content) as got:
            got.raise_for_status()
            return str((await got.json())["content_uri"])

    async def download(self, address: str) -> bytes:
        """What lies at a `mxc://` address."""
        path = f"/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
        async with self._session.get(self.url + path) as got:
            got.raise_for_status()
            return await got.read()

    async def create_room(
        self,
        name: str,
        *,
        alias: str | None = None,
        invite: tuple[str, ...] = (),
        direct: bool = False,
        public: bool = False,
        encrypted: bool = False,
    ) -> str:
        body: dict[str, object] = {"name": name, "invite": list(invite), "is_direct": direct}
        body["preset"] = "public_chat" if public else "trusted_private_chat" if direct else "private_chat"
        if alias:
            body["room_alias_name"] = alias
        if encrypted:
            rules = {"algorithm": "m.megolm.v1.aes-sha2"}
            body["initial_state"] = [{"type": "m.room.encryption", "state_key": "", "content": rules}]
        return str((await self.request("POST", "/createRoom", body=body))["room_id"])

    async def join(self, room: str, via: str = "") -> str:
        """`via`: a homeserver that is in the room, if their own is not."""
        query = {"via": via, "server_name": via} if via else {}
        return str((await self.request("POST", "/join/{}", room, body={}, **query))["room_id"])

    async def invite(self, room: str, user_id: str) -> None:
        await self.request("POST", "/rooms/{}/invite", room, body={"user_id": user_id})

    async def kick(self, room: str, user_id: str) -> None:
        await self.request("POST", "/rooms/{}/kick", room, body={"user_id": user_id})

    async def leave(self, room: str) -> None:
        await self.request("POST", "/rooms/{}/leave", room, body={})

    async def send(self, room: str, body: str, **content: object) -> str:
        """A text message; `content` is added to it. Answers the event id."""
        return await self.send_event(room, "m.room.message", {"msgtype": "m.text", "body": body, **content})

    async def edit(self, room: str, event_id: str, body: str) -> str:
        new = {"msgtype": "m.text", "body": body}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        return await self.send(room, f"* {body}", **{"m.new_content": new, "m.relates_to": relation})

    async def react(self, room: str, event_id: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send_event(room, "m.reaction", {"m.relates_to": relation})

    async def send_event(self, room: str, type_: str, content: Mapping[str, object]) -> str:
        answer = await self.request("PUT", "/rooms/{}/send/{}/{}", room, type_, uuid.uuid4().hex, body=content)
        return str(answer["event_id"])

    async def redact(self, room: str, event_id: str) -> str:
        answer = await self.request("PUT", "/rooms/{}/redact/{}/{}", room, event_id, uuid.uuid4().hex, body={})
        return str(answer["event_id"])

    async def members(self, room: str) -> list[str]:
        return sorted((await self.request("GET", "/rooms/{}/joined_members", room))["joined"])

    async def messages(self, room: str, limit: int = 100) -> list[Mapping[str, Any]]:
        """The room's latest events as the homeserver has them now, oldest first."""
        page = await self.request("GET", "/rooms/{}/messages", room, dir="b", limit=str(limit))
        return list(page["chunk"])[::-1]

    async def sync(self, wait: float = 0) -> list[Mapping[str, Any]]:
        """New timeline events of joined rooms since the last sync, each with its `room_id`."""
        query = {"timeout": str(round(wait * 1000)), "filter": HEARD_AT_ONCE}
        query |= {"since": self._since} if self._since else {}
        answer = await self.request("GET", "/sync", **query)
        self._since = answer["next_batch"]
        new: list[Mapping[str, Any]] = [
            {**event, "room_id": room}
            for room, part in answer.get("rooms", {}).get("join", {}).items()
            for event in part["timeline"]["events"]
        ]
        self._heard += new
        return new

    async def wait_for(
        self, matches: Callable[[Mapping[str, Any]], bool], *, within: float = 15, what: str = "an event"
    ) -> Mapping[str, Any]:
        """The first event heard so far, or from now on, that matches. Raises `TimeoutError` naming `what`."""
        try:
            async with asyncio.timeout(patient(within)):
                while True:
                    for event in self._heard:
                        if matches(event):
                            return event
                    await self.sync(wait=min(within, 5))
        except TimeoutError:
            raise TimeoutError(f"{self.user_id} waited {patient(within):.0f} s in vain for {what}") from None

    async def answer_to(self, event_id: str, *, within: float = 15) -> Mapping[str, Any]:
        """The message that replies to an event."""

        def replies(event: Mapping[str, Any]) -> bool:
            relation = event["content"].get("m.relates_to")  # anybody may have written anything there
            reply = relation.get("m.in_reply_to") if isinstance(relation, dict) else None
            return isinstance(reply, dict) and reply.get("event_id") == event_id

        return await self.wait_for(replies, within=within, what=f"an answer to {event_id}")
