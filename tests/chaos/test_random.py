"""Random batches, valid and malformed: nothing escapes, the position always moves on, questions are always answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.config.schema import hub_model
from bot.matrix.sync import Sync
from bot.runtime.plugins import find
from bot.storage import sync_token
from bot.testing.clock import FakeClock
from bot.testing.story import BOT, story
from tests.tiers import examples

ANA, HALL, DESK = "@ana:example.org", "!transparency:example.org", "!desk:example.org"
PLUGINS = find().plugins
HUB = hub_model(PLUGINS).model_validate(
    {
        "id": "transparency",
        "title": "Transparency",
        "coordinators": [{"user": ANA}],
        "rooms": [{"id": HALL, "log_links": True}, {"id": DESK, "role": "coordinators"}],
    }
)
QUESTION = {"type": "m.room.message", "sender": ANA, "content": {"msgtype": "m.text", "body": "!help find"}}

words = st.sampled_from(
    ["!help", "!find gifts", "!next 2", "!recent", "!show 1", "!more", "!language fr", "https://example.org/a", "hello"]
)
ids = st.sampled_from(["$question0", "$question1", "$a", "$b", "$c", "$d", "$e", "$\ud800"])
users = st.sampled_from([ANA, ANA, "@ben:example.org", "@ben:example.org", BOT, "@\ud800:x"])
odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20) | words | ids | users,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10) | st.just("event_id"), inner, max_size=3)
    ),
    max_leaves=6,
)


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda luck: odd if luck == 19 else right)


@st.composite
def some(draw: st.DrawFn, /, **fields: st.SearchStrategy[Any]) -> dict[str, Any]:
    """An object with these fields; now and then one is left out, or odd."""
    return {name: draw(mostly(right)) for name, right in fields.items() if draw(st.integers(0, 19)) < 19}


relation = some(
    rel_type=st.sampled_from(["m.replace", "m.thread", "m.annotation"]),
    event_id=ids,
    key=words,
    **{"m.in_reply_to": some(event_id=ids)},
)
text = some(
    msgtype=st.sampled_from(["m.text", "m.emote", "m.notice", "m.image"]),
    body=words | st.text(max_size=40),
    format=st.just("org.matrix.custom.html"),
    formatted_body=words,
    **{"m.relates_to": relation, "m.mentions": some(user_ids=st.lists(users))},
)
times = st.integers(0, 2**53)


def happening(type_: str, content: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return some(type=st.just(type_), sender=users, event_id=ids, origin_server_ts=times, content=content, **more)


replacing = some(rel_type=st.just("m.replace"), event_id=ids)
member = some(membership=st.sampled_from(["join", "leave", "invite"]))
state = st.one_of(
    happening("m.room.member", member, state_key=users),
    happening("m.room.power_levels", some(users=some(**{ANA: st.integers()})), state_key=st.just("")),
    happening("m.room.tombstone", some(replacement_room=ids), state_key=st.just("")),
)
event = st.one_of(
    happening("m.room.message", text),
    happening("m.room.message", some(**{"m.new_content": text, "m.relates_to": replacing})),
    happening("m.room.message", text, unsigned=some(redacted_because=some())),
    happening("m.room.redaction", some(redacts=ids)),
    happening("m.reaction", some(**{"m.relates_to": relation})),
    state,
)
timeline = some(events=st.lists(mostly(event), min_size=1, max_size=6), limited=st.booleans(), prev_batch=st.just("p"))
room = some(timeline=timeline, state=some(events=st.lists(mostly(state), max_size=3)))
others = st.sampled_from([DESK, "!other:example.org", "x", "!\ud800:x"])
rooms = st.tuples(room, st.dictionaries(others, mostly(room), max_size=2)).map(lambda two: {HALL: two[0], **two[1]})
invited = st.dictionaries(others, some(invite_state=some(events=st.lists(mostly(state), max_size=2))), max_size=2)
answer = some(rooms=some(join=rooms, invite=invited, leave=st.dictionaries(others, odd, max_size=1)))


class Homeserver:
    """`bot.matrix.http.Http` as the sync loop uses it: its answers come from the test."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []

    async def request(self, method: str, path: str, *segments: str, **_: object) -> dict[str, Any]:
        return self.answers.pop(0) if path.endswith("/sync") else {"chunk": [{"event_id": []}, 7], "end": "e"}


@pytest.mark.core
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(answer, min_size=1, max_size=3))
def test_whatever_a_homeserver_brings_the_bot_reads_on_and_answers(answers: list[dict[str, Any]]) -> None:
    asyncio.run(live_through(answers))


async def live_through(answers: list[dict[str, Any]]) -> None:
    clock, homeserver = FakeClock(), Homeserver()
    async with story(PLUGINS, [HUB], clock=clock) as told:
        sync = Sync(homeserver, clock, BOT)  # type: ignore[arg-type]  # as much of Http as it uses
        token: str | None = "t0"
        with capture_logs() as logs:
            for number, brought in enumerate(answers):
                question = {**QUESTION, "event_id": f"$question{number}", "origin_server_ts": clock.now()}
                mine = {HALL: {"timeline": {"events": [question]}}}
                homeserver.answers += [{**brought, "next_batch": f"t{number}a"}]
                homeserver.answers += [{"next_batch": f"t{number}b", "rooms": {"join": mine}}]
                for name in ("a", "b"):
                    batch = await sync.next(token)
                    await told.pipeline.handle(batch)
                    token = await sync_token.token(told.db.reading())
                    assert token == f"t{number}{name}"
                    await told.settle()
                assert told.sent[-1].content["m.relates_to"] == {"m.in_reply_to": {"event_id": f"$question{number}"}}
        assert [line for line in logs if line["log_level"] == "error"] == []
