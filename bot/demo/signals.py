"""Shutdown on signals: Ctrl-C, termination, a closed window."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def run_until_stopped(main: Coroutine[Any, Any, int]) -> int:
    """Runs `main`; the first signal cancels it, and the next ones let it end what it started.

    Answers what `main` answers, or 128 + the signal's number, as shells do.
    """
    return asyncio.run(_watched(main))


async def _watched(main: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main)
    stopped: list[int] = []

    def stop(number: int) -> None:
        if not stopped:
            task.cancel()
        stopped.append(number)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, stop, name)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        return 128 + stopped[0]
