"""The keys on disk: `crypto/<device>.db` in the data folder, readable by the owner only.

nio encrypts what it stores with a fixed passphrase, so the file's mode is the protection. Back it
up with the rest, never use it in two processes, and never restore it if the bot ran since the copy was made.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nio.store import SqliteStore
from peewee import PeeweeException

from bot.core.errors import TransportError

PICKLE_KEY = "faro"


class StoreError(TransportError):
    """The keys on disk cannot be read; the operator must put them back, or start over."""

    def __init__(self, folder: Path, reason: object) -> None:
        super().__init__(
            f"the encryption keys in {folder} cannot be read ({reason}); put them back from a backup, or move the "
            "folder and session.json away, so that the bot logs in as a new device"
        )


def open_store(folder: Path, user_id: str, device_id: str) -> Any:
    """nio's SQLite store of this device; made if there is none. Raises `StoreError`. Any: nio has no types."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    name = f"{quote(device_id, safe='')}.db"
    file = folder / name
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    file.chmod(0o600)  # SQLite gives its -wal and -shm files the mode of the main file
    try:
        store = SqliteStore(user_id, device_id, str(folder), PICKLE_KEY, name)
        # Without WAL a commit per device would block the event loop for a second with 50 devices.
        store.database.execute_sql("PRAGMA journal_mode = WAL")
        store.database.execute_sql("PRAGMA synchronous = NORMAL")
    except PeeweeException as error:
        raise StoreError(folder, error) from error
    return store
