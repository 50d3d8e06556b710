"""Two homeservers that talk to each other: TLS on loopback, with certificates of an authority made for the test."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.testing.homeserver import Federation, Homeserver, free_port

HOST = "127.0.0.1"


class Authority:
    """Signs certificates for loopback. Its own is `certificate` in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.certificate = folder / "authority.pem"
        own = self._builder(self._name, self._key.public_key(), authority=True)
        self.certificate.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def federation(self, port: int) -> Federation:
        """The certificate of a homeserver that others reach at this port, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{HOST}:{port}")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        signed = self._builder(subject, key.public_key(), authority=False).add_extension(names, critical=False)
        certificate, private = self._folder / f"{port}.pem", self._folder / f"{port}.key"
        pem = signed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        certificate.write_bytes(pem)
        form = serialization.PrivateFormat.PKCS8
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return Federation(port, certificate, private, self.certificate)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> x509.CertificateBuilder:
        today = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )


@asynccontextmanager
async def two_homeservers(folder: Path) -> AsyncIterator[tuple[Homeserver, Homeserver]]:
    """Two that run for the length of the `async with`. Their names are `127.0.0.1:port`."""
    authority = Authority(folder)
    ways = [authority.federation(free_port()) for _ in range(2)]
    here, there = [Homeserver(folder / str(way.port), f"{HOST}:{way.port}", federation=way) for way in ways]
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(here.start())
            tasks.create_task(there.start())
        yield here, there
    finally:
        await here.stop()
        await there.stop()
