"""What passes the pipeline: answers, edits, redactions, fences, freshness."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from bot.api import (
    AlarmContext,
    Announcement,
    Context,
    JobContext,
    Message,
    Plugin,
    Redaction,
    RefreshContext,
    Reply,
    Role,
    Settings,
    UserError,
    alarm,
    command,
    fallback,
    job,
    listen,
)
from bot.core.errors import Unavailable
from bot.core.events import Batch, Edit, Invite, RoomUpdate, StateChange
from bot.hubs import Coordinator, Hub, Room
from bot.runtime.dispatcher import Limits
from bot.storage import sync_token
from bot.testing.story import Story, story

ANA, BEN = "@ana:example.org", "@ben:example.org"
HALL = "!hall:example.org"
HUB = Hub(
    id="transparency",
    title={"": "Transparency"},
    languages=("en", "es"),
    rooms=(Room(id=HALL), Room(id="!desk:example.org", role="coordinators")),
    coordinators=(Coordinator(user=ANA),),
)


class Echo(Plugin[Settings]):
    """Answers, fails, waits and listens, as features do."""

    name = "echo"
    heard: list[str]
    while_slow: Callable[[], Awaitable[None]] | None

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.heard, self.while_slow = [], None

    @command("echo", help="Say it again.", aliases={"es": "eco"})
    async def echo(self, ctx: Context, *, text: str) -> Reply:
        await ctx.db.execute("INSERT INTO core_people VALUES (:u, 'en') ON CONFLICT DO NOTHING", u=f"@echo:{text}")
        if text == "stop":
            raise UserError("Stopped.")
        if text == "crash":
            raise ZeroDivisionError
        return Reply(text)

    @fallback
    async def guess(self, ctx: Context, line: str) -> Reply:
        if line in ("stop", "crash"):
            return await self.echo(ctx, text=line)
        return Reply(f"Did you say “{line}”?")

    @command("rule", help="For moderators.", role=Role.MODERATOR)
    async def rule(self, ctx: Context) -> Reply:
        return Reply("ruled")

    @command("edit", help="Say which edit it is.")
    async def edit_id(self, ctx: Context) -> Reply:
        return Reply(ctx.edit_id or "none")

    @command("later", help="Takes long.")
    async def later(self, ctx: Context) -> None:
        await ctx.schedule.job("slow", ctx.message.event_id, word="done")

    @job("slow")
    async def slow(self, ctx: JobContext) -> Reply:
        meanwhile, self.while_slow = self.while_slow, None
        if meanwhile:
            await meanwhile()
        async with ctx.answering() as asked:
            edited = f" ({asked.edit_id})" if asked.edit_id else ""
            return Reply(f"{ctx.payload['word']} for {asked.sender}{edited}")

    @listen(Message, Edit, Redaction)
    async def listen(self, ctx: Context, event: Message | Edit | Redaction) -> None:
        match event:
            case Message() if event.body == "poison":
                raise ZeroDivisionError
            case Message():
                self.heard.append(event.body)
            case Edit():
                assert (ctx.edit_id, ctx.message.event_id) == (event.message.event_id, event.target)
                self.heard.append(f"{'command' if event.became_command else 'talk'}: {event.message.body}")
            case Redaction():
                self.heard.append(f"gone {event.target}")

    async def refresh(self, ctx: RefreshContext) -> None:
        await ctx.schedule.alarm("bell", "once", ctx.now + 60_000, ctx.hubs[0].id, word="ding")

    @alarm("bell")
    async def bell(self, ctx: AlarmContext) -> Sequence[Announcement]:
        return [
            Announcement(room, Reply(str(ctx.payload["word"]), mentions=(ANA,))) for room in ctx.rooms("coordinators")
        ]


class Silent(Plugin[Settings]):
    """Answers nothing."""

    name = "silent"


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Echo], [HUB]) as s:
        yield s


def heard(s: Story) -> list[str]:
    plugin = s.services.registry.plugins["echo"]
    assert isinstance(plugin, Echo)
    return plugin.heard


async def test_a_command_is_answered_by_a_notice_that_replies_to_it_and_pings_nobody(told: Story) -> None:
    question = told.message(ANA, "!echo hello", thread="$thread")
    assert await told.hear(question) == "hello"
    content = told.sent[0].content
    assert content["msgtype"] == "m.notice"
    assert content["m.mentions"] == {}
    assert content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$thread",
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": question.event_id},
    }


@pytest.mark.parametrize("words", ["!echo hello", "!later"])
async def test_what_became_a_command_by_an_edit_is_answered_in_the_thread_of_the_message(
    told: Story, words: str
) -> None:
    """The edit does not say which that is: the homeserver does, when the answer is sent."""
    talk = told.message(ANA, "just talk", thread="$thread")
    await told.hear(talk)
    await told.edit(replace(talk, thread=None), words)
    assert told.sent[-1].thread_of == talk.event_id
    assert told.sent[-1].content["m.relates_to"] == {"m.in_reply_to": {"event_id": talk.event_id}}
    await told.edit(replace(talk, thread=None), "!echo again")
    assert told.sent[-1].replaces == told.sent[-2].key
    assert told.sent[-1].thread_of is None, "it stays where it is"


@pytest.mark.parametrize("words", ["!eco hola", "Faro: echo hola", "@faro:example.org echo hola", "faro, eco hola"])
async def test_a_command_is_heard_by_prefix_mention_and_in_any_language(told: Story, words: str) -> None:
    assert await told.say(ANA, words) == "hola"


PILL = '<a href="https://matrix.to/#/{user}">Le phare &amp; co</a>: eco hola'


@pytest.mark.parametrize("user", ["@faro:example.org", "%40faro%3Aexample.org"])
async def test_the_bots_pill_calls_it_whatever_it_is_called_in_that_room(told: Story, user: str) -> None:
    assert await told.say(ANA, "Le phare & co: eco hola", html=PILL.format(user=user)) == "hola"


async def test_somebody_elses_pill_does_not_call_the_bot(told: Story) -> None:
    html = PILL.format(user="@faro:elsewhere.example")
    assert await told.say(ANA, "Le phare & co: eco hola", html=html) is None
    assert await told.say(ANA, "Le phare & co: eco hola") is None


async def test_in_a_direct_chat_no_prefix_is_needed_and_unknown_words_are_answered(told: Story) -> None:
    room = await told.direct(ANA)
    await told.join(ANA, HALL)
    assert await told.say(ANA, "echo hello", room=room) == "hello"
    assert await told.say(ANA, "ecko hello", room=room) == "Did you say “ecko hello”?"


async def test_without_a_fallback_unknown_words_get_one_sentence() -> None:
    async with story([Silent], [HUB]) as s:
        room = await s.direct(ANA)
        for words in ("hello", "find gifts", "Faro"):
            assert await s.say(ANA, words, room=room) == "I didn't understand that."


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("stop", "Stopped."),
        ("crash", "Something went wrong on my side. The error has been logged; please try again later."),
    ],
)
async def test_a_fallback_that_fails_leaves_nothing_and_stops_nothing_else(
    told: Story, words: str, answer: str
) -> None:
    await told.hear(told.message(ANA, f"Faro: {words}"), told.message(ANA, "!echo after"))
    assert [row.content["body"] for row in told.sent] == [answer, "after"]
    assert await told.db.reading().value("SELECT count(*) FROM core_people") == 1


LEFT_ALONE = ["!nonsense", "we echo this", "Faro is a great help", "Faro: https://example.org/a for you"]


async def test_in_a_room_unknown_words_ordinary_talk_and_what_is_shared_are_left_alone(told: Story) -> None:
    """The sign is other bots' sign, too."""
    assert [await told.say(ANA, words) for words in LEFT_ALONE] == [None] * len(LEFT_ALONE)
    assert heard(told) == LEFT_ALONE


