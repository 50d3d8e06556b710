"""Raw JSON → events. Anyone can send anything: what is malformed is left out, nothing is raised."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.events import Edit, Invite, Message, Reaction, Redaction, StateChange, id_of
from bot.core.files import Attachment
from bot.matrix import inbound
from tests.matrix.conftest import BOT
from tests.tiers import examples

ROOM, ANA = "!hall:example.org", "@ana:example.org"


def raw(content: object, type_: str = "m.room.message", **more: object) -> dict[str, Any]:
    event = {"type": type_, "sender": ANA, "event_id": "$one", "origin_server_ts": 5, "content": content}
    return {**event, **more}


def spoken(body: object, **more: object) -> dict[str, Any]:
    return raw({"msgtype": "m.text", "body": body, **more})


def heard(event: object) -> Message:
    message = inbound.translate(ROOM, event, BOT)
    assert isinstance(message, Message)
    return message


def member(membership: str, before: str | None = None, event_id: str = "$join") -> dict[str, Any]:
    unsigned = {"prev_content": {"membership": before}} if before else {}
    content = {"membership": membership}
    return raw(content, "m.room.member", state_key=BOT, sender=BOT, event_id=event_id, unsigned=unsigned)


# -- hostile input ----------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
IDS = st.sampled_from(["$one", "$two", "!r:x", ANA, BOT, "@", "$\x00", "$\ud800", "$" + "x" * 300]) | JSON
URLS = st.sampled_from(["mxc://example.org/abc", "mxc://\x00/a", "https://example.org/a"]) | JSON
RELATION = (
    st.fixed_dictionaries(
        {},
        optional={
            "rel_type": st.sampled_from(["m.replace", "m.thread", "m.annotation"]) | JSON,
            "event_id": IDS,
            "key": JSON,
            "m.in_reply_to": st.fixed_dictionaries({}, optional={"event_id": IDS}) | JSON,
        },
    )
    | JSON
)
WORDS = st.fixed_dictionaries(
    {},
    optional={
        "msgtype": st.sampled_from(["m.text", "m.notice", "m.file"]) | JSON,
        "body": st.sampled_from(["> <@a:b> x\n\ny", "\x00", "\ud800"]) | JSON,
        "format": st.just("org.matrix.custom.html") | JSON,
        "formatted_body": st.sampled_from(["<mx-reply>x</mx-reply>y", "<mx-reply>", "\ud800"]) | JSON,
        "m.mentions": st.fixed_dictionaries({}, optional={"user_ids": st.lists(IDS) | JSON}) | JSON,
        "m.relates_to": RELATION,
        "filename": st.sampled_from(["a.pdf", "\x00", "\ud800"]) | JSON,
        "info": st.fixed_dictionaries({}, optional={"mimetype": JSON, "size": JSON}) | JSON,
        "url": URLS,
        "file": st.fixed_dictionaries({}, optional={"url": URLS}) | JSON,
        "redacts": IDS,
        "membership": st.sampled_from(["join", "leave", "invite"]) | JSON,
    },
)
CONTENT = WORDS | JSON | st.builds(lambda words, new: {**words, "m.new_content": new}, WORDS, WORDS | JSON)
EVENT = (
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                [
                    "m.room.message",
                    "m.reaction",
                    "m.room.redaction",
                    "m.room.member",
                    "m.room.create",
                    "m.room.encrypted",
                ]
            )
            | JSON,
            "sender": IDS,
            "event_id": IDS,
            "state_key": IDS,
            "origin_server_ts": JSON,
            "content": CONTENT,
            "redacts": IDS,
            "unsigned": st.fixed_dictionaries({}, optional={"redacted_because": JSON, "prev_content": CONTENT}) | JSON,
        },
    )
    | JSON
)


@settings(max_examples=examples(500))
@given(st.lists(EVENT, max_size=4) | JSON)
def test_no_json_raises_and_whatever_comes_out_can_be_stored(events: object) -> None:
    found = inbound.events(ROOM, events, BOT)
    join = inbound.own_join(events, BOT)
    assert len(inbound.after_join(found, join)) <= len(found)
    for event in found:
        id_of(event).encode()
        message = event.message if isinstance(event, Edit) else event
        message.sender.encode()
        if isinstance(message, Message) and (file := message.attachment):
            f"{file.name}{file.mimetype}{file.url}".encode()
            assert not file.url or file.url.startswith("mxc://")
        if isinstance(message, Message):
            (message.body + (message.html or "")).encode()
            assert "\0" not in message.body
        if isinstance(message, Reaction):
            message.key.encode()
        if isinstance(message, StateChange):
            message.state_key.encode()


@given(JSON | IDS, JSON | st.fixed_dictionaries({"invite_state": st.fixed_dictionaries({"events": st.lists(EVENT)})}))
def test_no_invite_raises(room: object, part: object) -> None:
    inbound.invite(room, part, BOT)


@pytest.mark.parametrize("kind", [[], {}, None, 5, "m.location"])
def test_a_message_of_no_known_kind_is_left_out(kind: object) -> None:
    assert inbound.translate(ROOM, raw({"msgtype": kind, "body": "x"}), BOT) is None


@pytest.mark.parametrize("sender", ["ana", "@ana", "@ana:", "@a na:x", "@ana:x\n", "@a\x01:x", "@a:\ud800", None, 7])
def test_a_sender_that_is_no_user_id_is_left_out(sender: object) -> None:
    assert inbound.translate(ROOM, raw({"msgtype": "m.text", "body": "x"}, sender=sender), BOT) is None


def test_a_quote_that_is_opened_again_and_again_and_never_closed_is_left_as_it_is() -> None:
    bomb = "<mx-reply>" * 6500
    message = spoken("x", format="org.matrix.custom.html", formatted_body=bomb, **reply_to("$zero"))
    assert heard(message).html == bomb


# -- what is said -----------------------------------------------------------------------------------------------------


def reply_to(target: str, **more: object) -> dict[str, object]:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": target}, **more}}


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("> <@ben:x> one\n\n!find gifts", "!find gifts"),
        ("> <@ben:x> one\n> two\n> three\n\n!find gifts", "!find gifts"),
        ("> * <@ben:x> waves\n\nhello", "hello"),
        ("> <@ben:x> one\n\nfirst\n> my own quote", "first\n> my own quote"),
        ("> not a reply's quote\n\nhello", "> not a reply's quote\n\nhello"),
        ("no quote at all", "no quote at all"),
        ("> <@ben:x> nothing else", ""),
    ],
)
def test_a_reply_is_read_without_the_lines_it_quotes(body: str, left: str) -> None:
    message = heard(spoken(body, **reply_to("$zero")))
    assert (message.body, message.reply_to) == (left, "$zero")


def test_what_looks_like_a_quote_stays_where_nothing_is_replied_to() -> None:
    assert heard(spoken("> <@ben:x> one\n\ntwo")).body == "> <@ben:x> one\n\ntwo"


def test_a_reply_is_read_without_its_html_quote() -> None:
    html = "<mx-reply><blockquote>https://quoted.example</blockquote></mx-reply>hello <b>you</b>"
    message = heard(spoken("hello", format="org.matrix.custom.html", formatted_body=html, **reply_to("$zero")))
    assert message.html == "hello <b>you</b>"


def test_html_counts_only_where_it_is_said_to_be_html() -> None:
    assert heard(spoken("x", formatted_body="<b>x</b>")).html is None


def test_a_thread_is_named_by_its_root() -> None:
    relation = reply_to("$last", rel_type="m.thread", event_id="$root", is_falling_back=True)
    assert heard(spoken("x", **relation)).thread == "$root"


def test_only_user_ids_are_mentions() -> None:
    message = spoken("x", **{"m.mentions": {"user_ids": [ANA, 5, "room", None, {}], "room": True}})
    assert heard(message).mentions == {ANA}


def test_files_and_emotes_keep_their_kind() -> None:
    kinds = ["m.emote", "m.file", "m.image", "m.video", "m.audio"]
    assert [heard(raw({"msgtype": kind, "body": "x"})).kind for kind in kinds] == kinds


def test_notices_are_not_heard_nor_edits_that_become_one() -> None:
    assert inbound.translate(ROOM, raw({"msgtype": "m.notice", "body": "x"}), BOT) is None
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    edit = spoken("* x", **{"m.new_content": {"msgtype": "m.notice", "body": "x"}, "m.relates_to": relation})
    assert inbound.translate(ROOM, edit, BOT) is None


def test_own_words_are_not_heard_but_own_membership_is() -> None:
    assert inbound.translate(ROOM, raw({"msgtype": "m.text", "body": "x"}, sender=BOT), BOT) is None
    assert isinstance(inbound.translate(ROOM, member("join"), BOT), StateChange)


def test_a_time_nobody_can_mean_counts_as_long_ago() -> None:
    for time in (-1, 2**60, "now", None, True, 1.5):
        assert heard(raw({"msgtype": "m.text", "body": "x"}, origin_server_ts=time)).sent_at == 0


# -- what is taken back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beside", "inside", "target"),
    [
        ("$old", None, "$old"),
        (None, "$old", "$old"),
        ("$old", "$old", "$old"),
        ("$mine", "$yours", None),
        (None, None, None),
        (["$old"], None, None),
    ],
)
def test_a_redaction_that_names_two_targets_is_forged(beside: object, inside: object, target: str | None) -> None:
    content = {} if inside is None else {"redacts": inside}
    event = raw(content, "m.room.redaction", **({} if beside is None else {"redacts": beside}))
    found = inbound.translate(ROOM, event, BOT)
    assert (found.target if isinstance(found, Redaction) else None) == target


def test_a_message_already_redacted_arrives_as_its_redaction() -> None:
    found = inbound.translate(ROOM, raw({}, unsigned={"redacted_because": {"sender": ANA}}), BOT)
    assert found == Redaction(ROOM, "$one", ANA, 5, target="$one")


# -- rooms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "10", "11", "12"])
def test_who_made_a_room_is_told_for_every_room_version(version: str) -> None:
    content = {"room_version": version, "predecessor": {"room_id": "!old"}}
    change = inbound.translate(ROOM, raw(content, "m.room.create", state_key=""), BOT)
    assert isinstance(change, StateChange)
    assert change.content["creator"] == ANA


def test_power_levels_arrive_however_they_are_written() -> None:
    content = {"users": {ANA: "100"}, "users_default": "0"}
    change = inbound.translate(ROOM, raw(content, "m.room.power_levels", state_key=""), BOT)
    assert isinstance(change, StateChange)
    assert change.content == content


@pytest.mark.parametrize("key", [None, 5, [], "\x00", "\ud800"])
def test_state_under_a_key_nobody_can_store_is_left_out(key: object) -> None:
    assert inbound.translate(ROOM, raw({}, "m.room.name", state_key=key), BOT) is None


def test_an_own_join_is_told_from_a_new_name() -> None:
    said = spoken("before")
    assert inbound.own_join([said, member("join")], BOT) == "$join"
    assert inbound.own_join([said, member("join", before="invite")], BOT) == "$join"
    assert inbound.own_join([said, member("join", before="join")], BOT) is None
    assert inbound.own_join([member("join"), member("leave", before="join", event_id="$kick")], BOT) is None


def test_an_invite_names_who_invites() -> None:
    mine = raw({"membership": "invite", "is_direct": True}, "m.room.member", state_key=BOT)
    theirs = raw({"membership": "join"}, "m.room.member", state_key=ANA)
    part = {"invite_state": {"events": [theirs, mine]}}
    assert inbound.invite(ROOM, part, BOT) == Invite(ROOM, ANA, direct=True)
    assert inbound.invite(ROOM, {}, BOT) == Invite(ROOM, "", direct=False), "nobody's, to be rejected"
    assert inbound.invite("#hall:example.org", part, BOT) is None


# -- files ------------------------------------------------------------------------------------------------------------

HERE = "mxc://example.org:8448/Abc-1_d"


@pytest.mark.parametrize(
    ("content", "name", "type_", "size"),
    [
        ({"body": "a.txt", "info": {"mimetype": "text/plain", "size": 5}}, "a.txt", "text/plain", 5),
        ({"body": "look at this", "filename": "a.txt"}, "a.txt", "", None),
        ({"body": "a.txt", "filename": ""}, "a.txt", "", None),
        ({"body": "a.txt", "filename": 7, "info": {"mimetype": [], "size": True}}, "a.txt", "", None),
        ({"body": "a.txt", "info": {"mimetype": "x" * 999, "size": -1}}, "a.txt", "x" * 255, None),
        ({"body": "a.txt", "filename": "b\x00" + "x" * 999}, "b\ufffd" + "x" * 253, "", None),
        ({"body": "a.txt", "info": "none"}, "a.txt", "", None),
    ],
)
@pytest.mark.parametrize("kind", ["m.file", "m.image", "m.video", "m.audio"])
def test_what_a_message_says_of_its_file(
    kind: str, content: dict[str, object], name: str, type_: str, size: int | None
) -> None:
    assert heard(raw({"msgtype": kind, **content})).attachment == Attachment(name, type_, size)


@pytest.mark.parametrize(
    ("content", "url"),
    [
        ({"url": HERE}, HERE),
        ({"file": {"url": HERE, "key": {}}}, HERE),
        ({"url": "mxc://example.org/plain", "file": {"url": HERE}}, HERE),
        ({"url": "https://example.org/a.pdf"}, ""),
        ({"url": "mxc://example.org/a/../b"}, ""),
        ({"url": "mxc://example.org/" + "a" * 999}, ""),
        ({"url": ["mxc://example.org/a"], "file": []}, ""),
        ({}, ""),
    ],
)
def test_where_a_file_lies_is_told_if_it_is_on_a_homeserver(content: dict[str, object], url: str) -> None:
    said = heard(raw({"msgtype": "m.file", "body": "a.pdf", **content})).attachment
    assert said is not None
    assert said.url == url


def test_an_edit_says_of_its_file_what_it_is_now() -> None:
    new = {"msgtype": "m.file", "body": "new words", "filename": "a.pdf", "url": HERE}
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    edit = inbound.translate(ROOM, raw({**new, "m.new_content": new, "m.relates_to": relation}), BOT)
    assert isinstance(edit, Edit)
    assert edit.message.attachment == Attachment("a.pdf", "", None)
    assert edit.message.attachment.url == HERE


def test_words_carry_no_file() -> None:
    assert heard(spoken("hello", filename="a.txt", url="mxc://example.org/a")).attachment is None
