"""`faro doctor`: is the bot that uses this data folder well? Looks at files only, so it can run beside the bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.texts import Text
from bot.hubs import Hub
from bot.storage import position, rooms
from bot.storage.database import SqliteDatabase

SILENT_AFTER = 120_000  # ms: a long poll returns every 30 s even when nothing happens


@dataclass(frozen=True, slots=True)
class Finding:
    well: bool
    text: Text


async def examine(data_dir: Path, hubs: Sequence[Hub], now: int) -> Sequence[Finding]:
    """What is found, good and bad."""
    file = data_dir / "faro.db"
    if not file.exists():
        return [Finding(False, Text("The bot has never run with this data folder: {folder}", folder=data_dir))]
    findings = [_permissions(path) for path in (file, data_dir / "session.json") if path.exists()]
    async with SqliteDatabase(file) as db:
        at = await position.synced_at(db.reading())
        if at is None:
            findings.append(Finding(False, Text("The homeserver has not been heard yet.")))
        else:
            ago = max(0, now - at) // 1000
            findings.append(
                Finding(now - at < SILENT_AFTER, Text("Last heard from the homeserver {ago} s ago.", ago=ago))
            )
        joined = await rooms.joined_ids(db.reading())
        for hub in hubs:
            for room in hub.rooms:
                name = room.alias or room.id or ""
                id_ = room.id or await rooms.alias(db.reading(), name)
                if id_ in joined:
                    findings.append(Finding(True, Text("Hub {hub}: in {room}.", hub=hub.id, room=name)))
                else:
                    findings.append(Finding(False, Text("Hub {hub}: not in {room}.", hub=hub.id, room=name)))
    return findings


def _permissions(path: Path) -> Finding:
    mode = path.stat().st_mode & 0o077
    if mode:
        return Finding(False, Text("Others can read {file}; make it private: chmod 600 {file}", file=path))
    return Finding(True, Text("{file} is private.", file=path))
