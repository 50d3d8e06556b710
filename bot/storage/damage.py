"""What SQLite says of a file it cannot use, as a sentence for the operator."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bot.core.errors import DatabaseError, leaves
from bot.core.texts import Text


def unusable(error: BaseException, file: Path) -> DatabaseError | None:
    """The error for the operator if SQLite could not use the file; None for every other error.

    Looks into exception groups: the tasks of the running bot fail together.
    """
    for one in leaves(error):
        if isinstance(one, sqlite3.Error) and (text := _text(one, file)):
            return DatabaseError(text)
    return None


def is_damaged(error: BaseException) -> bool:
    """Whether trying again is of no use. A full disk or a lock may pass."""
    return isinstance(error, sqlite3.Error) and _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(file: Path, reason: object) -> Text:
    return Text(
        "{file} is damaged ({reason}). Stop the bot, move the file away and restore the latest backup.",
        file=file,
        reason=reason,
    )


def emptied(file: Path) -> Text:
    return Text(
        "{file} is empty: its content is lost. Restore the latest backup; to start with an empty "
        "database, delete the file.",
        file=file,
    )


def _text(error: sqlite3.Error, file: Path) -> Text | None:
    match _code(error):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(file, error)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH | sqlite3.SQLITE_READONLY:
            return Text(
                "{file} cannot be opened: the user that runs Faro must be able to read and write it and its folder.",
                file=file,
            )
        case sqlite3.SQLITE_FULL:
            return Text("The disk that holds {file} is full. Free some space, then start again.", file=file)
        case sqlite3.SQLITE_IOERR:
            return Text("{file} cannot be read or written ({reason}). Check the disk.", file=file, reason=error)
        case _:
            return None


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, the lowest byte of its extended codes; 0 for errors of Python's module itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
