"""A secret storage as a person's client makes it, written from the specification and not from our reading side."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from Crypto.Cipher import AES

ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"
SIGNS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def shown(key: bytes) -> str:
    """The recovery key as a client shows it, in groups of four."""
    raw = bytearray(b"\x8b\x01" + key)
    parity = 0
    for byte in raw:
        parity ^= byte
    raw.append(parity)
    number, signs = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        signs = SIGNS[rest] + signs
    return " ".join(signs[at : at + 4] for at in range(0, len(signs), 4))


def put_away(key: bytes, id_: str, secrets: Mapping[Any, bytes]) -> dict[str, dict[str, Any]]:
    """Account data by type: which key, what it is like, and the cross-signing seeds sealed with it."""
    check = seal(key, "", bytes(32))
    made: dict[str, dict[str, Any]] = {
        "m.secret_storage.default_key": {"key": id_},
        f"m.secret_storage.key.{id_}": {"algorithm": ALGORITHM, "iv": check["iv"], "mac": check["mac"]},
    }
    for usage, secret in secrets.items():
        text = base64.b64encode(secret).rstrip(b"=")
        made[f"m.cross_signing.{usage}"] = {"encrypted": {id_: seal(key, f"m.cross_signing.{usage}", text)}}
    return made


def seal(key: bytes, name: str, secret: bytes, iv: bytes = bytes(range(16))) -> dict[str, str]:
    """HKDF by hand (RFC 5869), then AES-CTR and HMAC."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    first = hmac.digest(extracted, name.encode() + b"\x01", "sha256")
    second = hmac.digest(extracted, first + name.encode() + b"\x02", "sha256")
    ciphertext = AES.new(first, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(secret)
    mac = hmac.new(second, ciphertext, hashlib.sha256).digest()
    parts = {"iv": iv, "ciphertext": ciphertext, "mac": mac}
    return {part: base64.b64encode(raw).decode() for part, raw in parts.items()}
