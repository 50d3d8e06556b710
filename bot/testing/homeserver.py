"""A real Synapse on loopback, with SQLite, in a folder of its own; and people who talk on it.

Needs the `demo` extra (matrix-synapse). The process is ended by pid when it is closed, whatever happened.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

START_WITHIN = 60  # seconds
ANSWER_WITHIN = 60
HEARD_AT_ONCE = json.dumps({"room": {"timeline": {"limit": 500}}})  # a person who looks away for a while misses nothing
SECRET = "only-on-loopback"  # noqa: S105 - guards a throw-away server nobody else can reach
LIMITS = {"per_second": 10_000, "burst_count": 10_000}


class HomeserverError(Exception):
    """The homeserver did not start, or said no to a person."""


class Homeserver:
    """One Synapse process. `url` is where any Matrix client finds it."""

    def __init__(self, folder: Path, name: str = "example.test", port: int | None = None) -> None:
        self.folder, self.name = folder, name
        self.port = port or _free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when it answers. Raises `HomeserverError` with the end of its log if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "homeserver.yaml").write_text(json.dumps(self._config()), "utf-8")  # JSON is YAML
        log = (self.folder / "output.log").open("ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "synapse.app.homeserver",
                "-c",
                "homeserver.yaml",
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for us; we end it in our own order
            )
        finally:
            log.close()
        try:
            await self._answers()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the process: politely, then surely."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            pass
        finally:  # also when whoever waits is cancelled
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def register(self, localpart: str, password: str | None = None, *, admin: bool = False) -> Person:
        """A new account, logged in."""
        password = password or uuid.uuid4().hex
        async with aiohttp.ClientSession() as http:
            path = f"{self.url}/_synapse/admin/v1/register"
            async with http.get(path) as got:
                nonce = (await got.json())["nonce"]
            words = "\0".join([nonce, localpart, password, "admin" if admin else "notadmin"])
            mac = hmac.new(SECRET.encode(), words.encode(), hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
            async with http.post(path, json=body) as got:
                answer = await got.json()
        if "access_token" not in answer:
            raise HomeserverError(f"{localpart} could not be registered: {answer}")
        return Person(self.url, answer["user_id"], password, answer["access_token"], answer["device_id"])

    async def _answers(self) -> None:
        try:
            async with asyncio.timeout(START_WITHIN), aiohttp.ClientSession() as http:
                while True:
                    if self._process is None or self._process.returncode is not None:
                        raise HomeserverError(f"the homeserver ended while starting:\n{self._log_end()}")
                    try:
                        async with http.get(f"{self.url}/_matrix/client/versions") as got:
                            if got.status == 200:
                                return
                    except aiohttp.ClientError:
                        pass
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise HomeserverError(f"the homeserver did not answer in time:\n{self._log_end()}") from error

    def _log_end(self) -> str:
        log = self.folder / "output.log"
        return log.read_text("utf-8", errors="replace")[-2000:] if log.exists() else ""

    def _config(self) -> Mapping[str, object]:
        limits = ("rc_message", "rc_registration", "rc_admin_redaction", "rc_3pid_validation", "rc_room_creation")
        listener = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "resources": [{"names": ["client"]}],
        }
        return {
            "server_name": self.name,
            "public_baseurl": self.url,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": "homeserver.db"}},
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": SECRET,
            "form_secret": SECRET,
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            **dict.fromkeys(limits, LIMITS),
            "rc_login": {"address": LIMITS, "account": LIMITS, "failed_attempts": LIMITS},
            "rc_joins": {"local": LIMITS, "remote": LIMITS},
            "rc_joins_per_room": LIMITS,
            "rc_invites": {"per_room": LIMITS, "per_user": LIMITS, "per_issuer": LIMITS},
        }


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
        if self._http is None:
            self._http = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.token}"}, timeout=aiohttp.ClientTimeout(ANSWER_WITHIN)
            )
        url = self.url + "/_matrix/client/v3" + path.format(*(quote(segment, safe="") for segment in segments))
        try:
            async with self._http.request(method, url, json=body, params=query) as got:
                answer: dict[str, Any] = await got.json()
        except aiohttp.ClientError as error:
            raise HomeserverError(f"{method} {path}: {error}") from error
        if got.status >= 300:
            raise HomeserverError(f"{method} {path}: {got.status} {answer}")
        return answer

    async def create_room(
        self,
        name: str,
        *,
        alias: str | None = None,
        invite: tuple[str, ...] = (),
        direct: bool = False,
        public: bool = False,
    ) -> str:
        body: dict[str, object] = {"name": name, "invite": list(invite), "is_direct": direct}
        body["preset"] = "public_chat" if public else "trusted_private_chat" if direct else "private_chat"
        if alias:
            body["room_alias_name"] = alias
        return str((await self.request("POST", "/createRoom", body=body))["room_id"])

    async def join(self, room: str) -> str:
        return str((await self.request("POST", "/join/{}", room, body={}))["room_id"])

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
            async with asyncio.timeout(within):
                while True:
                    for event in self._heard:
                        if matches(event):
                            return event
                    await self.sync(wait=min(within, 5))
        except TimeoutError:
            raise TimeoutError(f"{self.user_id} waited {within:.0f} s in vain for {what}") from None

    async def answer_to(self, event_id: str, *, within: float = 15) -> Mapping[str, Any]:
        """The message that replies to an event."""

        def replies(event: Mapping[str, Any]) -> bool:
            relation = event["content"].get("m.relates_to") or {}
            return bool(relation.get("m.in_reply_to", {}).get("event_id") == event_id)

        return await self.wait_for(replies, within=within, what=f"an answer to {event_id}")


@asynccontextmanager
async def homeserver(folder: Path) -> AsyncIterator[Homeserver]:
    """A Synapse that runs for the length of the `async with`."""
    server = Homeserver(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
