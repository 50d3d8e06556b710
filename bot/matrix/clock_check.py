"""Compares the homeserver's clock with ours, without an account, for `faro doctor`."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import aiohttp

from bot.ports import Clock


async def clock_skew(homeserver: str, clock: Clock, patience: float = 3) -> float | None:
    """Seconds our clock is ahead of the homeserver's, to a second; None if it does not say in time."""
    try:
        async with asyncio.timeout(patience), aiohttp.ClientSession() as http:
            before = clock.now()
            async with http.get(f"{homeserver}/_matrix/client/versions") as got:
                theirs = parsedate_to_datetime(got.headers["Date"]).timestamp()
            ours = (before + clock.now()) / 2000
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None
    return ours - (theirs + 0.5)  # the header leaves out the fraction of the second
