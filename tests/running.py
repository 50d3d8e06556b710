"""The real program as a process, for journeys and chaos."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.testing.patience import patient

READY_WITHIN = patient(30)  # seconds
PATIENCE = patient(20)


class RunningBot:
    """`faro run config.yaml` in a process of its own; its log lines are kept."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.lines: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def start(self, **environ: str) -> None:
        """Starts the process; it may not be ready yet."""
        self.lines = []
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            str(self.config),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environ},
        )
        self._reading = asyncio.create_task(self._read(self._process))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ready(self) -> None:
        await self.logged("ready")

    async def logged(self, words: str, within: float = READY_WITHIN) -> str:
        """Waits for a log line with these words; answers it."""
        async with asyncio.timeout(within):
            while True:
                self._news.clear()
                for line in self.lines:
                    if words in line:
                        return line
                if self._process and self._process.returncode is not None:
                    raise AssertionError(f"the bot ended before it said {words!r}:\n" + "\n".join(self.lines))
                await self._news.wait()

    async def kill(self) -> None:
        """As a power cut would."""
        if self._process and self.alive:
            self._process.kill()
        await self.ended()

    async def stop(self) -> int:
        """As an operator would; answers the exit code."""
        if self._process and self.alive:
            self._process.terminate()
        return await self.ended()

    async def ended(self, within: float = PATIENCE) -> int:
        """Waits for the end of the process; answers its exit code (-9: killed)."""
        assert self._process
        assert self._reading
        async with asyncio.timeout(within):
            await self._reading
            return await self._process.wait()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip())
            self._news.set()
        await process.wait()
        self._news.set()


@asynccontextmanager
async def running(config: Path, **environ: str) -> AsyncIterator[RunningBot]:
    """A bot that is ready, and that ends with the test."""
    bot = RunningBot(config)
    await bot.start(**environ)
    try:
        await bot.ready()
        yield bot
    except Exception as error:
        error.add_note("The bot said:\n" + "\n".join(bot.lines))
        raise
    finally:
        await bot.kill()


async def faro_command(*arguments: str, exit_code: int = 0) -> str:
    """What a shell command of the program prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(READY_WITHIN):
        printed, _ = await process.communicate()
    assert process.returncode == exit_code, printed.decode()
    return printed.decode()


def soon(start_takes: float) -> datetime:
    """An instant at which a bot that is started now runs, on a slow machine too: `start_takes` seconds as measured."""
    return datetime.now(UTC) + timedelta(seconds=6 + 3 * start_takes)


async def until(due: datetime) -> None:
    await asyncio.sleep(max(0, (due - datetime.now(UTC)).total_seconds()))
