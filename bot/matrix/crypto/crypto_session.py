"""The bot's session and keys for shell commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nio import AsyncClient, AsyncClientConfig

from bot.core.texts import Text
from bot.matrix.crypto.account import OlmAccount
from bot.matrix.crypto.crosssigning import CrossSigning
from bot.matrix.crypto.engine import Engine
from bot.matrix.crypto.identity import IdentityError
from bot.matrix.http import Http
from bot.matrix.login import Account, Secrets, log_in
from bot.ports import Clock


@dataclass(frozen=True, slots=True)
class CryptoSession:
    """A logged-in client and the cross-signing seeds."""

    client: AsyncClient
    http: Http
    folder: Path
    clock: Clock
    signing: CrossSigning

    @property
    def user_id(self) -> str:
        return str(self.client.user_id)

    @property
    def device_id(self) -> str:
        return str(self.client.device_id)

    async def sign(self) -> bool:
        """`CrossSigning.ensure`, with the device's keys. The bot must not run meanwhile."""
        engine = Engine(self.client, self.http, self.folder, self.clock, _NoRooms())
        try:
            await engine.publish()
            return await self.signing.ensure(OlmAccount(self.client))
        finally:
            engine.close()


@asynccontextmanager
async def open_session(
    account: Account, secrets: Secrets, data_dir: Path, clock: Clock
) -> AsyncIterator[CryptoSession]:
    """Opens the stored session. Raises `IdentityError` if there is none, and what logging in raises."""
    file = data_dir / "session.json"
    if not file.exists():
        raise IdentityError(Text("The bot has never run with this data folder: {folder}", folder=data_dir))
    config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, encryption_enabled=False)
    client = AsyncClient(account.homeserver, account.user, config=config)
    try:
        await log_in(client, account, Secrets(password=secrets.password), file, clock)
        http, folder = Http(client, clock), data_dir / "crypto"
        yield CryptoSession(client, http, folder, clock, CrossSigning(http, account.user, folder, secrets.password))
    finally:
        await client.close()


class _NoRooms:
    """`bot.ports.RoomStateReader` without rooms: nothing is sent."""

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return None

    async def members(self, room: str) -> frozenset[str]:
        return frozenset()
