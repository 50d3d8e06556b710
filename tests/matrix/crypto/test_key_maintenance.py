"""Others can always start to write to us: our keys on the homeserver, through crashes and misfortune."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("vodozemac", reason="encryption does not work here")

import peewee

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.core.events import Message
from bot.matrix.crypto import hardening
from bot.matrix.crypto.store import StoreError
from bot.testing.clock import FakeClock
from tests.matrix.crypto.conftest import ANA, BOT
from tests.matrix.crypto.keyserver import KeyServer
from tests.matrix.crypto.party import ROOM, Party

FARO = (BOT, "D1")
FULL = 50


async def test_a_new_device_publishes_its_identity_fifty_one_time_keys_and_a_fallback_key(
    faro: Party, server: KeyServer
) -> None:
    assert server.identities[BOT]["D1"]["keys"]["ed25519:D1"] == faro.machine.account.identity_keys["ed25519"]
    assert (len(server.one_time[FARO]), len(server.fallback[FARO])) == (FULL, 1)


async def test_nothing_is_published_when_nothing_lacks(faro: Party, server: KeyServer) -> None:
    await faro.sync()
    assert server.asked.count("keys/upload") == 1


async def test_one_time_keys_are_replenished_from_none_after_a_restart(faro: Party, server: KeyServer) -> None:
    server.one_time[FARO].clear()
    again = faro.restarted()
    await again.sync()
    assert len(server.one_time[FARO]) == FULL
    again.close()


async def test_who_finds_no_one_time_key_can_write_with_the_fallback_key_and_it_is_renewed(
    faro: Party, ana: Party, server: KeyServer
) -> None:
    server.one_time[FARO].clear()
    used = dict(server.fallback[FARO])
    event = await ana.say("hello")
    again = faro.restarted()
    await again.sync(event)
    assert again.words == ["hello"]
    assert server.fallback[FARO] != used
    again.close()


@pytest.mark.parametrize("error", [Unavailable("the answer got lost"), Refused("M_UNKNOWN", "already exists")])
async def test_keys_of_a_failed_upload_are_never_offered_again(
    faro: Party, ana: Party, server: KeyServer, clock: FakeClock, error: Exception
) -> None:
    """They may have arrived, and been claimed."""
    server.one_time[FARO].clear()
    server.fails["keys/upload"] = [error]
    await faro.sync()
    assert server.one_time[FARO] == {}
    clock.advance(60)
    await faro.sync()
    assert len(server.one_time[FARO]) == FULL
    await faro.sync(await ana.say("hello"))
    assert faro.words == ["hello"]


async def test_keys_made_before_a_crash_still_open_what_was_written_with_them(
    faro: Party, ana: Party, server: KeyServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The upload arrived, its answer did not: the private halves are on disk already."""
    server.one_time[FARO].clear()
    after_crash = faro.crashed_while("keys/upload", tmp_path_factory.mktemp("crash") / "data")
    await faro.sync()
    again = after_crash()
    await again.sync(await ana.say("hello"))
    assert again.words == ["hello"]
    again.close()


async def test_a_failed_upload_is_not_repeated_with_every_sync(faro: Party, server: KeyServer) -> None:
    server.one_time[FARO].clear()
    server.fails["keys/upload"] = [Unavailable("down")]
    for _ in range(5):
        await faro.sync()
    assert server.asked.count("keys/upload") == 2


async def test_a_revoked_session_ends_it(faro: Party, server: KeyServer) -> None:
    server.one_time[FARO].clear()
    server.fails["keys/upload"] = [LoggedOut("M_UNKNOWN_TOKEN")]
    with pytest.raises(LoggedOut):
        await faro.sync()


async def test_a_broken_session_is_mended(faro: Party, ana: Party, server: KeyServer) -> None:
    """They write with a session we do not have: they get a new one from us, and use it."""
    await faro.sync(await ana.say("one"))
    await ana.sync(await faro.say("two"))
    faro.machine.session_store._entries.clear()
    ana.machine.outbound_group_sessions.clear()
    await faro.sync(await ana.say("lost"))
    assert faro.words == ["one"]
    await ana.sync()
    ana.machine.outbound_group_sessions.clear()
    await faro.sync(await ana.say("here again"))
    assert faro.words == ["one", "here again"]


