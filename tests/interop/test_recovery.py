"""An account that had an identity before: `faro crypto import` takes it over, `faro crypto reset` replaces it."""

from __future__ import annotations

import asyncio
import sys

from tests.interop.peers import Peers
from tests.running import PATIENCE, running
from tests.town import Town


async def crypto(command: str, town: Town, *options: str) -> str:
    """`faro crypto COMMAND config.yaml`; answers what it says. It must end well."""
    arguments = ["-m", "bot", "crypto", command, str(town.config), *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_with_a_modern_clients_recovery_key_the_bot_takes_over_its_identity(sealed: Town, peers: Peers) -> None:
    element = await peers.log_in(sealed.bot)
    key = sealed.config.parent / "recovery-key.txt"
    key.write_text(await element.recovery_key(), "utf-8")
    async with running(sealed.config) as bot:
        await bot.logged("cross-signing failed, others cannot trust this device")
        await bot.stop()
    await crypto("import", sealed, "--file", str(key))
    async with running(sealed.config):
        ana = await peers.log_in(sealed.ana)
        await ana.only_signed_devices()
        await ana.signed_device_of(sealed.bot.user_id, other_than=element.device_id)
        await ana.answer_to(await ana.send(sealed.hall, "!help", to=(sealed.bot.user_id,)))
    await crypto("status", sealed)


async def test_after_a_reset_people_are_warned_and_still_answered(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config) as bot:
        ana = await peers.log_in(sealed.ana)
        await ana.signed_device_of(sealed.bot.user_id)
        await ana.answer_to(await ana.send(sealed.hall, "!help", to=(sealed.bot.user_id,)))
        await bot.stop()
    await crypto("reset", sealed, "--yes")
    async with running(sealed.config):
        assert (await ana.trust(sealed.bot.user_id)).changed
        await ana.answer_to(await ana.send(sealed.hall, "!topics"))
