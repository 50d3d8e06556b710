"""Ed25519 keys that sign JSON, as cross-signing needs them (Matrix spec, "Signing JSON").

Keys of devices live in nio's Olm account; these stand alone, and are made from a seed of 32 bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

SEED = 32  # bytes
UNSIGNED = ("signatures", "unsigned")  # what no signature covers


def encode(raw: bytes) -> str:
    """Base64 without padding."""
    return base64.b64encode(raw).decode().rstrip("=")


def decode(text: object) -> bytes:
    """Base64 with or without padding. Raises `ValueError`."""
    if not isinstance(text, str):
        raise ValueError("not a text")  # noqa: TRY004 - for the reader it is a text that is no base64
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def canonical(content: Mapping[str, object]) -> str:
    """Canonical JSON: sorted, without spaces, in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def bare(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed of an object."""
    return {name: value for name, value in content.items() if name not in UNSIGNED}


class SigningKey:
    """One key pair. Does not show its seed."""

    def __init__(self, seed: bytes) -> None:
        """Raises `ValueError` if `seed` is not 32 bytes."""
        if len(seed) != SEED:
            raise ValueError(f"a seed has {SEED} bytes, this has {len(seed)}")
        self.seed = seed
        self._key = ECC.construct(curve="Ed25519", seed=seed)
        self.public = encode(self._key.public_key().export_key(format="raw"))
        """The public key; it is also its own name, after `ed25519:`."""

    @classmethod
    def new(cls) -> SigningKey:
        return cls(os.urandom(SEED))

    @property
    def id(self) -> str:
        return f"ed25519:{self.public}"

    def sign(self, user_id: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """The object with this signature, and with no other."""
        signature = eddsa.new(self._key, "rfc8032").sign(canonical(bare(content)).encode())
        return {**bare(content), "signatures": {user_id: {self.id: encode(signature)}}}


def is_signed(content: Mapping[str, Any], user_id: str, key_id: str, public: str) -> bool:
    """Whether an object carries a signature of that key that holds. Anything may stand in the object."""
    value: object = content.get("signatures")
    for name in (user_id, key_id):
        value = value.get(name) if isinstance(value, Mapping) else None
    try:
        verifier = eddsa.new(eddsa.import_public_key(decode(public)), "rfc8032")
        verifier.verify(canonical(bare(content)).encode(), decode(value))
    except ValueError:
        return False
    return True
