"""Whatever moment the process is killed at, and however often, every effect is seen exactly once."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.running import RunningBot
from tests.town import Town

ZONE = datetime.timezone(datetime.timedelta(hours=-6))  # Guatemala, all year


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("received", (1, 1)),
        pytest.param("committed", (1, 1), marks=pytest.mark.core),
        ("sent", (1, 2, 2)),
        ("marked", (1, 1, 1)),
    ],
)
async def test_killed_again_and_again_every_effect_is_seen_once(town: Town, place: str, counts: Sequence[int]) -> None:
    """While it is away: an edited and a withdrawn question, a link, a question answered at once and one answered by a
    job, and a reminder that becomes due."""
    due = _plan_a_meeting(town)
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        changed, withdrawn = [await town.ana.send(town.hall, "!help find") for _ in range(2)]
        answer, gone = [str((await town.ana.answer_to(event))["event_id"]) for event in (changed, withdrawn)]
        assert await bot.stop() == 0
        _arm_the_reminder(town, due)
        await town.ana.edit(town.hall, changed, "!help recent")
        await town.ana.redact(town.hall, withdrawn)
        await town.ben.send(town.hall, "Read https://example.org/once")
        plain = await town.carla.send(town.hall, "!find once")
        by_job = await town.carla.send(town.hall, "!next")
        for count in counts:
            await bot.start(FARO_TEST_KILL_AT=f"{place}:{count}")
            assert await bot.ended() == -9
        await bot.start()
        await town.ana.answer_to(plain)
        await town.ana.answer_to(by_job)
        await town.ana.wait_for(lambda event: event["room_id"] == town.desk and _by(event, town), what="the reminder")
        last = await town.ana.send(town.hall, "!find once")
        await town.ana.answer_to(last)
        assert await bot.stop() == 0
    finally:
        await bot.kill()
    hall = [event for event in await town.ana.messages(town.hall) if _by(event, town)]
    relations = [event["content"].get("m.relates_to", {}) for event in hall if event["type"] == "m.room.message"]
    answered = Counter(relation["m.in_reply_to"]["event_id"] for relation in relations if "m.in_reply_to" in relation)
    assert answered == Counter([changed, plain, by_job, last])  # the withdrawn one's answer is empty now
    assert [relation["event_id"] for relation in relations if relation.get("rel_type") == "m.replace"] == [answer]
    redactions = [event for event in hall if event["type"] == "m.room.redaction"]
    assert [event.get("redacts") or event["content"].get("redacts") for event in redactions] == [gone]
    desk = [event for event in await town.ana.messages(town.desk) if _by(event, town)]
    assert len([event for event in desk if event["type"] == "m.room.message"]) == 1
    with town.database() as db:
        assert db.execute("SELECT url FROM knowledge_shares").fetchall() == [("https://example.org/once",)]
        assert db.execute("SELECT count(*) FROM core_jobs").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM core_outbox WHERE state = 'failed'").fetchone() == (0,)


def _plan_a_meeting(town: Town) -> datetime.datetime:
    """A meeting whose reminder was due at the last full minute; a bot that starts now takes no notice of it."""
    due = datetime.datetime.now(ZONE).replace(second=0, microsecond=0)
    town.settings["hubs"][0]["meetings"] = [
        {
            "id": "monthly",
            "title": {"en": "Monthly meeting"},
            "starts": (due + datetime.timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M"),
            "duration": "1 hour",
            "remind": ["30 minutes"],
        }
    ]
    town.write()
    return due


def _arm_the_reminder(town: Town, due: datetime.datetime) -> None:
    """As if the bot had been stopped just before it was due."""
    slot = (due + datetime.timedelta(minutes=30)).strftime("%Y%m%dT%H%M%S")
    payload = {"series": "monthly", "recurrence_id": slot, "lead": "PT1800S"}
    key = f"transparency/monthly/{slot}/PT1800S"
    values = ("meetings", key, "remind", "transparency", round(due.timestamp() * 1000), json.dumps(payload))
    with town.database() as db:
        db.execute("INSERT INTO core_alarms (plugin, key, name, hub, due, payload) VALUES (?, ?, ?, ?, ?, ?)", values)


def _by(event: Mapping[str, Any], town: Town) -> bool:
    return bool(event["sender"] == town.bot.user_id and event["type"] in ("m.room.message", "m.room.redaction"))
