"""Cross-signing against a real homeserver: made once, then looked after; a foreign identity is never touched."""

from __future__ import annotations

import json
import stat
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

from nio import AsyncClient, AsyncClientConfig

from bot.matrix.crypto import identity as seeds
from bot.matrix.crypto.account import OlmAccount
from bot.matrix.crypto.crosssigning import CrossSigning, SigningStatus
from bot.matrix.crypto.engine import Engine
from bot.matrix.crypto.identity import Identity, IdentityError
from bot.matrix.crypto.recovery import recover
from bot.matrix.crypto.signing import SigningKey, is_signed
from bot.matrix.http import Http
from bot.testing.clock import FakeClock
from bot.testing.homeserver import Homeserver
from bot.testing.person import Person
from tests.matrix.conftest import Answer, Script
from tests.matrix.crypto.party import FakeRoomState
from tests.matrix.crypto.strongbox import put_away, shown


@dataclass(slots=True)
class Device:
    """One logged-in device of the bot, its keys published."""

    person: Person
    http: Http
    account: OlmAccount
    folder: Path

    def signing(self, password: str | None = None) -> CrossSigning:
        return CrossSigning(self.http, self.person.user_id, self.folder, password)

    async def published(self) -> dict[str, Any]:
        user = self.person.user_id
        return await self.person.request("POST", "/keys/query", body={"device_keys": {user: []}})

    async def is_signed(self, identity: Identity) -> bool:
        device = (await self.published())["device_keys"][self.person.user_id][self.person.device_id]
        key = identity.keys["self_signing"]
        return is_signed(device, self.person.user_id, key.id, key.public)

    def kept(self) -> Identity:
        found = seeds.load(self.folder / seeds.FILE, self.person.user_id)
        assert found
        return found


Enter = Callable[..., Awaitable[Device]]


@pytest.fixture
async def enter(homeserver: Homeserver, tmp_path: Path) -> AsyncIterator[Enter]:
    """Logs a device in: of a new account, or (`again`) another one of the same account with the same folder."""
    opened: list[tuple[Engine, AsyncClient, Person]] = []

    async def make(again: Device | None = None) -> Device:
        person = (
            await homeserver.log_in(again.person.user_id, again.person.password)
            if again
            else await homeserver.register(f"bot-{uuid.uuid4().hex[:8]}")
        )
        config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, encryption_enabled=False)
        client = AsyncClient(homeserver.url, person.user_id, config=config)
        client.restore_login(person.user_id, person.device_id, person.token)
        clock = FakeClock()
        http, folder = Http(client, clock), again.folder if again else tmp_path / person.device_id
        engine = Engine(client, http, folder, clock, FakeRoomState(set()))
        opened.append((engine, client, person))
        await engine.publish()
        return Device(person, http, OlmAccount(client), folder)

    yield make
    for engine, client, person in opened:
        engine.close()
        await client.close()
        await person.close()


async def test_the_first_start_makes_an_identity_without_a_password_and_signs_the_device(enter: Enter) -> None:
    bot = await enter()
    assert await bot.signing().status(bot.person.device_id) == SigningStatus("none")
    assert await bot.signing().ensure(bot.account)
    assert await bot.is_signed(bot.kept())
    assert await bot.signing().status(bot.person.device_id) == SigningStatus("ours", device_signed=True)
    user, device = bot.person.user_id, bot.person.device_id
    published = (await bot.published())["master_keys"][user]
    assert is_signed(published, user, f"ed25519:{device}", bot.account.ed25519)
    assert published["keys"] == bot.kept().public("master")["keys"]
    assert await bot.signing().master() == bot.kept().keys["master"].public


async def test_later_starts_change_nothing(enter: Enter) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    before, file = await bot.published(), (bot.folder / seeds.FILE).read_bytes()
    assert not await bot.signing().ensure(bot.account)
    assert (await bot.published(), (bot.folder / seeds.FILE).read_bytes()) == (before, file)


async def test_a_new_device_with_the_kept_seeds_signs_itself(enter: Enter) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    new = await enter(bot)
    assert new.person.device_id != bot.person.device_id
    assert await new.signing().status(new.person.device_id) == SigningStatus("ours", device_signed=False)
    assert await new.signing().ensure(new.account)
    assert await new.is_signed(bot.kept())


