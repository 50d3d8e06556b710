"""A backup is one file: a tar archive with the database, the configuration, the account's identity and the keys of
messages the bot could read; never the device itself (its Olm account, sessions and token), of which there must be one.

With a passphrase the archive holds two files in the `age` format instead (https://age-encryption.org): `key.age`, a key
that the passphrase opens, and `backup.tar.age`, which that key opens. So any `age` program can open it, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from bot import __version__
from bot.config.load import Loaded
from bot.core.durations import Duration
from bot.core.errors import FaroError
from bot.core.texts import Text
from bot.operations.erasure_log import FILE as ERASURES

FORMAT = 1
SUFFIX = ".faro-backup"
DATABASE, SESSION, IDENTITY, ROOM_KEYS = "faro.db", "session.json", "crypto/identity.json", "crypto/room-keys.json"
MOVED = "moved.json"  # in the data folder of an installation that was moved away

Kind = Literal["backup", "move"]

_AUTOMATIC = re.compile(r"faro-[a-z0-9._=/+-]+-(\d{8}T\d{6})Z" + re.escape(SUFFIX))


class BackupError(FaroError):
    """Nothing was written, or what was begun was removed again; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `steps`: the last schema step of each owner. `files`: names → SHA-256, under `config/` the
    configuration, under `data/` the data folder."""

    format: int
    kind: Kind
    faro: str
    made_at: int
    user: str
    config: str
    steps: Mapping[str, int]
    files: Mapping[str, str]


def make(
    loaded: Loaded, config: Path, target: Path, now: int, *, kind: Kind = "backup", passphrase: str | None = None
) -> Path:
    """Makes a backup in `target` (a file that does not exist, or a folder); answers its file. The bot may run
    meanwhile, but for a move. Raises `BackupError` and `OSError`."""
    database = loaded.data_dir / DATABASE
    if not database.exists():
        raise BackupError(Text("The bot has never run with this data folder: {folder}", folder=loaded.data_dir))
    file = target / _name(loaded.config.user, now) if target.is_dir() else target
    if file.exists():
        raise BackupError(Text("{file} exists already.", file=file))
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as name:
        folder = Path(name)
        members = _members(loaded, config, folder, kind)
        manifest = Manifest(
            FORMAT,
            kind,
            __version__,
            now,
            loaded.config.user,
            config.name,
            _steps(folder / DATABASE),
            {path: _digest(source) for path, source in members.items()},
        )
        unfinished = folder / "archive"
        with _private(unfinished) as out:
            if passphrase is None:
                _write(out, manifest, members)
            else:
                _write_encrypted(out, manifest, members, passphrase, folder)
            out.flush()
            os.fsync(out.fileno())
        os.link(unfinished, file)  # unlike a rename, it never replaces a file
    return file


def drop_old(folder: Path, user: str, keep: Duration, now: int) -> Sequence[Path]:
    """Deletes backups that `make` named itself and that are older than `keep`; answers which."""
    dropped = []
    for file in sorted(folder.glob(f"faro-{_safe(user)}-*{SUFFIX}")):
        made = _AUTOMATIC.fullmatch(file.name)
        if made and now - keep.milliseconds > _instant(made[1]):
            file.unlink()
            dropped.append(file)
    return dropped


@contextmanager
def opened(file: Path, passphrase: str | None) -> Iterator[tuple[Manifest, Path]]:
    """A backup's manifest, and a temporary folder with its files, whose digests are right. Raises `BackupError`."""
    with tempfile.TemporaryDirectory(prefix="faro-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(file) as archive:
                names = set(archive.getnames())
                if names == {"key.age", "backup.tar.age"}:
                    if passphrase is None:
                        raise BackupError(Text("{file} is encrypted: pass --passphrase-file.", file=file))
                    with _decrypted(archive, passphrase, folder) as inner:
                        _extract(inner, folder)
                else:
                    _extract(archive, folder)
            manifest = Manifest(**json.loads((folder / "manifest.json").read_text("utf-8")))
        except (tarfile.TarError, OSError, ValueError, TypeError, KeyError) as error:
            raise BackupError(
                Text("{file} is damaged, or no backup of Faro: {reason}", file=file, reason=error)
            ) from error
        _check(manifest, folder, file)
        yield manifest, folder


def put_in_place(manifest: Manifest, folder: Path, config: Path, data_dir: Path) -> None:
    """Copies the files of an opened backup to where they belong; nothing there may exist. Raises `BackupError`."""
    places = {
        name: config.parent / name.removeprefix("config/") if name.startswith("config/") else data_dir / name[5:]
        for name in manifest.files
    }
    main = config.parent / manifest.config
    places = {name: config if place == main else place for name, place in places.items()}
    occupied = [data_dir / SESSION, *places.values()]
    if there := next((place for place in occupied if place.exists()), None):
        raise BackupError(Text("{file} exists already; restore into an empty folder.", file=there))
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, place in places.items():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _private(place) as out, (folder / name).open("rb") as source:
            while chunk := source.read(1_000_000):
                out.write(chunk)


def mark_moved(data_dir: Path, now: int) -> None:
    """From now on the bot does not start with this data folder."""
    with _private(data_dir / MOVED) as out:
        out.write(json.dumps({"at": now}).encode())


def moved_at(data_dir: Path) -> str | None:
    """The day an installation was moved away from this data folder; None if it was not."""
    try:
        at = json.loads((data_dir / MOVED).read_text("utf-8"))["at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


# -- what belongs in it -----------------------------------------------------------------------------------------------


def _members(loaded: Loaded, config: Path, folder: Path, kind: Kind) -> Mapping[str, Path]:
    """The files of a backup by their names in it; those that are made for it are in `folder`."""
    data, members = loaded.data_dir, {f"config/{config.name}": config}
    for pattern in loaded.config.include:
        for found in sorted(loaded.base.glob(pattern)):
            members[f"config/{found.relative_to(loaded.base)}"] = found
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / DATABASE),))
    members[f"data/{DATABASE}"] = folder / DATABASE
    if (data / IDENTITY).exists():
        members[f"data/{IDENTITY}"] = data / IDENTITY
    if kind == "move":
        for found in (data / SESSION, data / ERASURES, *sorted((data / "crypto").rglob("*"))):
            if found.is_file():
                members[f"data/{found.relative_to(data)}"] = found
    elif keys := _room_keys(loaded, folder):
        members[f"data/{ROOM_KEYS}"] = keys
    return members


