"""Who the bot is on the homeserver: logged in once, then the session is kept in the data folder and reused."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import structlog
from nio import AsyncClient

from bot.core.errors import LoggedOut, Refused, TransportError, Unavailable
from bot.matrix.backoff import Backoff
from bot.matrix.http import Http
from bot.ports import Clock

log = structlog.get_logger()


class LoginError(TransportError):
    """The operator must change something before the bot can log in."""


@dataclass(frozen=True, slots=True)
class Session:
    homeserver: str
    user_id: str
    device_id: str
    access_token: str


class Secret(Protocol):
    """A text that does not show itself in logs."""

    def get_secret_value(self) -> str: ...


class Account(Protocol):
    """What the configuration says about the bot's account; secrets are already read from their files."""

    @property
    def homeserver(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def device_name(self) -> str: ...

    @property
    def password(self) -> Secret | None: ...

    @property
    def access_token(self) -> Secret | None: ...


async def log_in(client: AsyncClient, account: Account, file: Path, clock: Clock) -> Session:
    """The kept session, or a new one. Waits for a homeserver that is down; raises `LoginError` or `LoggedOut`."""
    session = _kept(file, account)
    if session is None:
        session = await _new(client, account, clock)
        _keep(file, session)
        log.info("logged in", user=session.user_id, device=session.device_id)
    client.restore_login(session.user_id, session.device_id, session.access_token)
    return session


async def _new(client: AsyncClient, account: Account, clock: Clock) -> Session:
    http, backoff = Http(client), Backoff()
    while True:
        try:
            if account.access_token:
                return await _with_token(http, client, account, account.access_token.get_secret_value())
            if account.password:
                return await _with_password(http, account, account.password.get_secret_value())
            raise LoginError(
                "the first login needs a password: set FARO_PASSWORD, or `password_file:` in the configuration"
            )
        except Unavailable as error:
            wait = backoff.wait(error.retry_after)
            log.warning("the homeserver does not answer; waiting", reason=str(error), seconds=round(wait))
            await clock.sleep(wait)
        except Refused as error:
            raise LoginError(
                f"the homeserver refused to log in {account.user}: {error.reason} ({error.code}); "
                "check `user` and the password or token in the configuration"
            ) from error


async def _with_password(http: Http, account: Account, password: str) -> Session:
    answer = await http.request(
        "POST",
        "/_matrix/client/v3/login",
        body={
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": account.user},
            "password": password,
            "initial_device_display_name": account.device_name,
        },
    )
    return _session(account, answer, str(answer.get("access_token")))


async def _with_token(http: Http, client: AsyncClient, account: Account, token: str) -> Session:
    client.access_token = token
    try:
        answer = await http.request("GET", "/_matrix/client/v3/account/whoami")
    except LoggedOut as error:
        raise LoggedOut(f"the access token in the configuration is no longer valid; get a new one ({error})") from error
    return _session(account, answer, token)


def _session(account: Account, answer: dict[str, object], token: str) -> Session:
    user, device = answer.get("user_id"), answer.get("device_id")
    if user != account.user:
        raise LoginError(f"the account belongs to {user}, but the configuration says `user: {account.user}`")
    if not isinstance(device, str):
        raise LoginError("the homeserver names no device for this token; use a token made by logging in")
    return Session(account.homeserver, account.user, device, token)


def _kept(file: Path, account: Account) -> Session | None:
    if not file.exists():
        return None
    try:
        session = Session(**json.loads(file.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise LoginError(f"{file} is damaged; remove it to log in again") from error
    if (session.homeserver, session.user_id) != (account.homeserver, account.user):
        raise LoginError(
            f"{file} holds the session of {session.user_id} on {session.homeserver}, but the configuration says "
            f"{account.user} on {account.homeserver}; use another data_dir, or remove the file"
        )
    if account.access_token and account.access_token.get_secret_value() not in ("", session.access_token):
        log.info("the configuration has another access token than the kept session; taking the new one")
        return None
    return session


def _keep(file: Path, session: Session) -> None:
    """Written beside and moved, so that a crash leaves the old file or the new one, readable by the owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(asdict(session), out)
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(file)
