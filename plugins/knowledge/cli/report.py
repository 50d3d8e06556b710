"""Reports what an import did: a summary on the terminal and, on request, a CSV with a line per link."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

import click

from bot.api import Translator
from plugins.knowledge.transfer.formats.csv_cells import escape_formulas
from plugins.knowledge.transfer.formats.item import Skipped
from plugins.knowledge.transfer.formats.validation import safe_address
from plugins.knowledge.transfer.import_plan import Outcome

COLUMNS = ("outcome", "line", "number", "address", "reason")
MOST_LISTED = 20  # skipped entries that the summary shows


class Report:
    """Collects outcomes. `earlier`: how many entries an interrupted import had done before."""

    def __init__(self, table: TextIO | None, t: Translator) -> None:
        self._table = csv.writer(table) if table else None
        self._t = t
        self._counts: Counter[str] = Counter()
        self._skipped: list[str] = []
        self._remarks: list[str] = []
        self.earlier = 0
        self._row(*COLUMNS)

    def add_skipped(self, item: Skipped) -> None:
        """Adds an entry that was not read, or only in part."""
        why = self._t.t(item.why)
        self._row("skipped", item.line or "", "", item.what, why)
        self._skipped.append(f"{line_prefix(item, self._t)}{item.what}: {why}")

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._counts[outcome.what] += 1
            self._counts["unnamed"] += outcome.unnamed
            address = safe_address(outcome.item.url)
            remarks = [self._t.t(remark) for remark in outcome.remarks]
            self._row(outcome.what, "", outcome.number, address, " ".join(remarks))
            for remark in remarks:
                self._remarks.append(f"{address}: {remark}")

    def summary(self) -> None:
        t = self._t
        if self.earlier:
            click.echo(t.t("An earlier import of this file was interrupted; this one continued from there."))
        click.echo(t.n("{count} new link", "{count} new links", self._counts["new"]))
        joined, unchanged = self._counts["joined"], self._counts["known"]
        click.echo(t.t("{number} merged with an existing result", number=joined))
        click.echo(t.t("{number} already known, nothing added", number=unchanged))
        if unnamed := self._counts["unnamed"]:
            click.echo(t.n("{count} share is imported without the name of who shared it (see --keep-sharers)",
                           "{count} shares are imported without the names of who shared them (see --keep-sharers)",
                           unnamed))  # fmt: skip
        if self._skipped:
            click.echo(t.n("{count} item was skipped:", "{count} items were skipped:", len(self._skipped)))
            _list(self._skipped)
        if self._remarks:
            click.echo(t.n("{count} remark:", "{count} remarks:", len(self._remarks)))
            _list(self._remarks)

    def _row(self, *cells: object) -> None:
        if self._table:
            self._table.writerow([escape_formulas(str(cell)) for cell in cells])


def _list(lines: Sequence[str]) -> None:
    for line in lines[:MOST_LISTED]:
        click.echo(f"  - {printable(line)}")
    if len(lines) > MOST_LISTED:
        click.echo("  - … (--report)")


def line_prefix(skipped: Skipped, t: Translator) -> str:
    return f"{t.t('line {line}', line=skipped.line)}: " if skipped.line else ""


def printable(text: str) -> str:
    """The text on one line, without terminal control characters."""
    return "".join(char if char.isprintable() else " " for char in text)
