"""Encrypted rooms in the pipeline: late keys, withheld keys, and who may speak as whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.events import Batch, Message, RoomUpdate, StateChange, Undecryptable
from bot.ports import Transaction
from bot.runtime.services import Asked
from bot.storage import people, rooms, undecryptable
from bot.testing.story import Story, story
from tests.runtime.test_pipeline import ANA, BEN, HALL, HUB, Echo, heard

DAY = 86_400_000
CARLA, DORA = "@carla:example.org", "@dora:example.org"


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Echo], [HUB]) as s:
        for user in (ANA, BEN):
            await s.join(user, HALL)
        yield s


async def kept(s: Story) -> int:
    count: int = await s.db.reading().value("SELECT count(*) FROM core_undecryptable")
    return count


async def encrypt(s: Story) -> None:
    """The hall becomes an encrypted room in which Ben is a moderator."""
    rules = StateChange(HALL, "m.room.encryption", "", ANA, "$rules", {"algorithm": "m.megolm.v1.aes-sha2"})
    levels = StateChange(HALL, "m.room.power_levels", "", ANA, "$levels", {"users": {BEN: 50}})
    await s.hear(rules, levels)


# -- late keys ----------------------------------------------------------------------------------------------------


async def test_a_question_whose_key_comes_late_is_answered_once(told: Story) -> None:
    assert await told.hear_sealed(told.message(ANA, "!echo hello")) is None
    told.clock.advance(9 * 60)
    assert await told.key_arrives() == "hello"
    assert await kept(told) == 0
    assert await told.key_arrives() is None
    assert len(told.sent) == 1


async def test_the_doctor_can_see_when_an_encrypted_message_was_last_read(told: Story) -> None:
    """One in the clear, as of a bridge, does not show that the bot can read people."""
    await encrypt(told)
    await told.hear(told.message(ANA, "in the clear"))
    assert await rooms.decrypted_at(told.db.reading(), HALL) is None
    await told.hear(replace(told.message(ANA, "hello"), encrypted=True))
    first = told.clock.now()
    assert await rooms.decrypted_at(told.db.reading(), HALL) == first
    await told.hear_sealed(told.message(ANA, "late"))
    told.clock.advance(60)
    assert await rooms.decrypted_at(told.db.reading(), HALL) == first
    await told.key_arrives()
    assert await rooms.decrypted_at(told.db.reading(), HALL) == first + 60_000


async def test_an_old_question_is_not_answered_any_more_but_what_was_shared_is_taken_note_of(told: Story) -> None:
    await told.hear_sealed(told.message(ANA, "!echo hello"), told.message(ANA, "read this"))
    told.clock.advance(11 * 60)
    assert await told.key_arrives() is None
    assert heard(told) == ["read this"]


async def test_only_what_the_key_opens_is_read(told: Story) -> None:
    await told.hear_sealed(told.message(ANA, "!echo one"), session="one")
    await told.hear_sealed(told.message(ANA, "!echo two"), session="two")
    assert await told.key_arrives(session="two") == "two"
    assert await kept(told) == 1


async def test_after_a_pause_everything_kept_is_tried(told: Story) -> None:
    """The process may have been killed between the key's coming and the answer; the homeserver sends keys once."""
    await told.hear_sealed(told.message(ANA, "!echo hello"))
    told.transport.has_key(HALL, "session")
    await told.pipeline.handle(Batch("later", catching_up=True))
    assert await told.settle() == "hello"


async def test_a_batch_that_is_not_stored_gives_up_nothing(told: Story) -> None:
    """What is kept goes in the transaction that answers it."""
    await told.hear_sealed(told.message(ANA, "!echo hello"))
    told.transport.has_key(HALL, "session")
    broken = Batch("t", keys=frozenset({(HALL, "session")}), rooms=(None,))  # type: ignore[arg-type]  # fails on purpose
    with pytest.raises(AttributeError):
        await told.pipeline.handle(broken)
    assert await kept(told) == 1
    assert await told.key_arrives() == "hello"
    assert len(told.sent) == 1


async def test_what_its_sender_removed_is_kept_no_longer(told: Story) -> None:
    question = told.message(ANA, "!echo hello")
    await told.hear_sealed(question)
    await told.redact(question)
    assert await told.key_arrives() is None


async def test_what_fails_once_read_is_not_tried_again(told: Story) -> None:
    await told.hear_sealed(told.message(ANA, "!echo crash"), told.message(ANA, "!echo fine"))
    assert await told.key_arrives() == "fine"
    assert await kept(told) == 0


async def test_rooms_the_bot_is_not_in_and_the_very_first_sync_are_left_alone(told: Story) -> None:
    elsewhere = Undecryptable("!elsewhere:x", "$1", ANA, 0, "session", {})
    await told.pipeline.handle(Batch("t1", undecryptable=(elsewhere,)))
    sealed = told.transport.seal(told.message(ANA, "!echo hello"), "session")
    await told.pipeline.handle(Batch("t2", (RoomUpdate(HALL),), undecryptable=(sealed,), first=True))
    assert await kept(told) == 0


async def test_leaving_a_room_and_forgetting_a_person_drop_what_was_kept(told: Story) -> None:
    await told.hear_sealed(told.message(ANA, "one"), told.message(BEN, "two"))
    await told.withhold(ANA)
    async with told.db.transaction() as tx:
        await told.services.forget(tx, ANA, told.clock.now())
    assert await kept(told) == 1
    assert await told.db.reading().value("SELECT count(*) FROM core_withheld_keys") == 0
    await told.pipeline.handle(Batch("gone", left=(HALL,)))
    assert await kept(told) == 0


