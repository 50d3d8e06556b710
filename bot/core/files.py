"""Files that messages carry: what is said of them, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

LARGEST = 5_000_000  # bytes of a file, either way: it waits in the database and is held in memory


@dataclass(frozen=True, slots=True)
class Attachment:
    """The file of a message, as the sender's client describes it; nothing of it is verified. `JobContext.fetch`
    downloads it.

    Example::

        if message.attachment and message.attachment.mimetype == "application/pdf":
            await ctx.schedule.job("scan", message.event_id, room=message.room, event=message.event_id)
    """

    name: str
    mimetype: str  # "" if the app does not say
    size: int | None  # bytes
    url: str = field(default="", compare=False)
    """Where it is stored, `mxc://…` ("" if the message names no such address); encrypted in encrypted rooms. One file
    can have several addresses."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to send, or one that was downloaded. Raises `ValueError` if `content` has more than 5,000,000 bytes.

    >>> File("wishes.csv", "text/csv", b"title").name
    'wishes.csv'
    """

    name: str
    mimetype: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.content) > LARGEST:
            raise ValueError(f"a file of {len(self.content)} bytes; {LARGEST} are the most")
