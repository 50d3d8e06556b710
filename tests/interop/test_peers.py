"""The modern clients themselves: what they cannot do to each other, they cannot show of the bot."""

from __future__ import annotations

from bot.testing.homeserver import Homeserver
from tests.interop.peers import Peers


async def test_two_modern_clients_talk_encrypted_and_exchange_a_file(homeserver: Homeserver, peers: Peers) -> None:
    ana = await peers.log_in(await homeserver.register("ana-alone"))
    ben = await peers.log_in(await homeserver.register("ben-alone"))
    await ana.only_signed_devices()
    room = await ana.create_room("Two of them", invite=(ben.user_id,))
    await ben.join(room)
    asked = await ana.send(room, "hello", to=(ben.user_id,))
    heard = await ben.wait_for(lambda event: event["event_id"] == asked and event["content"].get("body") == "hello")
    assert heard["encrypted"]
    assert heard["shield"] == {"colour": 0, "reason": None}
    await ben.send_file(room, "plan.txt", b"gifts first", "text/plain")
    file = await ana.wait_for(lambda event: "file" in event["content"])
    assert await ana.download(file) == b"gifts first"
