"""As much of a homeserver as keys need, in memory: devices, one-time keys, to-device messages."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.errors import Refused, Unavailable
from bot.matrix.http import Http

Raw = dict[str, Any]
Device = tuple[str, str]


@dataclass(slots=True)
class KeyServer:
    """What all accounts share. Tests reach in to publish garbage."""

    identities: dict[str, dict[str, Raw]] = field(default_factory=lambda: defaultdict(dict))
    one_time: dict[Device, dict[str, Raw]] = field(default_factory=lambda: defaultdict(dict))
    fallback: dict[Device, dict[str, Raw]] = field(default_factory=lambda: defaultdict(dict))
    fallback_used: set[Device] = field(default_factory=set)
    to_device_events: dict[Device, list[Raw]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[Device, set[str]] = field(default_factory=lambda: defaultdict(set))
    given: set[str] = field(default_factory=set)  # ids of all one-time keys there ever were
    fails: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))  # by the path's last words
    asked: list[str] = field(default_factory=list)
    watch: Callable[[str], None] = lambda name: None  # called with each request before it is answered

    def sync(self, who: Device) -> Raw:
        """The parts of a sync answer that have to do with keys, since the last."""
        to_device_events, self.to_device_events[who] = self.to_device_events[who], []
        changed, self.changed[who] = self.changed[who], set()
        unused = [] if not self.fallback[who] or who in self.fallback_used else ["signed_curve25519"]
        return {
            "to_device": {"events": to_device_events},
            "device_lists": {"changed": sorted(changed), "left": []},
            "device_one_time_keys_count": {"signed_curve25519": len(self.one_time[who])},
            "device_unused_fallback_key_types": unused,
        }


class Wire(Http):
    """One account's connection to it."""

    def __init__(self, server: KeyServer, user: str, device: str) -> None:
        self._server, self._me = server, (user, device)

    async def request(
        self,
        method: str,
        path: str,
        *segments: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        timeout: float = 30,
        subject: str = "",
    ) -> Raw:
        await asyncio.sleep(0)  # others get their turn, as they would
        name = path.removeprefix("/_matrix/client/v3/").partition("/{")[0]
        self._server.asked.append(name)
        self._server.watch(name)
        if self._server.fails[name]:
            raise self._server.fails[name].pop(0)
        sent: Raw = json.loads(json.dumps(body))
        match name:
            case "keys/upload":
                return self._upload(sent)
            case "keys/query":
                known = self._server.identities
                found = {user: known.get(user, {}) for user in sent["device_keys"]}
                return {"device_keys": copy.deepcopy(found)}
            case "keys/claim":
                return {"one_time_keys": self._claim(sent["one_time_keys"])}
            case "sendToDevice":
                self._deliver(segments[0], sent["messages"])
                return {}
        raise Unavailable(f"no {name} here")

    def _upload(self, sent: Raw) -> Raw:
        server, (user, device) = self._server, self._me
        for key_id, key in sent.get("one_time_keys", {}).items():
            if f"{user}{device}{key_id}" in server.given:
                raise Refused("M_UNKNOWN", f"One time key {key_id} already exists.")
            server.given.add(f"{user}{device}{key_id}")
            server.one_time[self._me][key_id] = key
        if fallback := sent.get("fallback_keys"):
            server.fallback[self._me] = fallback
            server.fallback_used.discard(self._me)
        if identity := sent.get("device_keys"):
            server.identities[user][device] = identity
            for other in [*server.changed, self._me]:
                server.changed[other].add(user)
        return {"one_time_key_counts": {"signed_curve25519": len(server.one_time[self._me])}}

    def _claim(self, wanted: Mapping[str, Mapping[str, str]]) -> Raw:
        found: Raw = defaultdict(dict)
        for user, devices in wanted.items():
            for device in devices:
                keys = self._server.one_time[user, device]
                if keys:
                    key_id = next(iter(keys))
                    found[user][device] = {key_id: keys.pop(key_id)}
                elif self._server.fallback[user, device]:
                    self._server.fallback_used.add((user, device))
                    found[user][device] = self._server.fallback[user, device]
        return found

    def _deliver(self, type_: str, messages: Mapping[str, Mapping[str, Raw]]) -> None:
        for user, devices in messages.items():
            for device, content in devices.items():
                letter = {"type": type_, "sender": self._me[0], "content": content}
                self._server.to_device_events[user, device].append(letter)
