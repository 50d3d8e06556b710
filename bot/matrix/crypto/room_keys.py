"""The keys of messages the bot could read, taken out of one device's store and put into another's.

They open messages; they sign and send nothing. The format is that of the specification's key export ("Key exports"),
without its encryption: the backup as a whole is encrypted."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nio.crypto.sessions import InboundGroupSession
from nio.store import SqliteStore

from bot.matrix.crypto.store import PICKLE_KEY

FILE = "room-keys.json"
"""In `crypto/`: keys that the next device to be opened takes in."""
ALGORITHM = "m.megolm.v1.aes-sha2"


def export(folder: Path, user_id: str, device_id: str) -> list[dict[str, Any]]:
    """The inbound keys in a device's store. It is copied first, so the bot may run meanwhile."""
    file = folder / f"{quote(device_id, safe='')}.db"
    if not file.exists():
        return []
    with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as copy:
        for part in folder.glob(f"{file.name}*"):
            shutil.copy2(part, copy)
        store = SqliteStore(user_id, device_id, copy, PICKLE_KEY, file.name)
        try:
            return [_exported(session) for session in store.load_inbound_group_sessions()]
        finally:
            store.database.close()


def take_in(machine: Any, folder: Path) -> int:
    """Puts the waiting keys into an open device's store; answers how many. Any: nio has no types."""
    file = folder / FILE
    if not file.exists():
        return 0
    keys = json.loads(file.read_text("utf-8"))
    for key in keys:
        session = InboundGroupSession.import_session(
            key["session_key"],
            key["sender_claimed_keys"]["ed25519"],
            key["sender_key"],
            key["room_id"],
            key["forwarding_curve25519_key_chain"],
        )
        machine.inbound_group_store.add(session)
        machine.store.save_inbound_group_session(session)
    file.unlink()
    return len(keys)


def _exported(session: Any) -> dict[str, Any]:
    return {
        "algorithm": ALGORITHM,
        "room_id": session.room_id,
        "sender_key": session.sender_key,
        "sender_claimed_keys": {"ed25519": session.ed25519},
        "forwarding_curve25519_key_chain": session.forwarding_chain,
        "session_id": session.id,
        "session_key": session.export_session(session.first_known_index),
    }
