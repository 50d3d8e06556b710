"""A homeserver in memory."""

from __future__ import annotations

from collections.abc import Mapping


class FakeTransport:
    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.profiles: dict[str, dict[str, object]] = {}

    async def profile(self, user: str) -> Mapping[str, object]:
        return self.profiles.get(user, {})
