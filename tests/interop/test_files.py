"""Files in encrypted rooms: people's modern clients to the bot, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files import plugins
from tests.interop.peer import Event, Peer
from tests.interop.peers import Peers
from tests.interop.test_talk import modes, readable
from tests.running import RunningBot, running
from tests.town import Town

PLAN = "gifts first 🎁".encode()


@pytest.fixture
def copying(sealed: Town) -> Town:
    """Its bot can send files again (`tests/files/plugins/copier.py`)."""
    sealed.settings["plugin_dirs"] = [str(Path(plugins.__file__).parent)]
    sealed.write()
    return sealed


async def copy_of(peer: Peer, town: Town, file: str) -> str:
    """Asks for a file once more by replying to it; answers the question's event id."""
    content = {"msgtype": "m.text", "body": "!copy", "m.relates_to": {"m.in_reply_to": {"event_id": file}}}
    return await peer.send_event(town.hall, "m.room.message", content, to=(town.bot.user_id,))


@modes
async def test_a_file_comes_to_the_bot_and_back_encrypted(copying: Town, peers: Peers, only_signed: bool) -> None:
    async with running(copying.config):
        ana = await peers.log_in(copying.ana)
        await ana.only_signed_devices(only_signed)
        await ana.signed_device_of(copying.bot.user_id)
        file = await ana.send_file(copying.hall, "plan.txt", PLAN, "text/plain")
        answer = await ana.answer_to(await copy_of(ana, copying, file))
        assert readable(answer)
        assert answer["content"]["body"] == f"plan.txt (text/plain) of {copying.ana.user_id}: {len(PLAN)} bytes"
        assert (answer["content"]["msgtype"], answer["content"]["filename"]) == ("m.file", "copy of plan.txt")
        assert "url" not in answer["content"]
        assert await ana.download(answer) == PLAN
        assert PLAN not in await copying.ana.download(answer["content"]["file"]["url"])


@pytest.mark.parametrize("place", ["uploaded", "sent", "marked"])
async def test_killed_while_it_sends_a_file_the_file_comes_once(copying: Town, peers: Peers, place: str) -> None:
    async with running(copying.config) as bot:
        ana = await peers.log_in(copying.ana)
        await ana.signed_device_of(copying.bot.user_id)
        await bot.stop()
    file = await ana.send_file(copying.hall, "plan.txt", PLAN, "text/plain")
    question = await copy_of(ana, copying, file)
    killed = RunningBot(copying.config)
    await killed.start(FARO_TEST_KILL_AT=place)
    assert await killed.ended() == -9
    async with running(copying.config):
        answer = await ana.answer_to(question)
        assert await ana.download(answer) == PLAN
        await ana.answer_to(await ana.send(copying.hall, "!topics"))

    def is_file(event: Event) -> bool:
        return bool(event["sender"] == copying.bot.user_id and "file" in event["content"])

    assert [event["event_id"] for event in ana.heard if is_file(event)] == [answer["event_id"]]
