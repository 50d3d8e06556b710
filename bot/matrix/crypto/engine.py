"""The encryption of one device, with its keys in the data folder, over one logged-in client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from nio import AsyncClient
from peewee import OperationalError

from bot.core.errors import LoggedOut, TransportError, Unavailable
from bot.core.events import Edit, Event, Message, Undecryptable, Withheld
from bot.matrix.crypto import hardening, room_keys
from bot.matrix.crypto.devices import Devices
from bot.matrix.crypto.key_maintenance import KeyMaintenance
from bot.matrix.crypto.machine import Machine, Raw
from bot.matrix.crypto.receiving import VERIFICATION, Receiving
from bot.matrix.crypto.replay_guard import ReplayGuard
from bot.matrix.crypto.sending import Sending
from bot.matrix.crypto.store import StoreError, open_store
from bot.matrix.http import Http
from bot.matrix.inbound import is_user_id, section, translate
from bot.ports import Clock, RoomStateReader

log = structlog.get_logger()


class Engine:
    """Needs a client that is logged in.

    Raises `WrongNioError` for an incompatible nio, and `StoreError`.
    """

    def __init__(
        self, client: AsyncClient, http: Http, folder: Path, clock: Clock, room_state: RoomStateReader
    ) -> None:
        hardening.check()
        self.client = client
        """nio's client with `.olm` and `.store`, for cross-signing and verification."""
        self.to_device_handlers: list[Callable[[Raw], Awaitable[None]]] = []
        """Called with raw to-device events (type, sender, content): verification, and all decrypted ones but room
        keys."""
        self.room_event_handlers: list[Callable[[str, Raw], Awaitable[None]]] = []
        """Called with a room and a raw verification event in it, decrypted."""
        self._store = open_store(folder, str(client.user_id), str(client.device_id))
        try:
            self._machine = Machine(str(client.user_id), str(client.device_id), self._store)
            replay_guard = ReplayGuard(self._store.database, clock)
        except Exception as error:
            self._store.database.close()
            raise StoreError(folder, error) from error
        client.store, client.olm = self._store, self._machine
        self._http = http
        self._devices = Devices(self._machine, self._http, clock)
        self._receiving = Receiving(self._machine, self._devices, replay_guard)
        self._sending = Sending(self._machine, self._devices, self._http, clock, room_state)
        self._key_maintenance = KeyMaintenance(self._machine, self._devices, self._http, clock)

    async def has_foreign_keys(self) -> bool:
        """Whether the homeserver has other keys for our device: the store was lost, or belongs to another program.

        Other clients reject changed device keys, so such a device cannot communicate. Queries the homeserver only
        while we have not uploaded keys. Raises what a request raises.
        """
        if self._machine.account.shared:
            return False
        own, device = self._machine.user_id, self._machine.device_id
        answer = await self._http.request(
            "POST", "/_matrix/client/v3/keys/query", body={"device_keys": {own: [device]}}
        )
        keys = section(answer, "device_keys", own, device, "keys")
        return bool(keys) and keys.get(f"ed25519:{device}") != self._machine.account.identity_keys["ed25519"]

    def take_in_keys(self, folder: Path) -> None:
        """Takes in the room keys of a restored backup, if some wait in the folder."""
        if count := room_keys.take_in(self._machine, folder):
            log.info("took in the room keys of a backup", count=count)

    async def publish(self) -> None:
        """Uploads the keys that the homeserver lacks, as every sync does. Raises what a request raises."""
        await self._key_maintenance.publish()

    async def handle_sync(self, answer: Raw, since: str | None) -> None:
        """Handles the encryption parts of a raw sync response.

        Raises `LoggedOut`, and `Unavailable` if the disk is full: then the same response must be fetched again.
        """
        with self._disk_errors():
            self._receiving.handle_sync(answer, since)
            await self._key_maintenance.run()
        for event in self._receiving.take_to_device_events():
            for handler in self.to_device_handlers:
                await _call_handler(handler(event))

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """(room, session id) of the room keys in the last response."""
        return self._receiving.keys

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        return self._receiving.withheld

    async def query_senders(self, raws: Iterable[object]) -> None:
        """Queries the devices of the senders of encrypted events, so that `decrypt` can verify whose key it was."""
        try:
            with self._disk_errors():
                await self._devices.query(self._receiving.senders(raws))
        except LoggedOut:
            raise
        except TransportError as error:
            log.warning("querying the senders' devices failed", reason=str(error))

    def read(self, room: str, raw: Raw) -> tuple[Event | Undecryptable | None, Raw | None]:
        """Decrypts a raw event: the event, and its decrypted raw form.

        Skips the bot's own events and those with a state key, because state is never encrypted.
        Raises `Unavailable` if the disk is full.
        """
        if "state_key" in raw or raw.get("sender") == self._machine.user_id:
            return None, None
        if raw.get("type") != "m.room.encrypted":
            return None, raw
        with self._disk_errors():
            decrypted = self._receiving.decrypt(room, raw)
        if decrypted is None or isinstance(decrypted, Undecryptable):
            return decrypted, None
        clear, sender_known = decrypted
        event = translate(room, clear, self._machine.user_id)
        return _decrypted(event, sender_known), clear

    async def dispatch_verification(self, room: str, clear: Raw) -> None:
        """Calls the handlers with a raw verification event."""
        asked = section(clear, "content").get("msgtype") == "m.key.verification.request"
        if not is_user_id(clear.get("sender")) or not isinstance(clear.get("event_id"), str):
            return
        if asked or str(clear.get("type")).startswith(VERIFICATION):
            for handler in self.room_event_handlers:
                await _call_handler(handler(room, clear))

    async def encrypt(
        self, room: str, type_: str, content: Mapping[str, object], rules: Mapping[str, object]
    ) -> Mapping[str, object]:
        """The content of the `m.room.encrypted` event; `rules` is that of the room's `m.room.encryption`.

        Raises what requests raise. See `Sending.encrypt`.
        """
        with self._disk_errors():
            return await self._sending.encrypt(room, type_, content, rules)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """A full disk is retried, like a homeserver that does not answer."""
        try:
            yield
        except OperationalError as error:
            self._machine.reload()
            raise Unavailable(f"the encryption keys cannot be written: {error}") from error

    def close(self) -> None:
        self._store.database.close()


async def _call_handler(work: Awaitable[None]) -> None:
    """A failing handler is logged and affects nothing else."""
    try:
        await work
    except LoggedOut:
        raise
    except Exception:
        log.exception("handler of encrypted events failed")


def _decrypted(event: Event | None, sender_known: bool) -> Event | None:
    """The event, marked as encrypted, and whether its sender is verified."""
    match event:
        case Message():
            return replace(event, encrypted=True, sender_known=sender_known)
        case Edit(target, message):
            return Edit(target, replace(message, encrypted=True, sender_known=sender_known))
    return event
