"""On a real homeserver, with a plain nio client on the other side."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")
pytest.importorskip("synapse", reason="a homeserver needs the demo extra")

import nio
from nio.crypto import decrypt_attachment, encrypt_attachment

from bot.core.errors import Refused, UserError
from bot.core.events import Batch, Message, Undecryptable
from bot.core.files import File
from bot.matrix.client import NioTransport, connect
from bot.matrix.login import LoginError, Secrets
from bot.matrix.media import DAMAGED, NO_FILE, NO_KEY
from bot.testing.homeserver import Homeserver
from bot.testing.patience import patient
from bot.testing.person import Person
from bot.timing.clock import SystemClock
from tests.contract.worlds import Configured

MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
ENCRYPTED = [{"type": "m.room.encryption", "state_key": "", "content": MEGOLM}]


@dataclass(slots=True)
class LiveBook:
    """`bot.ports.RoomStateReader`, asked of the homeserver each time."""

    person: Person

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        state = await self.person.request("GET", "/rooms/{}/state", room)
        found: list[Any] = [event["content"] for event in _list(state) if event["type"] == "m.room.encryption"]
        return found[0] if found else None

    async def members(self, room: str) -> frozenset[str]:
        state = _list(await self.person.request("GET", "/rooms/{}/state", room))
        here = ("join", "invite")
        return frozenset(
            event["state_key"]
            for event in state
            if event["type"] == "m.room.member" and event["content"]["membership"] in here
        )


def _list(answer: object) -> list[Any]:
    assert isinstance(answer, list)
    return answer


@dataclass(slots=True)
class Bot:
    """The transport, read as the program reads it."""

    server: Homeserver
    person: Person
    folder: Path
    transport: NioTransport
    token: str | None = None
    heard: list[Message] = field(default_factory=list)
    closed: list[Undecryptable] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    async def read(self) -> Batch:
        batch = await self.transport.sync(self.token)
        self.token = batch.token
        self.batches.append(batch)
        self.closed += batch.undecryptable
        self.heard += [event for room in batch.rooms for event in room.events if isinstance(event, Message)]
        return batch

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(patient(20)):
            while not done():
                await self.read()

    async def hears(self, body: str) -> Message:
        await self.until(lambda: any(one.body == body for one in self.heard))
        return next(one for one in self.heard if one.body == body)

    async def say(self, room: str, body: str, **more: Any) -> str:
        content = {"msgtype": "m.notice", "body": body, "org.faro.key": f"reply.{body}"}
        return await self.transport.send(room, "m.room.message", content, uuid.uuid4().hex, **more)

    async def restart(self) -> None:
        await self.transport.close()
        self.transport = await _connect(self.server, self.person, self.folder)


async def _connect(server: Homeserver, person: Person, folder: Path, secrets: Secrets | None = None) -> NioTransport:
    account = Configured(server.url, person.user_id)
    return await connect(account, secrets or Secrets(person.password), folder, SystemClock(), LiveBook(person))


@pytest.fixture
async def bot(homeserver: Homeserver, tmp_path: Path) -> AsyncIterator[Bot]:
    person = await homeserver.register(f"faro-{uuid.uuid4().hex[:8]}")
    made = Bot(homeserver, person, tmp_path / "data", await _connect(homeserver, person, tmp_path / "data"))
    await made.read()
    yield made
    await made.transport.close()
    await person.close()


class Peer:
    """Somebody with a client built on nio as it is."""

    def __init__(self, person: Person, client: nio.AsyncClient) -> None:
        self.person, self.client = person, client

    @classmethod
    async def make(cls, server: Homeserver, name: str, folder: Path) -> Peer:
        person = await server.register(f"{name}-{uuid.uuid4().hex[:8]}")
        folder.mkdir(exist_ok=True)
        client = nio.AsyncClient(server.url, person.user_id, store_path=str(folder))
        client.restore_login(person.user_id, person.device_id, person.token)
        await client.keys_upload()
        await client.sync(full_state=True)
        return cls(person, client)

    async def sync(self) -> None:
        await self.client.sync(timeout=patient(0))
        if self.client.should_query_keys:
            await self.client.keys_query()

    async def open_room(self, *invite: str) -> str:
        body = {"preset": "private_chat", "invite": list(invite), "initial_state": ENCRYPTED}
        room = str((await self.person.request("POST", "/createRoom", body=body))["room_id"])
        await self.sync()
        return room

    async def say(self, room: str, body: str, **more: object) -> str:
        await self.sync()
        return await self.send(room, "m.room.message", {"msgtype": "m.text", "body": body, **more})

    async def send(self, room: str, type_: str, content: dict[str, Any]) -> str:
        sent = await self.client.room_send(room, type_, content, ignore_unverified_devices=True)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def seal(self, room: str, payload: str) -> None:
        """An event with any payload, under a room key the others have."""
        olm = self.client.olm
        session = olm.outbound_group_sessions[room]
        keys = {"sender_key": olm.account.identity_keys["curve25519"], "device_id": self.person.device_id}
        content = {**MEGOLM, **keys, "ciphertext": session.encrypt(payload), "session_id": session.id}
        await self.person.send_event(room, "m.room.encrypted", content)

    def harden(self) -> None:
        """For tests in which it is somebody else who has to survive."""
        olm = self.client.olm

        def quietly(work: Callable[..., Any]) -> Callable[..., Any]:
            def result(*given: Any) -> Any:
                try:
                    return work(*given)
                except Exception:
                    return None

            return result

        for name in ("verify_json", "_decrypt_megolm_no_error", "create_session"):
            setattr(olm, name, quietly(getattr(olm, name)))

    async def reads(self, room: str, body: str) -> Any:
        """The event with this text, decrypted."""
        async with asyncio.timeout(patient(20)):
            while True:
                await self.sync()
                page = await self.client.room_messages(room, limit=50)
                for event in page.chunk:
                    if getattr(event, "body", None) == body:
                        return event
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        self.client.store.database.close()
        await self.client.close()
        await self.person.close()


async def poison(mal: Peer, room: str, target: tuple[str, str, str]) -> None:
    """All that ended bots built on nio 0.26 for good: the target is a user, a device, and its curve25519 key."""
    user, device, key = target
    for payload in ("[]", "7", '"text"', "null", "{}", f'{{"type":"m.room.message","content":[],"room_id":"{room}"}}'):
        await mal.seal(room, payload)
    for kind in (0, 1, 2):
        content = {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": "x" * 43,
            "ciphertext": {key: {"type": kind, "body": "AAAA"}},
        }
        body = {"messages": {user: {device: content}}}
        await mal.person.request("PUT", "/sendToDevice/{}/{}", "m.room.encrypted", uuid.uuid4().hex, body=body)
    own, id_ = mal.person.user_id, mal.person.device_id
    signed = {"signatures": {own: {f"ed25519:{id_}": "garbage"}}}
    keys = {f"ed25519:{id_}": "garbage", f"curve25519:{id_}": "garbage"}
    garbage = {"user_id": own, "device_id": id_, "algorithms": [], "keys": keys, **signed}
    one_time = {"signed_curve25519:garbage": {"key": "garbage", **signed}}
    await mal.person.request("POST", "/keys/upload", body={"device_keys": garbage, "one_time_keys": one_time})
    await mal.send(room, "m.room.power_levels", {"users": {own: 100}})


@pytest.fixture
async def meet(homeserver: Homeserver, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    made: list[Peer] = []

    async def make(name: str) -> Peer:
        made.append(await Peer.make(homeserver, name, tmp_path / name))
        return made[-1]

    yield make
    for peer in made:
        await peer.close()


@pytest.fixture
async def ana(meet: Callable[..., Any]) -> Peer:
    peer: Peer = await meet("ana")
    return peer


@pytest.fixture
async def room(bot: Bot, ana: Peer) -> str:
    made = await ana.open_room(bot.person.user_id)
    await bot.transport.join(made, [])
    await bot.read()
    return made


async def test_both_understand_each_other_and_after_a_restart_too(bot: Bot, ana: Peer, room: str) -> None:
    await ana.say(room, "!find gifts")
    heard = await bot.hears("!find gifts")
    assert heard.sender_known
    await bot.say(room, "Found.")
    assert (await ana.reads(room, "Found.")).decrypted
    await ana.say(room, "while away")
    await bot.restart()
    await bot.hears("while away")
    await bot.say(room, "Here again.")
    assert (await ana.reads(room, "Here again.")).decrypted


async def test_a_repeat_with_the_same_transaction_id_is_the_same_event(bot: Bot, ana: Peer, room: str) -> None:
    content = {"msgtype": "m.notice", "body": "once"}
    sent = {await bot.transport.send(room, "m.room.message", content, "txn-1") for _ in range(2)}
    assert len(sent) == 1


async def test_an_encrypted_message_of_ours_is_found_by_its_key(bot: Bot, ana: Peer, room: str) -> None:
    sent = await bot.say(room, "hello")
    assert await bot.transport.find_sent(room, "reply.hello", 0) == sent
    (event,) = [one for one in await ana.person.messages(room) if one["event_id"] == sent]
    assert event["type"] == "m.room.encrypted"
    assert "hello" not in str({**event["content"], "org.faro.key": ""})


async def test_a_plain_notice_and_a_reaction_are_readable_by_all(bot: Bot, ana: Peer, room: str) -> None:
    notice = await bot.say(room, "I cannot read you.", plain=True)
    relation = {"rel_type": "m.annotation", "event_id": notice, "key": "ok"}
    reaction = await bot.transport.send(room, "m.reaction", {"m.relates_to": relation}, "txn-r")
    types = {one["event_id"]: one["type"] for one in await ana.person.messages(room)}
    assert (types[notice], types[reaction]) == ("m.room.message", "m.reaction")


async def test_an_encrypted_gap_is_filled(bot: Bot, ana: Peer, room: str) -> None:
    for number in range(60):
        await ana.say(room, f"message {number}")
    await bot.read()
    assert [one.body for one in bot.heard] == [f"message {number}" for number in range(60)]
    assert bot.batches[-1].rooms[0].gap


async def test_newcomers_read_what_is_said_after_they_joined(
    bot: Bot, ana: Peer, room: str, meet: Callable[..., Any]
) -> None:
    await bot.say(room, "before")
    bea: Peer = await meet("bea")
    await ana.person.invite(room, bea.person.user_id)
    await bea.person.join(room)
    await bot.say(room, "Welcome.")
    assert (await bea.reads(room, "Welcome.")).decrypted


async def test_a_key_that_comes_late_opens_the_message(bot: Bot, ana: Peer, room: str) -> None:
    await ana.say(room, "so that she knows our device")
    olm, user, id_ = ana.client.olm, bot.person.user_id, bot.transport.device_id
    device = olm.device_store[user][id_]
    ana.client.blacklist_device(device)
    olm.create_outbound_group_session(room)
    session = olm.outbound_group_sessions[room]
    key = {**MEGOLM, "room_id": room, "session_id": session.id, "session_key": session.session_key}
    await ana.say(room, "!next")
    await bot.until(lambda: bool(bot.closed))
    (closed,) = bot.closed
    assert bot.transport.decrypt(closed) is None
    letter = olm._olm_encrypt(olm.session_store.get(device.curve25519), device, "m.room_key", key)
    body = {"messages": {user: {id_: letter}}}
    await ana.person.request("PUT", "/sendToDevice/{}/{}", "m.room.encrypted", uuid.uuid4().hex, body=body)
    await bot.until(lambda: (room, closed.session_id) in bot.batches[-1].keys)
    opened = bot.transport.decrypt(closed)
    assert isinstance(opened, Message)
    assert (opened.body, opened.sender_known) == ("!next", True)


PLAN = File("plan.txt", "text/plain", b"gifts first")


async def test_files_are_encrypted_both_ways(bot: Bot, ana: Peer, room: str) -> None:
    sealed, keys = encrypt_attachment(PLAN.content)
    file = {**keys, "url": await ana.person.upload(sealed)}
    info = {"mimetype": "text/plain"}
    sent = await ana.say(room, PLAN.name, msgtype="m.file", file=file, info=info)
    heard = await bot.hears(PLAN.name)
    assert await bot.transport.fetch(room, sent, 100) == (heard, PLAN)
    assert heard.sender_known
    answer = await bot.transport.upload(room, PLAN)
    await bot.transport.send(room, "m.room.message", {"msgtype": "m.file", "body": "copy", **answer}, "txn-f")
    source = (await ana.reads(room, "copy")).source["content"]["file"]
    stored = await ana.person.download(source["url"])
    assert PLAN.content not in stored
    assert decrypt_attachment(stored, source["key"]["k"], source["hashes"]["sha256"], source["iv"]) == PLAN.content


async def test_of_a_file_nothing_is_taken_that_its_sender_did_not_vouch_for(bot: Bot, ana: Peer, room: str) -> None:
    """The homeserver changed the bytes, or they lie there unencrypted; or the message is closed to the bot."""
    sealed, keys = encrypt_attachment(PLAN.content)
    changed = {**keys, "url": await ana.person.upload(bytes([sealed[0] ^ 1]) + sealed[1:])}
    sent = await ana.say(room, "changed", msgtype="m.file", file=changed)
    open_ = await ana.say(room, "open", msgtype="m.file", url=await ana.person.upload(PLAN.content))
    await bot.hears("open")
    closed = await ana.person.send_event(room, "m.room.encrypted", {**MEGOLM, "session_id": "x", "ciphertext": "x"})
    for event_id, told in ((sent, DAMAGED), (open_, NO_FILE), (closed, NO_KEY)):
        with pytest.raises(UserError) as error:
            await bot.transport.fetch(room, event_id, 100)
        assert error.value.text == told


async def test_who_sent_an_unencrypted_file_into_an_encrypted_room_is_not_known(bot: Bot, ana: Peer, room: str) -> None:
    """The homeserver could have put it there under anybody's name."""
    content = {"msgtype": "m.file", "body": PLAN.name, "url": await ana.person.upload(PLAN.content)}
    message, file = await bot.transport.fetch(room, await ana.person.send_event(room, "m.room.message", content), 100)
    assert file.content == PLAN.content
    assert not message.sender_known


