"""Replay protection: no encrypted message counts twice, not even after a restart.

Homeservers could send a ciphertext again under a new event id. A room key numbers its messages, so each number
belongs to one event. Only digests and the day are stored, nothing that names a person or a room.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.ports import Clock

DAY = 86_400_000  # ms
KEPT = 60  # days

_TABLE = (
    "CREATE TABLE IF NOT EXISTS faro_opened (key BLOB NOT NULL, number INTEGER NOT NULL, event BLOB NOT NULL,"
    " day INTEGER NOT NULL, PRIMARY KEY (key, number)) WITHOUT ROWID"
)
# Of expired rows the highest number of each key stays: it covers all lower ones.
_TIDY = (
    "DELETE FROM faro_opened WHERE day < ? AND number <"
    " (SELECT max(number) FROM faro_opened AS old WHERE old.key = faro_opened.key AND old.day < ?)"
)


class ReplayGuard:
    """Stored beside the keys, because it is useless without them. `database` is peewee's; nio has no types.

    Raises `peewee.OperationalError` if the disk is full.
    """

    def __init__(self, database: Any, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._tidied: int | None = None
        database.execute_sql(_TABLE)

    def accept(self, event_id: str, key: tuple[str, str], number: int) -> bool:
        """Whether a key's message of this number was never decrypted, or only as this event; then stores it.

        After `KEPT` days single messages are no longer distinguished: a number below the highest one counts as used.
        """
        today, which, event = self._clock.now() // DAY, _digest(*key), _digest(event_id)
        with self._database.atomic():
            self._tidy(today)
            if before := self._one("SELECT event FROM faro_opened WHERE key = ? AND number = ?", which, number):
                return bytes(before[0]) == event
            later = "SELECT 1 FROM faro_opened WHERE key = ? AND number > ? AND day < ? LIMIT 1"
            if self._one(later, which, number, today - KEPT):
                return False
            self._database.execute_sql("INSERT INTO faro_opened VALUES (?, ?, ?, ?)", (which, number, event, today))
            return True

    def _tidy(self, today: int) -> None:
        if self._tidied != today:
            self._database.execute_sql(_TIDY, (today - KEPT, today - KEPT))
            self._tidied = today

    def _one(self, sql: str, *values: object) -> Any:
        return self._database.execute_sql(sql, values).fetchone()


def _digest(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()[:16]
