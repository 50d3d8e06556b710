"""A bot without one of its plugins loses nothing that the plugin must follow later, and says that it is ill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.errors import DatabaseError
from bot.core.events import Edit
from bot.operations.doctor import CheckTarget, check_database
from bot.runtime.migrations import open_database
from bot.runtime.plugins import PluginType
from bot.storage.database import SqliteDatabase
from bot.testing.clock import FakeClock
from bot.testing.patience import patient
from bot.testing.story import BOT, Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index import update
from plugins.meetings import Meetings
from plugins.people import People
from tests.core.test_recurrence import utc
from tests.knowledge.hubs import hub
from tests.meetings.hubs import hub as meeting_hub
from tests.meetings.hubs import meeting

ANA, BEN = "@ana:example.org", "@ben:example.org"
HUB = hub()
ALL: Sequence[PluginType] = [People, Knowledge]


@asynccontextmanager
async def started(file: Path, plugins: Sequence[PluginType], start: int) -> AsyncIterator[Story]:
    """The bot with these plugins; the ids of what is said count from `start`."""
    async with story(plugins, [HUB], database=file) as s:
        s._count = start
        yield s


async def test_deletions_and_erasures_are_followed_when_the_plugin_is_back(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with started(file, ALL, 0) as s:
        deleted = s.message(ANA, "https://example.org/deleted about gifts")
        await s.hear(deleted, s.message(ANA, "https://example.org/kept about gifts"))
        await s.say(BEN, "https://example.org/erased about gifts")
    async with started(file, [People], 100) as s:
        await s.redact(deleted)
        answer = await s.say(BEN, "!forget me yes")
        assert answer is not None
        assert "knowledge" in answer
    async with started(file, ALL, 200) as s:
        answer = await s.say(ANA, "!find gifts")
        assert answer is not None
        assert "example.org/kept" in answer
        assert "example.org/deleted" not in answer
        assert "example.org/erased" not in answer
        assert await s.db.reading().value("SELECT count(*) FROM core_missed_events") == 0
        assert await s.db.reading().value("SELECT count(*) FROM core_missed_erasures") == 0


async def test_missed_edits_are_asked_for_when_the_plugin_is_back(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with started(file, ALL, 0) as s:
        message = s.message(ANA, "zebra https://example.org/a")
        await s.hear(message)
    async with started(file, [People], 100) as s:
        await s.edit(message, "lemon https://example.org/b")
    async with started(file, ALL, 200) as s:
        now = replace(message, event_id="$edit", body="lemon https://example.org/b")
        s.transport.current = lambda *_: _answered(Edit(message.event_id, now))  # type: ignore[method-assign]  # its rooms are not in it
        await s.settle()
        rows = await s.db.reading().rows("SELECT url FROM knowledge_shares")
        assert [row["url"] for row in rows] == ["https://example.org/b"]


async def _answered(event: Edit) -> Edit:
    return event


async def test_a_deletion_that_fails_to_be_followed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "faro.db"
    async with started(file, ALL, 0) as s:
        message = s.message(ANA, "zebra https://example.org/a")
        await s.hear(message)
    async with started(file, [People], 100) as s:
        await s.redact(message)

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(update, "remove", broken)
        async with started(file, ALL, 200) as s:
            assert await s.db.reading().value("SELECT count(*) FROM core_missed_events") == 1
    async with started(file, ALL, 300) as s:
        assert await s.db.reading().value("SELECT count(*) FROM core_missed_events") == 0
        assert await s.db.reading().value("SELECT count(*) FROM knowledge_shares") == 0


async def test_of_what_is_missed_only_ids_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with started(file, ALL, 0) as s:
        message = s.message(ANA, "https://example.org/a about gifts")
        await s.hear(message)
    async with started(file, [People], 100) as s:
        await s.edit(message, "https://example.org/a about a secret")
        (row,) = await s.db.reading().rows("SELECT * FROM core_missed_events")
        assert row["kind"] == "edit"
        assert "secret" not in str(row)


async def test_alarms_of_an_absent_plugin_wait(tmp_path: Path) -> None:
    call = meeting_hub(meeting(starts="2027-01-15 08:00", remind=["1 hour"]))
    file = tmp_path / "faro.db"
    async with story([People, Meetings], [call], database=file, clock=FakeClock(utc("2027-01-15 12:00"))):
        pass
    async with story([People], [call], database=file, clock=FakeClock(utc("2027-01-15 13:00:05"))) as s:
        await s.advance(0)
        assert s.sent == []
    async with story([People, Meetings], [call], database=file, clock=FakeClock(utc("2027-01-15 13:02"))) as s:
        await s.advance(0)
        assert len(s.sent) == 1


async def test_the_health_checks_name_it(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with started(file, ALL, 0):
        pass
    async with started(file, [People], 100) as s:
        target = CheckTarget(tmp_path, BOT, [HUB], encrypts=True)
        (finding,) = [
            one for one in await check_database(s.db.reading(), target, s.clock.now()) if one.code == "absent_knowledge"
        ]
        assert finding.level == "trouble"


async def test_a_database_with_the_tables_of_a_missing_plugin_is_refused_unless_it_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with open_database(file, ALL, without=()):
        pass
    with pytest.raises(
        DatabaseError, match=r"'knowledge' cannot be loaded \(it is not installed\).*--without knowledge"
    ):
        async with open_database(file, [People], without=()):
            pass
    async with open_database(file, [People], without=["knowledge"]):
        pass


async def test_tables_newer_than_the_plugin_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with open_database(file, ALL, without=()):
        pass
    async with SqliteDatabase(file) as db, db.transaction() as tx:
        await tx.execute("INSERT INTO core_migrations VALUES ('knowledge', 99)")
    with pytest.raises(DatabaseError, match=r"'knowledge' cannot be loaded .*newer"):
        async with open_database(file, ALL, without=()):
            pass


CONFIG = """\
homeserver: http://127.0.0.1:9
user: "@faro:example.org"
password: secret
data_dir: data
plugin_dirs: [plugins]
hubs:
  - id: transparency
    title: Transparency
    rooms: [{id: "!hall:example.org"}]
