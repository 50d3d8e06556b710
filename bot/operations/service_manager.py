"""Tells the service manager how the bot is (sd_notify): ready, stopping, and that it does not hang.

The protocol is a datagram of `NAME=value` lines to the socket that `$NOTIFY_SOCKET` names (sd_notify(3)). Where it is
not set, nothing is sent.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Mapping

import structlog

from bot.core.errors import DatabaseError
from bot.operations.vitals import Vitals
from bot.ports import Clock

log = structlog.get_logger()

STATUS_EVERY = 60  # seconds, where there is no watchdog


class ServiceManager:
    """`address`: a path, or the name of an abstract socket after `@`; None: there is no service manager.
    `watchdog`: seconds after which it restarts a bot that has not been heard of; None: it does not watch."""

    def __init__(self, address: str | None = None, watchdog: float | None = None) -> None:
        self._address, self._watchdog = address, watchdog
        self._failed = False

    def tell(self, **about: str) -> None:
        """Sends `NAME=value` lines. What cannot be sent is logged once: the bot works without it."""
        if self._address is None:
            return
        target = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        lines = "\n".join(f"{name}={value}" for name, value in about.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(lines.encode(), target)
        except OSError as error:
            if not self._failed:
                log.warning("the service manager cannot be told anything", reason=str(error))
            self._failed = True

    def stopping(self) -> None:
        self.tell(STOPPING="1", STATUS="Stopping")

    async def keep_told(self, vitals: Vitals, clock: Clock) -> None:
        """Says that the bot is ready when it is, and then, until cancelled, that it is well as long as it is."""
        if self._address is None:
            return
        await vitals.joined.wait()
        self.tell(READY="1", STATUS="Ready")
        while True:
            trouble = await _trouble(vitals)
            if trouble is None:
                self.tell(WATCHDOG="1", STATUS=await _status(vitals))
            else:
                log.error("the bot hangs; the service manager is not told that it is well", reason=trouble)
                self.tell(STATUS=f"Hangs: {trouble}")
            await clock.sleep(self._watchdog / 2 if self._watchdog else STATUS_EVERY)


def service_manager(environ: Mapping[str, str]) -> ServiceManager:
    """The one that started this process, if any did."""
    watched = environ.get("WATCHDOG_USEC", "")
    for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    seconds = int(watched) / 1_000_000 if for_us and watched.isascii() and watched.isdigit() else 0
    address = environ.get("NOTIFY_SOCKET", "")
    if address and not address.startswith(("/", "@")):
        log.warning("the service manager's socket is of an unknown kind", address=address)
        address = ""
    return ServiceManager(address or None, seconds or None)


async def _trouble(vitals: Vitals) -> str | None:
    if not vitals.reading():
        return "the sync loop stands still"
    return None if await vitals.alive() else "the database does not answer"


async def _status(vitals: Vitals) -> str:
    """One line for `systemctl status`."""
    try:
        figures = await vitals.figures()
    except (TimeoutError, sqlite3.Error, DatabaseError):
        return "Ready"
    heard = "not heard yet" if figures.sync_age is None else f"heard {figures.sync_age:.0f} s ago"
    return f"Ready; homeserver {heard}; {figures.outbox} messages and {figures.jobs} jobs wait"
