"""An account whose identity was made in Element: the bot takes it over with the recovery key."""

from __future__ import annotations

from pathlib import Path

from nio import AsyncClient

from bot.matrix.crypto.crosssigning import CrossSigning, Standing
from bot.matrix.crypto.recovery import recover
from bot.matrix.http import Http
from bot.testing.homeserver import Homeserver
from bot.timing.clock import SystemClock
from tests.interop.peers import Peers


async def test_the_recovery_key_of_a_modern_client_gives_its_identity(
    homeserver: Homeserver, peers: Peers, tmp_path: Path
) -> None:
    person = await homeserver.register("faro-of-element")
    element = await peers.log_in(person)
    recovery_key = await element.recovery_key()
    client = AsyncClient(person.url, person.user_id)
    client.access_token = person.token
    try:
        http = Http(client, SystemClock())
        signing = CrossSigning(http, person.user_id, tmp_path)
        assert (await signing.standing(person.device_id)).identity == "foreign"
        await signing.adopt(await recover(http, person.user_id, recovery_key))
        assert await signing.standing(person.device_id) == Standing("ours", device_signed=True)
    finally:
        await client.close()
