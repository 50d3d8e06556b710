"""The health checks of `faro doctor`. They only read files, so they can run beside the bot.

The running bot makes the same checks (`bot/operations/monitor.py`) and logs their results.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.config.load import Loaded
from bot.core.errors import DatabaseError
from bot.core.texts import Text
from bot.hubs import Hub, Room
from bot.operations.room_checks import Finding, Level, RoomOfHub, check, leads_elsewhere
from bot.ports import Reader
from bot.runtime.migrations import SCHEMA
from bot.storage import absent_plugins, crypto_status, made_rooms, rechecks, rooms, sync_token, undecryptable
from bot.storage.damage import damaged
from bot.storage.database import SqliteDatabase, steps_in
from bot.storage.rechecks import RunningRecheck

MISSING = Text("Encryption does not work here: vodozemac is missing; install Faro with all its dependencies.")
SILENT_AFTER = 120_000  # ms: a long poll returns every 30 s at the latest
DAY = 86_400_000  # ms
MIN_FREE = 200  # MB; with less the database may soon be unable to grow
MAX_SKEW = 60  # seconds; with more, reminders and the age of questions are wrong


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """The installation to check."""

    data_dir: Path
    user: str
    hubs: Sequence[Hub]
    encrypts: bool  # whether vodozemac is installed
    operators: Sequence[str] = ()


def check_target(loaded: Loaded) -> CheckTarget:
    """The installation of a configuration. Does not import nio to find out whether it can encrypt."""
    encrypts = find_spec("vodozemac") is not None
    config = loaded.config
    return CheckTarget(loaded.data_dir, config.user, config.hubs, encrypts, config.operators)


async def diagnose(target: CheckTarget, now: int) -> Sequence[Finding]:
    """All findings of the data folder."""
    file = target.data_dir / "faro.db"
    if not file.exists():
        text = Text("The bot has never run with this data folder: {folder}", folder=target.data_dir)
        return [Finding("trouble", "never_run", text)]
    findings = check_files(target.data_dir)  # before the database is opened, which makes its file private
    try:
        async with SqliteDatabase(file) as database:
            db = database.reading()
            done = await db.value("SELECT max(step) FROM core_migrations WHERE owner = 'core'")
            if done != steps_in(SCHEMA)[-1].number:
                text = Text("Faro was updated and the bot has not been started since. Start it once, then try again.")
                return [*findings, Finding("trouble", "not_started", text)]
            return [*findings, await check_integrity(db, file), *await check_database(db, target, now)]
    except DatabaseError as error:
        return [*findings, Finding("trouble", "database", error.text)]


def check_files(folder: Path) -> Sequence[Finding]:
    """Findings about file modes and disk space, without opening a file."""
    return [*_file_modes(folder), check_disk(shutil.disk_usage(folder).free // 1_000_000)]


async def check_integrity(db: Reader, file: Path) -> Finding:
    """The finding about the whole file, all of which is read: seconds for a large one, so the running bot does not."""
    reason = await db.value("PRAGMA quick_check(1)")
    if reason != "ok":
        return Finding("trouble", "database", damaged(file, reason))
    return Finding("ok", "database", Text("The database is intact."))


async def check_database(db: Reader, target: CheckTarget, now: int) -> Sequence[Finding]:
    """Findings from the database."""
    findings = [_sync_age(await sync_token.synced_at(db), now)]
    findings += [_absent(plugin) for plugin in await absent_plugins.absent(db)]
    findings += [finding for recheck in await rechecks.known(db) for finding in _recheck(recheck)]
    encrypted = False
    for hub in target.hubs:
        for room in hub.rooms:
            found, closed = await _room(db, target, hub, room, now)
            findings += found
            encrypted = encrypted or closed
    if not target.encrypts:
        unreadable = await rooms.encrypted_among(db, await rooms.joined_ids(db))
        findings.append(Finding("trouble" if unreadable else "note", "encryption", MISSING))
    elif encrypted:
        findings.append(_device(await crypto_status.status(db)))
    return findings


def check_clock(seconds: float | None) -> Finding:
    """The finding for a clock difference (None: the homeserver did not answer)."""
    if seconds is None:
        return Finding("note", "clock", Text("The homeserver did not answer, so its clock could not be checked."))
    if abs(seconds) > MAX_SKEW:
        text = Text(
            "The clocks of this machine and the homeserver differ by {seconds} s; correct them.",
            seconds=round(abs(seconds)),
        )
        return Finding("trouble", "clock", text)
    return Finding("ok", "clock", Text("The clocks of this machine and the homeserver agree."))


def check_disk(free: int) -> Finding:
    """The finding for `free` MB of disk space."""
    if free < MIN_FREE:
        return Finding("trouble", "disk", Text("Only {free} MB of disk space left.", free=free))
    return Finding("ok", "disk", Text("{free} MB of disk space are free.", free=free))


def _recheck(recheck: RunningRecheck) -> Iterator[Finding]:
    if recheck.total:
        text = Text(
            "After a gap, {checked} of {total} stored messages of {room} are checked; the others are not shown yet.",
            checked=recheck.checked,
            total=recheck.total,
            room=recheck.room,
        )
        yield Finding("note", "rechecking", text)
    if recheck.unknown:
        text = Text(
            "The homeserver no longer knows {count} stored messages of {room}; what they shared is kept.",
            count=recheck.unknown,
            room=recheck.room,
        )
        yield Finding("note", "unknown_messages", text)


def _absent(plugin: str) -> Finding:
    text = Text(
        "The bot runs without the plugin '{name}', whose data is in the database: what it holds cannot be found, and "
        "deletions wait until it is back.",
        name=plugin,
    )
    return Finding("trouble", f"absent_{plugin}", text)


def _sync_age(at: int | None, now: int) -> Finding:
    if at is None:
        return Finding("trouble", "heard", Text("The homeserver has not answered yet."))
    text = Text("Last heard from the homeserver {ago} s ago.", ago=max(0, now - at) // 1000)
    return Finding("ok" if now - at < SILENT_AFTER else "trouble", "heard", text)


def _file_modes(folder: Path) -> Iterator[Finding]:
    """Nobody else may write the folder, or read its files."""
    if folder.stat().st_mode & 0o022:
        text = Text("Others can write in {folder}; make it private: chmod 700 {folder}", folder=folder)
        yield Finding("trouble", "private", text)
    found = sorted(folder.glob("faro.db*"))  # with SQLite's WAL files, and copies
    found += [folder / "session.json"] if (folder / "session.json").exists() else []
    found += sorted(path for path in (folder / "crypto").rglob("*") if path.is_file())
    open_ = [path for path in found if path.stat().st_mode & 0o077]
    for path in open_:
        text = Text("Others can read {file}; make it private: chmod 600 {file}", file=path)
        yield Finding("trouble", "private", text)
    if not open_:
        yield Finding("ok", "private", Text("The files in {folder} are private.", folder=folder))


def _device(status: crypto_status.CryptoStatus | None) -> Finding:
    if status is None:
        return Finding("note", "signed", Text("Whether the bot's device is cross-signed is not known yet."))
    if status.cross_signed:
        return Finding("ok", "signed", Text("The bot's device {device} is cross-signed.", device=status.device))
    text = Text(
        "The bot's device {device} is not cross-signed: apps may not share their keys with it.", device=status.device
    )
    return Finding("trouble", "signed", text)


# -- one room -----------------------------------------------------------------------------------------------------


async def _room(db: Reader, target: CheckTarget, hub: Hub, room: Room, now: int) -> tuple[Sequence[Finding], bool]:
    """Findings about a hub's room, and whether it is encrypted."""
    name = room.alias or room.id or ""
    findings: list[Finding] = []
    id_ = await made_rooms.room_id(db, id_=room.id, alias=room.alias)
    known = await rooms.joined_room(db, id_) if id_ else None
    if room.alias and (elsewhere := await made_rooms.elsewhere(db, room.alias)):
        findings.append(leads_elsewhere(hub, name, elsewhere))
    if known is None:
        text = Text("Hub {hub}: the bot is not in {room}.", hub=hub.id, room=name)
        return [*findings, Finding("trouble", "joined", text, hub.id, name)], False
    of_hub = RoomOfHub(hub, room, known.id, known.state, await made_rooms.grants(db, known.id))
    findings += check(of_hub, target.user, target.operators)
    if known.encrypted:
        closed = await _unreadable(db, target, hub.id, known.id, name, now)
        findings += [Finding(level, code, text, hub.id, name) for level, code, text in closed]
    return findings, known.encrypted


