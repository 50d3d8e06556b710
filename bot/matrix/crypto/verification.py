"""Lets people verify the bot: they start it in their client and compare the emoji with those of the bot.

The bot cannot see their screen, so it accepts what they confirm and does not trust their device. Only people who can
see the bot's log have something to compare; `may_verify` decides who they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from bot.core.errors import TransportError
from bot.matrix.crypto import sas
from bot.matrix.crypto.crosssigning import Account
from bot.matrix.crypto.sas import EphemeralKey, SasDisplay, SasError, Secret, Side
from bot.matrix.http import Http
from bot.matrix.inbound import section
from bot.ports import Clock

log = structlog.get_logger()

PREFIX = "m.key.verification."
TIMEOUT = 600_000  # ms, for all of it (spec)
MAX_AHEAD = 300_000  # ms another clock may be ahead of ours (spec)

Send = Callable[[str, str, Mapping[str, object], str], Awaitable[str]]
"""Sends an event into a room, encrypted where the room is: room, type, content, transaction id."""


class StatusDisplay(Protocol):
    """Shows a verification to the operator."""

    def show(self, user: str, device: str, display: SasDisplay) -> None: ...

    def end(self, user: str, device: str, reason: str | None) -> None:
        """`reason`: None if both sides agreed."""
        ...


@dataclass(slots=True)
class Flow:
    """One verification. `id` is the transaction's, or in a room the event id of the request."""

    id: str
    room: str | None
    them: Side
    began: int
    ephemeral: EphemeralKey = field(default_factory=EphemeralKey)
    secret: Secret | None = None
    started: bool = False
    agreed: bool = False


