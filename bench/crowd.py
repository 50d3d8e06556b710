"""Silent members with encryption devices, to measure the cost of sending to many."""

from __future__ import annotations

import asyncio
import json

import vodozemac

from bot.testing.homeserver import Homeserver
from bot.testing.person import Person

ALGORITHMS = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]
CONCURRENCY = 5  # SQLite serialises writes anyway


async def crowd(server: Homeserver, room: str, count: int) -> list[str]:
    """Registers `count` people, each with one device with keys, who join a public room. Returns their user ids."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> str:
        async with gate:
            person = await server.register(f"crowd-{room[1:7].lower()}-{number}")
            await publish_keys(person)
            await person.join(room)
            await person.close()
            return person.user_id

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def publish_keys(person: Person) -> None:
    """Uploads device keys for a person, and enough one-time keys for a few bots."""
    account = vodozemac.Account()
    device, user = person.device_id, person.user_id

    def signed(thing: dict[str, object]) -> dict[str, object]:
        text = json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return {**thing, "signatures": {user: {f"ed25519:{device}": account.sign(text.encode()).to_base64()}}}

    keys = {
        f"curve25519:{device}": account.curve25519_key.to_base64(),
        f"ed25519:{device}": account.ed25519_key.to_base64(),
    }
    identity = signed({"user_id": user, "device_id": device, "algorithms": ALGORITHMS, "keys": keys})
    account.generate_one_time_keys(5)
    one_time = {
        f"signed_curve25519:{name}": signed({"key": key.to_base64()}) for name, key in account.one_time_keys.items()
    }
    await person.request("POST", "/keys/upload", body={"device_keys": identity, "one_time_keys": one_time})
