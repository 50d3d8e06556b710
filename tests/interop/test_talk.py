"""What coordinators do in encrypted rooms, with the client they have, on a real homeserver."""

from __future__ import annotations

import time

import pytest

from tests.interop.peer import Event, Peer
from tests.interop.peers import Peers
from tests.running import running, soon, until
from tests.town import Town

# Whom people's clients accept: everybody, or (MSC4153) only devices that their owners have signed.
modes = pytest.mark.parametrize("only_signed", [False, True], ids=["everyone", "only-signed"])


def readable(event: Event) -> bool:
    """Encrypted, and without any warning beside it."""
    return bool(event["encrypted"] and event["failure"] is None and event["shield"]["colour"] == 0)


async def met(peers: Peers, town: Town, only_signed: bool) -> Peer:
    """Ana's client, which knows the bot's device."""
    ana = await peers.log_in(town.ana)
    await ana.only_signed_devices(only_signed)
    await ana.signed_device_of(town.bot.user_id)
    return ana


async def ask(peer: Peer, town: Town, words: str) -> Event:
    """The answer to a question in the members' room; it is readable."""
    answer = await peer.answer_to(await peer.send(town.hall, words, to=(town.bot.user_id,)))
    assert readable(answer)
    return answer


@modes
async def test_a_question_is_answered_and_its_edit_edits_the_answer(
    sealed: Town, peers: Peers, only_signed: bool
) -> None:
    async with running(sealed.config):
        ana = await met(peers, sealed, only_signed)
        question = await ana.send(sealed.hall, "!language fr", to=(sealed.bot.user_id,))
        answer = await ana.answer_to(question)
        assert readable(answer)
        await ana.edit(sealed.hall, question, "!language es")
        edit = await ana.edit_of(answer["event_id"])
        assert readable(edit)
        assert edit["content"]["m.new_content"]["body"] != answer["content"]["body"]


@pytest.mark.core
@modes
async def test_a_link_is_found_and_an_answer_stays_in_its_thread(sealed: Town, peers: Peers, only_signed: bool) -> None:
    async with running(sealed.config):
        ana = await met(peers, sealed, only_signed)
        shared = await ana.send(sealed.hall, "Read https://example.org/gifts please", to=(sealed.bot.user_id,))
        await ana.send_in_thread(sealed.hall, shared, "!find gifts")
        answer = await ana.wait_for(
            lambda event: event["sender"] == sealed.bot.user_id and event["type"] == "m.room.message",
            what="an answer in the thread",
        )
        assert readable(answer)
        assert "https://example.org/gifts" in answer["content"]["body"]
        relation = answer["content"]["m.relates_to"]
        assert (relation["rel_type"], relation["event_id"]) == ("m.thread", shared)


@modes
async def test_a_reminder_pings_the_coordinators(sealed: Town, peers: Peers, only_signed: bool) -> None:
    begun = time.monotonic()
    async with running(sealed.config):
        start_takes = time.monotonic() - begun
        ana = await met(peers, sealed, only_signed)
    due = soon(start_takes)
    sealed.plan_meeting(due)
    async with running(sealed.config):
        await until(due)
        reminder = await ana.wait_for(
            lambda event: (
                event["sender"] == sealed.bot.user_id
                and event["room_id"] == sealed.desk
                and event["content"].get("msgtype") is not None
                and event["failure"] is None
            ),
            what="a reminder",
        )
        assert readable(reminder)
        assert "Coordinators' meeting" in reminder["content"]["body"]
        assert reminder["highlight"]


async def test_after_a_restart_what_was_asked_meanwhile_is_answered(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config) as bot:
        ana = await met(peers, sealed, only_signed=True)
        await ask(ana, sealed, "!help")
        assert await bot.stop() == 0
    late = await ana.send(sealed.hall, "!language fr")
    async with running(sealed.config):
        assert readable(await ana.answer_to(late))
        await ask(ana, sealed, "!language en")


async def test_a_bot_on_a_new_device_is_trusted_as_before(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config):
        ana = await met(peers, sealed, only_signed=True)
        before = await ana.signed_device_of(sealed.bot.user_id)
        await ask(ana, sealed, "!help")
    (sealed.config.parent / "data" / "session.json").unlink()
    async with running(sealed.config):
        after = await ana.signed_device_of(sealed.bot.user_id, other_than=before)
        await ask(ana, sealed, "!help")
        trust = await ana.trust(sealed.bot.user_id)
        assert after != before
        assert not trust.changed


async def test_a_device_that_comes_later_reads_the_next_answer(sealed: Town, peers: Peers) -> None:
    async with running(sealed.config):
        ana = await met(peers, sealed, only_signed=True)
        await ask(ana, sealed, "!help")
        ben = await peers.log_in(sealed.ben)
        answer = await ask(ana, sealed, "!topics")
        seen = await ben.wait_for(lambda event: event["event_id"] == answer["event_id"] and readable(event))
        assert seen["content"]["body"] == answer["content"]["body"]
