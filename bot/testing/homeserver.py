"""A real Synapse on loopback, with SQLite, in a folder of its own.

Needs the `demo` extra (matrix-synapse). The process is ended by pid when it is closed, whatever happened.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.testing.patience import patient
from bot.testing.person import HomeserverError, Person

START_WITHIN = patient(60)  # seconds
SECRET = "only-on-loopback"  # noqa: S105 - guards a throw-away server nobody else can reach
LIMITS = {"per_second": 10_000, "burst_count": 10_000}
UNLIMITED: dict[str, object] = {
    "rc_message": LIMITS,
    "rc_registration": LIMITS,
    "rc_admin_redaction": LIMITS,
    "rc_3pid_validation": LIMITS,
    "rc_room_creation": LIMITS,
    "rc_login": {"address": LIMITS, "account": LIMITS, "failed_attempts": LIMITS},
    "rc_joins": {"local": LIMITS, "remote": LIMITS},
    "rc_joins_per_room": LIMITS,
    "rc_invites": {"per_room": LIMITS, "per_user": LIMITS, "per_issuer": LIMITS},
}


@dataclass(frozen=True, slots=True)
class Federation:
    """Where other homeservers reach one, by TLS, and the certificates it needs: its own, with the key, and that of the
    authority which signed everybody's."""

    port: int
    certificate: Path
    key: Path
    authority: Path


class Homeserver:
    """One Synapse process. `url` is where any Matrix client finds it.

    Args:
        folder: Its files; made if it is missing.
        name: What its user ids end with. Other homeservers need to find it by this: `address:port` of `federation`.
        federation: Without it, no other homeserver reaches it.
        limited: Whether Synapse's own rate limits hold; else there are none that a test could meet.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "example.test",
        port: int | None = None,
        *,
        federation: Federation | None = None,
        limited: bool = False,
    ) -> None:
        self.folder, self.name = folder, name
        self.port = port or free_port()
        self._federation, self._limited = federation, limited
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when it answers. Raises `HomeserverError` with the end of its log if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "homeserver.yaml").write_text(json.dumps(self._config()), "utf-8")  # JSON is YAML
        log = (self.folder / "output.log").open("ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "synapse.app.homeserver",
                "-c",
                "homeserver.yaml",
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for us; we end it in our own order
            )
        finally:
            log.close()
        try:
            await self._answers()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the process: politely, then surely."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            pass
        finally:  # also when whoever waits is cancelled
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def register(self, localpart: str, password: str | None = None, *, admin: bool = False) -> Person:
        """A new account, logged in."""
        password = password or uuid.uuid4().hex
        path = "/_synapse/admin/v1/register"
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as got:
            nonce = (await got.json())["nonce"]
        words = "\0".join([nonce, localpart, password, "admin" if admin else "notadmin"])
        mac = hmac.new(SECRET.encode(), words.encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
        return await self._person(path, body, password)

    async def log_in(self, localpart: str, password: str) -> Person:
        """An account that exists, on a new device."""
        identifier = {"type": "m.id.user", "user": localpart}
        body = {"type": "m.login.password", "identifier": identifier, "password": password}
        return await self._person("/_matrix/client/v3/login", body, password)

    async def _person(self, path: str, body: Mapping[str, object], password: str) -> Person:
        async with aiohttp.ClientSession() as http, http.post(self.url + path, json=body) as got:
            answer = await got.json()
        if "access_token" not in answer:
            raise HomeserverError(f"no session from {path}: {answer}")
        return Person(self.url, answer["user_id"], password, answer["access_token"], answer["device_id"])

    async def _answers(self) -> None:
        try:
            async with asyncio.timeout(START_WITHIN), aiohttp.ClientSession() as http:
                while True:
                    if self._process is None or self._process.returncode is not None:
                        raise HomeserverError(f"the homeserver ended while starting:\n{self._log_end()}")
                    try:
                        async with http.get(f"{self.url}/_matrix/client/versions") as got:
                            if got.status == 200:
                                return
                    except aiohttp.ClientError:
                        pass
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise HomeserverError(f"the homeserver did not answer in time:\n{self._log_end()}") from error

    def _log_end(self) -> str:
        log = self.folder / "output.log"
        return log.read_text("utf-8", errors="replace")[-2000:] if log.exists() else ""

    def _config(self) -> Mapping[str, object]:
        clients = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "resources": [{"names": ["client"]}],
        }
        config = {
            "server_name": self.name,
            "public_baseurl": self.url,
            "listeners": [clients],
            "database": {"name": "sqlite3", "args": {"database": "homeserver.db"}},
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": SECRET,
            "form_secret": SECRET,
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
        }
        if self._federation:
            servers = {**clients, "port": self._federation.port, "tls": True, "resources": [{"names": ["federation"]}]}
            config |= {
                "listeners": [clients, servers],
                "tls_certificate_path": str(self._federation.certificate),
                "tls_private_key_path": str(self._federation.key),
                "federation_custom_ca_list": [str(self._federation.authority)],
                "ip_range_blacklist": [],  # the others are on loopback, too
                "federation": {"destination_min_retry_interval": "1s", "destination_max_retry_interval": "5s"},
            }
        return config if self._limited else config | UNLIMITED


@asynccontextmanager
async def homeserver(folder: Path) -> AsyncIterator[Homeserver]:
    """A Synapse that runs for the length of the `async with`."""
    server = Homeserver(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
