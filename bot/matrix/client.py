"""The `Transport` port over one logged-in Matrix account."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from nio import AsyncClient, AsyncClientConfig
from nio.crypto import ENCRYPTION_ENABLED

from bot.core import room_powers
from bot.core.errors import Refused, Unavailable
from bot.core.events import Batch, Event, Invite, Message, StateChange, Undecryptable
from bot.core.files import File
from bot.matrix import inbound
from bot.matrix.backoff import Backoff
from bot.matrix.http import Http, text
from bot.matrix.login import Account, LoginError, Secrets, log_in, log_in_as_new_device
from bot.matrix.media import Media
from bot.matrix.sync import Sync
from bot.ports import Clock, NewRoom, RoomStateReader

if TYPE_CHECKING:
    from bot.matrix.crypto.crosssigning import CrossSigning
    from bot.matrix.crypto.engine import Engine

log = structlog.get_logger()

PLAINTEXT_TYPES = frozenset({"m.reaction"})
"""Types sent unencrypted into encrypted rooms, as all clients do: the homeserver aggregates them."""

ROOM_VERSIONS = ("12", "11", "10")  # that we make, newest first
JOIN_TIMEOUT = 80  # seconds: with a wait for the rate limit still within the time of a job
MAX_SEARCHED = 500  # of our own events when one is looked for


async def connect(
    account: Account, secrets: Secrets, data_dir: Path, clock: Clock, room_state: RoomStateReader
) -> NioTransport:
    """Logs in, or reuses the stored session. Raises `LoginError`, `LoggedOut`, `WrongNioError` or `StoreError`.

    Also opens the device's keys. Where vodozemac is missing, no encryption code is imported.
    """
    # We retry ourselves: nio retries without end and without a pause. We open the keys ourselves, too.
    config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, request_timeout=120, encryption_enabled=False)
    client = AsyncClient(account.homeserver, account.user, config=config)
    http, crypto, signing = Http(client, clock), None, None
    try:
        await log_in(client, account, secrets, data_dir / "session.json", clock)
        if ENCRYPTION_ENABLED:
            crypto, signing = await _encryption(client, http, account, secrets, data_dir, clock, room_state)
    except BaseException:
        await client.close()
        raise
    return NioTransport(client, http, clock, room_state, crypto, signing)


@asynccontextmanager
async def stored_session(
    account: Account, secrets: Secrets, data_dir: Path, clock: Clock, room_state: RoomStateReader
) -> AsyncIterator[NioTransport]:
    """The bot's session for shell commands, beside the running bot: it neither syncs nor encrypts. Raises `LoginError`
    if the bot has never logged in."""
    file = data_dir / "session.json"
    if not file.exists():
        raise LoginError(f"the bot has never run with this data folder: {data_dir}")
    client = AsyncClient(account.homeserver, account.user, config=AsyncClientConfig(encryption_enabled=False))
    try:
        await log_in(client, account, Secrets(password=secrets.password), file, clock)
        yield NioTransport(client, Http(client, clock), clock, room_state, None)
    finally:
        await client.close()


async def _encryption(
    client: AsyncClient,
    http: Http,
    account: Account,
    secrets: Secrets,
    data_dir: Path,
    clock: Clock,
    room_state: RoomStateReader,
) -> tuple[Engine, CrossSigning]:
    """Opens the device's keys; logs in as a new device if the keys that the homeserver knows are lost."""
    from bot.matrix.crypto.crosssigning import CrossSigning  # these need vodozemac
    from bot.matrix.crypto.engine import Engine

    backoff = Backoff()
    while True:
        engine = Engine(client, http, data_dir / "crypto", clock, room_state)
        try:
            if not await engine.has_foreign_keys():
                signing = CrossSigning(http, str(client.user_id), data_dir / "crypto", secrets.password)
                await _cross_sign(client, engine, signing)
                engine.take_in_keys(data_dir / "crypto")
                return engine, signing
            engine.close()
            log.warning("encryption keys of this device are lost, logging in as a new device")
            await log_in_as_new_device(client, http, account, secrets, data_dir / "session.json")
        except Unavailable as error:
            engine.close()
            wait = backoff.wait(error.retry_after)
            log.warning("homeserver unreachable, retrying", reason=str(error), seconds=round(wait))
            await clock.sleep(wait)
        except BaseException:
            engine.close()
            raise


