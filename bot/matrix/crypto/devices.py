"""People's devices: queried from the homeserver, cached until it reports a change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import structlog
from nio import KeysClaimResponse, KeysQueryResponse

from bot.core.errors import Refused, Unavailable
from bot.matrix.crypto.machine import Machine
from bot.matrix.http import Http
from bot.matrix.inbound import section
from bot.ports import Clock

log = structlog.get_logger()

WAIT = 10  # seconds the homeserver may wait for other homeservers
ASK_AGAIN = 60_000  # ms before a failed query is repeated
CLAIM_AGAIN = 300_000  # ms before a one-time key is claimed again from a device that had none
CLAIM_SOON = 30_000  # … if our own homeserver did not answer
MAX_REMEMBERED = 10_000
BATCH_SIZE = 10  # users, or devices, of a response that are handled before yielding to the event loop

Device = tuple[str, str]  # user id, device id


class Devices:
    """The devices of people, and Olm sessions with them."""

    def __init__(self, machine: Machine, http: Http, clock: Clock) -> None:
        self._machine, self._http, self._clock = machine, http, clock
        self._queried: dict[str, int] = {}
        self._claimed: dict[Device, int] = {}
        self._changed_meanwhile: set[str] = set()  # users whose devices changed while a query was in progress
        self._claiming: dict[Device, asyncio.Event] = {}  # devices with a claim in progress; set when it is done

    def changed(self, users: Iterable[str], left: Iterable[str]) -> None:
        """Handles the device lists of a sync: changed users are queried again when needed."""
        for user in users:
            self._queried.pop(user, None)
            self._machine.tracked_users.discard(user)
            self._changed_meanwhile.add(user)
        self._machine.tracked_users.difference_update(left)

    def outdated(self, users: Iterable[str]) -> set[str]:
        """Users whose devices must be queried; all of them after a start."""
        now = self._clock.now()
        return {
            user
            for user in users
            if user not in self._machine.tracked_users and now - self._queried.get(user, -ASK_AGAIN) >= ASK_AGAIN
        }

    async def query(self, users: Iterable[str]) -> None:
        """Queries the devices of users whose devices may have changed. Raises what a request raises."""
        if not (wanted := self.outdated(users)):
            return
        self._changed_meanwhile -= wanted
        body = {"device_keys": {user: [] for user in wanted}, "timeout": WAIT * 1000}
        answer = await self._http.request("POST", "/_matrix/client/v3/keys/query", body=body, timeout=WAIT + 10)
        found = {user: keys for user, keys in section(answer, "device_keys").items() if user in wanted}
        for some in _chunks(BATCH_SIZE, found):
            self._machine.handle_response(KeysQueryResponse(some, section(answer, "failures")))
            await self._clock.sleep(0)
        self._remember(self._queried, wanted - self._machine.tracked_users)
        self._machine.tracked_users -= self._changed_meanwhile

    def active(self, users: Iterable[str]) -> list[Any]:
        """The active devices of these users, without our own."""
        own = (self._machine.user_id, self._machine.device_id)
        store = self._machine.device_store
        return [
            device
            for user in users
            if user in store.users
            for device in store.active_user_devices(user)
            if (device.user_id, device.id) != own
        ]

    def is_owned_by(self, user: str, sender_key: str, signing_key: str) -> bool:
        """Whether a device with these keys belongs to this user, as their homeserver says."""
        if user not in self._machine.device_store.users:
            return False
        device = self._machine.device_store.device_from_sender_key(user, sender_key)
        return device is not None and device.ed25519 == signing_key

    async def ensure_sessions(self, devices: Iterable[Any]) -> None:
        """Opens Olm sessions with devices that have none, as far as their homeservers answer. Raises `LoggedOut`.

        Waits for claims that another room has in progress.
        """
        sessions = self._machine.session_store
        missing = [device for device in devices if not sessions.get(device.curve25519)]
        in_progress = [
            self._claiming[id_] for device in missing if (id_ := (device.user_id, device.id)) in self._claiming
        ]
        await self.claim(missing)
        for claim in in_progress:
            await claim.wait()

    async def claim(self, devices: Iterable[Any]) -> None:
        """New Olm sessions from one-time keys, except with devices that recently had none. Raises `LoggedOut`."""
        now = self._clock.now()
        wanted = {
            (device.user_id, device.id)
            for device in devices
            if now - self._claimed.get((device.user_id, device.id), -CLAIM_AGAIN) >= CLAIM_AGAIN
        }
        if not wanted:
            return
        keys: dict[str, dict[str, str]] = {}
        for user, device in wanted:
            keys.setdefault(user, {})[device] = "signed_curve25519"
        self._remember(self._claimed, wanted)
        done = asyncio.Event()
        self._claiming.update(dict.fromkeys(wanted, done))
        try:
            await self._claim(keys, wanted)
        finally:
            done.set()
            for claimed in wanted:
                self._claiming.pop(claimed, None)

    async def _claim(self, keys: dict[str, dict[str, str]], wanted: set[Device]) -> None:
        body = {"one_time_keys": keys, "timeout": WAIT * 1000}
        try:
            answer = await self._http.request("POST", "/_matrix/client/v3/keys/claim", body=body, timeout=WAIT + 10)
        except (Unavailable, Refused) as error:
            log.warning("claiming one-time keys failed, retrying later", reason=str(error))
            self._remember(self._claimed, wanted, CLAIM_SOON - CLAIM_AGAIN)
            return
        found = {user: theirs for user, theirs in section(answer, "one_time_keys").items() if user in keys}
        for some in _chunks(BATCH_SIZE, found):
            self._machine.handle_response(KeysClaimResponse(some, section(answer, "failures")))
            await self._clock.sleep(0)

    def _remember(self, when: dict[Any, int], who: Iterable[Any], shift: int = 0) -> None:
        now = self._clock.now() + shift
        for one in who:
            when.pop(one, None)
            when[one] = now
        while len(when) > MAX_REMEMBERED:
            del when[next(iter(when))]


def _chunks(count: int, entries: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Splits a response: fifty devices at once would block the event loop for half a second."""
    rest = iter(entries.items())
    while part := dict(islice(rest, count)):
        yield part
