"""Runs the checks of `faro doctor` periodically in the running bot, and logs each change."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.core.errors import LoggedOut, TransportError, Unavailable
from bot.operations.doctor import CheckTarget, check_database, check_files
from bot.operations.room_checks import Finding
from bot.ports import Clock, Database, Transport
from bot.storage import crypto_status
from bot.storage.crypto_status import CryptoStatus

log = structlog.get_logger()

INTERVAL = 600  # seconds

ProblemKey = tuple[str, str | None, str | None]  # code, hub, room


class HealthMonitor:
    """`problems` are the current ones. Each is logged once, and again when it is resolved. `findings` is all that the
    last check found, the good ones too."""

    def __init__(self, db: Database, clock: Clock, transport: Transport, target: CheckTarget) -> None:
        self._db, self._clock, self._transport, self._target = db, clock, transport, target
        self.problems: dict[ProblemKey, Finding] = {}
        self.findings: Sequence[Finding] = ()
        self._checked = False

    async def run(self) -> None:
        """Checks until cancelled. Raises `LoggedOut`."""
        while True:
            try:
                await self.check()
            except LoggedOut:
                raise
            except Exception:
                log.exception("health check failed")
            await self._clock.sleep(INTERVAL)

    async def check(self) -> None:
        await self._check_device()
        from_database = await check_database(self._db.reading(), self._target, self._clock.now())
        findings = [*check_files(self._target.data_dir), *from_database]
        now = {(one.code, one.hub, one.room): one for one in findings if one.level == "trouble"}
        for what in now.keys() - self.problems.keys():
            code, hub, room = what
            log.error("health problem", code=code, hub=hub, room=room, reason=str(now[what].text))
        for code, hub, room in self.problems.keys() - now.keys():
            log.info("health problem resolved", code=code, hub=hub, room=room)
        if not self._checked:
            log.info("health check done", trouble=len(now))
        self.problems, self.findings, self._checked = now, findings, True

    async def _check_device(self) -> None:
        """Stores the cross-signing status for `faro doctor`: others may change the identity while the bot runs."""
        try:
            signed = await self._transport.cross_signed()
        except LoggedOut:
            raise
        except Unavailable:
            return  # the last status stays
        except TransportError as error:
            log.warning("checking cross-signing failed", reason=str(error))
            signed = False
        if signed is not None:
            status = CryptoStatus(self._transport.device_id, signed, self._clock.now())
            async with self._db.transaction() as tx:
                await crypto_status.set_status(tx, status)