async def test_without_its_seeds_the_identity_is_foreign_and_both_ways_out_are_named(enter: Enter) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    (bot.folder / seeds.FILE).unlink()
    assert await bot.signing().status(bot.person.device_id) == SigningStatus("foreign")
    before = await bot.published()
    with pytest.raises(IdentityError, match=r"(?s)crypto import.*crypto reset"):
        await bot.signing().ensure(bot.account)
    assert await bot.published() == before
    assert not (bot.folder / seeds.FILE).exists()


async def test_a_reset_replaces_the_identity_with_the_password(enter: Enter) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    before = bot.kept().keys["master"].public
    signing = bot.signing(bot.person.password)
    await signing.reset()
    assert await signing.ensure(bot.account)
    assert bot.kept().keys["master"].public != before
    assert await bot.is_signed(bot.kept())
    assert not (bot.folder / seeds.NEXT).exists()


@pytest.mark.parametrize(
    ("password", "told"), [("wrong", "rejected the password"), (None, "requires the account's password")]
)
async def test_a_reset_that_is_refused_keeps_the_old_identity(enter: Enter, password: str | None, told: str) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    before = bot.kept().keys["master"].public
    with pytest.raises(IdentityError, match=told):
        await bot.signing(password).reset()
    assert bot.kept().keys["master"].public == before
    assert not await bot.signing().ensure(bot.account)
    assert not (bot.folder / seeds.NEXT).exists()


async def test_a_reset_whose_answer_was_lost_is_found_out_at_the_next_start(enter: Enter) -> None:
    """The homeserver has the new identity, the data folder still the old one beside it."""
    bot = await enter()
    await bot.signing().ensure(bot.account)
    old = (bot.folder / seeds.FILE).read_bytes()
    await bot.signing(bot.person.password).reset()
    new = (bot.folder / seeds.FILE).read_bytes()
    (bot.folder / seeds.NEXT).write_bytes(new)
    (bot.folder / seeds.FILE).write_bytes(old)
    assert await bot.signing().ensure(bot.account)
    assert (bot.folder / seeds.FILE).read_bytes() == new
    assert await bot.is_signed(bot.kept())


async def test_an_identity_made_in_a_client_is_imported_with_its_recovery_key(enter: Enter) -> None:
    bot = await enter()
    user = bot.person.user_id
    await bot.signing().ensure(bot.account)
    made = bot.kept()
    (bot.folder / seeds.FILE).unlink()
    key = SigningKey.new().seed  # any 32 random bytes
    for type_, content in put_away(key, "K1", {usage: one.seed for usage, one in made.keys.items()}).items():
        await bot.person.request("PUT", "/user/{}/account_data/{}", user, type_, body=content)
    with pytest.raises(IdentityError, match="not the recovery key of"):
        await recover(bot.http, user, shown(bytes(32)))
    found = await recover(bot.http, user, shown(key))
    await bot.signing().adopt(found)
    assert bot.kept().public("self_signing") == made.public("self_signing")
    assert not await bot.signing().ensure(bot.account)


async def test_an_outdated_recovery_key_is_not_adopted(enter: Enter) -> None:
    bot = await enter()
    await bot.signing().ensure(bot.account)
    with pytest.raises(IdentityError, match="was reset since"):
        await bot.signing().adopt(Identity.new(bot.person.user_id))


async def test_an_account_without_a_recovery_key_says_so(enter: Enter) -> None:
    bot = await enter()
    with pytest.raises(IdentityError, match="has no recovery key"):
        await recover(bot.http, bot.person.user_id, shown(bytes(32)))


async def test_other_keys_for_the_device_are_never_signed(enter: Enter) -> None:
    """The store was lost, or the homeserver lies."""
    bot, other = await enter(), await enter()
    await other.signing().ensure(other.account)
    stranger = OlmAccountLike(bot.person.user_id, bot.person.device_id, other.account.ed25519, other.account)
    with pytest.raises(IdentityError, match="different keys for this device"):
        await bot.signing().ensure(stranger)
    assert not await bot.is_signed(bot.kept())


@dataclass(frozen=True, slots=True)
class OlmAccountLike:
    user_id: str
    device_id: str
    ed25519: str
    keys: OlmAccount

    def sign_json(self, content: Any) -> dict[str, Any]:
        return self.keys.sign_json(content)


