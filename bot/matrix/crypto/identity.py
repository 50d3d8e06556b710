"""The bot's cross-signing identity: three keys, and the private file their seeds are kept in.

Whoever has the seeds can make any device pass for the bot; whoever loses them must make a new identity, and
everybody who verified the bot must do so again. They belong in the backup.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bot.core.errors import TransportError
from bot.core.texts import Text
from bot.matrix.crypto.signing import SigningKey, decode, encode

Usage = Literal["master", "self_signing", "user_signing"]
USAGES: tuple[Usage, ...] = get_args(Usage)

FILE = "identity.json"
NEXT = "identity.next.json"  # of a reset whose end is not known yet


class IdentityError(TransportError):
    """The operator must do something before others can trust the bot; `text` says what."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Identity:
    """The three keys of one account. The master key signs the other two; the self-signing key signs devices."""

    user_id: str
    keys: Mapping[Usage, SigningKey]

    @classmethod
    def new(cls, user_id: str) -> Identity:
        return cls(user_id, {usage: SigningKey.new() for usage in USAGES})

    @classmethod
    def from_seeds(cls, user_id: str, seeds: Mapping[Usage, bytes]) -> Identity:
        """Raises `ValueError`."""
        return cls(user_id, {usage: SigningKey(seeds[usage]) for usage in USAGES})

    def public(self, usage: Usage) -> dict[str, Any]:
        """The object others see; signed by the master key, unless it is the master key's own."""
        key = self.keys[usage]
        content = {"user_id": self.user_id, "usage": [usage], "keys": {key.id: key.public}}
        return content if usage == "master" else self.keys["master"].sign(self.user_id, content)


def load(file: Path, user_id: str) -> Identity | None:
    """None if there is no file. Raises `IdentityError` if it cannot be used."""
    try:
        kept = json.loads(file.read_text("utf-8"))
        if kept["user_id"] == user_id:
            return Identity.from_seeds(user_id, {usage: decode(kept[usage]) for usage in USAGES})
    except FileNotFoundError:
        return None
    except OSError as error:
        text = Text("{file} cannot be read: {reason}. It must belong to the bot's user.", file=file, reason=error)
        raise IdentityError(text) from error
    except (ValueError, KeyError, TypeError) as error:
        raise IdentityError(Text("{file} is damaged. Restore it from a backup.", file=file)) from error
    owner = kept["user_id"]
    raise IdentityError(Text("{file} belongs to {owner}, not to {user}.", file=file, owner=owner, user=user_id))


def keep(file: Path, identity: Identity) -> None:
    """Stores the seeds, synced to disk. Raises `IdentityError`."""
    seeds: dict[str, object] = {usage: encode(key.seed) for usage, key in identity.keys.items()}
    try:
        write_private(file, {"user_id": identity.user_id, **seeds})
    except OSError as error:
        raise IdentityError(Text("{file} cannot be written: {reason}", file=file, reason=error)) from error


def write_private(file: Path, content: Mapping[str, object]) -> None:
    """Writes JSON atomically, readable by the owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(content, out)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Syncs the folder's entries to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