@pytest.mark.parametrize("called", ["Faro: ", "faro, ", "@faro:example.org "])
async def test_who_calls_the_bot_in_a_room_is_answered_whatever_they_say(told: Story, called: str) -> None:
    """It stays a part of the talk, which plugins hear."""
    assert await told.say(ANA, f"{called}ecko hello") == "Did you say “ecko hello”?"
    assert heard(told) == [f"{called}ecko hello"]


async def test_a_call_by_pill_is_answered_whatever_it_says(told: Story) -> None:
    html = PILL.format(user="@faro:example.org").replace("eco", "ecko")
    assert await told.say(ANA, "Le phare & co: ecko hola", html=html) == "Did you say “ecko hola”?"


async def test_a_call_that_is_edited_gets_its_answer_edited_and_ordinary_talk_takes_it_away(told: Story) -> None:
    call = told.message(ANA, "Faro: nonsense")
    await told.hear(call)
    await told.edit(call, "Faro: gibberish")
    assert [(row.action, row.replaces is not None) for row in told.sent] == [("send", False), ("send", True)]
    await told.edit(call, "never mind")
    assert {row.action for row in told.sent[2:]} == {"redact"}


async def test_an_old_call_is_not_answered_after_a_pause(told: Story) -> None:
    call = told.message(ANA, "Faro: nonsense")
    told.clock.advance(3600)
    assert await told.hear(call, catching_up=True) is None


