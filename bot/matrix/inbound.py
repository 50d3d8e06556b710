"""Raw JSON of the homeserver → events of the core. Anyone can send anything: the malformed is left out, never raised.

The JSON is read here and not through nio's event classes, which drop what their schemas do not know (creators of
room version 12, levels written as strings, rooms left).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from bot.core.events import Edit, Event, Message, Reaction, Redaction, StateChange, Undecryptable, id_of

Found = TypeVar("Found", bound="Event | Undecryptable")

SPOKEN = frozenset({"m.text", "m.emote", "m.file", "m.image", "m.video", "m.audio"})  # m.notice is other bots'
LONGEST_BODY = 65_536  # the size limit of an event (spec, "Size limits")
MOST_MENTIONS = 100

_USER = re.compile(r"@[^\s:\x00]*:[^\s\x00]+")
_ID = re.compile(r"[!$#@][^\s\x00]+")
_QUOTE = re.compile(r"(?:^> ?[^\n]*(?:\n|$))+\n?")
_QUOTE_HTML = re.compile(r"<mx-reply>.*?</mx-reply>", re.DOTALL | re.IGNORECASE)


def events(room: str, raw: object, own_id: str) -> tuple[Event, ...]:
    """The usable events of a list of raw ones."""
    return tuple(event for one in _list(raw) if (event := translate(room, one, own_id)) is not None)


def translate(room: str, raw: object, own_id: str) -> Event | None:
    """One raw event; None if it is malformed, a notice, the bot's own words, or of a type nobody here uses."""
    if not isinstance(raw, dict):
        return None
    type_, sender, event_id = raw.get("type"), raw.get("sender"), raw.get("event_id")
    content = raw.get("content")
    if not (_is(sender, _USER) and _is(event_id, _ID) and isinstance(content, dict) and isinstance(type_, str)):
        return None
    if isinstance(raw.get("state_key"), str):
        return _state(room, type_, raw["state_key"], sender, event_id, content)
    if sender == own_id:
        return None
    at = raw.get("origin_server_ts")
    at = at if isinstance(at, int) and not isinstance(at, bool) and 0 <= at < 2**53 else 0
    if isinstance(_dict(raw.get("unsigned")).get("redacted_because"), dict):
        spoken = type_ in ("m.room.message", "m.room.encrypted")
        return Redaction(room, event_id, sender, at, target=event_id) if spoken else None
    match type_:
        case "m.room.message":
            return _message(room, event_id, sender, at, content)
        case "m.room.redaction":
            target = content.get("redacts") or raw.get("redacts")  # in the content since room version 11
            return Redaction(room, event_id, sender, at, target) if _is(target, _ID) else None
        case "m.reaction":
            return _reaction(room, event_id, sender, at, content)
        case _:
            return None


def _state(room: str, type_: str, key: str, sender: str, event_id: str, content: dict[str, Any]) -> StateChange:
    if type_ == "m.room.create":
        content = {**content, "creator": sender}  # room version 11 and later no longer say it themselves
    return StateChange(room, type_, key, sender, event_id, content)


def _message(room: str, event_id: str, sender: str, at: int, content: dict[str, Any]) -> Message | Edit | None:
    relation = _dict(content.get("m.relates_to"))
    if relation.get("rel_type") == "m.replace":
        target, new = relation.get("event_id"), content.get("m.new_content")
        if not (_is(target, _ID) and isinstance(new, dict)):
            return None
        edited = _words(room, event_id, sender, at, new, {})
        return Edit(target, edited) if edited else None
    return _words(room, event_id, sender, at, content, relation)


def _words(
    room: str, event_id: str, sender: str, at: int, content: dict[str, Any], relation: dict[str, Any]
) -> Message | None:
    kind, body = content.get("msgtype"), content.get("body")
    if not isinstance(kind, str) or kind not in SPOKEN or not isinstance(body, str):
        return None
    html = content.get("formatted_body")
    html = html[:LONGEST_BODY] if isinstance(html, str) and content.get("format") == "org.matrix.custom.html" else None
    body = body[:LONGEST_BODY]
    reply_to = _dict(relation.get("m.in_reply_to")).get("event_id")
    thread = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
    if isinstance(reply_to, str):
        body = _QUOTE.sub("", body, count=1) if body.startswith("> <") else body
        html = _QUOTE_HTML.sub("", html) if html else None
    mentioned = _list(_dict(content.get("m.mentions")).get("user_ids"))[:MOST_MENTIONS]
    return Message(
        room=room,
        event_id=event_id,
        sender=sender,
        sent_at=at,
        body=body,
        html=html,
        reply_to=reply_to if _is(reply_to, _ID) else None,
        thread=thread if _is(thread, _ID) else None,
        mentions=frozenset(user for user in mentioned if _is(user, _USER)),
        kind=kind,
    )


def _reaction(room: str, event_id: str, sender: str, at: int, content: dict[str, Any]) -> Reaction | None:
    relation = _dict(content.get("m.relates_to"))
    target, key = relation.get("event_id"), relation.get("key")
    if relation.get("rel_type") != "m.annotation" or not _is(target, _ID) or not isinstance(key, str):
        return None
    return Reaction(room, event_id, sender, at, target, key[:100])


def joined_here(found: Iterable[Event | Undecryptable], own_id: str) -> str | None:
    """The id of the bot's own latest join among these events."""
    join = None
    for event in found:
        if isinstance(event, StateChange) and event.type == "m.room.member" and event.state_key == own_id:
            join = event.event_id if event.content.get("membership") == "join" else None
    return join


def since_joining(found: Sequence[Found], join: str) -> tuple[Found, ...]:
    """What was said before the bot came is not for it; the state of then still holds."""
    start = ids(found).index(join)
    return tuple(event for number, event in enumerate(found) if number >= start or isinstance(event, StateChange))


def ids(found: Iterable[Event | Undecryptable]) -> list[str]:
    return [event.event_id if isinstance(event, Undecryptable) else id_of(event) for event in found]


def _is(value: object, pattern: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= 255 and pattern.fullmatch(value) is not None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def is_user_id(value: object) -> TypeGuard[str]:
    """A usable user id."""
    return _is(value, _USER)


def is_room_id(value: object) -> bool:
    """A usable room id."""
    return _is(value, _ID) and str(value).startswith("!")


def section(response: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`response[name][name]…` where each is an object; {} where one is not."""
    here: dict[str, Any] = dict(response)
    for name in names:
        here = _dict(here.get(name))
    return here
