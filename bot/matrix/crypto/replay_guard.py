"""Which messages were opened before, so that none counts twice: not after a restart either.

Whoever keeps a ciphertext, as every homeserver does, can show it again under a new event id. A room key numbers its
messages, so each number is one event for ever. Kept are digests and the day, nothing that names a person or a room.
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
# Of what is too old the highest number of a key stays: it stands for all below it.
_TIDY = (
    "DELETE FROM faro_opened WHERE day < ? AND number <"
    " (SELECT max(number) FROM faro_opened AS old WHERE old.key = faro_opened.key AND old.day < ?)"
)


class ReplayGuard:
    """In the store of the keys: who has not the one needs not the other. `database` is peewee's; nio has no types.

    Raises `peewee.OperationalError` if the disk takes nothing.
    """

    def __init__(self, database: Any, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._tidied: int | None = None
        database.execute_sql(_TABLE)

    def accept(self, event_id: str, key: tuple[str, str], number: int) -> bool:
        """Whether a key's message of this number was never opened, or as this event only; then that is noted.

        After `KEPT` days no more is known of single messages: whatever is older than one opened then counts as opened.
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