async def _cross_sign(client: AsyncClient, engine: Engine, signing: CrossSigning) -> None:
    """Errors are logged only, because unencrypted rooms work without it. Raises `Unavailable`."""
    from bot.matrix.crypto.account import OlmAccount
    from bot.matrix.crypto.identity import IdentityError

    await engine.publish()
    try:
        await signing.ensure(OlmAccount(client))
    except (IdentityError, Refused) as error:
        log.error("cross-signing failed, others cannot trust this device", reason=str(error))


class NioTransport:
    """`bot.ports.Transport` over nio's client."""

    def __init__(
        self,
        client: AsyncClient,
        http: Http,
        clock: Clock,
        room_state: RoomStateReader,
        crypto: Engine | None,
        signing: CrossSigning | None = None,
    ) -> None:
        self._client, self._http, self._room_state, self._signing = client, http, room_state, signing
        self.crypto = crypto
        """None where encryption does not work."""
        self._sync = Sync(http, clock, client.user_id, crypto)
        self._media = Media(http, client.user_id, crypto)

    @property
    def user_id(self) -> str:
        return str(self._client.user_id)

    @property
    def device_id(self) -> str:
        return str(self._client.device_id)

    @property
    def encrypts(self) -> bool:
        return self.crypto is not None

    @property
    def active_at(self) -> float:
        return self._sync.active_at

    async def cross_signed(self) -> bool | None:
        if self._signing is None:
            return None
        status = await self._signing.status(self.device_id)
        return status.identity == "ours" and status.device_signed

    async def sync(self, since: str | None) -> Batch:
        return await self._sync.next(since)

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        """A retry is another ciphertext under the same `txn_id`; homeservers compare ids only."""
        rules = None if plain or type_ in PLAINTEXT_TYPES else await self._room_state.encryption(room)
        if rules is not None:
            type_, content = "m.room.encrypted", await self._engine().encrypt(room, type_, content, rules)
        path = "/_matrix/client/v3/rooms/{}/send/{}/{}"
        answer = await self._http.request("PUT", path, room, type_, txn_id, body=content)
        return text(answer, "event_id")

    def _engine(self) -> Engine:
        """For a room that is encrypted."""
        if self.crypto is None:
            raise Refused("FARO_NO_ENCRYPTION", "encryption does not work here: vodozemac is missing")
        return self.crypto

    async def upload(self, room: str, file: File) -> Mapping[str, object]:
        encrypted = await self._room_state.encryption(room) is not None
        if encrypted:
            self._engine()
        return await self._media.upload(file, encrypted=encrypted)

    async def fetch(self, room: str, event_id: str, most: int) -> tuple[Message, File]:
        message, file = await self._media.fetch(room, event_id, most)
        if not message.encrypted and await self._room_state.encryption(room) is not None:
            message = replace(message, sender_known=False)  # the homeserver could have forged it
        return message, file

    async def current(self, room: str, event_id: str) -> Event | Undecryptable | None:
        raw = await self._event(room, event_id)
        edit = inbound.section(inbound.section(inbound.section(raw, "unsigned"), "m.relations"), "m.replace")
        if isinstance(edit.get("event_id"), str):  # older homeservers bundle the id alone
            edit = edit if "content" in edit else await self._event(room, edit["event_id"])
            raw = edit if edit.get("sender") == raw.get("sender") else raw
        event, _ = await self._media.read(room, raw)
        return event

    async def thread_of(self, room: str, event_id: str) -> str | None:
        try:
            return inbound.thread(await self._event(room, event_id))
        except Refused:
            return None

    async def _event(self, room: str, event_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/event/{}", room, event_id)
        return answer

    def decrypt(self, event: Undecryptable) -> Event | None:
        if self.crypto is None:
            return None
        decrypted, _ = self.crypto.read(event.room, dict(event.raw))
        return None if isinstance(decrypted, Undecryptable) else decrypted

    async def redact(self, room: str, event_id: str, txn_id: str) -> str:
        path = "/_matrix/client/v3/rooms/{}/redact/{}/{}"
        answer = await self._http.request("PUT", path, room, event_id, txn_id, body={})
        return text(answer, "event_id")

    async def find_sent(self, room: str, key: str, since: int) -> str | None:
        # Senders choose their timestamps, so only our own events are trusted and requested.
        only_ours = json.dumps({"senders": [self.user_id], "lazy_load_members": True})
        query = {"dir": "b", "limit": "100", "filter": only_ours}
        looked_at = 0
        while looked_at < MAX_SEARCHED:
            page = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/messages", room, query=query)
            chunk, end = page.get("chunk"), page.get("end")
            events = [raw for raw in chunk if isinstance(raw, dict)] if isinstance(chunk, list) else []
            for raw in events:
                if raw.get("sender") != self.user_id:
                    continue  # the homeserver ignored the filter
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
        remote = bool(via) and self.user_id.partition(":")[2] not in via
        subject = "joining over federation" if remote else ""  # homeservers limit that far more
        path = "/_matrix/client/v3/join/{}"
        answer = await self._http.request(
            "POST", path, room, body={}, query=query, timeout=JOIN_TIMEOUT, subject=subject
        )
        return text(answer, "room_id")

    async def create_room(self, new: NewRoom) -> str:
        version = await self._room_version()
        state = {"m.room.guest_access": {"guest_access": "forbidden"}}  # the preset lets guests in
        if new.encrypted:
            state["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}
        body: dict[str, object] = {
            "preset": "private_chat",
            "name": new.name,
            "room_version": version,
            "initial_state": [{"type": type_, "state_key": "", "content": state[type_]} for type_ in state],
            "power_level_content_override": room_powers.of_new_room(self.user_id, new.levels, version),
        }
        if new.topic:
            body["topic"] = new.topic
        if new.alias:
            body["room_alias_name"] = new.alias[1:].partition(":")[0]
        answer = await self._http.request("POST", "/_matrix/client/v3/createRoom", body=body, timeout=120)
        return text(answer, "room_id")

    async def _room_version(self) -> str:
        """The homeserver's default version, if it is one we know; else the newest of those that it offers."""
        capabilities = await self._http.request("GET", "/_matrix/client/v3/capabilities")
        versions = inbound.section(capabilities, "capabilities", "m.room_versions")
        offered = [versions.get("default"), *ROOM_VERSIONS]
        available = inbound.section(versions, "available")
        known = [version for version in offered if version in ROOM_VERSIONS and available.get(version) == "stable"]
        if not known:
            raise Refused("M_UNSUPPORTED_ROOM_VERSION", "the homeserver offers none of the room versions 10 to 12")
        return str(known[0])

    async def state(self, room: str) -> Sequence[StateChange]:
        raws = await self._http.request_list("/_matrix/client/v3/rooms/{}/state", room)
        events = [inbound.translate(room, raw, self.user_id) for raw in raws if isinstance(raw, dict)]
        return [event for event in events if isinstance(event, StateChange)]

    async def set_state(self, room: str, type_: str, content: Mapping[str, object]) -> None:
        await self._http.request("PUT", "/_matrix/client/v3/rooms/{}/state/{}", room, type_, body=content)

    async def invite_person(self, room: str, user: str) -> None:
        path, subject = "/_matrix/client/v3/rooms/{}/invite", f"inviting {user}"  # limited for each invited person, too
        await self._http.request("POST", path, room, body={"user_id": user}, subject=subject)

    async def leave(self, room: str) -> None:
        await self._http.request("POST", "/_matrix/client/v3/rooms/{}/leave", room, body={})

    async def members(self, room: str) -> Mapping[str, str]:
        answer = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/joined_members", room)
        names = inbound.section(answer, "joined")
        return {user: str(inbound.section(names, user).get("display_name") or "") for user in names}

    async def invited(self, room: str) -> frozenset[str]:
        path, query = "/_matrix/client/v3/rooms/{}/members", {"membership": "invite"}
        chunk = (await self._http.request("GET", path, room, query=query)).get("chunk")
        raws = [raw for raw in chunk if isinstance(raw, dict)] if isinstance(chunk, list) else []
        asked = [raw for raw in raws if inbound.section(raw, "content").get("membership") == "invite"]
        return frozenset(str(raw["state_key"]) for raw in asked if inbound.is_user_id(raw.get("state_key")))

    async def invites(self) -> Sequence[Invite]:
        return await self._sync.invites()

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

    def enable_verification(self, data_dir: Path, clock: Clock, may_verify: Callable[[str], Awaitable[bool]]) -> None:
        """Lets these people verify the bot. Does nothing where encryption does not work."""
        if self.crypto is None or self._signing is None:
            return
        from bot.matrix.crypto.account import OlmAccount
        from bot.matrix.crypto.verification import Verifier
        from bot.matrix.crypto.verification_status import StatusFile

        account, display = OlmAccount(self._client), StatusFile(data_dir / "crypto", clock)
        verifier = Verifier(self._http, account, self._signing.master, self.send, may_verify, clock, display)
        self.crypto.to_device_handlers.append(verifier.to_device)
        self.crypto.room_event_handlers.append(verifier.in_room)

    async def close(self) -> None:
        if self.crypto:
            self.crypto.close()
        await self._client.close()
