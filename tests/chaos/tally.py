"""What a run of `make chaos` counted: one row for each campaign, written as a table."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

import bot

COMMAND = "make chaos"


@dataclass(frozen=True, slots=True)
class Row:
    """`done` says what was done to the bot; `checked` counts what had to come out once, or never."""

    campaign: str
    done: str
    kills: int = 0
    faults: int = 0
    checked: int = 0
    lost: int = 0
    doubled: int = 0
    shown: int = 0
    hangs: int = 0

    @property
    def well(self) -> bool:
        return not (self.lost or self.doubled or self.shown or self.hangs)


class Tally:
    """Rows of this process; each is a dict, so that it passes between the processes of a run."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, row: Row) -> None:
        self.rows.append(asdict(row))


def table(rows: Iterable[Row]) -> str:
    """Markdown, with the sums in the last line."""
    rows = sorted(rows, key=lambda row: row.campaign)
    numbers = [field.name for field in fields(Row)][2:]
    sums = {name: sum(getattr(row, name) for row in rows) for name in numbers}
    total = Row("**Sum**", "", **sums)
    head = ("campaign", "what happened to the bot", "kills", "faulted requests", "checked", "lost", "doubled")
    lines = [(*head, "shown though deleted", "hangs"), ("---",) * (len(numbers) + 2)]
    lines += [tuple(f"{value:,}" if isinstance(value, int) else str(value) for value in asdict(row).values())
              for row in (*rows, total)]  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(file: Path, rows: Iterable[Row], seed: int, seconds: float) -> None:
    """The page for readers of the manual."""
    file.write_text(
        PAGE.format(
            command=COMMAND,
            table=table(rows),
            date=date.today().isoformat(),  # noqa: DTZ011 - the day on which it was run, as people there called it
            version=bot.__version__,
            python=platform.python_version(),
            minutes=round(seconds / 60),
            seed=seed,
        ),
        "utf-8",
    )


PAGE = """\
# Reliability

What `{command}` did to the bot, and what came of it. The real program runs against a real Synapse, in plain and in
encrypted rooms; people ask, share, edit and delete all the while. At the end everything that was asked, shared,
imported or due must be there exactly once, and nothing that was deleted.

Faro {version}, Python {python}, {date}, {minutes} minutes. The same random decisions: `{command} CHAOS_SEED={seed}`.

{table}

- **Kills** are SIGKILL, as in a power cut: at random moments, or at the steps between which a crash could lose or
  double something.
- **Checked** counts answers, shared and imported links, deletions, reminders, steps of migrations and damaged files.
- **Shown though deleted** counts links that can be found although their message, or the version of it, is gone.
- **Hangs** counts starts, answers and ends that did not come in time, and ends nobody asked for.

`CHAOS_KILLS` and `CHAOS_FAULTS` set how much is done. A run that finds anything fails, and this page says what.
"""
