"""Files on the homeserver: brought there for a message, and fetched for one. Encrypted where the room is.

The homeserver keeps the bytes, the message holds the address and, encrypted, the key and the hash (spec, "Sending
encrypted attachments"). So a file is never older, newer or another than its message says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from nio.crypto import decrypt_attachment, encrypt_attachment
from nio.exceptions import EncryptionError

from bot.core.errors import Refused, UserError
from bot.core.events import Event, Message, Undecryptable
from bot.core.files import File
from bot.core.texts import Text
from bot.matrix.http import Http, text
from bot.matrix.inbound import section, translate

if TYPE_CHECKING:
    from bot.matrix.crypto.engine import Engine

log = structlog.get_logger()

_ADDRESS = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]{1,255})/([A-Za-z0-9_-]{1,255})")

_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}", re.ASCII)  # RFC 6838, section 4.2
OCTETS = "application/octet-stream"

NO_FILE = Text("There is no file in that message.")
GONE = Text("That file is no longer there. Please send it again.")
CLOSED = Text("I do not have the key to that message. Please send the file again.")
DAMAGED = Text("That file arrived damaged. Please send it again.")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file is, and how it is opened."""

    server: str
    id: str
    key: str | None = None  # None: it lies there as it is
    iv: str = ""
    sha256: str = ""


class Media:
    def __init__(self, http: Http, user_id: str, crypto: Engine | None) -> None:
        self._http, self._user_id, self._crypto = http, user_id, crypto

    async def upload(self, file: File, *, encrypted: bool) -> Mapping[str, object]:
        """The `url` of the file, or where it is encrypted its `file`, for the content of a message."""
        path = "/_matrix/media/v3/upload"
        if not encrypted:
            type_ = file.mimetype if _TYPE.fullmatch(file.mimetype) else OCTETS  # it may be what a stranger's app said
            answer = await self._http.upload(path, file.content, type_, {"filename": file.name})
            return {"url": text(answer, "content_uri")}
        sealed, keys = encrypt_attachment(file.content)
        answer = await self._http.upload(path, sealed, OCTETS, {})  # its name is a secret, too
        return {"file": {**keys, "url": text(answer, "content_uri")}}

    async def fetch(self, room: str, event_id: str, most: int) -> tuple[Message, File]:
        """See `bot.ports.Transport.fetch`."""
        path = "/_matrix/client/v3/rooms/{}/event/{}"
        raw = await self._there(self._http.request("GET", path, room, event_id), most)
        message, content = await self._read(room, raw)
        # What was opened under another event id, or too long ago to know that it was not, stays closed.
        closed = message is None and raw.get("type") == "m.room.encrypted" and raw.get("sender") != self._user_id
        if closed or isinstance(message, Undecryptable):
            raise UserError(CLOSED)
        said = message.attachment if isinstance(message, Message) and message.event_id == event_id else None
        source = source_of(content, encrypted=isinstance(message, Message) and message.encrypted)
        if said is None or source is None or not isinstance(message, Message):
            raise UserError(NO_FILE)
        path = "/_matrix/client/v1/media/download/{}/{}"
        found = await self._there(self._http.download(path, source.server, source.id, most=most), most)
        return message, File(said.name, said.mimetype, opened(found, source))

    async def _read(self, room: str, raw: dict[str, Any]) -> tuple[Event | Undecryptable | None, dict[str, Any]]:
        """What an event says, and its content in the clear."""
        message: Event | Undecryptable | None = translate(room, raw, self._user_id)
        if message is None and self._crypto:
            await self._crypto.query_senders([raw])
            message, clear = self._crypto.read(room, raw)
            return message, section(clear or {}, "content")
        return message, section(raw, "content")

    async def _there(self, request: Any, most: int) -> Any:
        try:
            return await request
        except Refused as error:
            if error.code == "M_TOO_LARGE":
                raise too_large(most) from error
            log.info("a file could not be fetched", reason=str(error))
            raise UserError(GONE) from error


def source_of(content: Mapping[str, Any], *, encrypted: bool) -> Source | None:
    """Where the file of a message is. One that came encrypted has to be encrypted itself: whoever keeps it could
    change it, and nobody would notice."""
    sealed = content.get("file")
    if not isinstance(sealed, dict):
        address = None if encrypted else _address(content.get("url"))
        return Source(*address) if address else None
    address, key = _address(sealed.get("url")), section(sealed, "key").get("k")
    iv, sha256 = sealed.get("iv"), section(sealed, "hashes").get("sha256")
    if address and isinstance(key, str) and isinstance(iv, str) and isinstance(sha256, str):
        return Source(*address, key, iv, sha256)
    return None


def opened(found: bytes, source: Source) -> bytes:
    """The file itself. Raises `UserError` if it is another than its message says."""
    if source.key is None:
        return found
    try:
        content: bytes = decrypt_attachment(found, source.key, source.sha256, source.iv)
    except (EncryptionError, ValueError, TypeError, OverflowError) as error:  # keys, too, are what somebody wrote
        raise UserError(DAMAGED) from error
    return content


def too_large(most: int) -> UserError:
    return UserError(Text("That file is too large for me: {most} MB are the most.", most=most // 1_000_000))


def _address(url: object) -> tuple[str, str] | None:
    found = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
    return (found[1], found[2]) if found else None