async def test_encrypted_power_levels_change_nothing(bot: Bot, ana: Peer, room: str) -> None:
    await ana.send(room, "m.room.power_levels", {"users": {ana.person.user_id: 100}})
    await ana.say(room, "after")
    await bot.hears("after")
    changed = [event for batch in bot.batches[1:] for part in batch.rooms for event in part.events]
    assert [event for event in changed if isinstance(event, Message)] == bot.heard
    assert len(bot.heard) == 1


async def test_poison_of_every_kind_then_a_restart_then_an_answer(
    bot: Bot, ana: Peer, room: str, meet: Callable[..., Any]
) -> None:
    """Twice from before the poison on, as a bot would begin that could not store what it brought."""
    mal: Peer = await meet("mal")
    await ana.person.invite(room, mal.person.user_id)
    await mal.person.join(room)
    await mal.say(room, "so that there are keys")
    ana.harden()  # her own client is nio as it is, and would end here
    own = bot.transport.crypto.client.olm.account.identity_keys["curve25519"] if bot.transport.crypto else ""
    before = bot.token
    await poison(mal, room, (bot.person.user_id, bot.transport.device_id, own))
    for _ in range(2):
        await ana.say(room, "!next")
        await bot.hears("!next")
        bot.heard.clear()
        body_text = f"On Tuesday. {uuid.uuid4().hex}"
        await bot.say(room, body_text)
        assert (await ana.reads(room, body_text)).decrypted
        await bot.restart()
        bot.token = before
    await bot.hears("!next")


async def test_after_losing_its_keys_the_bot_comes_back_as_a_new_device(bot: Bot, ana: Peer, room: str) -> None:
    await bot.say(room, "before")
    old = bot.transport.device_id
    await bot.transport.close()
    shutil.rmtree(bot.folder / "crypto")
    bot.transport = await _connect(bot.server, bot.person, bot.folder)
    assert bot.transport.device_id != old
    await bot.read()
    await ana.say(room, "!next")
    await bot.hears("!next")
    await bot.say(room, "Here again.")
    assert (await ana.reads(room, "Here again.")).decrypted


async def test_without_a_password_lost_keys_are_told(bot: Bot) -> None:
    await bot.transport.close()
    shutil.rmtree(bot.folder / "crypto")
    with pytest.raises(LoginError, match="encryption keys of the device"):
        await _connect(bot.server, bot.person, bot.folder, Secrets())


async def test_an_unknown_encryption_is_refused(bot: Bot, ana: Peer) -> None:
    state = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v9"}}]
    body = {"invite": [bot.person.user_id], "initial_state": state}
    room = str((await ana.person.request("POST", "/createRoom", body=body))["room_id"])
    await bot.transport.join(room, [])
    with pytest.raises(Refused):
        await bot.say(room, "hello")
