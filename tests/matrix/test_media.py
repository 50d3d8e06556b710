"""Files on a homeserver that answers anything, of messages in which anything stands."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import LoggedOut, Unavailable, UserError
from bot.core.files import File
from bot.matrix.http import Http
from bot.matrix.media import DAMAGED, GONE, NO_FILE, Media, Source, decrypted, source_of
from tests.matrix.conftest import BOT, Answer, Script
from tests.tiers import examples

ROOM = "!hall:example.org"
PLAN = File("plan.txt", "text/plain", b"gifts first")
SAID = {"msgtype": "m.file", "body": "plan.txt", "url": "mxc://example.org/abc", "info": {"mimetype": "text/plain"}}


def event(content: object = SAID, event_id: str = "$one") -> Answer:
    raw = {"type": "m.room.message", "sender": "@ana:example.org", "event_id": event_id, "content": content}
    return Answer(raw)


@pytest.fixture
def media(http: Http) -> Media:
    return Media(http, BOT, None)


async def test_a_file_is_asked_for_where_its_message_says(media: Media, script: Script) -> None:
    script.will_answer(event(), Answer(raw=PLAN.content))
    _, file = await media.fetch(ROOM, "$one", 100)
    assert file == PLAN
    assert [request.path for request in script.requests] == [
        "/_matrix/client/v3/rooms/!hall:example.org/event/$one",
        "/_matrix/client/v1/media/download/example.org/abc",
    ]


async def test_plain_bytes_are_uploaded_with_type_and_name_and_encrypted_ones_with_neither(
    media: Media, script: Script
) -> None:
    address = {"content_uri": "mxc://example.org/abc"}
    script.will_answer(Answer(address), Answer(address))
    assert await media.upload(PLAN, encrypted=False) == {"url": "mxc://example.org/abc"}
    sealed = await media.upload(PLAN, encrypted=True)
    plain, secret = script.requests
    assert (plain.body, plain.query, plain.type) == (PLAN.content, {"filename": "plan.txt"}, "text/plain")
    assert (secret.query, secret.type) == ({}, "application/octet-stream")
    assert len(secret.body) == len(PLAN.content)
    assert secret.body != PLAN.content
    assert set(sealed) == {"file"}
    source = source_of(sealed, encrypted=True)
    assert source
    assert decrypted(secret.body, source) == PLAN.content


@pytest.mark.parametrize("type_", ["", "text", "text/plain\r\nX-Admin: yes", "text/\x00", "text/ü", "a" * 255])
async def test_a_type_that_is_none_is_not_told_to_the_homeserver(media: Media, script: Script, type_: str) -> None:
    """A file that is handed on has the type its first sender's app wrote; one with a line break could never be sent."""
    script.will_answer(Answer({"content_uri": "mxc://example.org/abc"}))
    await media.upload(File("plan.txt", type_, b""), encrypted=False)
    assert script.requests[0].type == "application/octet-stream"


async def test_an_upload_without_an_address_is_tried_again_later(media: Media, script: Script) -> None:
    script.will_answer(Answer({}))
    with pytest.raises(Unavailable):
        await media.upload(PLAN, encrypted=False)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([Answer({"errcode": "M_NOT_FOUND"}, 404)], GONE),
        ([event({})], NO_FILE),
        ([event({**SAID, "url": "https://example.org/x"})], NO_FILE),
        ([event({**SAID, "url": "mxc://example.org/../x"})], NO_FILE),
        ([event(event_id="$another")], NO_FILE),
        ([event(), Answer({"errcode": "M_NOT_FOUND"}, 404)], GONE),
        ([event(), Answer({"errcode": "M_UNKNOWN"}, 502)], GONE),  # its homeserver is away, perhaps for ever
    ],
)
async def test_what_cannot_be_fetched_is_told_to_the_asker(
    media: Media, script: Script, answers: list[Answer], told: object
) -> None:
    script.will_answer(*answers)
    with pytest.raises(UserError) as error:
        await media.fetch(ROOM, "$one", 100)
    assert error.value.text == told


async def test_no_more_is_read_of_a_file_than_was_agreed_whatever_its_message_says(
    media: Media, script: Script
) -> None:
    script.will_answer(event({**SAID, "info": {"size": 1}}), Answer(raw=bytes(101)))
    with pytest.raises(UserError, match="too large"):
        await media.fetch(ROOM, "$one", 100)


async def test_an_outage_and_a_revoked_session_are_not_the_askers_matter(media: Media, script: Script) -> None:
    for answer, error in (
        (Answer({"errcode": "M_UNKNOWN"}, 503), Unavailable),
        (Answer(raw=b"<html>the proxy in front of it</html>", status=502), Unavailable),
        (Answer(raw=b"", status=204), Unavailable),
        (Answer({"errcode": "M_UNKNOWN_TOKEN"}, 401), LoggedOut),
    ):
        script.will_answer(event(), answer)
        with pytest.raises(error):
            await media.fetch(ROOM, "$one", 100)


# -- encrypted --------------------------------------------------------------------------------------------------------


def test_a_file_that_came_encrypted_must_be_encrypted_itself() -> None:
    """Whoever keeps the bytes could change them."""
    assert source_of(SAID, encrypted=True) is None
    assert source_of(SAID, encrypted=False) == Source("example.org", "abc")


async def test_bytes_that_were_changed_are_noticed(media: Media, script: Script) -> None:
    script.will_answer(Answer({"content_uri": "mxc://example.org/abc"}))
    source = source_of(await media.upload(PLAN, encrypted=True), encrypted=True)
    assert source
    sealed = script.requests[0].body
    for changed in (b"", sealed[:-1], bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(UserError) as error:
            decrypted(changed, source)
        assert error.value.text == DAMAGED


ANYTHING: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text(max_size=60) | st.sampled_from(["mxc://example.org/abc", [], {}])
)
SEALED = st.fixed_dictionaries(
    {"url": st.just("mxc://example.org/abc"), "hashes": st.fixed_dictionaries({"sha256": ANYTHING})},
    optional={"key": st.fixed_dictionaries({}, optional={"k": ANYTHING}) | ANYTHING, "iv": ANYTHING, "v": ANYTHING},
)
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"  # the hash of no bytes, so that key and iv are looked at


@given(st.fixed_dictionaries({}, optional={"file": SEALED | ANYTHING, "url": ANYTHING}), st.booleans(), st.booleans())
@settings(max_examples=examples(300), deadline=None)
def test_whatever_stands_in_a_message_it_is_a_file_or_an_answer(
    content: dict[str, Any], encrypted: bool, right_hash: bool
) -> None:
    if right_hash and isinstance(content.get("file"), dict):
        content["file"]["hashes"] = {"sha256": EMPTY}
    source = source_of(content, encrypted=encrypted)
    if source:
        with contextlib.suppress(UserError):
            assert decrypted(b"", source) == b""
