"""Uploads our own keys and repairs broken Olm sessions, once per sync."""

from __future__ import annotations

import uuid

import structlog

from bot.core.errors import Refused, Unavailable
from bot.matrix.crypto.devices import Devices
from bot.matrix.crypto.machine import Machine, Raw
from bot.matrix.http import Http
from bot.matrix.inbound import section
from bot.ports import Clock

log = structlog.get_logger()

TRY_AGAIN = 60_000  # ms after an upload that failed
MAX_REPAIRS = 20  # broken sessions per sync


class KeyMaintenance:
    """Keeps one-time keys on the homeserver, so that others can open sessions with us."""

    def __init__(self, machine: Machine, devices: Devices, http: Http, clock: Clock) -> None:
        self._machine, self._devices, self._http, self._clock = machine, devices, http, clock
        self._failed_at: int | None = None

    async def run(self) -> None:
        """Does what is due; retries failures later. Raises `LoggedOut`."""
        failed = self._failed_at
        if failed is None or self._clock.now() - failed >= TRY_AGAIN:
            try:
                await self.publish()
            except (Unavailable, Refused) as error:
                self._failed_at = self._clock.now()
                log.warning("uploading encryption keys failed, retrying", reason=str(error))
            else:
                self._failed_at = None
        await self._repair_sessions()

    async def publish(self) -> None:
        """Uploads what the homeserver lacks: identity, one-time keys, a fallback key. Raises what a request raises.

        Keys of a failed upload are never offered again: they may have arrived, and a one-time key that somebody has
        claimed must not be given out twice. That also answers "one time key already exists".
        """
        machine = self._machine
        if not machine.has_keys_to_upload:
            return
        body = machine.share_keys()
        try:
            answer = await self._http.request("POST", "/_matrix/client/v3/keys/upload", body=body)
        except BaseException:
            machine.discard_offered_keys()
            raise
        count = section(answer, "one_time_key_counts").get("signed_curve25519")
        machine.uploaded(count if isinstance(count, int) else 0)

    async def _repair_sessions(self) -> None:
        """Opens new Olm sessions with devices whose session broke, and sends a dummy message so that they use it."""
        machine = self._machine
        if machine.wedged_devices:
            await self._devices.claim(machine.wedged_devices[:MAX_REPAIRS])
        while machine.outgoing_to_device_messages:
            message = machine.outgoing_to_device_messages[0]
            messages: Raw = {message.recipient: {message.recipient_device: message.content}}
            try:
                await self._http.request(
                    "PUT",
                    "/_matrix/client/v3/sendToDevice/{}/{}",
                    message.type,
                    uuid.uuid4().hex,
                    body={"messages": messages},
                )
            except Unavailable as error:
                log.warning("repairing a broken Olm session failed, retrying", reason=str(error))
                return
            except Refused as error:
                log.warning("repairing a broken Olm session failed", reason=str(error))
            machine.outgoing_to_device_messages.remove(message)
