"""nio's Olm machine, hardened. Most private names of nio that Faro uses are used here."""

from __future__ import annotations

import copy
from typing import Any

import structlog
import vodozemac
from nio.crypto import InboundGroupSession
from nio.crypto.olm_machine import Olm
from nio.events import ToDeviceEvent
from nio.store.models import OlmSessions

from bot.matrix.crypto.hardening import drop_on_error

log = structlog.get_logger()

MAX_SESSIONS = 8  # Olm sessions kept with one foreign device; anybody can open new ones without end

Raw = dict[str, Any]


class Machine(Olm):  # type: ignore[misc]  # nio has no types
    """Our device: its keys, its sessions with other devices, the room keys it received.

    Foreign input never makes its methods raise, except where a docstring says so.
    """

    def __init__(self, user_id: str, device_id: str, store: Any) -> None:
        self.new_room_keys: set[tuple[str, str]] = set()
        """(room, session id) of room keys stored since the caller last cleared it."""
        self.to_device_events: list[Raw] = []
        """Raw decrypted to-device events other than keys, since the caller last cleared it."""
        super().__init__(user_id, device_id, store)
        # Keys a crash left between making and uploading may be on the server, even claimed: never upload them again.
        self.mark_keys_as_published()
        self.fallback_wanted = not self.account.shared

    # -- from other devices ---------------------------------------------------------------------------------------

    def receive(self, raw: Raw) -> None:
        """Handles one raw encrypted to-device event.

        Its room key and the new state of its session are stored atomically.
        Raises `peewee.OperationalError` if the disk is full; see `reload`.
        """
        with (
            self.store.database.atomic(),
            drop_on_error("an encrypted to-device event", sender=str(raw.get("sender"))[:255]),
        ):
            event = ToDeviceEvent.parse_event(raw)
            if event is not None:
                self.handle_to_device_event(event)

    def reload(self) -> None:
        """Restores the stored state after a failed write, so that the work can be repeated."""
        account = self.store.load_account()
        if account is not None:
            self.account = account
        self.load()
        self.new_room_keys.clear()
        self.to_device_events.clear()

    def decrypt(self, sender: str, sender_key: str, message: Any) -> Any:
        try:
            event = super().decrypt(sender, sender_key, message)
        except vodozemac.SessionCreationException:
            # We lack the one-time key: the other side has a session that we cannot open.
            self._mark_device_for_unwedging(sender, sender_key)
            return None
        if isinstance(message, vodozemac.PreKeyMessage):
            self.save_account()  # nio saves before vodozemac removes the one-time key that was used
            self._forget_old_sessions(sender_key)
        return event

    def _forget_old_sessions(self, sender_key: str) -> None:
        sessions = self.session_store[sender_key]
        for session in sessions[MAX_SESSIONS:]:
            with self.store.database.bind_ctx([OlmSessions]):
                OlmSessions.delete().where(OlmSessions.session_id == session.id).execute()
        del sessions[MAX_SESSIONS:]

    def _handle_olm_event(self, sender: str, sender_key: str, payload: Raw) -> Any:
        """Stores room keys and passes on the rest. Forwarded keys are refused, because none is ever requested."""
        match payload["type"]:
            case "m.room_key":
                return super()._handle_olm_event(sender, sender_key, payload)
            case "m.dummy" | "m.forwarded_room_key":
                return None
            case type_:
                self.to_device_events.append({"type": type_, "sender": sender, "content": payload["content"]})
                return None

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        with drop_on_error("a room key", room=room_id, sender_key=sender_key):
            kept = self.inbound_group_store[room_id].get(sender_key, {}).get(session_id)
            if kept is not None:
                new = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
                if kept.first_known_index <= new.first_known_index:
                    return  # it would decrypt less than the one we have
            super().create_group_session(sender_key, sender_fp_key, room_id, session_id, session_key)
            ours = sender_key == self.account.identity_keys["curve25519"]  # our own messages are never read
            if not ours and session_id in self.inbound_group_store[room_id].get(sender_key, {}):
                self.new_room_keys.add((room_id, session_id))

    def handle_key_verification(self, event: object) -> None:
        """Never nio's: its sequence is not the specification's, and its assertions end the program."""

    # -- about other devices --------------------------------------------------------------------------------------

    def verify_json(self, json: Any, user_key: Any, user_id: str, device_id: str) -> bool:
        with drop_on_error("a signature", user=user_id, device=device_id):
            return bool(super().verify_json(json, user_key, user_id, device_id))
        return False

    def _handle_key_query(self, response: Any) -> None:
        """User by user, so that garbage of one does not affect the others."""
        changed: dict[str, Any] = {}
        with self.store.database.atomic():
            for user_id, devices in response.device_keys.items():
                one = copy.copy(response)
                self.users_for_key_query.discard(user_id)
                with drop_on_error("device keys", user=user_id):
                    # The names people give their devices are left out: nobody here needs to know them.
                    sound = {
                        id_: {**keys, "unsigned": {}} for id_, keys in devices.items() if _is_valid_device(id_, keys)
                    }
                    one.device_keys = {user_id: sound}
                    super()._handle_key_query(one)
                    changed.update(one.changed)
        response.changed = changed

    def _handle_key_claiming(self, response: Any) -> None:
        with self.store.database.atomic():
            for user_id, devices in response.one_time_keys.items():
                for device_id, key in devices.items() if isinstance(devices, dict) else ():
                    one = copy.copy(response)
                    one.one_time_keys = {user_id: {device_id: key}}
                    with drop_on_error("a one-time key", user=user_id, device=device_id):
                        super()._handle_key_claiming(one)

    # -- our own keys ---------------------------------------------------------------------------------------------

    @property
    def has_keys_to_upload(self) -> bool:
        return bool(self.should_upload_keys or self.fallback_wanted)

    def share_keys(self) -> Raw:
        """The body of `/keys/upload`. The keys are stored before they are sent: a crash loses no private key."""
        content: Raw = super().share_keys() if self.should_upload_keys else {}
        if self.fallback_wanted:
            account = self.account._account
            account.generate_fallback_key()
            content["fallback_keys"] = {
                f"signed_curve25519:{key_id}": self._signed({"key": key.to_base64(), "fallback": True})
                for key_id, key in account.fallback_key.items()
            }
        self.save_account()
        return content

    def _signed(self, thing: Raw) -> Raw:
        return {**thing, "signatures": {self.user_id: {f"ed25519:{self.device_id}": self.sign_json(thing)}}}

    def uploaded(self, count: int) -> None:
        """The homeserver accepted the keys of `share_keys` and now holds `count` one-time keys."""
        self.account.shared = True
        self.uploaded_key_count = count
        self.fallback_wanted = False
        self.discard_offered_keys()

    def discard_offered_keys(self) -> None:
        """The keys of `share_keys` may or may not have reached the homeserver: they are never offered again."""
        self.mark_keys_as_published()
        self.save_account()


def _is_valid_device(device_id: str, payload: object) -> bool:
    """Whether device keys are of the right shape, with keys that are points on their curves."""
    if not isinstance(payload, dict):
        return False
    keys = payload.get("keys")
    if not isinstance(keys, dict):
        return False
    with drop_on_error("the keys of a device", device=str(device_id)[:255]):
        vodozemac.Ed25519PublicKey.from_base64(keys[f"ed25519:{device_id}"])
        vodozemac.Curve25519PublicKey.from_base64(keys[f"curve25519:{device_id}"])
        return True
    return False
