"""The environment of the demo: a homeserver, people, rooms, the configuration, the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo import bot_process, config_files
from bot.demo.bot_process import BotProcess
from bot.demo.cast import BOT, HISTORY, PEOPLE, ROOMS, Account, DemoRoom
from bot.demo.community import HomeserverCommunity
from bot.demo.progress import Steps
from bot.testing.homeserver import Homeserver
from bot.testing.person import HomeserverError, Person

SERVER = "demo.localhost"
DIRECT = "direct"  # short name of everyone's direct chat with the bot


@dataclass(frozen=True, slots=True)
class DemoEnvironment:
    url: str
    config: Path
    community: HomeserverCommunity
    bot: BotProcess


@asynccontextmanager
async def demo_environment(
    folder: Path, steps: Steps, plan: Callable[[], tuple[int, Sequence[str]]]
) -> AsyncIterator[DemoEnvironment]:
    """Sets everything up in `folder`, or takes up what an earlier demo left there.

    `plan` answers when the meeting starts (UTC ms) and the leads of its reminders; it is asked as late as possible.
    """
    t = steps.words.t
    async with AsyncExitStack() as after:
        with steps.step(t("Starting a homeserver (Synapse), on this machine only:")):
            homeserver = Homeserver(folder / "synapse", SERVER, _port(folder / "port"))
            (folder / "port").write_text(str(homeserver.port), encoding="utf-8")
            after.push_async_callback(homeserver.stop)
            await homeserver.start()
        with steps.step(t("Accounts and rooms:")):
            bot_account, new = await _account(homeserver, BOT)
            after.push_async_callback(bot_account.close)
            people: dict[str, Person] = {}
            for account in PEOPLE:
                people[account.name], _ = await _account(homeserver, account)
                after.push_async_callback(people[account.name].close)
            ids = dict(await asyncio.gather(*(_room(people, bot_account, room) for room in ROOMS)))
        with steps.step(t("Starting the bot:")):
            meeting_at, remind = plan()
            config = config_files.write(
                folder, homeserver=homeserver.url, server=SERVER, meeting_at=meeting_at, remind=remind
            )
            bot = await after.enter_async_context(bot_process.running(config, BOT.password))
            await bot.ready()
        with steps.step(t("Sharing the first links:")):
            if new:
                for account, room, words in HISTORY:
                    await people[account.name].send(ids[room], words)
            rooms = {account.name: await _rooms_of(account, people, ids, bot_account.user_id) for account in PEOPLE}
            await asyncio.gather(*(person.sync() for person in people.values()))  # what was before is not shown
        names = {bot_account.user_id: BOT.display_name}
        names |= {people[account.name].user_id: account.display_name for account in PEOPLE}
        yield DemoEnvironment(
            homeserver.url, config, HomeserverCommunity(people, rooms, bot_account.user_id, names), bot
        )


def _port(file: Path) -> int | None:
    """Where an earlier demo had its homeserver: the bot's session is for that address only."""
    return int(file.read_text(encoding="utf-8")) if file.exists() else None


async def _account(homeserver: Homeserver, account: Account) -> tuple[Person, bool]:
    """The account, logged in, and whether it is new."""
    try:
        person, new = await homeserver.register(account.name, account.password), True
    except HomeserverError:
        return await homeserver.log_in(account.name, account.password), False
    await person.request("PUT", "/profile/{}/displayname", person.user_id, body={"displayname": account.display_name})
    return person, new


async def _room(people: Mapping[str, Person], bot: Person, room: DemoRoom) -> tuple[str, str]:
    """A room with its members and an invited bot: name and id."""
    host, *others = (people[member.name] for member in room.members)
    try:
        return room.name, str((await host.request("GET", "/directory/room/{}", f"#{room.name}:{SERVER}"))["room_id"])
    except HomeserverError:
        invited = tuple(person.user_id for person in (*others, bot))
        room_id = await host.create_room(room.title, alias=room.name, invite=invited)
    for person in others:
        await person.join(room_id)
    return room.name, room_id


async def _rooms_of(
    account: Account, people: Mapping[str, Person], ids: Mapping[str, str], bot: str
) -> Mapping[str, str]:
    """The rooms the account is in by short name, its direct chat with the bot the last one."""
    person = people[account.name]
    rooms = {room.name: ids[room.name] for room in ROOMS if account in room.members}
    try:
        marked = await person.request("GET", "/user/{}/account_data/m.direct", person.user_id)
        return rooms | {DIRECT: marked[bot][0]}
    except HomeserverError:
        rooms[DIRECT] = await person.create_room(BOT.display_name, invite=(bot,), direct=True)
        marked = {bot: [rooms[DIRECT]]}
        await person.request("PUT", "/user/{}/account_data/m.direct", person.user_id, body=marked)
        return rooms
