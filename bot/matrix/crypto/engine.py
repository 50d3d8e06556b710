"""Encryption as `bot.matrix` uses it: one device, its keys in the data folder, over one logged-in client."""

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
from bot.matrix.crypto import hardening
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
    """Made for a client that is logged in.

    Raises `WrongNioError` if the installed nio is another than it was made for, and `StoreError`.
    """

    def __init__(
        self, client: AsyncClient, http: Http, folder: Path, clock: Clock, room_state: RoomStateReader
    ) -> None:
        hardening.check()
        self.client = client
        """nio's client with `.olm` and `.store`, for cross-signing and verification."""
        self.to_device_handlers: list[Callable[[Raw], Awaitable[None]]] = []
        """Called with raw to-device events (type, sender, content): about verification, and whatever came encrypted
        and was no room key."""
        self.room_event_handlers: list[Callable[[str, Raw], Awaitable[None]]] = []
        """Called with a room and a raw event about verification in it, opened if encrypted."""
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
        """Whether the homeserver knows other keys for our device: the store was lost, or belongs to another program.

        Others do not accept changed keys of a device, so such a device stays deaf and mute. Asked of the homeserver
        only while we have not uploaded keys. Raises what a request raises.
        """
        if self._machine.account.shared:
            return False
        own, device = self._machine.user_id, self._machine.device_id
        answer = await self._http.request(
            "POST", "/_matrix/client/v3/keys/query", body={"device_keys": {own: [device]}}
        )
        keys = section(answer, "device_keys", own, device, "keys")
        return bool(keys) and keys.get(f"ed25519:{device}") != self._machine.account.identity_keys["ed25519"]

    async def publish(self) -> None:
        """Our keys to the homeserver, if it lacks any; a sync does it by itself. Raises what a request raises."""
        await self._key_maintenance.publish()

    async def handle_sync(self, answer: Raw, since: str | None) -> None:
        """The parts of a raw sync answer that have to do with keys.

        Raises `LoggedOut`, and `Unavailable` if the disk takes nothing: then the same answer has to be asked for again.
        """
        with self._disk_errors():
            self._receiving.handle_sync(answer, since)
            await self._key_maintenance.run()
        for event in self._receiving.take_to_device_events():
            for handler in self.to_device_handlers:
                await _call_handler(handler(event))

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """(room, session id) of the room keys the last answer brought."""
        return self._receiving.keys

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        return self._receiving.withheld

    async def query_senders(self, raws: Iterable[object]) -> None:
        """Asks for the devices of those who sent encrypted events, so that `open` can tell whose key it was."""
        try:
            with self._disk_errors():
                await self._devices.query(self._receiving.senders(raws))
        except LoggedOut:
            raise
        except TransportError as error:
            log.warning("the devices of senders could not be asked for", reason=str(error))

    def read(self, room: str, raw: Raw) -> tuple[Event | Undecryptable | None, Raw | None]:
        """A raw event that means nothing as it is: what it says once opened, and the raw event in the clear.

        The bot's own are left closed, and so is what carries a state key: state never comes encrypted.
        Raises `Unavailable` if the disk takes nothing.
        """
        if "state_key" in raw or raw.get("sender") == self._machine.user_id:
            return None, None
        if raw.get("type") != "m.room.encrypted":
            return None, raw
        with self._disk_errors():
            opened = self._receiving.open(room, raw)
        if opened is None or isinstance(opened, Undecryptable):
            return opened, None
        clear, known = opened
        event = translate(room, clear, self._machine.user_id)
        return _opened(event, known), clear

    async def dispatch_verification(self, room: str, clear: Raw) -> None:
        """Hands a raw event about verification to those who listen."""
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
        """A disk that takes nothing is waited for, as a homeserver that does not answer is."""
        try:
            yield
        except OperationalError as error:
            self._machine.reload()
            raise Unavailable(f"the encryption keys cannot be written: {error}") from error

    def close(self) -> None:
        self._store.database.close()


async def _call_handler(work: Awaitable[None]) -> None:
    """What a listener gets wrong stays with it."""
    try:
        await work
    except LoggedOut:
        raise
    except Exception:
        log.exception("a listener to encrypted events failed")


def _opened(event: Event | None, known: bool) -> Event | None:
    """The same, marked as having come encrypted, and whether surely from its sender."""
    match event:
        case Message():
            return replace(event, encrypted=True, sender_known=known)
        case Edit(target, message):
            return Edit(target, replace(message, encrypted=True, sender_known=known))
    return event