def _room_keys(loaded: Loaded, folder: Path) -> Path | None:
    """A file with the inbound room keys of the bot's device; None without a device or encryption."""
    session = loaded.data_dir / SESSION
    if not session.exists():
        return None
    try:
        from bot.matrix.crypto import room_keys
    except ImportError:
        return None
    device = json.loads(session.read_text("utf-8"))["device_id"]
    keys = room_keys.export(loaded.data_dir / "crypto", loaded.config.user, device)
    if not keys:
        return None
    file = folder / "room-keys.json"
    with _private(file) as out:
        out.write(json.dumps(keys).encode())
    return file


def _steps(database: Path) -> Mapping[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT owner, max(step) FROM core_migrations GROUP BY owner").fetchall())


# -- the archive ------------------------------------------------------------------------------------------------------


def _write(out: IO[bytes], manifest: Manifest, members: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=out, mode="w") as archive:
        _add(archive, "manifest.json", json.dumps(asdict(manifest), indent=2).encode())
        for name, source in members.items():
            archive.add(source, name, filter=_plain)


def _write_encrypted(
    out: IO[bytes], manifest: Manifest, members: Mapping[str, Path], passphrase: str, folder: Path
) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    with (folder / "plain").open("w+b") as plain:
        _write(plain, manifest, members)
    with (folder / "plain").open("rb") as plain, (folder / "closed").open("wb") as closed:
        pyrage.encrypt_io(plain, closed, [identity.to_public()])
    with tarfile.open(fileobj=out, mode="w") as archive:
        _add(archive, "key.age", pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        archive.add(folder / "closed", "backup.tar.age", filter=_plain)


@contextmanager
def _decrypted(archive: tarfile.TarFile, passphrase: str, folder: Path) -> Iterator[tarfile.TarFile]:
    import pyrage

    sealed = _read(archive, "key.age")
    try:
        identity = pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(sealed, passphrase).decode())
    except pyrage.DecryptError as error:
        raise BackupError(Text("The passphrase is wrong.")) from error
    closed = archive.extractfile("backup.tar.age")
    try:
        with (folder / "plain").open("wb") as plain:
            pyrage.decrypt_io(closed, plain, [identity])
    except pyrage.DecryptError as error:
        raise ValueError(str(error)) from error
    with tarfile.open(folder / "plain") as inner:
        yield inner
    (folder / "plain").unlink()


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    archive.extractall(folder, filter="data")


def _check(manifest: Manifest, folder: Path, file: Path) -> None:
    if manifest.format > FORMAT:
        raise BackupError(
            Text("{file} was made by a newer version of Faro ({version}).", file=file, version=manifest.faro)
        )
    for name, digest in manifest.files.items():
        source = folder / name
        if not name.startswith(("config/", "data/")) or not source.is_file() or _digest(source) != digest:
            raise BackupError(Text("{file} is damaged: {name} is not what it was.", file=file, name=name))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    return member.read() if member else b""


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nothing of the machine: owners' names and the like."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


@contextmanager
def _private(file: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner can read."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as out:
        yield out


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _name(user: str, now: int) -> str:
    made = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"faro-{_safe(user)}-{made}{SUFFIX}"


def _safe(user: str) -> str:
    return user[1:].partition(":")[0].replace("/", "_")


def _instant(written: str) -> int:
    return round(datetime.strptime(f"{written}+0000", "%Y%m%dT%H%M%S%z").timestamp() * 1000)
