"""The terminal: lines in, messages out above the line that is being typed. A pipe or a file works as well."""

from __future__ import annotations

import asyncio
import os
import termios
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, RenderableType

from bot.demo.editor import END, LineEditor

HARMLESS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
"""For `str.translate`: control characters, which could make a terminal do things, are left out."""


@dataclass(slots=True)
class Terminal:
    """A file descriptor to read and a rich console to write. A person who types sees the `prompt`."""

    console: Console
    stdin: int = 0
    prompt: str = "> "
    _editor: LineEditor = field(default_factory=LineEditor)
    _editing: bool = False

    @property
    def is_person(self) -> bool:
        """Whether somebody types, rather than a pipe or a file."""
        return os.isatty(self.stdin) and self.console.is_terminal

    async def lines(self) -> AsyncIterator[str]:
        """What is entered, until Ctrl-D or the end of the input."""
        received: asyncio.Queue[bytes] = asyncio.Queue()
        with self._keys(received) if self.is_person else self._pipe(received):
            if self.is_person:
                async for line in self._typed(received):
                    yield line
            else:
                while raw := await received.get():
                    yield raw.decode("utf-8", "replace").rstrip("\r\n")

    def show(self, *what: RenderableType) -> None:
        """Prints, keeping the line that is being typed below."""
        self._wipe()
        for one in what:
            self.console.print(one, soft_wrap=True)
        self.redraw()

    def redraw(self) -> None:
        if not self._editing:
            return
        width = self.console.width - 1  # the last cell is for the cursor
        prompt = self.prompt if cell_len(self.prompt) <= width // 2 else "> "
        text, cursor = self._editor.shown(max(1, width - cell_len(prompt)))
        self._write(f"\r\x1b[K{prompt}{text}\r\x1b[{cell_len(prompt) + cursor}C")

    async def _typed(self, received: asyncio.Queue[bytes]) -> AsyncIterator[str]:
        while data := await received.get():
            for line in self._editor.feed(data):
                if line == END:
                    return
                yield line
            self.redraw()

    @contextmanager
    def _keys(self, received: asyncio.Queue[bytes]) -> Iterator[None]:
        """Every key as it is pressed, and not written on the screen by the terminal itself."""
        loop = asyncio.get_running_loop()
        before = termios.tcgetattr(self.stdin)
        tty.setcbreak(self.stdin)
        loop.add_reader(self.stdin, lambda: received.put_nowait(self._pressed()))
        self._editing = True
        self.redraw()
        try:
            yield
        finally:
            self._wipe()
            self._editing = False
            loop.remove_reader(self.stdin)
            termios.tcsetattr(self.stdin, termios.TCSADRAIN, before)

    def _pressed(self) -> bytes:
        try:
            return os.read(self.stdin, 4096)
        except OSError:  # the terminal is gone: its window was closed
            return b""

    @contextmanager
    def _pipe(self, received: asyncio.Queue[bytes]) -> Iterator[None]:
        """A thread reads, because an event loop cannot wait for a file. It ends with the process, not before."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            with os.fdopen(os.dup(self.stdin), "rb") as source, suppress(RuntimeError):  # the loop was closed
                for line in source:
                    loop.call_soon_threadsafe(received.put_nowait, line)
                loop.call_soon_threadsafe(received.put_nowait, b"")

        threading.Thread(target=read, name="standard input", daemon=True).start()
        yield

    def _wipe(self) -> None:
        if self._editing:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self.console.file.write(text)
        self.console.file.flush()