async def test_listeners_do_not_see_commands(told: Story) -> None:
    await told.say(ANA, "!echo hello")
    assert heard(told) == []


async def test_somebody_of_no_hub_is_told_so_in_a_direct_chat(told: Story) -> None:
    room = await told.direct(BEN)
    assert "any of my hubs" in str(await told.say(BEN, "echo hello", room=room))


@pytest.mark.parametrize("order", [1, -1], ids=["the hall first", "the chat first"])
async def test_who_left_a_hub_is_none_of_its_members_in_the_same_batch(told: Story, order: int) -> None:
    """The homeserver sends rooms in no order: the question may stand before the leave that came first."""
    await told.join(BEN, HALL)
    room = await told.direct(BEN)
    assert await told.say(BEN, "echo hello", room=room) == "hello"
    left = StateChange(HALL, "m.room.member", BEN, BEN, "$left", {"membership": "leave"})
    updates = (RoomUpdate(HALL, events=(left,)), RoomUpdate(room, events=(told.message(BEN, "echo more", room=room),)))
    await told.pipeline.handle(Batch("t1", updates[::order]))
    assert "any of my hubs" in str(await told.settle())


@pytest.mark.parametrize("order", [1, -1], ids=["the hall first", "the chat first"])
async def test_who_left_and_came_back_is_a_member_in_the_same_batch(told: Story, order: int) -> None:
    await told.join(BEN, HALL)
    room = await told.direct(BEN)
    left = StateChange(HALL, "m.room.member", BEN, BEN, "$left", {"membership": "leave"})
    updates = (
        RoomUpdate(HALL, events=(left, joined(HALL, BEN))),
        RoomUpdate(room, events=(told.message(BEN, "echo hello", room=room),)),
    )
    await told.pipeline.handle(Batch("t1", updates[::order]))
    assert await told.settle() == "hello"


async def test_a_user_error_is_its_text_and_leaves_nothing_in_the_database(told: Story) -> None:
    assert await told.say(ANA, "!echo stop") == "Stopped."
    assert await told.db.reading().value("SELECT count(*) FROM core_people") == 0


async def test_a_crash_is_one_apology_and_the_rest_of_the_batch_is_handled(told: Story) -> None:
    await told.hear(told.message(ANA, "!echo crash"), told.message(ANA, "!echo after"))
    assert [str(row.content["body"]) for row in told.sent] == [
        "Something went wrong on my side. The error has been logged; please try again later.",
        "after",
    ]
    assert await told.db.reading().value("SELECT count(*) FROM core_people") == 1


async def test_a_listener_that_fails_harms_nobody(told: Story) -> None:
    assert await told.hear(told.message(ANA, "poison"), told.message(ANA, "!echo fine")) == "fine"


async def test_a_usage_error_shows_how_to_write_it(told: Story) -> None:
    assert await told.say(ANA, "!echo") == "Missing: <text>.\n\nWrite it like this: !echo <text>"


