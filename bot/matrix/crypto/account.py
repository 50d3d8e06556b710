"""The device's own keys as cross-signing and verification need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nio import AsyncClient

from bot.matrix.crypto.signing import bare, canonical


class OlmAccount:
    """`bot.matrix.crypto.crosssigning.Account` over a nio client that is logged in and has its keys open."""

    def __init__(self, client: AsyncClient) -> None:
        self._account = client.olm.account
        self.user_id, self.device_id = str(client.user_id), str(client.device_id)
        self.ed25519: str = self._account.identity_keys["ed25519"]

    def sign_json(self, content: Mapping[str, Any]) -> dict[str, Any]:
        signature = self._account.sign(canonical(bare(content)))
        return {**bare(content), "signatures": {self.user_id: {f"ed25519:{self.device_id}": signature}}}
