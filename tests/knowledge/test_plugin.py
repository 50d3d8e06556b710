"""The feature as people meet it: they share links in a room and ask for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.events import Edit, Redaction
from bot.hubs import Hub
from bot.testing.clock import FakeClock
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub

ANA, LUIS = "@ana:example.org", "@luis:example.net"
ROOM = "!transparency:example.org"
GUIDE = {
    "url": "https://example.org/guide",
    "title": {"en": "Gift guide", "es": "Guía de regalos"},
    "language": "es",
    "topics": ["gifts"],
    "note": {"en": "Start here."},
}


def told_with(*hubs: Hub) -> AsyncIterator[Story]:
    return story([Knowledge], hubs)  # type: ignore[return-value]  # an async context manager


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub()], clock=FakeClock(1_767_700_000)) as s:
        yield s


@pytest.fixture
async def curated() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub(resources=[GUIDE])], clock=FakeClock(1_767_700_000)) as s:
        yield s


async def test_a_shared_link_is_kept_silently_and_found_again(told: Story) -> None:
    assert await told.say(ANA, "A manual on gifts: https://example.org/gift-manual.pdf") is None
    assert await told.say(LUIS, "!find gifts") == (
        "1. gift manual (https://example.org/gift-manual.pdf)\nexample.org · Jan 6, 2026 · shared by ana"
    )