async def test_a_sender_who_had_no_session_for_us_gets_one(faro: Party, ana: Party, server: KeyServer) -> None:
    await faro.engine.query_senders([{"type": "m.room.encrypted", "sender": ANA}])
    content = {"code": "m.no_olm", "sender_key": ana.machine.account.identity_keys["curve25519"]}
    server.to_device_events[FARO] = [{"type": "m.room_key.withheld", "sender": ANA, "content": content}]
    await faro.sync()
    own = faro.machine.account.identity_keys["curve25519"]
    await ana.sync()
    assert ana.machine.session_store.get(own)


async def test_what_a_listener_gets_wrong_stays_with_it(faro: Party, ana: Party) -> None:
    heard: list[str] = []

    async def fails(letter: dict[str, object]) -> None:
        raise RuntimeError

    async def hears(letter: dict[str, object]) -> None:
        heard.append(str(letter["type"]))

    faro.engine.to_device_handlers += [fails, hears]
    await ana.say("so that there is an Olm session")
    request = "m.key.verification.request"
    faro.server.to_device_events[FARO] += [
        {"type": request, "sender": ANA, "content": {"transaction_id": "t"}},
        ana.letter(faro, "m.key.verification.start", {"transaction_id": "t"}),
    ]
    await faro.sync()
    assert heard == [request, "m.key.verification.start"]


# -- the store --------------------------------------------------------------------------------------------------------


async def test_only_the_owner_can_read_the_store(faro: Party, tmp_path: Path) -> None:
    await faro.say("so that something is written")
    folder = tmp_path / "far"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


async def test_the_store_commits_without_waiting_for_the_disk_each_time(faro: Party) -> None:
    """Each commit of a key for each of many devices would otherwise stop the loop (`make bench` measures it)."""
    database = faro.machine.store.database
    assert database.execute_sql("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute_sql("PRAGMA synchronous").fetchone() == (1,)  # NORMAL


async def test_a_damaged_store_is_told_and_not_replaced(faro: Party, tmp_path: Path) -> None:
    faro.close()
    database = tmp_path / "far" / "D1.db"
    database.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError):
        faro.restarted()
    assert database.read_bytes().startswith(b"garbage")


async def test_on_a_full_disk_keys_wait_and_are_taken_when_there_is_room(faro: Party, ana: Party) -> None:
    event = await ana.say("hello")
    answer = faro.server.sync(FARO)
    database = faro.machine.store.database
    _fill(database)
    for _ in range(2):
        with pytest.raises(Unavailable, match="full"):
            await faro.engine.handle_sync(answer, "same")
    database.execute_sql("DROP TABLE filling")
    await faro.engine.handle_sync(answer, "same")
    found, _ = faro.engine.read(ROOM, event)
    assert isinstance(found, Message)


async def test_on_a_full_disk_a_message_waits_too_for_it_could_not_be_told_from_a_second_time(
    faro: Party, ana: Party
) -> None:
    await faro.sync(await ana.say("hello"))
    database = faro.machine.store.database
    _fill(database)
    with pytest.raises(Unavailable, match="full"):
        for _ in range(1000):
            await faro.sync(await ana.say("!next"))
    database.execute_sql("DROP TABLE filling")
    await faro.sync(await ana.say("!last"))
    assert faro.words[-1] == "!last"


def _fill(database: peewee.Database) -> None:
    """From now on the disk is full, until the table is dropped."""
    database.execute_sql("CREATE TABLE filling (bytes BLOB)")
    pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
    database.execute_sql(f"PRAGMA max_page_count = {pages + 8}")
    with pytest.raises(peewee.OperationalError, match="full"):
        while True:
            database.execute_sql("INSERT INTO filling VALUES (zeroblob(1000))")


async def test_a_lost_store_is_noticed(faro: Party, tmp_path: Path) -> None:
    assert not await faro.engine.has_foreign_keys()
    faro.close()
    for file in (tmp_path / "far").iterdir():
        file.unlink()
    again = faro.restarted()
    assert await again.engine.has_foreign_keys()
    again.close()


async def test_a_crash_between_the_upload_and_its_answer_is_no_lost_store(
    enter: Callable[..., Party], tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = enter(BOT)
    after_crash = first.crashed_while("keys/upload", tmp_path_factory.mktemp("crash") / "data")
    await first.sync()
    again = after_crash()
    assert not await again.engine.has_foreign_keys()
    again.close()


def test_another_nio_is_refused_with_the_remedy() -> None:
    with pytest.raises(hardening.WrongNioError, match=r"Party\._no_such_name.*pip install"):
        hardening.check(((Party, ("_no_such_name",)),))
