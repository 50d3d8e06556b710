"""Every error of our own. The type says who must act.

FaroError
├── UserError          the member who asked: the text is the answer they get
│   └── UsageError     … because the command was written wrongly
├── ConfigError        the moderator or operator: problems with file, line and remedy
├── DatabaseError      the operator: the database file cannot be used as it is
├── PluginError        the plugin's author: the plugin is left out, the rest runs
└── TransportError     the homeserver said no, or did not answer
    ├── Unavailable    nobody yet: try again after `retry_after` seconds
    ├── Refused        the operator: this will not work however often it is tried
    └── LoggedOut      the operator: the session is gone for good; the process ends with exit code 3
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.texts import Text


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group consists of, at any depth; of anything else the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


class FaroError(Exception):
    """The root of the tree."""


class UserError(FaroError):
    """Raised for what the sender of a command can correct. `text`, a translated sentence or a `Text`, is the answer.

    Example::

        raise UserError(ctx.t("There is no wish with the number {number}.", number=number))
    """

    def __init__(self, text: str | Text) -> None:
        super().__init__(str(text))
        self.text = text


class UsageError(UserError):
    """Raised if a command is written wrongly; the answer also shows how to write it.

    Example::

        raise UsageError(ctx.t("The date must look like 2027-01-31."))
    """


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a YAML file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str  # "hubs[0].meetings[1].remind", or "" for the file as a whole
    message: Text

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class ConfigError(FaroError):
    """The configuration cannot be used; `problems` lists every mistake in all files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class DatabaseError(FaroError):
    """The database file cannot be used as it is; `text` says what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class PluginError(FaroError):
    """A plugin cannot be used because of its tables, commands or settings; it is left out, and the start reports
    why."""


class TransportError(FaroError):
    """A request to the homeserver failed."""


class Unavailable(TransportError):  # noqa: N818 - the type says what is the matter, not that it is an error
    """Homeserver down, busy or erring: the same request may work after `retry_after` seconds (None: not said)."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refused(TransportError):  # noqa: N818 - see Unavailable
    """The homeserver understood and said no (`code` is its errcode, as M_FORBIDDEN)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class LoggedOut(TransportError):  # noqa: N818 - see Unavailable
    """The access token is no longer accepted."""