"""
WISHES = """\
from bot.api import Plugin, Settings

class Wishes(Plugin[Settings]):
    name = "wishes"

    async def forget(self, db, user_id):
        await db.execute("DELETE FROM wishes_items")
"""


@pytest.mark.slow
def test_the_program_ends_with_a_sentence_and_starts_without_the_plugin_on_request(tmp_path: Path) -> None:
    plugin = tmp_path / "plugins" / "wishes"
    (plugin / "schema").mkdir(parents=True)
    (plugin / "__init__.py").write_text(WISHES, encoding="utf-8")
    (plugin / "schema" / "0001_wishes.sql").write_text(
        "CREATE TABLE wishes_items (text TEXT) STRICT;", encoding="utf-8"
    )
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    assert "homeserver unreachable" in until(config, "homeserver unreachable")
    (plugin / "__init__.py").write_text("import nothing_of_this_name", encoding="utf-8")
    refused = until(config, "homeserver unreachable")
    assert "The plugin 'wishes' cannot be loaded (ModuleNotFoundError" in refused
    assert "homeserver unreachable" not in refused
    started = until(config, "homeserver unreachable", "--without", "wishes")
    assert "running without a plugin whose data is in the database" in started


def until(config: Path, words: str, *options: str) -> str:
    """Runs the bot until its log has these words, or it ends; answers what it wrote."""
    command = [sys.executable, "-m", "bot", "run", str(config), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as bot:  # noqa: S603 - our own program
        assert bot.stderr
        lines = []
        for line in bot.stderr:
            lines.append(line)
            if words in line:
                bot.terminate()
        if words not in "".join(lines):
            assert bot.wait(timeout=patient(30)) == 1
    return "".join(lines)
