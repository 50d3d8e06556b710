"""The running bot's own health: what `faro doctor` would say is looked at now and then, and each change is logged."""

from __future__ import annotations

import structlog

from bot.core.errors import LoggedOut, TransportError, Unavailable
from bot.operations.doctor import Finding, Installation, ask, look_round
from bot.ports import Clock, Database, Transport
from bot.storage import crypto_status
from bot.storage.crypto_status import CryptoStatus

log = structlog.get_logger()

EVERY = 600  # seconds

What = tuple[str, str | None, str | None]  # code, hub, room


class Health:
    """`trouble` is what is wrong now. Whoever watches the log hears of each piece once, and again when it is over."""

    def __init__(self, db: Database, clock: Clock, transport: Transport, installation: Installation) -> None:
        self._db, self._clock, self._transport, self._installation = db, clock, transport, installation
        self.trouble: dict[What, Finding] = {}
        self._looked = False

    async def run(self) -> None:
        """Looks until cancelled. Raises `LoggedOut`."""
        while True:
            try:
                await self.look()
            except LoggedOut:
                raise
            except Exception:
                log.exception("the bot could not look at its own health")
            await self._clock.sleep(EVERY)

    async def look(self) -> None:
        await self._ask_about_device()
        told = await ask(self._db.reading(), self._installation, self._clock.now())
        findings = [*look_round(self._installation.data_dir), *told]
        now = {(one.code, one.hub, one.room): one for one in findings if one.level == "trouble"}
        for what in now.keys() - self.trouble.keys():
            code, hub, room = what
            log.error("not well", code=code, hub=hub, room=room, reason=str(now[what].text))
        for code, hub, room in self.trouble.keys() - now.keys():
            log.info("well again", code=code, hub=hub, room=room)
        if not self._looked:
            log.info("looked at the bot's health", trouble=len(now))
        self.trouble, self._looked = now, True

    async def _ask_about_device(self) -> None:
        """Others may change the account's identity while the bot runs; doctor reads what is written here."""
        try:
            signed = await self._transport.cross_signed()
        except LoggedOut:
            raise
        except Unavailable:
            return  # what was known last still stands
        except TransportError as error:
            log.warning("the bot's cross-signing cannot be looked at", reason=str(error))
            signed = False
        if signed is not None:
            status = CryptoStatus(self._transport.device_id, signed, self._clock.now())
            async with self._db.transaction() as tx:
                await crypto_status.set_status(tx, status)
