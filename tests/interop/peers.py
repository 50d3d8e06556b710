"""The Node process in which modern clients live: `peer.mjs`, wrapped."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from pathlib import Path
from typing import Any

from bot.testing.patience import patient
from bot.testing.person import Person
from tests.interop.peer import PATIENCE, Peer, PeerError

LONGEST_LINE = 8 * 1024 * 1024  # bytes: a downloaded file is one line


class Peers:
    """The Node process. Use as `async with`; it ends with its standard input."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._errors: deque[str] = deque(maxlen=40)  # the end of what it wrote to standard error
        self._peers: dict[str, Peer] = {}

    async def __aenter__(self) -> Peers:
        self._answers[0] = ready = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            "node",
            "peer.mjs",
            cwd=self._folder,
            limit=LONGEST_LINE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._tasks = [asyncio.create_task(self._read(self._process)), asyncio.create_task(self._log(self._process))]
        await self._within(ready, "node to start")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(patient(5)):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._tasks)

    async def log_in(self, person: Person, *, identity: bool = True) -> Peer:
        """A modern client on the person's own device, cross-signed unless `identity` is False."""
        who = f"{person.user_id} {person.device_id}"
        peer = self._peers[who] = Peer(self, who, person)
        account = {"url": person.url, "user": person.user_id, "password": person.password}
        device = {"device": person.device_id, "token": person.token, "identity": identity}
        await self.do(who, "login", **account, **device)
        return peer

    async def stop(self) -> None:
        """Stops all clients."""
        peers, self._peers = self._peers, {}
        for peer in peers.values():
            await peer.do("stop")

    async def do(self, who: str, what: str, **request: object) -> Any:
        """One request to `peer.mjs`. Raises `PeerError`, also when there is no answer in time."""
        assert self._process
        assert self._process.stdin
        number = next(self._numbers)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "who": who, "do": what, **request})
        self._process.stdin.write(line.encode() + b"\n")
        return await self._within(answer, f"{what} of {who}")

    async def _within(self, answer: asyncio.Future[Any], what: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            raise PeerError(f"waited in vain for {what}\n{self.log}") from None

    @property
    def log(self) -> str:
        return "\n".join(self._errors)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            told = json.loads(line)
            if "event" in told:
                if peer := self._peers.get(told["who"]):
                    peer.hear(told["event"])
                continue
            answer = self._answers.pop(told.get("id", 0))
            if answer.done():
                continue  # nobody waits for it any more
            if "error" in told:
                answer.set_exception(PeerError(told["error"]))
            else:
                answer.set_result(told.get("ok"))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(PeerError(f"node ended\n{self.log}"))
                answer.exception()  # it may have no reader any more; that is no fault
        self._answers.clear()

    async def _log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self._errors.append(line.decode(errors="replace").rstrip())
