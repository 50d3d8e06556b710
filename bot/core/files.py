"""Files that messages carry: what is said of them, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

LARGEST = 5_000_000  # bytes of a file, either way: it waits in the database and is held in memory


@dataclass(frozen=True, slots=True)
class Attachment:
    """A message carries a file. All of it is what the sender's app says; nothing was checked."""

    name: str
    mimetype: str  # "" if the app does not say
    size: int | None  # bytes
    url: str = field(default="", compare=False)
    """Where its bytes lie, `mxc://…` ("" if that is no such address); in encrypted rooms they lie there encrypted. The
    same file may lie in several places."""


@dataclass(frozen=True, slots=True)
class File:
    """A file with its bytes, at most `LARGEST`; more raises `ValueError`."""

    name: str
    mimetype: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.content) > LARGEST:
            raise ValueError(f"a file of {len(self.content)} bytes; {LARGEST} are the most")
