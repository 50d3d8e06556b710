"""Progress on the terminal: what is being done, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console

from bot.ports import Translator


@dataclass(frozen=True, slots=True)
class Steps:
    console: Console
    words: Translator

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Says what is done while it is done, and leaves a line when it is."""
        started = time.monotonic()
        alive = self.console.is_terminal
        with self.console.status(text, spinner="line") if alive else nullcontext():
            yield
        seconds = f"{time.monotonic() - started:.1f}"
        self.console.print(self.words.t("{step} done in {seconds} s", step=text, seconds=seconds), highlight=False)
