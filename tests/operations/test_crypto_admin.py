"""`faro crypto` as the operator types it, against a real homeserver."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.cli import main
from bot.config.load import Loaded
from bot.config.model import BotConfig
from bot.matrix.client import connect
from bot.matrix.crypto import identity as seeds
from bot.matrix.crypto.sas import SasDisplay
from bot.matrix.crypto.verification_status import StatusFile
from bot.matrix.login import Secrets
from bot.operations import crypto_admin
from bot.operations.lock import is_used, only_one
from bot.testing.clock import FakeClock
from bot.testing.homeserver import Homeserver
from bot.testing.person import Person
from tests.matrix.crypto.party import FakeRoomState
from tests.matrix.crypto.strongbox import put_away, shown

KEY = bytes(range(32))


class Desk:
    """A configuration, the bot's account, and a terminal."""

    def __init__(self, folder: Path, url: str, person: Person) -> None:
        self.folder, self.person, self.url = folder, person, url
        self.file = folder / "config.yaml"
        self.configure(person.password)

    def configure(self, password: str) -> None:
        lines = [f"homeserver: {self.url}", f'user: "{self.person.user_id}"', f"password: {password}", "data_dir: data"]
        self.file.write_text("\n".join(lines))

    async def start(self) -> bool | None:
        """What `faro run` does first; answers whether its device counts as cross-signed."""
        config = BotConfig(homeserver=self.url, user=self.person.user_id)
        secrets = Secrets(self.person.password)
        transport = await connect(config, secrets, self.folder / "data", FakeClock(), FakeRoomState(set()))
        try:
            return await transport.cross_signed()
        finally:
            await transport.close()

    async def types(self, *words: str, typed: str | None = None) -> Result:
        command, *more = words
        arguments = ["crypto", command, str(self.file), *more]
        runner = CliRunner(env={"LC_ALL": "C"})
        return await asyncio.to_thread(runner.invoke, main.main, arguments, typed)

    @property
    def seeds(self) -> Path:
        return self.folder / "data" / "crypto" / seeds.FILE


@pytest.fixture
async def desk(homeserver: Homeserver, tmp_path: Path) -> Desk:
    person = await homeserver.register(f"bot-{uuid.uuid4().hex[:8]}")
    return Desk(tmp_path, homeserver.url, person)


async def test_the_first_start_signs_the_device_and_status_says_so(desk: Desk) -> None:
    result = await desk.types("status")
    assert (result.exit_code, "has never run" in result.output) == (1, True)
    assert await desk.start() is True
    result = await desk.types("status")
    assert result.exit_code == 0, result.output
    assert "This device is signed" in result.output
    assert desk.seeds.stat().st_mode & 0o077 == 0
    result = await desk.types("setup")
    assert (result.exit_code, "Nothing to do" in result.output) == (0, True)


async def test_a_foreign_identity_stops_neither_the_start_nor_is_it_touched(desk: Desk) -> None:
    await desk.start()
    desk.seeds.unlink()
    assert await desk.start() is False
    assert not desk.seeds.exists()
    for command in ("status", "setup"):
        result = await desk.types(command)
        assert result.exit_code == 1
        assert "faro crypto import" in result.output
        assert "faro crypto reset" in result.output


async def test_nobody_waits_for_a_verification_of_a_bot_that_does_not_run(desk: Desk) -> None:
    for _ in ("it never ran", "it was stopped"):
        result = await desk.types("verify")
        assert result.exit_code == 1
        assert "is not running" in result.output
        with only_one(desk.folder / "data"):
            assert is_used(desk.folder / "data")


async def test_a_reset_beside_the_running_bot_is_refused_before_it_asks(desk: Desk) -> None:
    await desk.start()
    with only_one(desk.folder / "data"):
        result = await desk.types("reset", typed="y\n")
    assert result.exit_code == 1
    assert "uses the data folder" in result.output
    assert str(crypto_admin.RESET[1]) not in result.output


async def test_a_reset_says_what_it_means_and_asks(desk: Desk) -> None:
    await desk.start()
    before = desk.seeds.read_bytes()
    result = await desk.types("reset", typed="n\n")
    assert result.exit_code == 1
    assert str(crypto_admin.RESET[1]) in result.output
    assert "Nothing was changed" in result.output
    assert desk.seeds.read_bytes() == before
    desk.configure("wrong")
    result = await desk.types("reset", "--yes")
    assert (result.exit_code, "rejected the password" in result.output) == (1, True)
    assert desk.seeds.read_bytes() == before
    desk.configure(desk.person.password)
    assert (await desk.types("reset", "--yes")).exit_code == 0
    assert desk.seeds.read_bytes() != before
    assert (await desk.types("status")).exit_code == 0


@pytest.mark.parametrize("from_file", [False, True], ids=["asked for", "from a file"])
async def test_an_identity_is_imported_and_its_key_never_shown(desk: Desk, from_file: bool) -> None:
    await desk.start()
    user = desk.person.user_id
    made = seeds.load(desk.seeds, user)
    assert made
    desk.seeds.unlink()
    for type_, content in put_away(KEY, "K1", {usage: key.seed for usage, key in made.keys.items()}).items():
        await desk.person.request("PUT", "/user/{}/account_data/{}", user, type_, body=content)
    await desk.person.close()
    if from_file:
        (desk.folder / "key.txt").write_text(shown(KEY) + "\n")
        result = await desk.types("import", "--file", str(desk.folder / "key.txt"))
    else:
        result = await desk.types("import", typed=shown(KEY) + "\n")
    assert result.exit_code == 0, result.output
    assert shown(KEY)[:9] not in result.output
    assert (await desk.types("status")).exit_code == 0


async def test_what_is_no_recovery_key_is_told(desk: Desk) -> None:
    await desk.start()
    result = await desk.types("import", typed="password\n")
    assert (result.exit_code, "not a recovery key" in result.output) == (1, True)


class Turns(FakeClock):
    """Each time somebody sleeps, the running bot gets one step further."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        display = StatusFile(folder, self)
        self.steps = [
            lambda: display.show("@ana:example.org", "PHONE", SasDisplay(("🐶 Dog", "🔑 Key"), (1234, 5678, 9012))),
            lambda: display.end("@ana:example.org", "PHONE", None),
        ]

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.steps:
            self.steps.pop(0)()


def loaded(folder: Path) -> Loaded:
    config = BotConfig(homeserver="https://example.org", user="@faro:example.org", data_dir=folder)
    return Loaded(config, {}, frozenset(), folder)


async def test_verify_shows_what_to_compare_until_it_is_done(tmp_path: Path) -> None:
    StatusFile(tmp_path / "crypto", FakeClock()).end("@old:example.org", "OLD", None)  # the last one is not shown again
    said = [str(each.text) async for each in crypto_admin.watch(loaded(tmp_path), Turns(tmp_path / "crypto"))]
    assert "Emoji: 🐶 Dog, 🔑 Key" in said
    assert "Numbers: 1234, 5678, 9012" in said
    assert said[-1] == "@ana:example.org has verified the bot from the device PHONE."
    assert "@old" not in os.linesep.join(said)


async def test_verify_gives_up_after_ten_minutes(tmp_path: Path) -> None:
    said = [each async for each in crypto_admin.watch(loaded(tmp_path), FakeClock())]
    assert [each.well for each in said] == [False]
