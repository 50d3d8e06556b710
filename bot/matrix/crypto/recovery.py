"""Imports the identity made in a Matrix client, with that client's recovery key.

Sources: Matrix spec, "Key representation" and "m.secret_storage.v1.aes-hmac-sha2".
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import reduce
from operator import xor
from typing import Any

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from bot.core.errors import Refused
from bot.core.texts import Text
from bot.matrix.crypto.identity import USAGES, Identity, IdentityError, Usage
from bot.matrix.crypto.signing import SEED, decode
from bot.matrix.http import Http
from bot.matrix.inbound import section

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PREFIX = b"\x8b\x01"
KEY = 32  # bytes
MAX_LENGTH = 200  # characters a person could mean as a recovery key
ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"


def parse(recovery_key: str) -> bytes:
    """The 32 bytes of a recovery key as clients show it, spaces anywhere. Raises `IdentityError`."""
    wrong = IdentityError(
        Text("That is not a recovery key. A recovery key looks like 'EsTc 5rr1 …': 12 groups of 4 characters.")
    )
    signs = "".join(recovery_key.split())
    if not signs or len(signs) > MAX_LENGTH or any(sign not in ALPHABET for sign in signs):
        raise wrong
    number = reduce(lambda sum_, sign: sum_ * len(ALPHABET) + ALPHABET.index(sign), signs, 0)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(raw) != len(PREFIX) + KEY + 1 or not raw.startswith(PREFIX) or reduce(xor, raw):
        raise wrong
    return raw[len(PREFIX) : -1]


def matches_key(key: bytes, description: Mapping[str, Any]) -> bool:
    """Whether a description (`m.secret_storage.key.…`) is of this key; True if it has no MAC.

    Raises `ValueError` for an invalid description.
    """
    if "mac" not in description:
        return True
    sealed, mac_key = _cipher(key, "", decode(description.get("iv"))).encrypt(bytes(KEY)), _keys(key, "")[1]
    return hmac.compare_digest(hmac.digest(mac_key, sealed, "sha256"), decode(description["mac"]))


def decrypt_secret(key: bytes, name: str, sealed: Mapping[str, Any]) -> bytes:
    """The secret `name`, decrypted. Raises `ValueError` if it was not encrypted with this key."""
    ciphertext = decode(sealed.get("ciphertext"))
    mac = hmac.digest(_keys(key, name)[1], ciphertext, "sha256")
    if not hmac.compare_digest(mac, decode(sealed.get("mac"))):
        raise ValueError("the seal is broken")
    secret: bytes = _cipher(key, name, decode(sealed.get("iv"))).decrypt(ciphertext)
    return secret


async def recover(http: Http, user_id: str, recovery_key: str) -> Identity:
    """The identity from the account's secret storage. Raises `IdentityError` and what requests raise."""
    key = parse(recovery_key)
    default = await _account_data(http, user_id, "m.secret_storage.default_key")
    id_ = default.get("key")
    if not isinstance(id_, str):
        raise IdentityError(Text("The account {user} has no recovery key.", user=user_id))
    description = await _account_data(http, user_id, f"m.secret_storage.key.{id_}")
    algorithm = description.get("algorithm")
    if algorithm != ALGORITHM:
        raise IdentityError(Text("Unknown type of recovery key: {kind}", kind=algorithm))
    seeds: dict[Usage, bytes] = {}
    try:
        if not matches_key(key, description):
            raise IdentityError(Text("This is not the recovery key of {user}.", user=user_id))
        for usage in USAGES:
            name = f"m.cross_signing.{usage}"
            sealed = section(await _account_data(http, user_id, name), "encrypted", id_)
            if not sealed:
                raise IdentityError(Text("The recovery key does not give access to '{name}'.", name=name))
            seeds[usage] = decode(decrypt_secret(key, name, sealed).decode())
        return Identity.from_seeds(user_id, seeds)
    except ValueError as error:
        raise IdentityError(
            Text("The data protected by the recovery key is damaged: {reason}", reason=error)
        ) from error


async def _account_data(http: Http, user_id: str, type_: str) -> dict[str, Any]:
    """{} if there is none."""
    try:
        return await http.request("GET", "/_matrix/client/v3/user/{}/account_data/{}", user_id, type_)
    except Refused as error:
        if error.code == "M_NOT_FOUND":
            return {}
        raise


def _keys(key: bytes, name: str) -> tuple[bytes, bytes]:
    """AES key and MAC key of one secret."""
    both = HKDF(key, 2 * SEED, bytes(32), SHA256, context=name.encode())
    assert isinstance(both, bytes)  # noqa: S101 - one key was asked for, so it is no tuple
    return both[:SEED], both[SEED:]


def _cipher(key: bytes, name: str, iv: bytes) -> Any:
    return AES.new(_keys(key, name)[0], AES.MODE_CTR, nonce=b"", initial_value=iv)
