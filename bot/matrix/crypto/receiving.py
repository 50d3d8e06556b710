"""Handles the encryption parts of a sync, and decrypts events.

nio keeps no room state for Faro and never sees a sync: its machine gets the parts it needs from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import structlog
import vodozemac

from bot.core.events import Undecryptable, Withheld
from bot.matrix.crypto.devices import Devices
from bot.matrix.crypto.hardening import drop_on_error
from bot.matrix.crypto.machine import Machine, Raw
from bot.matrix.crypto.replay_guard import ReplayGuard
from bot.matrix.inbound import is_room_id, is_user_id, section

log = structlog.get_logger()

MEGOLM: Final = "m.megolm.v1.aes-sha2"
ENCRYPTED_TYPES: Final = ("m.room.message", "m.reaction")
"""Types that may be encrypted. Homeservers cannot check encrypted redactions or state."""
VERIFICATION: Final = "m.key.verification."
MAX_SEEN = 2_000
MAX_WITHHELD = 1_000
MAX_ID_LENGTH = 255


class Receiving:
    """Receives room keys and decrypts events."""

    def __init__(self, machine: Machine, devices: Devices, replay_guard: ReplayGuard) -> None:
        self._machine, self._devices, self._replay_guard = machine, devices, replay_guard
        self._since: str | None = ""
        self._keys: set[tuple[str, str]] = set()
        self._withheld: dict[Withheld, None] = {}
        self._to_device_events: list[Raw] = []
        self._seen: dict[int, None] = {}  # hashes of to-device ciphertexts; each can be decrypted once only

    # -- the parts of a sync that have to do with keys --------------------------------------------------------------

    def handle_sync(self, answer: Raw, since: str | None) -> None:
        """To-device events, changed devices, and the number of our remaining keys."""
        if since != self._since:  # a new token: the previous response was stored
            self._since = since
            self._keys.clear()
            self._withheld.clear()
        events = section(answer, "to_device").get("events")
        for raw in events if isinstance(events, list) else []:
            with drop_on_error("a to-device event"):
                self._to_device(raw)
        lists = section(answer, "device_lists")
        self._devices.changed(_users(lists.get("changed")), _users(lists.get("left")))
        self._counts(answer)

    def _to_device(self, raw: object) -> None:
        if not isinstance(raw, dict) or not is_user_id(raw.get("sender")) or not isinstance(raw.get("type"), str):
            return
        type_, content = raw["type"], section(raw, "content")
        if type_ == "m.room.encrypted":
            seen = hash(json.dumps(content.get("ciphertext"), sort_keys=True))
            if seen not in self._seen:
                self._machine.receive(raw)
                self._remember(seen)
        elif type_ == "m.room_key.withheld":
            self._key_withheld(raw["sender"], content)
        elif type_.startswith(VERIFICATION):
            self._to_device_events.append({"type": type_, "sender": raw["sender"], "content": content})

    def _remember(self, seen: int) -> None:
        """A batch that could not be stored comes again; decrypting its keys twice would look like a broken session."""
        self._seen[seen] = None
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        self._keys |= self._machine.new_room_keys
        self._machine.new_room_keys.clear()
        self._to_device_events += self._machine.to_device_events
        self._machine.to_device_events.clear()

    def _key_withheld(self, sender: str, content: Raw) -> None:
        room, session, code = content.get("room_id"), content.get("session_id"), content.get("code")
        if code == "m.no_olm" and isinstance(sender_key := content.get("sender_key"), str):
            self._machine._mark_device_for_unwedging(sender, sender_key)
        if is_room_id(room) and _id(session) and _id(code) and len(self._withheld) < MAX_WITHHELD:
            self._withheld[Withheld(str(room), sender, str(session), str(code))] = None

    def _counts(self, answer: Raw) -> None:
        counts = answer.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            count = counts.get("signed_curve25519", 0)  # left out means none left (spec, "Extensions to /sync")
            if isinstance(count, int) and count >= 0:
                self._machine.uploaded_key_count = count
        unused = answer.get("device_unused_fallback_key_types")
        if isinstance(unused, list) and self._machine.account.shared:
            self._machine.fallback_wanted = "signed_curve25519" not in unused

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """Room keys received since the last stored sync token."""
        return frozenset(self._keys)

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        """The same for keys that senders' clients withheld."""
        return tuple(self._withheld)

    def take_to_device_events(self) -> list[Raw]:
        """Removes and returns the decrypted to-device events that are no keys."""
        to_device_events, self._to_device_events = self._to_device_events, []
        return to_device_events

    # -- encrypted events -------------------------------------------------------------------------------------------

    def senders(self, raws: Iterable[object]) -> set[str]:
        """Who sent encrypted events."""
        return {
            raw["sender"]
            for raw in raws
            if isinstance(raw, dict) and raw.get("type") == "m.room.encrypted" and is_user_id(raw.get("sender"))
        }

    def decrypt(self, room: str, raw: Raw) -> tuple[Raw, bool] | Undecryptable | None:
        """The decrypted event, and whether its key belongs to a device of the sender.

        `Undecryptable` if the key is missing; None if the event is malformed, a replay, or of a type that must not be
        encrypted. Raises `peewee.OperationalError` if the disk is full.
        """
        with drop_on_error("an encrypted event", room=room, event_id=str(raw.get("event_id"))[:MAX_ID_LENGTH]):
            return self._decrypt(room, raw)
        return None

    def _decrypt(self, room: str, raw: Raw) -> tuple[Raw, bool] | Undecryptable | None:
        content = section(raw, "content")
        session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
        sender, event_id, at = raw.get("sender"), raw.get("event_id"), raw.get("origin_server_ts")
        if content.get("algorithm") != MEGOLM or not _id(session_id) or not isinstance(ciphertext, str):
            return None
        if not (is_user_id(sender) and _id(event_id)):
            return None
        sent_at = at if isinstance(at, int) and not isinstance(at, bool) and 0 <= at < 2**53 else 0
        match = self._session(room, sender, content.get("sender_key"), str(session_id))
        if match is None:
            return Undecryptable(room, str(event_id), sender, sent_at, str(session_id), raw)
        session, sender_known = match
        try:
            text, index = session.decrypt(ciphertext)
        except vodozemac.MegolmDecryptionException as error:
            if "unknown message index" not in str(error):
                raise
            return Undecryptable(room, str(event_id), sender, sent_at, str(session_id), raw)  # an earlier key may come
        if not self._replay_guard.accept(str(event_id), (session.sender_key, session.id), index):
            log.warning("dropped replayed encrypted message", room=room, sender=sender, event_id=event_id)
            return None
        plain = _allowed_payload(json.loads(text), room)
        if plain is None:
            log.warning(
                "dropped encrypted event of a type that must not be encrypted",
                room=room,
                sender=sender,
                event_id=event_id,
            )
            return None
        plain["content"].pop("m.relates_to", None)
        if isinstance(relation := content.get("m.relates_to"), dict):
            plain["content"]["m.relates_to"] = relation  # only the unencrypted relation counts
        return {**plain, "sender": sender, "event_id": event_id, "origin_server_ts": sent_at}, sender_known

    def _session(self, room: str, sender: str, sender_key: object, session_id: str) -> tuple[Any, bool] | None:
        """The room key, preferably the sender's own, and whether it is."""
        store = self._machine.inbound_group_store
        candidates = [sessions[session_id] for sessions in store[room].values() if session_id in sessions]
        for session in candidates:
            own = not session.forwarding_chain
            if own and self._devices.is_owned_by(sender, session.sender_key, session.ed25519):
                return session, True
        for session in candidates:
            if session.sender_key == sender_key:
                return session, False
        return (candidates[0], False) if candidates else None


def _allowed_payload(plain: object, room: str) -> Raw | None:
    """Type and content of a decrypted payload, if it is for this room and of an allowed type."""
    if not isinstance(plain, dict) or "state_key" in plain or plain.get("room_id") != room:
        return None
    type_, content = plain.get("type"), plain.get("content")
    if not isinstance(type_, str) or not isinstance(content, dict):
        return None
    if type_ not in ENCRYPTED_TYPES and not type_.startswith(VERIFICATION):
        return None
    return {"type": type_, "content": dict(content)}


def _users(value: object) -> list[str]:
    return [user for user in value if is_user_id(user)] if isinstance(value, list) else []


def _id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH
