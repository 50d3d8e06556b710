"""Uploads and downloads the files of messages, encrypted in encrypted rooms.

The homeserver stores the bytes; the message holds the address and, encrypted, the key and the hash (spec, "Sending
encrypted attachments"), so a file that was replaced is detected.
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
GONE = Text("The file is no longer available. Please send it again.")
NO_KEY = Text("I don't have the key to that message. Please send the file again.")
DAMAGED = Text("The file arrived damaged. Please send it again.")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file is, and how it is decrypted."""

    server: str
    id: str
    key: str | None = None  # None: not encrypted
    iv: str = ""
    sha256: str = ""


class Media:
    def __init__(self, http: Http, user_id: str, crypto: Engine | None) -> None:
        self._http, self._user_id, self._crypto = http, user_id, crypto

    async def upload(self, file: File, *, encrypted: bool) -> Mapping[str, object]:
        """The `url` of the file, or where it is encrypted its `file`, for the content of a message."""
        path = "/_matrix/media/v3/upload"
        if not encrypted:
            # A type may come from a stranger's client.
            type_ = file.mimetype if _TYPE.fullmatch(file.mimetype) else OCTETS
            answer = await self._http.upload(path, file.content, type_, {"filename": file.name})
            return {"url": text(answer, "content_uri")}
        sealed, keys = encrypt_attachment(file.content)
        answer = await self._http.upload(path, sealed, OCTETS, {})  # the name is secret as well
        return {"file": {**keys, "url": text(answer, "content_uri")}}

    async def fetch(self, room: str, event_id: str, most: int) -> tuple[Message, File]:
        """See `bot.ports.Transport.fetch`."""
        path = "/_matrix/client/v3/rooms/{}/event/{}"
        raw = await self._fetched(self._http.request("GET", path, room, event_id), most)
        message, content = await self.read(room, raw)
        # What was decrypted under another event id, or too long ago to know that it was not, stays closed.
        unreadable = message is None and raw.get("type") == "m.room.encrypted" and raw.get("sender") != self._user_id
        if unreadable or isinstance(message, Undecryptable):
            raise UserError(NO_KEY)
        attachment = message.attachment if isinstance(message, Message) and message.event_id == event_id else None
        source = source_of(content, encrypted=isinstance(message, Message) and message.encrypted)
        if attachment is None or source is None or not isinstance(message, Message):
            raise UserError(NO_FILE)
        path = "/_matrix/client/v1/media/download/{}/{}"
        raw_file = await self._fetched(self._http.download(path, source.server, source.id, most=most), most)
        return message, File(attachment.name, attachment.mimetype, decrypted(raw_file, source))

    async def read(self, room: str, raw: dict[str, Any]) -> tuple[Event | Undecryptable | None, dict[str, Any]]:
        """An event, and its decrypted content."""
        message: Event | Undecryptable | None = translate(room, raw, self._user_id)
        if message is None and self._crypto:
            await self._crypto.query_senders([raw])
            message, clear = self._crypto.read(room, raw)
            return message, section(clear or {}, "content")
        return message, section(raw, "content")

    async def _fetched(self, request: Any, most: int) -> Any:
        try:
            return await request
        except Refused as error:
            if error.code == "M_TOO_LARGE":
                raise too_large(most) from error
            log.info("fetching a file failed", reason=str(error))
            raise UserError(GONE) from error


def source_of(content: Mapping[str, Any], *, encrypted: bool) -> Source | None:
    """Where the file of a message is; None without one, and for an unencrypted file in an encrypted message: its
    server could change it unnoticed."""
    sealed = content.get("file")
    if not isinstance(sealed, dict):
        address = None if encrypted else _address(content.get("url"))
        return Source(*address) if address else None
    address, key = _address(sealed.get("url")), section(sealed, "key").get("k")
    iv, sha256 = sealed.get("iv"), section(sealed, "hashes").get("sha256")
    if address and isinstance(key, str) and isinstance(iv, str) and isinstance(sha256, str):
        return Source(*address, key, iv, sha256)
    return None


def decrypted(raw: bytes, source: Source) -> bytes:
    """The content of the file. Raises `UserError` if it does not match its message."""
    if source.key is None:
        return raw
    try:
        content: bytes = decrypt_attachment(raw, source.key, source.sha256, source.iv)
    except (EncryptionError, ValueError, TypeError, OverflowError) as error:  # the keys, too, are unchecked input
        raise UserError(DAMAGED) from error
    return content


def too_large(most: int) -> UserError:
    return UserError(Text("That file is too large; the limit is {most} MB.", most=most // 1_000_000))


def _address(url: object) -> tuple[str, str] | None:
    match = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
    return (match[1], match[2]) if match else None