async def test_moderators_commands_are_for_moderators_by_power_level(told: Story) -> None:
    assert await told.say(BEN, "!rule") == "That command is for moderators."
    levels = StateChange(HALL, "m.room.power_levels", "", ANA, "$p", {"users": {BEN: 50}})
    await told.hear(levels)
    assert await told.say(BEN, "!rule") == "ruled"


async def test_editing_a_question_edits_its_answer_each_time(told: Story) -> None:
    question = told.message(ANA, "!echo one")
    await told.hear(question)
    assert await told.edit(question, "!echo two") == "two"
    assert await told.edit(question, "!echo three") == "three"
    first, second, third = told.sent
    assert (second.replaces, third.replaces) == (first.key, first.key)


async def test_somebody_elses_edit_of_a_question_changes_nothing(told: Story) -> None:
    question = told.message(ANA, "!echo one")
    await told.hear(question)
    assert await told.edit(question, "!echo two", by=BEN) is None
    assert await told.edit(question, "never mind", by=BEN) is None
    assert len(told.sent) == 1


async def test_a_message_edited_into_a_question_is_answered(told: Story) -> None:
    message = told.message(ANA, "echo hello")
    await told.hear(message)
    assert await told.edit(message, "!echo hello") == "hello"


async def test_listeners_see_of_an_edit_whether_the_message_is_a_command_now(told: Story) -> None:
    message = told.message(ANA, "hello")
    await told.hear(message)
    for words in ("hello there", "!echo hello", "Faro: hello", "good bye"):
        await told.edit(message, words)
    assert heard(told) == ["hello", "talk: hello there", "command: !echo hello", "talk: Faro: hello", "talk: good bye"]


async def test_a_command_knows_the_edit_that_made_it(told: Story) -> None:
    message = told.message(ANA, "!edit")
    assert await told.hear(message) == "none"
    edit = Edit(message.event_id, replace(message, event_id="$edit"))
    assert await told.hear(edit) == "$edit"


async def test_redacting_a_question_redacts_its_answer(told: Story) -> None:
    question = told.message(ANA, "!echo one")
    await told.hear(question)
    await told.redact(question)
    answer, gone = told.sent
    assert (gone.action, gone.replaces) == ("redact", answer.key)


async def test_a_question_edited_away_loses_its_answer_and_edited_back_gets_a_new_one(told: Story) -> None:
    question = told.message(ANA, "!echo one")
    await told.hear(question)
    await told.edit(question, "never mind")
    assert told.sent[-1].action == "redact"
    assert await told.edit(question, "!echo again") == "again"
    assert told.sent[-1].replaces is None


async def test_old_questions_found_after_a_pause_are_not_answered_but_listeners_see_what_was_said(told: Story) -> None:
    old = replace(told.message(ANA, "!echo late"), sent_at=told.clock.now() - 11 * 60_000)
    link = replace(told.message(ANA, "look at this"), sent_at=told.clock.now() - 11 * 60_000)
    young = replace(told.message(ANA, "!echo soon"), sent_at=told.clock.now() - 9 * 60_000)
    await told.hear(old, link, young, catching_up=True)
    assert [row.content["body"] for row in told.sent] == ["soon"]
    assert heard(told) == ["look at this"]


async def test_a_live_question_is_answered_whatever_its_sender_s_clock_says(told: Story) -> None:
    assert await told.hear(replace(told.message(ANA, "!echo now"), sent_at=0)) == "now"


async def test_on_the_very_first_sync_nothing_old_is_answered(told: Story) -> None:
    update = RoomUpdate(HALL, events=(told.message(ANA, "!echo long ago"),))
    await told.pipeline.handle(Batch("first", (update,), first=True))
    assert await told.settle() is None


async def test_the_token_is_stored_with_what_it_brought(told: Story) -> None:
    await told.pipeline.handle(Batch("t77", invites=(Invite("!x:example.org", BEN, direct=True),)))
    assert await sync_token.token(told.db.reading()) == "t77"