async def _unreadable(
    db: Reader, target: CheckTarget, hub: str, room: str, name: str, now: int
) -> Sequence[tuple[Level, str, Text]]:
    """Findings about undecryptable messages in an encrypted room."""
    if not target.encrypts:
        text = Text(
            "Hub {hub}: encryption does not work here, so the bot cannot read or write in {room}.", hub=hub, room=name
        )
        return [("trouble", "deaf", text)]
    found: list[tuple[Level, str, Text]] = []
    unread = await undecryptable.count_unread(db, room, now - DAY)
    if unread.events:
        heard = await rooms.decrypted_at(db, room)
        # One client that withholds its keys is no problem; two are, if nothing was decrypted since.
        silent = heard is None or heard < now - DAY or (unread.people > 1 and heard < unread.first)
        if silent:
            text = Text("Hub {hub}: the bot cannot read what people write in {room}.", hub=hub, room=name)
            found.append(("trouble", "deaf", text))
        text = Text(
            "Hub {hub}: {count} messages in {room} could not be decrypted in the last day.",
            hub=hub,
            room=name,
            count=unread.events,
        )
        found.append(("note", "unread", text))
    withholding = await undecryptable.count_withholding(db, room, now - DAY)
    if withholding:
        text = Text(
            "Hub {hub}: in {room}, the apps of {count} people withheld their keys in the last day.",
            hub=hub,
            room=name,
            count=withholding,
        )
        found.append(("note", "withheld", text))
    return found
