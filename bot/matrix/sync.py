"""The sync loop: one batch at a time, with retries and gap filling."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from bot.core.errors import Refused, Unavailable
from bot.core.events import Batch, Event, Invite, RoomUpdate, StateChange, Undecryptable
from bot.matrix import inbound
from bot.matrix.backoff import Backoff
from bot.matrix.http import Http, text
from bot.ports import Clock

if TYPE_CHECKING:
    from bot.matrix.crypto.engine import Engine

log = structlog.get_logger()

POLL = 30_000  # ms of long polling
PAUSE = 60_000  # ms without a sync after which the next batch may be old
TIMELINE = 50
PAGE, MAX_BACKFILLED = 100, 10_000
"""Events of one request, and of one gap that is read; of what is older the recheck follows what became of it."""

_STATE = [
    "m.room.create", "m.room.power_levels", "m.room.encryption", "m.room.name", "m.room.canonical_alias",
    "m.room.tombstone", "m.room.topic", "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access",
    "m.room.member",
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
"""Only the event types used, with lazy-loaded members: a third of the time for 500 rooms."""

_NOTHING: dict[str, object] = {"types": []}
_INVITES = json.dumps(
    {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": dict.fromkeys(("state", "timeline", "ephemeral", "account_data"), _NOTHING),
    }
)

_BACKFILL = json.dumps({"types": _TIMELINE, "lazy_load_members": True})


class Sync:
    """Fetches batches. The caller stores the sync token together with the contents of the batch."""

    def __init__(self, http: Http, clock: Clock, user_id: str, crypto: Engine | None = None) -> None:
        self._http, self._clock, self._user_id, self._crypto = http, clock, user_id, crypto
        self._backoff = Backoff()
        self._last_error: str | None = None
        self._synced_at: int | None = None
        self._catching_up_since: str | None = None
        self.active_at = time.monotonic()
        """When it last began a try, or asked for a page of a gap."""

    async def next(self, since: str | None) -> Batch:
        """Long-polls for the next batch and retries through outages. Raises `LoggedOut`.

        Refusals are retried as well: a proxy that is being set up says 404, a homeserver that wants its terms accepted
        says 403, and both pass without restarting the bot.
        """
        while True:
            self.active_at = time.monotonic()
            try:
                batch = await self._sync_once(since)
            except (Unavailable, Refused) as error:
                if str(error) != self._last_error:
                    log.warning("sync failed, retrying", reason=str(error))
                self._last_error = str(error)
                await self._clock.sleep(
                    self._backoff.wait(error.retry_after if isinstance(error, Unavailable) else None)
                )
                continue
            if self._last_error:
                log.info("sync works again")
            self._last_error = None
            self._backoff.over()
            self._synced_at = self._clock.now()
            return batch

    async def _sync_once(self, since: str | None) -> Batch:
        pause = self._synced_at is None or self._clock.now() - self._synced_at > PAUSE
        waiting = 0 if pause else POLL  # after a start or an outage the first response comes at once
        query = {"filter": json.dumps(FILTER), "timeout": str(waiting), "set_presence": "offline"}
        if since is not None:
            query["since"] = since
        raw = await self._http.request("GET", "/_matrix/client/v3/sync", query=query, timeout=waiting / 1000 + 60)
        token = text(raw, "next_batch")
        rooms = inbound.section(raw, "rooms")
        parts = {
            room: part
            for room, part in inbound.section(rooms, "join").items()
            if inbound.is_room_id(room) and isinstance(part, dict)
        }
        if self._crypto:
            await self._crypto.handle_sync(raw, since)
            if since is not None:
                await self._crypto.query_senders(event for part in parts.values() for event in _timeline(part))
        joined = [await self._room(room, part, since) for room, part in parts.items()]
        return Batch(
            token=token,
            rooms=tuple(update for update, _ in joined),
            invites=self._invites(raw),
            left=tuple(room for room in inbound.section(rooms, "leave") if inbound.is_room_id(room)),
            first=since is None,
            catching_up=self._catching_up(since, token, pause),
            undecryptable=tuple(event for _, undecryptable in joined for event in undecryptable),
            keys=self._crypto.keys if self._crypto else frozenset(),
            withheld=self._crypto.withheld if self._crypto else (),
        )

    async def invites(self) -> Sequence[Invite]:
        """All open invites: a sync from the beginning that leaves out everything else."""
        # It never waits; its timeout is another one each time, because Synapse gives an answer again for two minutes.
        query = {"filter": _INVITES, "timeout": str(self._clock.now() % POLL), "set_presence": "offline"}
        raw = await self._http.request("GET", "/_matrix/client/v3/sync", query=query, timeout=60)
        return self._invites(raw)

    def _invites(self, raw: dict[str, Any]) -> tuple[Invite, ...]:
        asked = inbound.section(raw, "rooms", "invite")
        invites = [inbound.invite(room, part, self._user_id) for room, part in asked.items()]
        return tuple(invite for invite in invites if invite)

    def _catching_up(self, since: str | None, token: str, pause: bool) -> bool:
        """A batch that is fetched again, because it could not be stored, counts as catching up again."""
        catching_up = since is not None and (pause or since == self._catching_up_since)
        self._catching_up_since = since if catching_up and token != since else None
        return catching_up

    async def _room(
        self, room: str, part: dict[str, Any], since: str | None
    ) -> tuple[RoomUpdate, tuple[Undecryptable, ...]]:
        """The update of one room, and its undecryptable events (none of the account's first sync)."""
        raw_state = inbound.section(part, "state").get("events")
        changes = inbound.events(room, raw_state, self._user_id)
        state = tuple(event for event in changes if isinstance(event, StateChange))
        raw_events = _timeline(part)
        events = await self._read(room, raw_events, dispatch=since is not None)
        if join := inbound.own_join(raw_events, self._user_id):
            events = inbound.after_join(events, join)
            return RoomUpdate(room, state, _readable(events), incomplete=True), _undecryptable(events)
        timeline = inbound.section(part, "timeline")
        if since is None or timeline.get("limited") is not True:
            return RoomUpdate(room, state, _readable(events)), _undecryptable(events) if since is not None else ()
        missed, complete = await self._backfill(room, timeline.get("prev_batch"), since)
        if self._crypto:
            await self._crypto.query_senders(missed)
        known = set(inbound.ids(events))
        old = tuple(event for event in await self._read(room, missed) if inbound.ids([event])[0] not in known)
        join = inbound.own_join(missed, self._user_id)
        old = inbound.after_join(old, join)
        events = old + events
        update = RoomUpdate(
            room,
            state,
            _readable(events),
            old=frozenset(inbound.ids(old)),
            gap=True,
            incomplete=not complete or join is not None,
        )
        return update, _undecryptable(events)

    async def _read(
        self, room: str, raws: Sequence[object], dispatch: bool = False
    ) -> tuple[Event | Undecryptable, ...]:
        """The usable events, decrypted. With `dispatch`, verification events go to their handlers."""
        events: list[Event | Undecryptable] = []
        for raw in raws:
            event: Event | Undecryptable | None = inbound.translate(room, raw, self._user_id)
            if event is None and self._crypto and isinstance(raw, dict):
                event, clear = self._crypto.read(room, raw)
                if dispatch and clear:
                    await self._crypto.dispatch_verification(room, clear)
            if event is not None:
                events.append(event)
        return tuple(events)

    async def _backfill(self, room: str, start: object, since: str) -> tuple[list[object], bool]:
        """Raw events between `since` and the timeline, oldest first, and whether that is all of them."""
        raws: list[object] = []
        complete = True
        while isinstance(start, str) and start:
            if len(raws) >= MAX_BACKFILLED:
                log.warning("sync gap too large, older messages skipped", room=room)
                complete = False
                break
            self.active_at = time.monotonic()
            query = {"dir": "b", "from": start, "to": since, "limit": str(PAGE), "filter": _BACKFILL}
            try:
                page = await self._http.request("GET", "/_matrix/client/v3/rooms/{}/messages", room, query=query)
            except Refused as error:
                log.warning("sync gap could not be filled", room=room, reason=str(error))
                complete = False
                break
            chunk = page.get("chunk")
            raws += chunk if isinstance(chunk, list) else []
            end = page.get("end")
            start = end if chunk and end != start else None
        return raws[::-1], complete


def _timeline(part: dict[str, Any]) -> list[object]:
    events = inbound.section(part, "timeline").get("events")
    return events if isinstance(events, list) else []


def _readable(events: Iterable[Event | Undecryptable]) -> tuple[Event, ...]:
    return tuple(event for event in events if not isinstance(event, Undecryptable))


def _undecryptable(events: Iterable[Event | Undecryptable]) -> tuple[Undecryptable, ...]:
    return tuple(event for event in events if isinstance(event, Undecryptable))