async def test_the_same_batch_twice_is_answered_once(told: Story) -> None:
    batch = Batch("t1", (RoomUpdate(HALL, events=(told.message(ANA, "!echo hello"),)),))
    await told.pipeline.handle(batch)
    await told.pipeline.handle(batch)
    await told.settle()
    assert len(told.sent) == 1


async def test_state_found_in_a_gap_does_not_overwrite_newer_state(told: Story) -> None:
    newer = StateChange(HALL, "m.room.power_levels", "", ANA, "$new", {"users": {BEN: 0}})
    older = StateChange(HALL, "m.room.power_levels", "", ANA, "$old", {"users": {BEN: 100}})
    update = RoomUpdate(HALL, state=(newer,), events=(older,), old=frozenset({"$old"}), gap=True)
    await told.pipeline.handle(Batch("t2", (update,)))
    assert await told.say(BEN, "!rule") == "That command is for moderators."


async def test_too_many_questions_get_one_polite_notice() -> None:
    async with story([Echo], [HUB], limits=Limits(per_person=2, per_room=60)) as s:
        answers = [await s.say(ANA, f"!echo {n}") for n in range(5)]
        assert answers[:2] == ["0", "1"]
        assert answers[2] == "You're asking too fast. I'll answer again in a minute."
        assert answers[3:] == [None, None]
        assert await s.say(BEN, "!echo mine") == "mine"


async def test_slow_work_answers_later_what_asked_for_it(told: Story) -> None:
    question = told.message(BEN, "!later")
    assert await told.hear(question) == f"done for {BEN}"
    assert told.sent[0].content["m.relates_to"] == {"m.in_reply_to": {"event_id": question.event_id}}


async def test_an_alarm_rings_once_even_if_it_is_armed_again(told: Story) -> None:
    assert await told.advance(59_000) is None
    assert await told.advance(1_000) == "ding"
    assert told.sent[0].room == "!desk:example.org"
    assert told.sent[0].content["m.mentions"] == {"user_ids": [ANA]}
    await told.pipeline.refresh()
    assert await told.advance(120_000) is None


async def test_a_room_the_bot_was_removed_from_hears_no_alarm(told: Story) -> None:
    await told.pipeline.handle(Batch("t3", left=("!desk:example.org",)))
    assert await told.advance(60_000) is None


async def test_a_question_withdrawn_while_its_answer_is_prepared_is_not_answered(told: Story) -> None:
    question = told.message(BEN, "!later")
    gone = Redaction(HALL, "$gone", BEN, told.clock.now(), question.event_id)
    assert await told.hear(question, gone) is None


async def test_a_question_edited_while_its_answer_is_prepared_is_answered_once_as_it_stands(told: Story) -> None:
    question = told.message(BEN, "!later")
    for n, words in enumerate(["!echo sooner", "!later", "never mind"]):
        edit = Edit(question.event_id, replace(question, event_id=f"$edit{n}", body=words))
        told.sent.clear()
        await told.hear(question, edit) if n == 0 else await told.hear(edit)
        assert [row.content.get("body") for row in told.sent if row.action == "send"] == [
            ["sooner"],
            [f"done for {BEN} ($edit1)"],
            [],
        ][n]


async def test_a_question_asked_anew_while_its_answer_is_made_gets_the_new_answer_only(told: Story) -> None:
    question = told.message(BEN, "!later")

    async def edited_meanwhile() -> None:
        edit = Edit(question.event_id, replace(question, event_id="$edit"))
        await told.pipeline.handle(Batch("t-edit", (RoomUpdate(HALL, events=(edit,)),)))

    plugin = told.services.registry.plugins["echo"]
    assert isinstance(plugin, Echo)
    plugin.while_slow = edited_meanwhile
    await told.hear(question)
    assert [row.content["m.relates_to"] for row in told.sent] == [{"m.in_reply_to": {"event_id": question.event_id}}]