class Verifier:
    """The accepting side of SAS verification. `master` answers the bot's public master key, or None."""

    def __init__(
        self,
        http: Http,
        account: Account,
        master: Callable[[], Awaitable[str | None]],
        send: Send,
        may_verify: Callable[[str], Awaitable[bool]],
        clock: Clock,
        display: StatusDisplay,
    ) -> None:
        self._http, self._account, self._master, self._send = http, account, master, send
        self._may_verify, self._clock, self._display = may_verify, clock, display
        self._flows: dict[str, Flow] = {}  # by user: one at a time

    async def to_device(self, event: Mapping[str, Any]) -> None:
        """A raw to-device event, decrypted. Others than verification events are ignored."""
        content = section(event, "content")
        await self._handle(event, str(event.get("type")), content, content.get("transaction_id"), None)

    async def in_room(self, room: str, event: Mapping[str, Any]) -> None:
        """A raw event of a room, decrypted."""
        content, type_ = section(event, "content"), str(event.get("type"))
        if type_ == "m.room.message" and content.get("msgtype") == PREFIX + "request":
            if content.get("to") == self._account.user_id:
                asked = {**content, "timestamp": event.get("origin_server_ts")}
                await self._handle(event, PREFIX + "request", asked, event.get("event_id"), room)
        else:
            await self._handle(event, type_, content, section(content, "m.relates_to").get("event_id"), room)

    async def _handle(
        self, event: Mapping[str, Any], type_: str, content: dict[str, Any], id_: object, room: str | None
    ) -> None:
        sender = event.get("sender")
        if not type_.startswith(PREFIX) or not isinstance(sender, str) or not isinstance(id_, str):
            return
        if sender == self._account.user_id or not await self._may_verify(sender):
            return
        if type_ == PREFIX + "request":
            await self._request(sender, content, id_, room)
            return
        flow = self._flows.get(sender)
        if flow is None or (flow.id, flow.room) != (id_, room):
            return
        if self._clock.now() - flow.began > TIMEOUT:
            await self._cancel(flow, "m.timeout", "it took longer than ten minutes")
            return
        step = {"start": self._start, "key": self._key, "mac": self._mac, "done": self._done, "cancel": self._cancelled}
        if handler := step.get(type_.removeprefix(PREFIX)):
            await handler(flow, content)

    async def _request(self, user: str, content: Mapping[str, Any], id_: str, room: str | None) -> None:
        device, methods, at = content.get("from_device"), content.get("methods"), content.get("timestamp")
        if not isinstance(device, str) or not isinstance(at, int) or not isinstance(methods, list):
            return
        now = self._clock.now()
        if not now - TIMEOUT <= at <= now + MAX_AHEAD or sas.METHOD not in methods:
            return
        before = self._flows.get(user)
        if before and before.id == id_:
            return
        if before:
            await self._cancel(before, "m.user", "a newer verification was begun")
        flow = self._flows[user] = Flow(id_, room, Side(user, device), now)
        log.info("verification requested", user=user, device=device)
        await self._reply(flow, "ready", {"from_device": self._account.device_id, "methods": [sas.METHOD]})

    async def _start(self, flow: Flow, content: dict[str, Any]) -> None:
        if flow.started:
            await self._cancel(flow, "m.unexpected_message", "it was started already")
            return
        offered = {
            "key_agreement_protocols": sas.AGREEMENT,
            "hashes": sas.HASH,
            "message_authentication_codes": sas.MAC,
        }
        shown = [one for one in sas.DISPLAY_METHODS if one in _list(content, "short_authentication_string")]
        can = all(ours in _list(content, name) for name, ours in offered.items())
        if content.get("method") != sas.METHOD or not can or not shown:
            await self._cancel(flow, "m.unknown_method", "the bot knows no way the other side offers")
            return
        if content.get("from_device") != flow.them.device_id:
            await self._cancel(flow, "m.invalid_message", "another device than the one that asked")
            return
        flow.started = True
        accept = {
            "method": sas.METHOD,
            "key_agreement_protocol": sas.AGREEMENT,
            "hash": sas.HASH,
            "message_authentication_code": sas.MAC,
            "short_authentication_string": shown,
            "commitment": sas.commitment(flow.ephemeral.key, content),
        }
        await self._reply(flow, "accept", accept)

    async def _key(self, flow: Flow, content: dict[str, Any]) -> None:
        if not flow.started or flow.secret:
            await self._cancel(flow, "m.unexpected_message", "a key at the wrong moment")
            return
        try:
            flow.secret = flow.ephemeral.agree(str(content.get("key")))
        except SasError:
            await self._cancel(flow, "m.invalid_message", "the key is none")
            return
        flow.them = Side(flow.them.user_id, flow.them.device_id, str(content["key"]))
        await self._reply(flow, "key", {"key": flow.ephemeral.key})
        self._display.show(
            flow.them.user_id, flow.them.device_id, flow.secret.display(flow.them, self._us(flow), flow.id)
        )

    async def _mac(self, flow: Flow, content: dict[str, Any]) -> None:
        if not flow.secret or flow.agreed:
            await self._cancel(flow, "m.unexpected_message", "a proof at the wrong moment")
            return
        us, them = self._us(flow), flow.them
        try:
            verified = flow.secret.verified_keys(them, us, flow.id, content, await self._keys_of(them))
        except SasError as error:
            await self._cancel(flow, "m.key_mismatch", str(error))
            return
        if f"ed25519:{them.device_id}" not in verified:
            await self._cancel(flow, "m.key_mismatch", "the device's own key is missing")
            return
        flow.agreed = True
        ours = {f"ed25519:{us.device_id}": self._account.ed25519}
        if master := await self._master():
            ours[f"ed25519:{master}"] = master
        await self._reply(flow, "mac", flow.secret.create_mac(us, them, flow.id, ours))
        await self._reply(flow, "done", {})
        self._display.end(them.user_id, them.device_id, None)

    async def _done(self, flow: Flow, content: dict[str, Any]) -> None:
        if flow.agreed:
            del self._flows[flow.them.user_id]

    async def _cancelled(self, flow: Flow, content: dict[str, Any]) -> None:
        del self._flows[flow.them.user_id]
        if not flow.agreed:
            code, reason = str(content.get("code"))[:100], str(content.get("reason"))[:200]
            self._display.end(flow.them.user_id, flow.them.device_id, f"{code}: {reason}")

    async def _cancel(self, flow: Flow, code: str, reason: str) -> None:
        self._flows.pop(flow.them.user_id, None)
        if not flow.agreed:
            self._display.end(flow.them.user_id, flow.them.device_id, f"{code}: {reason}")
        try:
            await self._reply(flow, "cancel", {"code": code, "reason": reason})
        except TransportError as error:
            log.warning("verification cancellation could not be sent", reason=str(error))

    async def _reply(self, flow: Flow, type_: str, content: Mapping[str, object]) -> None:
        txn, name = uuid.uuid4().hex, PREFIX + type_
        if flow.room:
            relation = {"rel_type": "m.reference", "event_id": flow.id}
            await self._send(flow.room, name, {**content, "m.relates_to": relation}, txn)
            return
        message = {flow.them.user_id: {flow.them.device_id: {**content, "transaction_id": flow.id}}}
        path = "/_matrix/client/v3/sendToDevice/{}/{}"
        await self._http.request("PUT", path, name, txn, body={"messages": message})

    async def _keys_of(self, them: Side) -> dict[str, str]:
        """The public signing keys the homeserver gives for a device and its user, by id."""
        body = {"device_keys": {them.user_id: [them.device_id]}}
        answer = await self._http.request("POST", "/_matrix/client/v3/keys/query", body=body)
        own = f"ed25519:{them.device_id}"
        device = section(answer, "device_keys", them.user_id, them.device_id, "keys").get(own)
        found = {own: device, **section(answer, "master_keys", them.user_id, "keys")}
        return {id_: key for id_, key in found.items() if isinstance(key, str)}

    def _us(self, flow: Flow) -> Side:
        return Side(self._account.user_id, self._account.device_id, flow.ephemeral.key)


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content.get(name)
    return value if isinstance(value, list) else []
