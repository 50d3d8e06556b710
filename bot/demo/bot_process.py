"""The bot as a separate process, started like `faro run`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.core.errors import FaroError

READY_WITHIN = 60  # seconds
STOPPED_WITHIN = 10


class BotProcess:
    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._ready = asyncio.Event()

    async def ready(self) -> None:
        """Waits until the bot has joined its rooms. Raises `FaroError` with the end of its log if it never does."""
        waiting = asyncio.create_task(self._ready.wait())
        ended = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait([waiting, ended], timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            ended.cancel()
        if not self._ready.is_set():
            raise FaroError(self.log_tail())

    async def ended(self) -> int:
        return await self._process.wait()

    def log_tail(self) -> str:
        """The end of the bot's log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-15:])

    async def keep_log(self) -> None:
        """Writes the bot's log to the file, and detects when it is ready."""
        assert self._process.stderr  # noqa: S101 - for mypy: it was opened as a pipe
        with self._log.open("ab", buffering=0) as log:
            async for line in self._process.stderr:
                log.write(line)
                with suppress(ValueError, AttributeError):  # a library's own line, or a traceback
                    if json.loads(line).get("event") == "ready":
                        self._ready.set()


@asynccontextmanager
async def running(config: Path, password: str) -> AsyncIterator[BotProcess]:
    """Starts the bot; it ends when this is left, however it is left. The log is `bot.log` beside the configuration."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "faro_bot",
        "run",
        str(config),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "FARO_PASSWORD": password},
        start_new_session=True,  # Ctrl-C is for us; we end the bot in order
    )
    bot = BotProcess(process, config.parent / "bot.log")
    logging = asyncio.create_task(bot.keep_log())
    try:
        yield bot
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOPPED_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await logging
