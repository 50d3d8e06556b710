"""A private hub is as private as its rooms: what is more open shows nothing of it."""

from __future__ import annotations

import pytest

from bot.api import (
    Context,
    Edit,
    Message,
    Plugin,
    Reaction,
    Redaction,
    Reply,
    Role,
    Settings,
    command,
    fallback,
    listen,
)
from bot.core import openness
from bot.core.events import Batch, RoomUpdate, StateChange
from bot.hubs import Hub
from bot.testing.story import Story, story

ANA, EVE, MOD, OP = "@ana:x.org", "@eve:x.org", "@mod:x.org", "@op:x.org"
HALL, DESK, OTHER = "!hall:x.org", "!desk:x.org", "!other:x.org"

ANYONE_JOINS: tuple[str, dict[str, object]] = ("m.room.join_rules", {"join_rule": "public"})
ANYONE_READS: tuple[str, dict[str, object]] = ("m.room.history_visibility", {"history_visibility": "world_readable"})


class Secrets(Plugin[Settings]):
    """Shows what belongs to the hub, and keeps what it hears."""

    name = "secrets"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.heard: list[tuple[str, object]] = []

    @command("secret", help="Show it.")
    async def secret(self, ctx: Context) -> Reply:
        return Reply(f"the secret of {ctx.hub.id}")

    @command("guarded", help="Show it.", role=Role.MODERATOR)
    async def guarded(self, ctx: Context) -> Reply:
        return Reply("the moderators' secret")

    @command("mine", help="Anywhere.", anywhere=True)
    async def mine(self, ctx: Context) -> Reply:
        return Reply(f"hubs here: {[hub.id for hub in ctx.hubs]}")

    @fallback
    async def anything(self, ctx: Context, line: str) -> Reply:
        return Reply(f"found in {ctx.hub.id}")

    @listen(Message, Edit, Redaction, Reaction)
    async def hear(self, ctx: Context, event: Message | Edit | Redaction | Reaction) -> None:
        self.heard.append((ctx.hub.id, event))


def hub(visibility: str = "private", *, coordinators_room: bool = True) -> Hub:
    rooms = [{"id": HALL}, {"id": DESK, "role": "coordinators"}] if coordinators_room else [{"id": HALL}]
    more = {"visible_to": ["other"]} if visibility == "restricted" else {}
    return Hub.model_validate(
        {"id": "gifts", "title": "Gifts", "visibility": visibility, "rooms": rooms, "moderators": [MOD], **more}
    )


def other() -> Hub:
    return Hub.model_validate({"id": "other", "title": "Other", "rooms": [{"id": OTHER}]})


async def change(s: Story, type_: str, content: dict[str, object], room: str = HALL) -> str | None:
    s._count += 1
    return await s.hear(StateChange(room, type_, "", EVE, f"$state{s._count}", content))


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({}, []),
        ({"m.room.join_rules": {"join_rule": "invite"}}, []),
        ({"m.room.join_rules": {"join_rule": "knock"}}, []),
        ({"m.room.join_rules": {"join_rule": "restricted", "allow": []}}, []),
        ({"m.room.join_rules": {"join_rule": "public"}}, [openness.ANYONE_JOINS]),
        ({"m.room.join_rules": {"join_rule": "of some later version"}}, [openness.ANYONE_JOINS]),
        ({"m.room.join_rules": {"join_rule": ["invite"]}}, [openness.ANYONE_JOINS]),
        ({"m.room.history_visibility": {"history_visibility": "world_readable"}}, [openness.ANYONE_READS]),
        ({"m.room.history_visibility": {"history_visibility": "shared"}}, []),
        ({"m.room.guest_access": {"guest_access": "can_join"}}, []),
        (
            {"m.room.join_rules": {"join_rule": "restricted"}, "m.room.guest_access": {"guest_access": "can_join"}},
            [openness.GUESTS_JOIN],
        ),
    ],
)
def test_a_room_is_closed_if_only_those_inside_let_people_in(
    state: dict[str, dict[str, object]], found: list[object]
) -> None:
    assert list(openness.openings(state)) == found


