"""Shows a verification to the operator: in the log, and in a file that `faro crypto verify` reads.

The file, because only the bot's own process may use its keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from bot.matrix.crypto.identity import write_private
from bot.matrix.crypto.sas import SasDisplay
from bot.ports import Clock

log = structlog.get_logger()

FILE = "verification.json"

Step = Mapping[str, Any]  # Any: JSON; `at`, `stage`, `user`, `device`, and what the stage adds


class StatusFile:
    """`bot.matrix.crypto.verification.StatusDisplay`. Writes the latest step: `stage` is shown, done or cancelled."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file, self._clock = folder / FILE, clock

    def show(self, user: str, device: str, display: SasDisplay) -> None:
        emoji, numbers = ", ".join(display.emoji), " ".join(map(str, display.numbers))
        log.info(
            "verification started, compare with the other screen",
            user=user,
            device=device,
            emoji=emoji,
            numbers=numbers,
        )
        self._write("shown", user, device, emoji=list(display.emoji), numbers=list(display.numbers))

    def end(self, user: str, device: str, reason: str | None) -> None:
        if reason is None:
            log.info("verification completed", user=user, device=device)
            self._write("done", user, device)
        else:
            log.warning("verification cancelled", user=user, device=device, reason=reason)
            self._write("cancelled", user, device, reason=reason)

    def _write(self, stage: str, user: str, device: str, **more: object) -> None:
        step = {"at": self._clock.now(), "stage": stage, "user": user, "device": device, **more}
        try:
            write_private(self._file, step)
        except OSError as error:
            log.warning("verification status could not be written", reason=str(error))


def latest(folder: Path) -> Step:
    """The latest step of a verification, {} if there was none."""
    try:
        step = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return step if isinstance(step, dict) else {}
