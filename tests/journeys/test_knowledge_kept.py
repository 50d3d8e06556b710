"""Links that outlive restarts and kills, come from files and go into them, and are not asked for at home."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from bot.testing.person import Person
from tests.journeys.conftest import TwoHubs
from tests.journeys.test_first_days import ask
from tests.journeys.test_knowledge import first_lines, until
from tests.journeys.test_wellbeing import settled
from tests.running import RunningBot, running
from tests.town import Town

BOOKMARKS = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<TITLE>Bookmarks</TITLE>
<DL><p>
    <DT><H3>Integrity</H3>
    <DL><p>
        <DT><A HREF="https://example.org/one" ADD_DATE="1700000000" TAGS="gifts">Zanzibar policy</A>
        <DD>Start with chapter 3
        <DT><A HREF="https://example.org/two">Zanzibar survey</A>
        <DT><A HREF="javascript:alert(1)">Not a link</A>
    </DL><p>
</DL><p>
"""


async def faro(config: Path, command: str, *arguments: str) -> str:
    """What `faro COMMAND CONFIG …` writes to standard output; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        command,
        str(config),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    said, complaints = await process.communicate()
    assert process.returncode == 0, (said, complaints)
    return said.decode()


async def test_a_file_is_brought_in_and_written_while_the_bot_runs(two: TwoHubs) -> None:
    town = two.town
    file = town.config.parent / "bookmarks.html"
    file.write_text(BOOKMARKS, "utf-8")
    async with running(town.config):
        await town.ben.send(town.hall, "A policy from the room https://example.org/zero")
        assert first_lines(await ask(town.ana, town.hall, "!find policy")) == ["1. zero"]
        await faro(town.config, "import", "transparency", str(file), "--yes")
        assert sorted(first_lines(await ask(town.ana, town.hall, "!find zanzibar"))) == [
            "2. Zanzibar policy",
            "3. Zanzibar survey",
        ]
        assert first_lines(await ask(town.ana, town.hall, "!find chapter topic:gifts")) == ["2. Zanzibar policy"]
        assert "2 is now part of 1" in await ask(town.ana, town.hall, "!merge 1 2")
        told = json.loads(await faro(town.config, "export", "transparency"))
        assert [item["url"] for item in told["items"]] == ["https://example.org/zero", "https://example.org/two"]
        assert town.ben.user_id not in json.dumps(told)
        await faro(town.config, "import", "audit", str(file), "--yes")
        assert len(first_lines(await ask(town.ana, two.vault, "!find zanzibar"))) == 2


async def test_addresses_at_home_are_refused_and_the_bot_goes_on(two: TwoHubs) -> None:
    """Whatever answers on the bot's own machine is not asked, even where its port is allowed."""
    town = two.town
    guests: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: guests.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    two.hubs[0] |= {"fetch": "titles", "check_links": True}
    town.settings["plugins"] = {"knowledge": {"fetch": {"ports": [80, 443, port]}}}
    town.write()
    hosts = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433")
    async with server, running(town.config) as bot:
        links = [f"http://{host}:{port}/admin" for host in hosts]
        await town.ben.send(town.hall, "Look " + " ".join(links))
        assert await ask(town.ana, town.hall, "!find admin")
        await until(lambda: "waiting" not in states(town), "all addresses to be looked at")
        assert states(town) == {"blocked"}
        assert not guests
        assert "admin" in await ask(town.ana, town.hall, "!find look")
        assert not [line for line in bot.lines if "Traceback" in line or "a job failed" in line]


def states(town: Town) -> set[str]:
    """How asking went; not tried again, unless it is `waiting`."""
    with town.database() as db:
        return {state if due is None or state == "waiting" else f"{state} again" for state, due in
                db.execute("SELECT state, due FROM knowledge_facts")}  # fmt: skip


async def test_everything_is_still_there_after_a_restart(two: TwoHubs) -> None:
    town = two.town
    questions = ("!find policy", "!show 1", "!topics", "!recent", "!changes", "!show 2")
    async with running(town.config) as bot:
        await town.ben.send(town.hall, "A policy https://example.org/a #gifts")
        liked = await town.carla.send(town.hall, "A survey policy https://example.org/b #audit")
        await town.ana.react(town.hall, liked, "👍")
        for command in ("!title 1 The policy", "!pin 1", "!note 2 zanzibarista"):
            await ask(two.dora, town.hall, command)
        for n in range(6):
            await town.ben.send(town.hall, f"more on policy https://example.org/more/{n}")
        before = [await ask(town.ana, town.hall, question) for question in questions]
        await ask(town.ana, town.hall, "!find policy")
        assert await bot.stop() == 0
    async with running(town.config):
        assert len(first_lines(await ask(town.ana, town.hall, "!more"))) == 3
        assert [await ask(town.ana, town.hall, question) for question in questions] == before
        (pinned,) = [line.split()[1] for line in before[4].splitlines() if "1 pinned" in line]
        assert "pinned" in await ask(two.dora, town.hall, f"!undo {pinned}")
        late = await town.ben.send(town.hall, "the newest https://example.org/late")
        assert "9. late" in first_lines(await ask(town.ana, town.hall, "!recent"))
        await town.ben.redact(town.hall, late)
        assert "no result" in await ask(town.ana, town.hall, "!show 9")


async def test_killed_while_links_are_shared_each_is_filed_once(two: TwoHubs) -> None:
    town = two.town
    bot = RunningBot(town.config)
    await bot.start()
    try:
        await bot.ready()
        await settled(town)
        sharing = asyncio.create_task(share_many(town.ben, town.hall, 60))
        for goal in (5, 25):
            await until(lambda goal=goal: filed(town) >= goal, "links to be filed")  # type: ignore[misc]  # bound now
            await bot.kill()
            await bot.start()
        await sharing
        await bot.ready()
        assert "example.org/59" in await ask(town.ana, town.hall, "!find zanzibar59")
        assert await bot.stop() == 0
    finally:
        await bot.kill()
    with town.database() as db:
        rows = db.execute(
            "SELECT s.url, p.number FROM knowledge_shares s JOIN knowledge_pages p ON p.id = s.page ORDER BY p.number"
        )
        assert rows.fetchall() == [(f"https://example.org/{n}", n + 1) for n in range(60)]


async def share_many(person: Person, room: str, count: int) -> None:
    for n in range(count):
        await person.send(room, f"zanzibar{n} https://example.org/{n}")


def filed(town: Town) -> int:
    with town.database() as db:
        (count,) = db.execute("SELECT count(*) FROM knowledge_shares").fetchone()
        return int(count)