async def test_a_job_waits_for_the_homeserver_however_long_it_is_away(told: Story) -> None:
    plugin = told.services.registry.plugins["echo"]
    assert isinstance(plugin, Echo)
    tries = 0

    async def away() -> None:
        nonlocal tries
        tries += 1
        if tries < 20:  # far more often than a job that fails by itself is tried
            plugin.while_slow = away
            raise Unavailable("HTTP 502")

    plugin.while_slow = away
    assert await told.say(BEN, "!later") is None
    for _ in range(20):
        await told.advance(6 * 60_000)
    assert tries == 20
    assert told.sent[-1].content["body"] == f"done for {BEN}"


async def test_a_job_is_tried_again_when_the_homeserver_says(told: Story) -> None:
    plugin = told.services.registry.plugins["echo"]
    assert isinstance(plugin, Echo)

    async def too_many_requests() -> None:
        raise Unavailable("HTTP 429", retry_after=2.0)

    plugin.while_slow = too_many_requests
    assert await told.say(BEN, "!later") is None
    await told.advance(1_900)
    assert told.sent == []
    await told.advance(200)
    assert told.sent[-1].content["body"] == f"done for {BEN}"


async def test_a_disk_that_is_full_loses_nothing_of_a_batch(told: Story) -> None:
    """SQLite undoes the whole transaction; the next try of the same batch handles all of it."""
    async with told.db.transaction() as tx:
        pages = await tx.value("PRAGMA page_count")
        await tx.value(f"PRAGMA max_page_count = {pages + 3}")
    words = ["!echo one", "!echo " + "long " * 4000, "!echo two"]
    batch = Batch("t9", (RoomUpdate(HALL, events=tuple(told.message(ANA, said) for said in words * 4)),))
    with pytest.raises(sqlite3.OperationalError):
        await told.pipeline.handle(batch)
    assert await sync_token.token(told.db.reading()) != "t9"
    assert await told.db.reading().value("SELECT count(*) FROM core_outbox") == 0
    async with told.db.transaction() as tx:
        await tx.value("PRAGMA max_page_count = 1000000")
    await told.pipeline.handle(batch)
    await told.settle()
    assert len(told.sent) == 12


def joined(room: str, user: str) -> StateChange:
    return StateChange(room, "m.room.member", user, user, f"$join-{user}", {"membership": "join"})


async def test_a_room_whose_members_are_not_known_yet_is_not_taken_for_a_direct_chat(told: Story) -> None:
    """Of a large room only those who spoke are heard of at first: the bot and one more look like a chat of two."""
    await told.join(BEN, HALL)
    room = "!somewhere:example.org"
    update = RoomUpdate(
        room,
        state=(joined(room, told.transport.user_id), joined(room, BEN)),
        events=(told.message(BEN, "echo hello", room=room),),
    )
    await told.pipeline.handle(Batch("t1", (update,)))
    assert await told.settle() is None
    assert await told.say(BEN, "echo hello", room=room) == "hello"  # the list has been read: there are two


async def test_a_direct_chat_into_which_a_third_person_came_is_one_no_more(told: Story) -> None:
    room = await told.direct(ANA)
    for user in (told.transport.user_id, ANA, BEN):
        await told.join(user, HALL)
        await told.join(user, room)
    assert await told.say(ANA, "echo hello", room=room) is None
    assert str(await told.say(ANA, "!echo hello", room=room)).startswith("Other people can read this chat")


async def test_a_member_who_asks_in_a_room_of_no_hub_is_told_where_to_ask(told: Story) -> None:
    await told.join(ANA, HALL)
    for user in (told.transport.user_id, ANA, BEN):
        await told.join(user, "!elsewhere:example.org")
    answer = await told.say(ANA, "!echo hello", room="!elsewhere:example.org")
    assert answer == (
        "Other people can read this chat, so I can't show hub content here. Ask me in a hub room, or in "
        "a direct chat with me."
    )


async def test_state_that_cannot_be_stored_stops_nothing_else(told: Story) -> None:
    odd = StateChange(HALL, "m.room.member", "\ud800", ANA, "$odd", {"membership": "join"})
    update = RoomUpdate(HALL, state=(odd,), events=(odd, told.message(ANA, "!echo fine")))
    await told.pipeline.handle(Batch("t1", (update,)))
    assert await told.settle() == "fine"
