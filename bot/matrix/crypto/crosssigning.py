"""Cross-signing: makes the bot's identity once, and signs every device of it (Matrix spec, "Cross-signing").

Modern clients share no keys with a device that its owner has not signed (MSC4153).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog

from bot.core.errors import Refused
from bot.core.texts import Text
from bot.matrix.crypto import identity as seeds
from bot.matrix.crypto.identity import USAGES, Identity, IdentityError, Usage
from bot.matrix.crypto.signing import is_signed
from bot.matrix.http import Http, NeedsAuth
from bot.matrix.inbound import section

log = structlog.get_logger()

PASSWORD = "m.login.password"  # noqa: S105 - the name of a stage


class Account(Protocol):
    """The device we are."""

    @property
    def user_id(self) -> str: ...

    @property
    def device_id(self) -> str: ...

    @property
    def ed25519(self) -> str:
        """The device's public signing key."""
        ...

    def sign_json(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The object with the device's signature, and with no other."""
        ...


@dataclass(frozen=True, slots=True)
class SigningStatus:
    """The cross-signing status of an account, compared with the seeds in the data folder."""

    identity: Literal["none", "ours", "foreign"]
    device_signed: bool = False


class CrossSigning:
    """`folder` holds the seeds. Methods raise `IdentityError` and what requests raise."""

    def __init__(self, http: Http, user_id: str, folder: Path, password: str | None = None) -> None:
        self._http, self._user = http, user_id
        self._file, self._next = folder / seeds.FILE, folder / seeds.NEXT
        self._password = password

    async def status(self, device_id: str) -> SigningStatus:
        """Read-only."""
        published = await self._published_keys()
        if published.public("master") is None:
            return SigningStatus("none")
        ours = next((one for one in self._stored() if published.belongs_to(one)), None)
        if ours is None:
            return SigningStatus("foreign")
        key = ours.keys["self_signing"]
        return SigningStatus("ours", is_signed(published.device(device_id), self._user, key.id, key.public))

    async def ensure(self, account: Account) -> bool:
        """An identity of ours on the account, and this device signed by it; whether anything had to be done.

        Once the device's keys are on the homeserver, at every start.
        """
        published = await self._published_keys()
        made = published.public("master") is None
        if made:
            await self._publish(self._stored_or_new())
            published = await self._published_keys()
        ours = self._own_identity(published)
        return await self._sign(account, ours, published) or made

    async def reset(self) -> None:
        """A new identity instead of whatever is there. Everybody who verified the bot must do so again.

        The old seeds stay until the homeserver accepts the new ones; if its response is lost, `ensure` decides.
        """
        made = Identity.new(self._user)
        seeds.keep(self._next, made)
        try:
            await self._upload(made)
        except (Refused, IdentityError):
            self._next.unlink(missing_ok=True)
            raise
        self._promote()

    async def adopt(self, identity: Identity) -> None:
        """Keeps the seeds of the identity the account already has."""
        published = await self._published_keys()
        if not published.belongs_to(identity):
            raise IdentityError(
                Text(
                    "The recovered keys do not belong to the account's current identity, which was reset since then; "
                    "see `reset`."
                )
            )
        seeds.keep(self._file, identity)

    async def master(self) -> str | None:
        """The public master key, if the account's identity is ours."""
        published = await self._published_keys()
        return next((one.keys["master"].public for one in self._stored() if published.belongs_to(one)), None)

    def _stored(self) -> list[Identity]:
        found = (seeds.load(file, self._user) for file in (self._file, self._next))
        return [one for one in found if one]

    def _stored_or_new(self) -> Identity:
        kept = self._stored()
        return kept[0] if kept else Identity.new(self._user)

    async def _publish(self, ours: Identity) -> None:
        """Stored before it is uploaded: an identity whose seeds nobody has could only be reset."""
        seeds.keep(self._file, ours)
        await self._upload(ours)
        log.info("created cross-signing identity", user=self._user)

    def _own_identity(self, published: PublishedKeys) -> Identity:
        for one in self._stored():
            if published.belongs_to(one):
                if one.public("master") != self._main_master():
                    self._promote()
                return one
        raise IdentityError(
            Text(
                "The account {user} already has a cross-signing identity, but its keys are not in the data "
                "folder. Import them with `faro crypto import`, which asks for the recovery key, or create a new "
                "identity with `faro crypto reset`.",
                user=self._user,
            )
        )

    def _main_master(self) -> dict[str, Any] | None:
        kept = seeds.load(self._file, self._user)
        return kept.public("master") if kept else None

    def _promote(self) -> None:
        self._next.replace(self._file)
        seeds.sync_folder(self._file.parent)

    async def _published_keys(self) -> PublishedKeys:
        path = "/_matrix/client/v3/keys/query"
        return PublishedKeys(self._user, await self._http.request("POST", path, body={"device_keys": {self._user: []}}))

    async def _upload(self, ours: Identity) -> None:
        body: dict[str, Any] = {f"{usage}_key": ours.public(usage) for usage in USAGES}
        path = "/_matrix/client/v3/keys/device_signing/upload"
        try:
            await self._http.request("POST", path, body=body)
        except NeedsAuth as asked:
            body["auth"] = self._auth(asked)
            try:
                await self._http.request("POST", path, body=body)
            except NeedsAuth as error:
                if error.code == "M_UNKNOWN":  # the password was accepted, and another stage is required
                    raise _stages(error) from error
                raise IdentityError(
                    Text("The homeserver rejected the password: {reason}", reason=error.reason)
                ) from error

    def _auth(self, asked: NeedsAuth) -> dict[str, object]:
        if (PASSWORD,) not in asked.flows:
            raise _stages(asked)
        if not self._password:
            raise IdentityError(
                Text(
                    "The homeserver requires the account's password. Set FARO_PASSWORD, or `password_file:` in the "
                    "configuration."
                )
            )
        identifier = {"type": "m.id.user", "user": self._user}
        return {"type": PASSWORD, "identifier": identifier, "password": self._password, "session": asked.session}

    async def _sign(self, account: Account, ours: Identity, published: PublishedKeys) -> bool:
        device, key = published.device(account.device_id), ours.keys["self_signing"]
        if not device:
            raise IdentityError(Text("The homeserver does not have the keys of this device yet."))
        own = f"ed25519:{account.device_id}"
        if section(device, "keys").get(own) != account.ed25519 or not is_signed(
            device, self._user, own, account.ed25519
        ):
            raise IdentityError(
                Text(
                    "The homeserver has different keys for this device than the data folder. Move session.json away "
                    "so that the bot logs in as a new device."
                )
            )
        new: dict[str, Any] = {}
        if not is_signed(device, self._user, key.id, key.public):
            new[account.device_id] = key.sign(self._user, device)
        master = published.public("master") or {}
        if not is_signed(master, self._user, own, account.ed25519):
            new[ours.keys["master"].public] = account.sign_json(master)
        if new:
            await self._upload_signatures(new)
            log.info("signed device", user=self._user, device=account.device_id)
        return bool(new)

    async def _upload_signatures(self, new: Mapping[str, object]) -> None:
        path = "/_matrix/client/v3/keys/signatures/upload"
        answer = await self._http.request("POST", path, body={self._user: new})
        if answer.get("failures"):  # even with status 200
            raise IdentityError(Text("The homeserver rejected the signatures: {reason}", reason=answer["failures"]))


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The keys of an account on the homeserver: unvalidated JSON."""

    user_id: str
    answer: dict[str, Any]

    def public(self, usage: Usage) -> dict[str, Any] | None:
        return section(self.answer, f"{usage}_keys", self.user_id) or None

    def device(self, device_id: str) -> dict[str, Any]:
        """{} if the homeserver does not have its keys."""
        return section(self.answer, "device_keys", self.user_id, device_id)

    def belongs_to(self, identity: Identity) -> bool:
        """Whether master and self-signing key are those of `identity`, and no others."""
        names: tuple[Usage, ...] = ("master", "self_signing")
        return all(section(self.public(name) or {}, "keys") == identity.public(name)["keys"] for name in names)


def _stages(asked: NeedsAuth) -> IdentityError:
    stages = " / ".join(", ".join(flow) for flow in asked.flows) or "?"
    text = Text(
        "The homeserver requires more than a password to change the identity: {stages}. Complete that "
        "step in a Matrix client signed in as the bot, then import the recovery key.",
        stages=stages,
    )
    return IdentityError(text)
