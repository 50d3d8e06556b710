"""Who the bot is: logged in once, then the kept session is used; what goes wrong is told to the operator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from nio import AsyncClient

from bot.core.errors import LoggedOut
from bot.matrix.login import LoginError, Secrets, Session, log_in
from bot.testing.clock import FakeClock
from tests.matrix.conftest import BOT, Answer, Script

LOGGED_IN = Answer({"user_id": BOT, "device_id": "DEV", "access_token": "new"})


@dataclass(frozen=True, slots=True)
class Configured:
    """`bot.matrix.login.Account`."""

    homeserver: str
    user: str
    device_name: str = "Faro"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "session.json"


async def come(
    client: AsyncClient, file: Path, *, password: str | None = None, token: str | None = None, user: str = BOT
) -> Session:
    account = Configured(client.homeserver, user)
    return await log_in(client, account, Secrets(password, token), file, FakeClock())


async def test_a_password_is_used_once_and_the_session_kept_for_its_owner_only(
    client: AsyncClient, script: Script, file: Path
) -> None:
    script.will_answer(LOGGED_IN)
    session = await come(client, file, password="pw")
    assert (session.user_id, session.device_id, session.access_token) == (BOT, "DEV", "new")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["session.json"], "nothing half-written beside it"
    assert await come(client, file, password="pw") == session
    (request,) = script.requests
    assert request.body["identifier"] == {"type": "m.id.user", "user": BOT}
    assert request.body["initial_device_display_name"] == "Faro"
    assert (client.user_id, client.device_id, client.access_token) == (BOT, "DEV", "new")


async def test_a_token_says_itself_whose_it_is(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(Answer({"user_id": BOT, "device_id": "DEV"}))
    session = await come(client, file, token="given")
    assert (session.device_id, session.access_token) == ("DEV", "given")
    assert script.requests[0].authorization == "Bearer given"


async def test_a_new_token_in_the_configuration_replaces_the_kept_one(
    client: AsyncClient, script: Script, file: Path
) -> None:
    script.will_answer(Answer({"user_id": BOT, "device_id": "OLD"}), Answer({"user_id": BOT, "device_id": "NEW"}))
    await come(client, file, token="old")
    await come(client, file, token="old")
    assert len(script.requests) == 1
    session = await come(client, file, token="new")
    assert (session.device_id, session.access_token) == ("NEW", "new")


async def test_a_homeserver_that_is_down_at_the_start_is_waited_for(
    client: AsyncClient, script: Script, file: Path
) -> None:
    script.will_answer(*[Answer(raw=b"<html>", status=502)] * 4, LOGGED_IN)
    assert (await come(client, file, password="pw")).device_id == "DEV"


async def test_a_wrong_password_is_told_and_not_tried_again(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(Answer({"errcode": "M_FORBIDDEN", "error": "Invalid password"}, 403))
    with pytest.raises(LoginError, match=r"Invalid password.*check `user` and the password"):
        await come(client, file, password="pw")
    assert len(script.requests) == 1
    assert not file.exists()


async def test_neither_password_nor_token_is_told_without_asking_the_homeserver(
    client: AsyncClient, script: Script, file: Path
) -> None:
    with pytest.raises(LoginError, match="needs a password"):
        await come(client, file)
    assert script.requests == []


async def test_a_token_of_somebody_else_is_told(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(Answer({"user_id": "@ana:example.org", "device_id": "DEV"}))
    with pytest.raises(LoginError, match=r"belongs to @ana:example\.org"):
        await come(client, file, token="hers")
    assert not file.exists()


async def test_a_token_without_a_device_is_told(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(Answer({"user_id": BOT}))
    with pytest.raises(LoginError, match="no device"):
        await come(client, file, token="given")


async def test_a_token_that_was_revoked_ends_the_start(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(Answer({"errcode": "M_UNKNOWN_TOKEN", "error": "gone"}, 401))
    with pytest.raises(LoggedOut, match="get a new one"):
        await come(client, file, token="old")


async def test_a_session_of_another_account_is_not_used(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(LOGGED_IN)
    await come(client, file, password="pw")
    with pytest.raises(LoginError, match="use another data_dir, or remove the file"):
        await come(client, file, password="pw", user="@other:example.org")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"user_id": "@faro:example.org"}', '"x"', "null"])
async def test_a_damaged_session_is_told(client: AsyncClient, file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(LoginError, match="remove it to log in again"):
        await come(client, file, password="pw")


async def test_a_session_that_cannot_be_read_is_told(client: AsyncClient, file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(LoginError, match="cannot be read"):
        await come(client, file, password="pw")


async def test_a_folder_that_cannot_be_written_is_told(client: AsyncClient, script: Script, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", encoding="utf-8")
    script.will_answer(LOGGED_IN)
    with pytest.raises(LoginError, match="cannot be"):
        await come(client, tmp_path / "data" / "session.json", password="pw")


async def test_the_kept_file_says_nothing_but_the_session(client: AsyncClient, script: Script, file: Path) -> None:
    script.will_answer(LOGGED_IN)
    await come(client, file, password="secret")
    assert "secret" not in file.read_text(encoding="utf-8")
    assert set(json.loads(file.read_text(encoding="utf-8"))) == {"homeserver", "user_id", "device_id", "access_token"}
