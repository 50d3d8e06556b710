"""A community that goes on talking whatever happens to the bot, and the account of what came of it."""

from __future__ import annotations

import asyncio
import datetime
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.testing.patience import patient
from tests.running import RunningBot
from tests.town import Town

SETTLES_WITHIN = patient(120)  # seconds
LINKS_IN_A_FILE = 25
STEPS = ("received", "committed", "sent", "marked")  # at which a crash could lose or double something
PLUGIN = '''\
"""A plugin whose tables change with every version of it."""

from bot.api import Context, Plugin, Reply, Settings, Transaction, command


class Ledger(Plugin[Settings]):
    name = "ledger"

    @command("ledger", help="How many steps were made.")
    async def ledger(self, ctx: Context) -> Reply:
        return Reply(str(await ctx.db.value("SELECT count(*) FROM ledger_steps")))

    async def forget(self, db: Transaction, user_id: str) -> None:
        """Nothing is held about anybody."""
'''
FIRST_STEP = "CREATE TABLE ledger_steps (step INTEGER NOT NULL) STRICT;\nINSERT INTO ledger_steps VALUES (1);\n"
STEP = """\
CREATE TABLE ledger_rows_{step} (number INTEGER PRIMARY KEY) STRICT;
INSERT INTO ledger_rows_{step}
    WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 50000) SELECT n FROM counted;
INSERT INTO ledger_steps VALUES ({step});
"""


class Voice(Protocol):
    """Somebody who talks in the hall, encrypted or not."""

    async def say(self, body: str, **content: object) -> str: ...

    async def edit(self, event_id: str, body: str) -> str: ...

    async def redact(self, event_id: str) -> None: ...

    async def heard(self, room: str, pages: int = 1_000) -> Sequence[Mapping[str, Any]]:
        """The latest events of a room as they are now (500 a page), decrypted where they were encrypted."""
        ...


@dataclass(slots=True)
class Question:
    edits: int = 0
    word: str = ""  # what its present text asks about, if it was edited


@dataclass(slots=True)
class Account:
    """What came of a campaign: a line for each thing that is not as it should be, and how many of which kind."""

    lines: list[str]
    counted: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, times: int, wanted: int) -> None:
        """Something that must be there so many times."""
        self.counted["checked"] += 1
        if times != wanted:
            kind = "lost" if times < wanted else "doubled"
            self.counted[kind] += 1
            self.lines.append(f"{kind}: {what}, {times} times instead of {wanted}")

    def absent(self, what: str, *, there: bool) -> None:
        """Something that was deleted."""
        self.counted["checked"] += 1
        if there:
            self.counted["shown"] += 1
            self.lines.append(f"shown: {what}")


