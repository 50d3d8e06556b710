"""Rate limit per host: one request at a time, and a pause after each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MOST_HOSTS = 1_000  # hosts that are tracked


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    free_at: float = 0.0


class HostThrottle:
    """Limits requests per host. `clock` is monotonic, in seconds; `sleep` waits for so many of them."""

    def __init__(self, pause: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._pause = pause
        self._clock = clock
        self._sleep = sleep
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Holds the host exclusively; waits for the previous holder and the pause after it."""
        host = self._hosts.setdefault(name, _Host())
        self._hosts.move_to_end(name)
        host.waiting += 1
        try:
            async with host.lock:
                if (wait := host.free_at - self._clock()) > 0:
                    await self._sleep(wait)
                try:
                    yield
                finally:
                    host.free_at = self._clock() + self._pause
        finally:
            host.waiting -= 1
            self._evict_idle()

    def _evict_idle(self) -> None:
        while len(self._hosts) > _MOST_HOSTS:
            name, host = next(iter(self._hosts.items()))
            if host.waiting:
                return
            del self._hosts[name]
