"""Errors of the operating system about files, as sentences for the operator."""

from __future__ import annotations

import errno
import getpass

from bot.core.errors import leaves
from bot.core.texts import Text


def sentence_of(error: BaseException) -> Text | None:
    """What to tell the operator about a file that cannot be used; None for every other error.

    Looks into exception groups: what failed may be one of several tasks.
    """
    for one in leaves(error):
        if isinstance(one, OSError) and one.filename is not None:
            return _sentence(one)
    return None


def _sentence(error: OSError) -> Text:
    file = error.filename
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return Text(
                "{user}, the user that runs Faro, has no access to {file}: allow this user to read and write it.",
                file=file,
                user=_user(),
            )
        case errno.EROFS:
            return Text("{file} cannot be written: its file system is read-only.", file=file)
        case errno.ENOSPC | errno.EDQUOT:
            return Text("{file} cannot be written: the disk is full. Free some space, then start again.", file=file)
        case _:
            return Text("{file} cannot be used: {reason}.", file=file, reason=error.strerror)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "?"