@pytest.mark.parametrize("visibility", ["private", "restricted"])
@pytest.mark.parametrize("opening", [ANYONE_JOINS, ANYONE_READS])
async def test_in_a_room_more_open_than_its_hub_nothing_of_the_hub_is_shown(
    visibility: str, opening: tuple[str, dict[str, object]]
) -> None:
    async with story([Secrets], [hub(visibility), other()]) as s:
        assert await s.say(EVE, "!secret") == "the secret of gifts"
        await change(s, *opening)
        for question in ("!secret", "!guarded", "Faro: where is the policy?"):
            answer = str(await s.say(EVE, question))
            assert "more open than the hub" in answer
            assert "Anyone" not in answer  # strangers learn nothing of what to look for
        assert await s.say(EVE, "!mine") == "hubs here: []"
        assert await s.say(EVE, "!secret", room=DESK) == "the secret of gifts"


async def test_those_who_can_close_it_are_told_what_is_open_and_once() -> None:
    async with story([Secrets], [hub()], operators=[OP]) as s:
        told = await change(s, *ANYONE_JOINS)
        assert told is not None
        assert "Anyone can join it. Set who can join to “invite only”." in told
        assert [row.room for row in s.sent] == [DESK]
        assert await change(s, *ANYONE_JOINS) is None
        for person in (MOD, OP):
            assert "Anyone can join it" in str(await s.say(person, "!secret"))
        again = await change(s, *ANYONE_READS)
        assert "Anyone can read its history" in str(again)


async def test_it_answers_again_once_the_room_is_closed() -> None:
    async with story([Secrets], [hub()]) as s:
        await change(s, *ANYONE_JOINS)
        await change(s, "m.room.join_rules", {"join_rule": "invite"})
        assert await s.say(EVE, "!secret") == "the secret of gifts"


async def test_a_shared_hub_may_have_open_rooms() -> None:
    async with story([Secrets], [hub("shared")]) as s:
        assert await change(s, *ANYONE_JOINS) is None
        assert await s.say(EVE, "!secret") == "the secret of gifts"


async def test_whoever_comes_through_an_open_door_sees_nothing_in_a_direct_chat_either() -> None:
    async with story([Secrets], [hub(coordinators_room=False)]) as s:
        await s.join(EVE, HALL)
        chat = await s.direct(EVE)
        assert await s.say(EVE, "!secret", room=chat) == "the secret of gifts"
        await change(s, *ANYONE_JOINS)
        assert "not in a room of any of my hubs" in str(await s.say(EVE, "!secret", room=chat))


async def test_power_in_an_open_room_makes_nobody_a_moderator() -> None:
    """A stranger who made the room has every power in it."""
    async with story([Secrets], [hub()]) as s:
        await change(s, "m.room.power_levels", {"users": {EVE: 100}})
        assert await s.say(EVE, "!guarded") == "the moderators' secret"
        await change(s, *ANYONE_JOINS)
        assert "Anyone can join" not in str(await s.say(EVE, "!guarded"))
        assert not await s.services.may_verify(s.db.reading(), EVE)


async def test_an_opening_holds_for_what_the_same_batch_asks_and_for_a_room_just_joined() -> None:
    async with story([Secrets], [hub(), other()]) as s:
        opening = StateChange(HALL, ANYONE_JOINS[0], "", EVE, "$opened", ANYONE_JOINS[1])
        asked = s.message(EVE, "!secret")
        assert "more open" in str(await s.hear(asked, opening))
        async with s.db.transaction() as tx:
            await tx.execute("UPDATE core_rooms SET joined = 0 WHERE id = :room", room=DESK)
        state = StateChange(DESK, ANYONE_READS[0], "", EVE, "$readable", ANYONE_READS[1])
        first = s.message(EVE, "!secret", room=DESK)
        await s.pipeline.handle(Batch("joined", (RoomUpdate(DESK, (state,), (first,)),)))
        assert "more open" in str(await s.settle())


async def test_what_is_said_in_an_open_room_is_not_kept_and_what_was_kept_follows_edits() -> None:
    async with story([Secrets], [hub()]) as s:
        plugin = s.services.registry.plugins["secrets"]
        assert isinstance(plugin, Secrets)
        before = s.message(ANA, "a link")
        await s.hear(before)
        await change(s, *ANYONE_JOINS)
        plugin.heard.clear()
        await s.say(EVE, "another link")
        assert plugin.heard == []
        await s.edit(before, "a changed link")
        [(_, event)] = plugin.heard
        assert isinstance(event, Redaction)
        assert event.target == before.event_id
