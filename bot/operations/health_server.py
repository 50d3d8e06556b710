"""`/healthz`, `/readyz` and `/metrics` over HTTP, for load balancers, containers and Prometheus.

Imported only where it is turned on: aiohttp's server and prometheus_client take a while to import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.core.errors import DatabaseError, FaroError
from bot.operations.metrics import CONTENT_TYPE, exposition
from bot.operations.vitals import Vitals

log = structlog.get_logger()

UNAVAILABLE = 503
CLOSING = 1  # second for answers that are on their way


@asynccontextmanager
async def serving(vitals: Vitals, host: str, port: int) -> AsyncIterator[None]:
    """Answers for the length of the `async with`. Raises `FaroError` if the address cannot be used."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(await vitals.alive(), "the database does not answer")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(await vitals.ready(), "not joined and synced")

    async def metrics(_: web.Request) -> web.Response:
        try:
            body = exposition(await vitals.figures())
        except (TimeoutError, sqlite3.Error, DatabaseError):
            return _answer(False, "the database does not answer")
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    server = web.Application()
    server.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(server, access_log=None, handle_signals=False, shutdown_timeout=CLOSING)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            where = f"{host}:{port}"
            raise FaroError(
                f"health.listen: {where} cannot be listened on ({error.strerror}); choose another"
            ) from error
        log.info("health is served", host=host, port=port)
        yield
    finally:
        await runner.cleanup()


def _answer(well: bool, otherwise: str) -> web.Response:
    return web.Response(text="ok\n" if well else f"{otherwise}\n", status=200 if well else UNAVAILABLE)
