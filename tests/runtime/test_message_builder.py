"""What the bot says reaches whom it should, and pings nobody else."""

from __future__ import annotations

from bot.api import Reply
from bot.runtime.message_builder import announcement


def test_a_message_that_mentions_somebody_is_a_text_because_notices_ping_nobody() -> None:
    said = announcement(Reply("The meeting starts now.", mentions=("@ana:example.org",)))
    assert said["msgtype"] == "m.text"
    assert said["m.mentions"] == {"user_ids": ["@ana:example.org"]}


def test_a_message_without_mentions_is_a_notice() -> None:
    said = announcement(Reply("Nothing found."))
    assert said["msgtype"] == "m.notice"
    assert said["m.mentions"] == {}
