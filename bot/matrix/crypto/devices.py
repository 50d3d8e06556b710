"""Which devices people have: asked of the homeserver, believed until it says that something changed."""

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

WAIT = 10  # seconds a homeserver may take to ask other homeservers
ASK_AGAIN = 60_000  # ms before somebody whose homeserver gave no answer is asked about again
CLAIM_AGAIN = 300_000  # ms before a one-time key of a device that had none is asked for again
CLAIM_SOON = 30_000  # … if our own homeserver gave no answer
MAX_REMEMBERED = 10_000
BATCH_SIZE = 10  # people, or devices, of an answer that are looked at before others get their turn

Device = tuple[str, str]  # user id, device id


class Devices:
    """The devices of people, and Olm sessions with them."""

    def __init__(self, machine: Machine, http: Http, clock: Clock) -> None:
        self._machine, self._http, self._clock = machine, http, clock
        self._queried: dict[str, int] = {}
        self._claimed: dict[Device, int] = {}
        self._changed_meanwhile: set[str] = set()  # of whom a change was told while an answer about them was under way
        self._claiming: dict[Device, asyncio.Event] = {}  # of whom a one-time key is under way; set when it is used

    def changed(self, users: Iterable[str], left: Iterable[str]) -> None:
        """What a sync says of people's devices. Whom we never asked about is asked about when it matters."""
        for user in users:
            self._queried.pop(user, None)
            self._machine.tracked_users.discard(user)
            self._changed_meanwhile.add(user)
        self._machine.tracked_users.difference_update(left)

    def outdated(self, users: Iterable[str]) -> set[str]:
        """Whose devices should be asked for: nobody has been asked about before the first time after a start."""
        now = self._clock.now()
        return {
            user
            for user in users
            if user not in self._machine.tracked_users and now - self._queried.get(user, -ASK_AGAIN) >= ASK_AGAIN
        }

    async def query(self, users: Iterable[str]) -> None:
        """Asks for the devices of those whose devices may have changed. Raises what a request raises."""
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
        """The devices in use of these people, without our own."""
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
        """Olm sessions with those who have none yet, as far as their homeservers answer. Raises `LoggedOut`.

        Another room may be doing the same with some of them: that is waited for.
        """
        sessions = self._machine.session_store
        strangers = [device for device in devices if not sessions.get(device.curve25519)]
        awaited = [self._claiming[id_] for one in strangers if (id_ := (one.user_id, one.id)) in self._claiming]
        await self.claim(strangers)
        for elsewhere in awaited:
            await elsewhere.wait()

    async def claim(self, devices: Iterable[Any]) -> None:
        """New Olm sessions from one-time keys; who had none lately is left in peace. Raises `LoggedOut`."""
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
            for one in wanted:
                self._claiming.pop(one, None)

    async def _claim(self, keys: dict[str, dict[str, str]], wanted: set[Device]) -> None:
        body = {"one_time_keys": keys, "timeout": WAIT * 1000}
        try:
            answer = await self._http.request("POST", "/_matrix/client/v3/keys/claim", body=body, timeout=WAIT + 10)
        except (Unavailable, Refused) as error:
            log.warning("no one-time keys could be had; who needs one is left out for now", reason=str(error))
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


def _chunks(count: int, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same in parts: fifty devices at once would stop everything else for half a second."""
    rest = iter(found.items())
    while part := dict(islice(rest, count)):
        yield part
