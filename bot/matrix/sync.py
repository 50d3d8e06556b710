"""The sync loop: one batch at a time, through outages and gaps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from bot.core.errors import Refused, Unavailable
from bot.core.events import Batch, Event, Invite, RoomUpdate, StateChange, Undecryptable
from bot.matrix import inbound
from bot.matrix.backoff import Backoff
from bot.matrix.http import Http
from bot.ports import Clock

if TYPE_CHECKING:
    from bot.matrix.crypto.engine import Engine

log = structlog.get_logger()

POLL = 30_000  # ms the homeserver may wait for news
PAUSE = 60_000  # ms without a sync after which what comes next may be old
TIMELINE = 50
PAGE, MOST_BACKFILLED = 100, 1000

_STATE = [
    "m.room.create", "m.room.power_levels", "m.room.encryption", "m.room.name", "m.room.canonical_alias",
    "m.room.tombstone", "m.room.member",
]  # fmt: skip
_TIMELINE = [
    *_STATE, "m.room.message", "m.room.encrypted", "m.room.redaction", "m.reaction", "m.key.verification.*",
]  # fmt: skip
FILTER = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "state": {"types": _STATE, "lazy_load_members": True},
        "timeline": {"types": _TIMELINE, "limit": TIMELINE, "lazy_load_members": True},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
}
"""Only the event types used, and of members only those who spoke: a third of the time for 500 rooms."""

_BACKFILL = json.dumps({"types": _TIMELINE, "lazy_load_members": True})


class Sync:
    """Asks for batches. It keeps no position: `since` is the caller's, stored with what the batch brought."""

    def __init__(self, http: Http, clock: Clock, user_id: str, crypto: Engine | None = None) -> None:
        self._http, self._clock, self._user_id, self._crypto = http, clock, user_id, crypto
        self._backoff = Backoff()
        self._away = False
        self._synced_at: int | None = None

    async def next(self, since: str | None) -> Batch:
        """Waits for news, and through outages. Raises `LoggedOut`, or `Refused` if the homeserver will never answer."""
        while True:
            try:
                batch = await self._once(since)
            except Unavailable as error:
                wait = self._backoff.wait(error.retry_after)
                if not self._away:
                    log.warning("the homeserver does not answer; trying again until it does", reason=str(error))
                self._away = True
                await self._clock.sleep(wait)
                continue
            if self._away:
                log.info("the homeserver answers again")
            self._away = False
            self._backoff.over()
            self._synced_at = self._clock.now()
            return batch

    async def _once(self, since: str | None) -> Batch:
        pause = self._synced_at is None or self._clock.now() - self._synced_at > PAUSE
        waiting = 0 if pause else POLL  # after a start or an outage the first answer comes at once
        query = {"filter": json.dumps(FILTER), "timeout": str(waiting), "set_presence": "offline"}
        if since is not None:
            query["since"] = since
        raw = await self._http.request("GET", "/_matrix/client/v3/sync", query=query, timeout=waiting / 1000 + 60)
        token = raw.get("next_batch")
        if not isinstance(token, str) or not token:
            raise Unavailable("a sync answer without a position")
        rooms = inbound.section(raw, "rooms")
        parts = {
            room: part
            for room, part in inbound.section(rooms, "join").items()
            if inbound.is_room_id(room) and isinstance(part, dict)
        }
        if self._crypto:
            await self._crypto.take(raw, since)
            if since is not None:
                await self._crypto.meet(event for part in parts.values() for event in _timeline(part))
        joined = [await self._room(room, part, since) for room, part in parts.items()]
        invites = [self._invite(room, part) for room, part in inbound.section(rooms, "invite").items()]
        return Batch(
            token=token,
            rooms=tuple(update for update, _ in joined),
            invites=tuple(invite for invite in invites if invite),
            left=tuple(room for room in inbound.section(rooms, "leave") if inbound.is_room_id(room)),
            first=since is None,
            catching_up=pause and since is not None,
            undecryptable=tuple(event for _, closed in joined for event in closed),
            keys=self._crypto.keys if self._crypto else frozenset(),
            withheld=self._crypto.withheld if self._crypto else (),
        )

    async def _room(
        self, room: str, part: dict[str, Any], since: str | None
    ) -> tuple[RoomUpdate, tuple[Undecryptable, ...]]:
        state = tuple(
            event
            for event in inbound.events(room, inbound.section(part, "state").get("events"), self._user_id)
            if isinstance(event, StateChange)
        )
        timeline = inbound.section(part, "timeline")
        events = await self._read(room, _timeline(part), tell=since is not None)
        if join := inbound.joined_here(events, self._user_id):
            events = inbound.since_joining(events, join)
            return RoomUpdate(room, state, _open(events)), _closed(events)
        if since is None:
            return RoomUpdate(room, state, _open(events)), ()
        if timeline.get("limited") is not True:
            return RoomUpdate(room, state, _open(events)), _closed(events)
        known = {raw.get("event_id") for raw in _timeline(part) if isinstance(raw, dict)}
        found = await self._backfill(room, str(timeline.get("prev_batch", "")), since, known)
        if self._crypto:
            await self._crypto.meet(found)
        old = await self._read(room, found)
        if join := inbound.joined_here(old, self._user_id):
            old = inbound.since_joining(old, join)
        events = old + events
        return RoomUpdate(room, state, _open(events), old=frozenset(inbound.ids(old)), gap=True), _closed(events)

    async def _read(self, room: str, raws: Sequence[Any], tell: bool = False) -> tuple[Event | Undecryptable, ...]:
        """The usable events, encrypted ones opened; with `tell`, those who listen in rooms hear of them."""
        found: list[Event | Undecryptable] = []
        for raw in raws:
            event: Event | Undecryptable | None = inbound.translate(room, raw, self._user_id)
            if event is None and self._crypto and isinstance(raw, dict):
                event, clear = self._crypto.read(room, raw)
                if tell and clear:
                    await self._crypto.tell(room, clear)
            if event is not None:
                found.append(event)
        return tuple(found)

    async def _backfill(self, room: str, start: str, since: str, known: set[Any]) -> list[Any]:
        """Raw events between `since` and the timeline, oldest first, as many as are affordable."""
        found: list[Any] = []
        while start and len(found) < MOST_BACKFILLED:
            query = {"dir": "b", "from": start, "to": since, "limit": str(PAGE), "filter": _BACKFILL}
            try:
                page = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/messages", room, query=query)
            except Refused as error:
                log.warning("a gap could not be filled", room=room, reason=str(error))
                break
            chunk = page.get("chunk")
            found += [raw for raw in chunk if isinstance(raw, dict)] if isinstance(chunk, list) else []
            end = page.get("end")
            start = end if isinstance(end, str) and end != start and chunk else ""
        if start:
            log.warning("a gap is larger than is read back; older messages in it are left out", room=room)
        seen: set[Any] = set(known)
        fresh = [raw for raw in found if not (raw.get("event_id") in seen or seen.add(raw.get("event_id")))]  # type: ignore[func-returns-value]  # add answers None: the usual way to keep the first of each
        return fresh[::-1]

    def _invite(self, room: object, part: object) -> Invite | None:
        if not inbound.is_room_id(room) or not isinstance(part, dict):
            return None
        events = inbound.section(part, "invite_state").get("events")
        for raw in events if isinstance(events, list) else []:
            if isinstance(raw, dict) and raw.get("type") == "m.room.member" and raw.get("state_key") == self._user_id:
                content = inbound.section(raw, "content")
                sender = raw.get("sender")
                if content.get("membership") == "invite" and isinstance(sender, str):
                    return Invite(str(room), sender, direct=content.get("is_direct") is True)
        return Invite(str(room), "", direct=False)  # nobody named: nobody allowed, so it will be rejected


def _timeline(part: dict[str, Any]) -> list[Any]:
    events = inbound.section(part, "timeline").get("events")
    return events if isinstance(events, list) else []


def _open(found: Sequence[Event | Undecryptable]) -> tuple[Event, ...]:
    return tuple(event for event in found if not isinstance(event, Undecryptable))


def _closed(found: Sequence[Event | Undecryptable]) -> tuple[Undecryptable, ...]:
    return tuple(event for event in found if isinstance(event, Undecryptable))
