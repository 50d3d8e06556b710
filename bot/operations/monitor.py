"""The running bot's own health: what `faro doctor` would say is looked at now and then, and each change is logged."""

from __future__ import annotations

import structlog

from bot.core.errors import LoggedOut, TransportError, Unavailable
from bot.operations.doctor import CheckTarget, Finding, check_database, check_files
from bot.ports import Clock, Database, Transport
from bot.storage import crypto_status
from bot.storage.crypto_status import CryptoStatus

log = structlog.get_logger()

INTERVAL = 600  # seconds

ProblemKey = tuple[str, str | None, str | None]  # code, hub, room


class HealthMonitor:
    """`trouble` is what is wrong now. Whoever watches the log hears of each piece once, and again when it is over."""

    def __init__(self, db: Database, clock: Clock, transport: Transport, target: CheckTarget) -> None:
        self._db, self._clock, self._transport, self._target = db, clock, transport, target
        self.problems: dict[ProblemKey, Finding] = {}
        self._checked = False

    async def run(self) -> None:
        """Looks until cancelled. Raises `LoggedOut`."""
        while True:
            try:
                await self.check()
            except LoggedOut:
                raise
            except Exception:
                log.exception("the bot could not look at its own health")
            await self._clock.sleep(INTERVAL)

    async def check(self) -> None:
        await self._ask_about_device()
        told = await check_database(self._db.reading(), self._target, self._clock.now())
        findings = [*check_files(self._target.data_dir), *told]
        now = {(one.code, one.hub, one.room): one for one in findings if one.level == "trouble"}
        for what in now.keys() - self.problems.keys():
            code, hub, room = what
            log.error("not well", code=code, hub=hub, room=room, reason=str(now[what].text))
        for code, hub, room in self.problems.keys() - now.keys():
            log.info("well again", code=code, hub=hub, room=room)
        if not self._checked:
            log.info("looked at the bot's health", trouble=len(now))
        self.problems, self._checked = now, True

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
