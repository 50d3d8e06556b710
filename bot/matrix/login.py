"""Login. The session is stored in the data folder and reused."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import structlog
from nio import AsyncClient

from bot.core.errors import LoggedOut, Refused, TransportError, Unavailable
from bot.matrix.backoff import Backoff
from bot.matrix.http import Http, text
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


class Account(Protocol):
    """What the configuration says about the bot's account; secrets are already read from their files."""

    @property
    def homeserver(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def device_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """Credentials for the first login; one of them is enough."""

    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


async def log_in(client: AsyncClient, account: Account, secrets: Secrets, file: Path, clock: Clock) -> Session:
    """The stored session, or a new one if there is none or the configured token changed.

    Waits for a homeserver that is down. Raises `LoginError` or `LoggedOut`.
    """
    session = _load(file, account)
    if session is None or (secrets.token and secrets.token != session.access_token):
        session = await _first_login(client, account, secrets, clock)
        _save(file, session)
        log.info("logged in", user=session.user_id, device=session.device_id)
    client.restore_login(session.user_id, session.device_id, session.access_token)
    return session


async def log_in_as_new_device(
    client: AsyncClient, http: Http, account: Account, secrets: Secrets, file: Path
) -> Session:
    """A new device instead of one whose encryption keys are lost.

    Raises `LoginError` if there is no password for it, `Unavailable` if the homeserver does not answer.
    """
    if secrets.token or not secrets.password:
        raise LoginError(
            f"the encryption keys of the device {client.device_id} are not in the data folder (lost, or the access "
            "token is another program's), and others do not accept new ones for it; put the folder back from a backup, "
            "or give the account's password instead of a token (FARO_PASSWORD or `password_file:`) for a new device"
        )
    try:
        session = await _with_password(http, account, secrets.password)
    except Refused as error:
        raise LoginError(f"the homeserver refused to log in {account.user} as a new device: {error}") from error
    with suppress(TransportError):  # the lost device is of no use to anybody
        await http.request("POST", "/_matrix/client/v3/logout", body={})
    _save(file, session)
    log.info("logged in", user=session.user_id, device=session.device_id)
    client.restore_login(session.user_id, session.device_id, session.access_token)
    return session


async def _first_login(client: AsyncClient, account: Account, secrets: Secrets, clock: Clock) -> Session:
    http, backoff = Http(client, clock), Backoff()
    while True:
        try:
            if secrets.token:
                return await _with_token(http, client, account, secrets.token)
            if secrets.password:
                return await _with_password(http, account, secrets.password)
            raise LoginError(
                "the first login needs a password: set FARO_PASSWORD, or `password_file:` in the configuration"
            )
        except Unavailable as error:
            wait = backoff.wait(error.retry_after)
            log.warning("homeserver unreachable, retrying", reason=str(error), seconds=round(wait))
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
    return _session(account, answer, text(answer, "access_token"))


async def _with_token(http: Http, client: AsyncClient, account: Account, token: str) -> Session:
    client.access_token = token
    try:
        answer = await http.request("GET", "/_matrix/client/v3/account/whoami")
    except LoggedOut as error:
        raise LoggedOut("the access token in the configuration is not valid (any more); get a new one") from error
    return _session(account, answer, token)


def _session(account: Account, answer: dict[str, object], token: str) -> Session:
    user, device = answer.get("user_id"), answer.get("device_id")
    if user != account.user:
        raise LoginError(f"the account belongs to {user}, but the configuration says `user: {account.user}`")
    if not isinstance(device, str):
        raise LoginError("the homeserver names no device for this token; use a token made by logging in")
    return Session(account.homeserver, account.user, device, token)


def _load(file: Path, account: Account) -> Session | None:
    try:
        session = Session(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LoginError(f"{file} cannot be read ({error.strerror}); it must belong to the bot's user") from error
    except (ValueError, TypeError) as error:
        raise LoginError(f"{file} is damaged; remove it to log in again") from error
    if session.user_id != account.user:
        raise LoginError(
            f"{file} holds the session of {session.user_id}, but the configuration says {account.user}; use another "
            "data_dir, or remove the file"
        )
    if session.homeserver != account.homeserver:  # the same account at a new address
        session = replace(session, homeserver=account.homeserver)
        _save(file, session)
    return session


def _save(file: Path, session: Session) -> None:
    """Written atomically, readable by the owner only."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(asdict(session), out)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise LoginError(f"the session cannot be kept in {file} ({error.strerror})") from error