async def test_a_stage_that_is_no_password_is_named(http: Http, script: Script, tmp_path: Path) -> None:
    script.will_answer(
        Answer({"errcode": "M_UNKNOWN", "session": "s", "flows": [{"stages": ["m.oauth"]}]}, 401),
    )
    with pytest.raises(IdentityError, match=r"more than a password.*m\.oauth"):
        await CrossSigning(http, "@faro:example.org", tmp_path, "secret").reset()
    assert len(script.requests) == 1


async def test_a_wrong_password_is_tried_once(http: Http, script: Script, tmp_path: Path) -> None:
    flows = {"session": "s", "flows": [{"stages": ["m.login.password"]}]}
    wrong = {**flows, "errcode": "M_FORBIDDEN", "error": "Invalid password"}
    script.will_answer(Answer(flows, 401), Answer(wrong, 401))
    with pytest.raises(IdentityError, match="Invalid password"):
        await CrossSigning(http, "@faro:example.org", tmp_path, "wrong").reset()
    assert [one.body.get("auth", {}).get("session") for one in script.requests] == [None, "s"]


async def test_the_seeds_are_on_the_disk_before_the_homeserver_hears_of_them(
    http: Http, script: Script, tmp_path: Path
) -> None:
    user = "@faro:example.org"
    script.will_answer(Answer({}), Answer({"errcode": "M_LIMIT_EXCEEDED"}, 503))
    with pytest.raises(Exception, match="503"):
        await CrossSigning(http, user, tmp_path).ensure(_Account())
    file = tmp_path / seeds.FILE
    sent = script.requests[1].body
    kept = seeds.load(file, user)
    assert kept
    assert sent["master_key"] == kept.public("master")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [seeds.FILE]


async def test_failures_inside_a_success_are_told(http: Http, script: Script, tmp_path: Path) -> None:
    user, account, ours = "@faro:example.org", _Account(), Identity.new("@faro:example.org")
    seeds.keep(tmp_path / seeds.FILE, ours)
    device = account.sign_json({"user_id": user, "device_id": "D1", "keys": {"ed25519:D1": account.ed25519}})
    answer = {
        "device_keys": {user: {"D1": device}},
        "master_keys": {user: ours.public("master")},
        "self_signing_keys": {user: ours.public("self_signing")},
    }
    script.will_answer(Answer(answer), Answer({"failures": {user: {"D1": {"errcode": "M_INVALID_SIGNATURE"}}}}))
    with pytest.raises(IdentityError, match="M_INVALID_SIGNATURE"):
        await CrossSigning(http, user, tmp_path).ensure(account)


class _Account:
    """A device with a key of its own."""

    user_id, device_id = "@faro:example.org", "D1"

    def __init__(self) -> None:
        self._key = SigningKey.new()
        self.ed25519 = self._key.public

    def sign_json(self, content: Any) -> dict[str, Any]:
        signed = self._key.sign(self.user_id, content)
        (signature,) = signed["signatures"][self.user_id].values()
        return {**signed, "signatures": {self.user_id: {"ed25519:D1": signature}}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"user_id": "@faro:example.org", "master": "AA"}', "null"])
def test_a_damaged_file_of_seeds_is_told_and_left(tmp_path: Path, text: str) -> None:
    (tmp_path / seeds.FILE).write_text(text)
    with pytest.raises(IdentityError, match="damaged"):
        seeds.load(tmp_path / seeds.FILE, "@faro:example.org")
    assert (tmp_path / seeds.FILE).read_text() == text


def test_the_seeds_of_another_account_are_refused(tmp_path: Path) -> None:
    seeds.keep(tmp_path / seeds.FILE, Identity.new("@other:example.org"))
    with pytest.raises(IdentityError, match=r"belongs to @other:example\.org"):
        seeds.load(tmp_path / seeds.FILE, "@faro:example.org")


def test_the_file_of_seeds_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / seeds.FILE
    seeds.keep(file, Identity.new("@faro:example.org"))
    held = file.open()
    before = json.loads(file.read_text())
    seeds.keep(file, Identity.new("@faro:example.org"))
    with held:
        assert json.load(held) == before  # who was reading goes on reading the old one
    assert json.loads(file.read_text()) != before
