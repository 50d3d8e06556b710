"""The SAS protocol: what both sides compare, and the MACs that prove they saw the same.

Pure: no homeserver, no clock. Source: Matrix spec, "Short Authentication String (SAS) verification", with
`curve25519-hkdf-sha256` and `hkdf-hmac-sha256.v2`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import vodozemac
from nio.crypto.sas import Sas as Table

from bot.matrix.crypto.signing import canonical, encode

METHOD = "m.sas.v1"
AGREEMENT, HASH, MAC = "curve25519-hkdf-sha256", "sha256", "hkdf-hmac-sha256.v2"
DISPLAY_METHODS = ("decimal", "emoji")

_NAMES = {"Wrench": "Spanner", "Airplane": "Aeroplane"}  # as the specification has them, and clients show them
EMOJI: tuple[str, ...] = tuple(f"{sign} {_NAMES.get(name, name)}" for sign, name in Table.emoji)
"""The spec's 64 pictures with their English names, in order."""


class SasError(Exception):
    """The other side sent something invalid."""


@dataclass(frozen=True, slots=True)
class Side:
    user_id: str
    device_id: str
    key: str = ""  # public, made for this one verification


@dataclass(frozen=True, slots=True)
class SasDisplay:
    """What both people must see."""

    emoji: tuple[str, ...]  # seven, "🐶 Dog"
    numbers: tuple[int, ...]  # three, of four digits


def commitment(key: str, start: Mapping[str, Any]) -> str:
    """The commitment of the accepting side to its key, sent before the key: it cannot choose a matching one later."""
    return encode(hashlib.sha256((key + canonical(start)).encode()).digest())


class EphemeralKey:
    """Our own ephemeral key pair, used once."""

    def __init__(self) -> None:
        self._sas = vodozemac.Sas()
        self.key: str = self._sas.public_key.to_base64()

    def agree(self, their_key: str) -> Secret:
        """Raises `SasError` for an invalid key, or a second use."""
        try:
            return Secret(self._sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(their_key)))
        except (ValueError, vodozemac.KeyException, vodozemac.SasException, vodozemac.DecodeException) as error:
            raise SasError(str(error)) from error


class Secret:
    """The shared secret of both sides."""

    def __init__(self, established: vodozemac.EstablishedSas) -> None:
        self._established = established

    def display(self, starter: Side, acceptor: Side, flow: str) -> SasDisplay:
        sides = [part for side in (starter, acceptor) for part in (side.user_id, side.device_id, side.key)]
        sas = self._established.bytes("|".join(["MATRIX_KEY_VERIFICATION_SAS", *sides, flow]))
        return SasDisplay(tuple(EMOJI[index] for index in sas.emoji_indices), tuple(sas.decimals))

    def create_mac(self, sender: Side, receiver: Side, flow: str, keys: Mapping[str, str]) -> dict[str, Any]:
        """The content of our `mac`: key id → public key, each with its MAC, and the MAC of the list of ids."""
        info = _info(sender, receiver, flow)
        macs = {id_: self._mac(key, info + id_) for id_, key in keys.items()}
        return {"mac": macs, "keys": self._mac(",".join(sorted(macs)), info + "KEY_IDS")}

    def verified_keys(
        self, sender: Side, receiver: Side, flow: str, content: Mapping[str, Any], keys: Mapping[str, str]
    ) -> frozenset[str]:
        """Those of the sender's `keys` that its `mac` authenticates. Raises `SasError` if one differs."""
        macs, ids = content.get("mac"), content.get("keys")
        if not isinstance(macs, dict) or not isinstance(ids, str):
            raise SasError("no keys")
        info = _info(sender, receiver, flow)
        if not hmac.compare_digest(self._mac(",".join(sorted(macs)), info + "KEY_IDS").encode(), ids.encode()):
            raise SasError("the list of keys is another")
        known = frozenset(macs) & frozenset(keys)
        for id_ in known:
            if not hmac.compare_digest(self._mac(keys[id_], info + id_).encode(), str(macs[id_]).encode()):
                raise SasError(f"the key {id_} is another")
        return known

    def _mac(self, text: str, info: str) -> str:
        mac: str = self._established.calculate_mac(text, info)
        return mac


def _info(sender: Side, receiver: Side, flow: str) -> str:
    ends = sender.user_id + sender.device_id + receiver.user_id + receiver.device_id
    return f"MATRIX_KEY_VERIFICATION_MAC{ends}{flow}"
