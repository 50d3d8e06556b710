"""The program on a real configuration and a real database file, for tests of what it does in the shell."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bot.api import Transaction
from bot.cli import main
from bot.config.load import load
from bot.runtime.plugins import find
from bot.storage import sync_token
from bot.storage.database import SqliteDatabase
from bot.testing.patience import patient
from plugins.knowledge.index.hub_rules import Rules

CONFIG = """\
homeserver: https://matrix.example.org
user: "@faro:example.org"
password: secret
data_dir: data
hubs:
  - id: transparency
    title: Transparency
    rooms: [{id: "!hall:example.org", log_links: true}]
    topics: [{id: gifts, title: {en: Gifts, es: Regalos}}]
"""
OTHER_HUB = """\
  - id: audit
    title: Audit
    rooms: [{id: "!audit:example.org", log_links: true}]
    topics: [{id: gifts, title: {en: Gifts, es: Regalos}}]
"""
HALL, ANA, BEN = "!hall:example.org", "@ana:example.org", "@ben:example.org"
ENVIRON = {"LC_ALL": "en_US.UTF-8", "COLUMNS": "200"}


@dataclass(frozen=True, slots=True)
class Faro:
    """A folder with a configuration."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "faro.db"

    def run(self, command: str, *arguments: object, code: int = 0) -> Result:
        """Runs `faro COMMAND CONFIG …`."""
        words = [command, str(self.config), *map(str, arguments)]
        result = CliRunner(env=ENVIRON).invoke(main.main, words)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def started(self, command: str, *arguments: object, stdin: int | None = None) -> subprocess.Popen[bytes]:
        """The same as a process of its own; what it says comes out together."""
        # A shell lets what it starts in the background ignore SIGINT, tests too, and they would hand that on.
        return subprocess.Popen(  # noqa: S603 - our own program
            ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "bot", command, str(self.config),
             *map(str, arguments)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **ENVIRON},
        )  # fmt: skip

    def answered(self, answer: str, command: str, *arguments: object) -> tuple[subprocess.Popen[bytes], bytes]:
        """The same at a terminal, where a person answers a question; the ended process, and what it said."""
        ours, theirs = pty.openpty()
        try:
            with self.started(command, *arguments, stdin=theirs) as running:
                os.write(ours, f"{answer}\n".encode())
                output, _ = running.communicate(timeout=patient(50))
        finally:
            os.close(ours)
            os.close(theirs)
        return running, output

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def imported(self, content: Sequence[Mapping[str, object]], *options: object, hub: str = "transparency") -> Result:
        """Brings in a file of Faro's JSON with these items."""
        return self.run("import", hub, self.file("items.json", faro_json(content)), "--yes", *options)

    def exported(self, *options: object, hub: str = "transparency") -> list[dict[str, Any]]:
        """The items of an export as JSON."""
        items: list[dict[str, Any]] = json.loads(self.run("export", hub, *options).stdout)["items"]
        return items

    def change(self, work: Callable[[Transaction, Rules], Awaitable[object]]) -> None:
        """One transaction of the bot, which has run before, on its database, which must be there."""

        async def act() -> None:
            rules = Rules(load(self.config, find().plugins, {}).config.hubs)
            async with SqliteDatabase(self.database) as db, db.transaction() as tx:
                await sync_token.advance(tx, "s1", 0)
                await work(tx, rules)

        asyncio.run(act())

    def value(self, sql: str) -> Any:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:  # never creates the file
            row = db.execute(sql).fetchone()
            return row[0] if row else None


def interrupted(running: subprocess.Popen[bytes]) -> str:
    """Ctrl-C, twice, as impatient people press it, and `timeout`; the last line the command writes."""
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=patient(30))
    return output.decode().splitlines()[-1]


def made(folder: Path, config: str = CONFIG + OTHER_HUB) -> Faro:
    folder.mkdir(parents=True, exist_ok=True)
    faro = Faro(folder)
    faro.config.write_text(config, encoding="utf-8")
    return faro


def faro_json(items: Sequence[Mapping[str, object]]) -> str:
    return json.dumps({"format": "faro", "version": 1, "hub": "x", "title": "X", "at": 0, "items": items})
