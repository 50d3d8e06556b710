"""`erasures.jsonl` in the data folder: the erasures on request, kept apart from the database. A restored copy of the
database is older than some of them; those are done again (`bot/operations/backup.py`)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import structlog

from bot.ports import Database
from bot.storage import erasures
from bot.storage.erasures import Erasure

log = structlog.get_logger()

FILE = "erasures.jsonl"


class ErasureLog:
    """Writes what was committed to the file."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db, self._file = db, folder / FILE
        self._wake = asyncio.Event()
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.write()
            except OSError as error:
                log.error("erasures could not be logged", file=str(self._file), reason=str(error))

    async def write(self) -> None:
        """Moves the erasures that are not in the file yet from the database to it. Raises `OSError`.

        A crash in between writes some twice, which does no harm."""
        rows = await erasures.unlogged(self._db.reading())
        if not rows:
            return
        await asyncio.to_thread(_append, self._file, [erasure for _, erasure in rows])
        async with self._db.transaction() as tx:
            await erasures.logged(tx, rows[-1][0])
            await tx.erase()


def read(file: Path, since: int) -> Sequence[Erasure]:
    """The erasures of a file since an instant. A line that was not written whole is passed over."""
    found: list[Erasure] = []
    if not file.exists():
        return found
    for line in file.read_text("utf-8").splitlines():
        try:
            erasure = Erasure(**json.loads(line))
        except (ValueError, TypeError):
            continue
        if erasure.at >= since:
            found.append(erasure)
    return found


def _append(file: Path, new: Sequence[Erasure]) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(erasure), ensure_ascii=False) + "\n" for erasure in new)
        out.flush()
        os.fsync(out.fileno())