async def test_what_is_kept_is_bounded_per_person_per_room_and_in_age(told: Story) -> None:
    async with told.db.transaction() as tx:
        for number in range(undecryptable.PER_PERSON + 1):
            await undecryptable.keep(tx, Undecryptable(HALL, f"$ana{number}", ANA, 0, "s", {}), told.clock.now())
        assert await kept_of(tx, ANA) == undecryptable.PER_PERSON
        for number in range(undecryptable.PER_ROOM):
            crowd = Undecryptable(HALL, f"${number}", f"@crowd{number}:x", 0, "s", {})
            await undecryptable.keep(tx, crowd, told.clock.now())
        assert await kept_of(tx, ANA) == 0
    assert await kept(told) == undecryptable.PER_ROOM
    told.clock.advance(undecryptable.KEPT / 1000 + 1)
    await told.pipeline.refresh()
    assert await kept(told) == 0


async def kept_of(tx: Transaction, user: str) -> int:
    count: int = await tx.value("SELECT count(*) FROM core_undecryptable WHERE sender = :user", user=user)
    return count


# -- withheld keys ------------------------------------------------------------------------------------------------


async def test_who_withholds_keys_is_asked_for_them_once_a_week_readably(told: Story) -> None:
    first = await told.withhold(ANA)
    assert first is not None
    assert "I cannot read your messages" in first
    (row,) = told.sent
    assert row.plain
    assert row.room == HALL
    assert row.content["m.mentions"] == {"user_ids": [ANA]}
    assert await told.withhold(ANA) is None
    told.clock.advance(6 * DAY / 1000)
    assert await told.withhold(ANA) is None
    told.clock.advance(DAY / 1000)
    assert await told.withhold(ANA) is not None


async def test_who_chose_a_language_is_asked_in_it(told: Story) -> None:
    async with told.db.transaction() as tx:
        await people.set_language(tx, ANA, "pt")
    assert "não consigo ler suas mensagens" in str(await told.withhold(ANA))
    assert "I cannot read your messages" in str(await told.withhold(BEN))


async def test_each_person_is_asked_for_themselves(told: Story) -> None:
    assert await told.withhold(ANA) is not None
    assert await told.withhold(BEN) is not None


async def test_only_operators_and_moderators_are_asked_to_verify_the_bot() -> None:
    """The bot lets nobody else verify it. Moderators are those the hub's YAML names, and those of its rooms."""
    hub = HUB.model_copy(update={"moderators": (BEN,)})
    async with story([Echo], [hub], operators=["@olga:example.org"]) as told:
        for user in (ANA, BEN, "@olga:example.org"):
            await told.join(user, HALL)
        assert "verify me" in str(await told.withhold(BEN))
        assert "verify me" in str(await told.withhold("@olga:example.org"))
        assert "verify me" not in str(await told.withhold(ANA))
        levels = {"users": {CARLA: 50, DORA: 50}}
        await told.hear(StateChange(HALL, "m.room.power_levels", "", ANA, "$levels", levels))
        await told.join(CARLA, HALL)
        assert "verify me" in str(await told.withhold(CARLA))
        assert not await told.services.may_verify(told.db.reading(), DORA), "who is not in the room now"


async def test_power_in_a_room_of_no_hub_verifies_nothing(told: Story) -> None:
    """Anybody can make a room and be its moderator."""
    await told.join(CARLA, "!own:example.org")
    levels = StateChange("!own:example.org", "m.room.power_levels", "", CARLA, "$levels", {"users": {CARLA: 100}})
    await told.hear(levels)
    assert not await told.services.may_verify(told.db.reading(), CARLA)


async def test_who_blocked_the_bot_is_told_so(told: Story) -> None:
    assert "I am blocked in your app" in str(await told.withhold(ANA, code="m.blacklisted"))


@pytest.mark.parametrize("code", ["m.no_olm", "m.unavailable", "m.unauthorised", "org.example.whim"])
async def test_nobody_is_asked_for_what_they_cannot_change(told: Story, code: str) -> None:
    assert await told.withhold(ANA, code=code) is None


async def test_strangers_cannot_make_the_bot_speak(told: Story) -> None:
    assert await told.withhold("@stranger:example.org") is None
    assert await told.withhold(ANA, room="!elsewhere:example.org") is None


# -- who is speaking ----------------------------------------------------------------------------------------------


def encrypted(message: Message, *, sender_known: bool = True) -> Message:
    return replace(message, encrypted=True, sender_known=sender_known)


async def test_a_moderators_command_counts_only_from_a_device_of_theirs(told: Story) -> None:
    await encrypt(told)
    assert await told.hear(encrypted(told.message(BEN, "!rule"))) == "ruled"
    refused = await told.hear(encrypted(told.message(BEN, "!rule"), sender_known=False))
    assert "I can't be sure that you sent it" in str(refused)


async def test_a_moderators_command_in_the_clear_does_not_count_in_an_encrypted_room(told: Story) -> None:
    """Any homeserver in the room could have written it."""
    await encrypt(told)
    assert "I can't be sure that you sent it" in str(await told.say(BEN, "!rule"))


async def test_a_member_hears_nothing_of_devices(told: Story) -> None:
    await encrypt(told)
    assert await told.say(ANA, "!rule") == "That command is for moderators."


async def test_members_commands_are_answered_from_any_device(told: Story) -> None:
    await encrypt(told)
    assert await told.hear(encrypted(told.message(ANA, "!echo hello"), sender_known=False)) == "hello"


async def test_a_job_still_knows_how_its_question_came(told: Story) -> None:
    question = encrypted(told.message(BEN, "!later"), sender_known=False)
    assert Asked.from_json(Asked(question, "reply.1").as_json()).message == question