@dataclass(slots=True)
class Campaign:
    """One town, one bot. `random` decides what people do; what they did is compared with what came of it."""

    town: Town
    voice: Voice
    random: random.Random
    kills: int = 0
    hangs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # lines of the bot's log
    asked: dict[str, Question] = field(default_factory=dict)  # by event
    withdrawn: set[str] = field(default_factory=set)  # questions
    shared: dict[str, str] = field(default_factory=dict)  # address → message
    deleted: set[str] = field(default_factory=set)  # addresses
    files: list[Path] = field(default_factory=list)
    due: dict[str, datetime.datetime] = field(default_factory=dict)  # title of a meeting → when it is reminded of
    steps: int = 0  # of the plugin's tables
    _count: int = 0

    # -- before it begins -----------------------------------------------------------------------------------------

    def prepare(self, *, minutes: int = 0) -> None:
        """Writes the configuration: nobody is slowed down, nothing is too old; reminders for so long."""
        settings, hub = self.town.settings, self.town.settings["hubs"][0]
        settings["cooldown"] = {"per_person": 10_000, "per_room": 10_000}
        settings["answer_within"] = "5 hours"
        settings["plugin_dirs"] = ["plugins"]
        begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=30)
        hub["meetings"] = [self._meeting(begin + datetime.timedelta(seconds=15 * n)) for n in range(minutes * 4)]
        self.town.write()
        self.new_version()

    def _meeting(self, due: datetime.datetime) -> dict[str, object]:
        title = f"Meeting {len(self.due)}."
        self.due[title] = due
        starts = due.replace(second=0) + datetime.timedelta(hours=3)
        return {
            "id": f"meeting-{len(self.due)}",
            "title": {"en": title},
            "starts": starts.strftime("%Y-%m-%d %H:%M"),
            "timezone": "UTC",
            "duration": "1 hour",
            "remind": [f"{round((starts - due).total_seconds())} seconds"],
        }

    def new_version(self) -> None:
        """The plugin gets one more step of its tables."""
        self.steps += 1
        folder = self.town.config.parent / "plugins" / "ledger"
        (folder / "schema").mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(PLUGIN, "utf-8")
        text = FIRST_STEP if self.steps == 1 else STEP.format(step=self.steps)
        (folder / "schema" / f"{self.steps:04}_ledger.sql").write_text(text, "utf-8")
        for copy in (self.town.config.parent / "data").glob("faro.db.before-*"):
            copy.unlink()

    # -- what people do -------------------------------------------------------------------------------------------

    async def ask(self, words: str) -> str:
        question = await self.voice.say(words)
        self.asked[question] = Question()
        return question

    async def act(self) -> None:
        """One thing that somebody does."""
        acts = (self._ask, self._share, self._delete, self._edit, self._withdraw, self._ask_differently)
        await self.random.choices(acts, (4, 4, 2, 1, 1, 1))[0]()

    async def _ask(self) -> None:
        await self.ask(self.random.choice(("!help find", "!next", "!find lemon", "!ledger")))

    async def _share(self) -> None:
        address = self._address()
        self.shared[address] = await self.voice.say(f"lemon {address}")

    async def _delete(self) -> None:
        if self.shared:
            address = self.random.choice(sorted(self.shared))
            await self.voice.redact(self.shared.pop(address))
            self.deleted.add(address)

    async def _edit(self) -> None:
        if self.shared:
            old, new = self.random.choice(sorted(self.shared)), self._address()
            event = self.shared.pop(old)
            await self.voice.edit(event, f"lemon {new}")
            self.deleted.add(old)
            self.shared[new] = event

    async def _withdraw(self) -> None:
        if self.asked:
            question = self.random.choice(sorted(self.asked))
            del self.asked[question]
            await self.voice.redact(question)
            self.withdrawn.add(question)

    async def _ask_differently(self) -> None:
        if self.asked:
            question = self.random.choice(sorted(self.asked))
            word = self.random.choice(("recent", "topics", "similar"))
            await self.voice.edit(question, f"!help {word}")
            self.asked[question] = Question(self.asked[question].edits + 1, word)

    def _address(self) -> str:
        self._count += 1
        return f"https://example.org/lemon-{self._count}-end"

    def new_file(self) -> Path:
        """A file of links to be imported."""
        file = self.town.config.parent / f"import-{len(self.files)}.txt"
        links = [f"https://imported.example/{len(self.files)}-{number}-end" for number in range(LINKS_IN_A_FILE)]
        file.write_text("\n".join(["url", *links]) + "\n", "utf-8")
        self.files.append(file)
        return file

    # -- what is done to the bot ----------------------------------------------------------------------------------

    async def killed_import(self, file: Path) -> None:
        """`faro import`, killed after a moment; it may have been quicker."""
        process = await self._faro("import", str(self.town.config), "transparency", str(file), "--yes")
        await asyncio.sleep(self.random.uniform(0.3, 2.5))
        if process.returncode is None:
            process.kill()
        self.kills += await process.wait() == -9

    def look_at(self, bot: RunningBot) -> None:
        """Keeps what the bot logged as unexpected."""
        self.errors += [line for line in bot.lines if "Traceback" in line]

    async def rest(self, longest: float) -> None:
        """Seconds in which nobody says anything."""
        await asyncio.sleep(self.random.uniform(0, longest))

    def draw_step(self) -> str:
        """Where the bot is to be killed; "" for no such place."""
        return f"{self.random.choice(STEPS)}:{self.random.randint(1, 4)}" if self.random.random() < 0.5 else ""

    async def live(self, bot: RunningBot, step: str) -> None:
        """One life: it starts, people go on, and it is killed at a step or at a moment."""
        for _ in range(self.random.randrange(3)):
            await self.act()
        await bot.start(FARO_TEST_KILL_AT=step)
        async with asyncio.TaskGroup() as tasks:
            if self.files and self.random.random() < 0.15:
                tasks.create_task(self.killed_import(self.random.choice(self.files)))
            end = time.monotonic() + self.random.uniform(0.3, 4)
            while bot.alive and time.monotonic() < end:
                if self.random.random() < 0.4:
                    await self.act()
                await asyncio.sleep(self.random.uniform(0, 0.5))
            await bot.kill()
        self.kills += 1
        self.look_at(bot)
        if (code := await bot.ended()) != -9:
            self.hangs.append(f"it ended by itself with {code}\n" + "\n".join(bot.lines[-20:]))

    async def breathe(self, bot: RunningBot) -> None:
        """The bot lives a while unharmed: it starts, answers and ends in time."""
        step = "start"
        try:
            await bot.start()
            await bot.ready()
            step = "answer"
            await self._answered(await self.ask("!help find"))
            step = "end"
            assert await bot.stop() == 0
            self.look_at(bot)
        except (TimeoutError, AssertionError) as error:
            self.hangs.append(f"{step}: {error}\n" + "\n".join(bot.lines[-20:]))
            await bot.kill()

    async def settle(self) -> None:
        """Finishes the imports, and waits until the running bot has nothing left to do."""
        for file in self.files:
            process = await self._faro("import", str(self.town.config), "transparency", str(file), "--yes")
            assert await process.wait() == 0
        try:
            await self._answered(await self.ask("!help find"))
            async with asyncio.timeout(SETTLES_WITHIN):
                while not self._idle():  # noqa: ASYNC110 - another process works
                    await asyncio.sleep(0.5)
        except TimeoutError:
            self.hangs.append("it did not settle")

    async def _answered(self, question: str) -> None:
        async with asyncio.timeout(SETTLES_WITHIN):
            while not self._answers_to(question, await self.voice.heard(self.town.hall, pages=1)):  # noqa: ASYNC110 - as any client, it looks again
                await asyncio.sleep(0.5)

    def _idle(self) -> bool:
        jobs = "SELECT (SELECT count(*) FROM core_outbox WHERE state = 'pending') + (SELECT count(*) FROM core_jobs)"
        with self.town.database() as db:
            return bool(db.execute(jobs).fetchone() == (0,))

    async def _faro(self, *words: str) -> asyncio.subprocess.Process:
        nowhere = asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", *words, stdout=nowhere, stderr=nowhere)

    # -- what came of it ------------------------------------------------------------------------------------------

    async def account(self) -> Account:
        """Compares. The bot must have settled."""
        account = Account([f"hang: {hang}" for hang in self.hangs])
        self._account_for_answers(account, await self.voice.heard(self.town.hall))
        self._account_for_reminders(account, await self.voice.heard(self.town.desk))
        stored, exported = self._stored(), await self._exported()
        imported = [line for file in self.files for line in file.read_text("utf-8").split()[1:]]
        for address in (*self.shared, *imported):
            account.count(address, stored[address], 1)
            account.count(f"{address} in the export", int(f'"{address}"' in exported), 1)
        for address in self.deleted:
            account.absent(address, there=bool(stored[address]) or address in exported)
        with self.town.database() as db:
            steps = [step for (step,) in db.execute("SELECT step FROM ledger_steps")]
        for step in range(1, self.steps + 1):
            account.count(f"step {step} of the plugin's tables", steps.count(step), 1)
        return account

    def _account_for_answers(self, account: Account, events: Sequence[Mapping[str, Any]]) -> None:
        for question, asked in self.asked.items():
            answers = self._answers_to(question, events)
            account.count(f"the answer to {question}", len(answers), 1)
            if answers and asked.word:
                versions = self._versions_of(answers[0], events)
                account.count(f"the answer to the edited {question}", int(f"!{asked.word}" in versions[-1]), 1)
                if len(versions) > asked.edits + 1:
                    account.count(f"edits of the answer to {question}", len(versions) - 1, asked.edits)
        for question in self.withdrawn:
            account.count(f"the answer to the deleted {question}", len(self._answers_to(question, events)), 0)

    def _account_for_reminders(self, account: Account, events: Sequence[Mapping[str, Any]]) -> None:
        said = [str(event["content"]["body"]) for event in self._said(events)]
        now = datetime.datetime.now(datetime.UTC)
        for title, due in self.due.items():
            times = sum(title in body for body in said)
            if due < now - datetime.timedelta(seconds=10):
                account.count(f"the reminder of {title}", times, 1)
            else:
                account.count(f"the early reminder of {title}", max(times, 1), 1)

    def _answers_to(self, question: str, events: Sequence[Mapping[str, Any]]) -> list[str]:
        return [
            str(event["event_id"])
            for event in self._said(events)
            if event["content"].get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id") == question
        ]

    def _versions_of(self, answer: str, events: Sequence[Mapping[str, Any]]) -> list[str]:
        """Its words, as they were said first and as they were edited."""
        versions = []
        for event in self._said(events):
            relation = event["content"].get("m.relates_to", {})
            if event["event_id"] == answer:
                versions.append(str(event["content"]["body"]))
            elif (relation.get("rel_type"), relation.get("event_id")) == ("m.replace", answer):
                versions.append(str(event["content"]["m.new_content"]["body"]))
        return versions

    def _said(self, events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """What the bot said and can be read."""
        mine = [event for event in events if event["sender"] == self.town.bot.user_id]
        return [event for event in mine if event["type"] == "m.room.message" and "body" in event["content"]]

    def _stored(self) -> Counter[str]:
        with self.town.database() as db:
            return Counter(url for (url,) in db.execute("SELECT url FROM knowledge_shares"))

    async def _exported(self) -> str:
        file = self.town.config.parent / f"export-{time.monotonic_ns()}.json"
        process = await self._faro("export", str(self.town.config), "transparency", str(file))
        assert await process.wait() == 0
        return json.dumps(json.loads(file.read_text("utf-8")), ensure_ascii=False)
