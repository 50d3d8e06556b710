"""What became of the links of a file: told in short, and line by line in a table if one is wanted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

import click

from bot.api import Translator
from plugins.knowledge.transfer.formats.csv_cells import guarded
from plugins.knowledge.transfer.formats.item import Skipped
from plugins.knowledge.transfer.formats.validation import told
from plugins.knowledge.transfer.import_plan import Outcome

COLUMNS = ("outcome", "line", "number", "address", "reason")
MOST = 20  # things that were left out and are told without a table


class Report:
    """`earlier` is how much of the file an interrupted import had done before."""

    def __init__(self, table: TextIO | None, t: Translator) -> None:
        self._table = csv.writer(table) if table else None
        self._t = t
        self._counts: Counter[str] = Counter()
        self._lines: list[str] = []
        self.earlier = 0
        self._row(*COLUMNS)

    def skipped(self, one: Skipped) -> None:
        """Not read, or read without a part."""
        why = self._t.t(one.why)
        self._row("skipped", one.line or "", "", one.what, why)
        self._left_out(f"{place(one, self._t)}{one.what}: {why}")

    def brought(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            self._counts[one.what] += 1
            self._counts["unnamed"] += one.unnamed
            where = told(one.item.url)
            remarks = [self._t.t(remark) for remark in one.remarks]
            self._row(one.what, "", one.number, where, " ".join(remarks))
            for remark in remarks:
                self._left_out(f"{where}: {remark}")

    def summary(self) -> None:
        t = self._t
        if self.earlier:
            click.echo(t.t("An import of this file had been interrupted; this one went on where it was."))
        click.echo(t.n("{count} new link", "{count} new links", self._counts["new"]))
        joined, known = self._counts["joined"], self._counts["known"]
        click.echo(t.t("{number} joined with what was there", number=joined))
        click.echo(t.t("{number} known already, nothing added", number=known))
        if unnamed := self._counts["unnamed"]:
            click.echo(t.n("{count} share is kept without naming who shared it (see --keep-sharers)",
                           "{count} shares are kept without naming who shared them (see --keep-sharers)",
                           unnamed))  # fmt: skip
        if left_out := self._counts["left out"]:
            click.echo(t.n("{count} thing was left out:", "{count} things were left out:", left_out))
            for line in self._lines:
                click.echo(f"  - {plain(line)}")
            if left_out > MOST:
                click.echo("  - … (--report)")

    def _left_out(self, line: str) -> None:
        self._counts["left out"] += 1
        if len(self._lines) < MOST:
            self._lines.append(line)

    def _row(self, *cells: object) -> None:
        if self._table:
            self._table.writerow([guarded(str(cell)) for cell in cells])


def place(one: Skipped, t: Translator) -> str:
    return f"{t.t('line {line}', line=one.line)}: " if one.line else ""


def plain(text: str) -> str:
    """On one line, without signs that steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
