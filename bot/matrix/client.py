"""Matrix as Faro needs it: the `Transport` port over one logged-in account."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from nio import AsyncClient, AsyncClientConfig

from bot.core.errors import Refused
from bot.core.events import Batch
from bot.matrix import inbound
from bot.matrix.http import Http, text
from bot.matrix.login import Account, Secrets, log_in
from bot.matrix.sync import Sync
from bot.ports import Clock

SEARCHED = 500  # of our own events when one is looked for


async def connect(account: Account, secrets: Secrets, data_dir: Path, clock: Clock) -> NioTransport:
    """Logs in, or takes up the kept session. Raises `LoginError` or `LoggedOut`."""
    # Retrying is ours: nio's own is without end, and spins when a homeserver says no.
    config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, request_timeout=120, encryption_enabled=False)
    client = AsyncClient(account.homeserver, account.user, config=config)
    try:
        await log_in(client, account, secrets, data_dir / "session.json", clock)
    except BaseException:
        await client.close()
        raise
    return NioTransport(client, clock)


class NioTransport:
    """`bot.ports.Transport` over nio's client."""

    def __init__(self, client: AsyncClient, clock: Clock) -> None:
        self._client = client
        self._http = Http(client, clock)
        self._sync = Sync(self._http, clock, client.user_id)

    @property
    def user_id(self) -> str:
        return str(self._client.user_id)

    @property
    def device_id(self) -> str:
        return str(self._client.device_id)

    async def sync(self, since: str | None) -> Batch:
        return await self._sync.next(since)

    async def send(self, room: str, type_: str, content: Mapping[str, object], txn_id: str) -> str:
        path = "/_matrix/client/v3/rooms/{}/send/{}/{}"
        answer = await self._http.request("PUT", path, room, type_, txn_id, body=content)
        return text(answer, "event_id")

    async def redact(self, room: str, event_id: str, txn_id: str) -> str:
        path = "/_matrix/client/v3/rooms/{}/redact/{}/{}"
        answer = await self._http.request("PUT", path, room, event_id, txn_id, body={})
        return text(answer, "event_id")

    async def find_sent(self, room: str, key: str, since: int) -> str | None:
        # Times are what senders claim, so only our own are believed; which is why only our own are asked for.
        only_ours = json.dumps({"senders": [self.user_id], "lazy_load_members": True})
        query = {"dir": "b", "limit": "100", "filter": only_ours}
        looked_at = 0
        while looked_at < SEARCHED:
            page = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/messages", room, query=query)
            chunk, end = page.get("chunk"), page.get("end")
            events = [raw for raw in chunk if isinstance(raw, dict)] if isinstance(chunk, list) else []
            for raw in events:
                if raw.get("sender") != self.user_id:
                    continue  # the filter was not heeded
                at = raw.get("origin_server_ts")
                if isinstance(at, int) and at < since:
                    return None
                if inbound.section(raw, "content").get("org.faro.key") == key:
                    return text(raw, "event_id")
            looked_at += len(events)
            if not events or not isinstance(end, str):
                return None
            query["from"] = end
        return None

    async def resolve(self, alias: str) -> tuple[str, Sequence[str]]:
        answer = await self._http.request("GET", "/_matrix/client/v3/directory/room/{}", alias)
        servers = answer.get("servers")
        return text(answer, "room_id"), [str(server) for server in servers] if isinstance(servers, list) else []

    async def join(self, room: str, via: Sequence[str]) -> str:
        """`/join` with `via` and a `{}` body: nio sends neither, and some homeservers want both."""
        query = {"via": list(via), "server_name": list(via)} if via else None
        answer = await self._http.request("POST", "/_matrix/client/v3/join/{}", room, body={}, query=query, timeout=120)
        return text(answer, "room_id")

    async def create_room(self, alias: str | None, name: str, encrypted: bool) -> str:
        body: dict[str, object] = {"preset": "private_chat", "name": name}
        if alias:
            body["room_alias_name"] = alias[1:].partition(":")[0]
        if encrypted:
            encryption = {
                "type": "m.room.encryption",
                "state_key": "",
                "content": {"algorithm": "m.megolm.v1.aes-sha2"},
            }
            body["initial_state"] = [encryption]
        answer = await self._http.request("POST", "/_matrix/client/v3/createRoom", body=body, timeout=120)
        return text(answer, "room_id")

    async def invite_person(self, room: str, user: str) -> None:
        await self._http.request("POST", "/_matrix/client/v3/rooms/{}/invite", room, body={"user_id": user})

    async def leave(self, room: str) -> None:
        await self._http.request("POST", "/_matrix/client/v3/rooms/{}/leave", room, body={})

    async def members(self, room: str) -> Mapping[str, str]:
        answer = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/joined_members", room)
        names = inbound.section(answer, "joined")
        return {user: str(inbound.section(names, user).get("display_name") or "") for user in names}

    async def set_display_name(self, name: str) -> None:
        current = (await self.profile(self.user_id)).get("displayname")
        if current != name:
            path = "/_matrix/client/v3/profile/{}/displayname"
            await self._http.request("PUT", path, self.user_id, body={"displayname": name})

    async def profile(self, user: str) -> Mapping[str, object]:
        try:
            return await self._http.request("GET", "/_matrix/client/v3/profile/{}", user)
        except Refused:
            return {}

    async def close(self) -> None:
        await self._client.close()
