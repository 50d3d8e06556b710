"""Parses the homeserver's JSON into core events. Malformed input is dropped and never raises.

The JSON is read here and not through nio's event classes, which drop what their schemas do not know (creators of
room version 12, levels written as strings, rooms left).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from bot.core.events import Edit, Event, Invite, Message, Reaction, Redaction, StateChange, Undecryptable, id_of
from bot.core.files import Attachment

AnyEvent = TypeVar("AnyEvent", bound="Event | Undecryptable")

FILE_MSGTYPES = frozenset({"m.file", "m.image", "m.video", "m.audio"})
READ_MSGTYPES = FILE_MSGTYPES | {"m.text", "m.emote"}  # m.notice is other bots'
MAX_BODY_LENGTH = 65_536  # the size limit of an event (spec, "Size limits")
MAX_MENTIONS = 100
MAX_NAME_LENGTH = 255  # characters of a file's name or type

_UNPRINTABLE = r"\s\x00-\x1f\x7f-\x9f\ud800-\udfff"
_USER = re.compile(rf"@[^:{_UNPRINTABLE}]*:[^{_UNPRINTABLE}]+")
_ID = re.compile(rf"[!$][^{_UNPRINTABLE}]+")
_CONTENT = re.compile(r"mxc://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9_-]+")  # spec, "Matrix Content (mxc://) URIs"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # JSON can hold them, a database and UTF-8 cannot
_QUOTE = re.compile(r"(?:>[^\n]*(?:\n|\Z))+\n?")


def events(room: str, raw: object, own_id: str) -> tuple[Event, ...]:
    """The usable events of a list of raw ones."""
    return tuple(event for one in _list(raw) if (event := translate(room, one, own_id)) is not None)


def translate(room: str, raw: object, own_id: str) -> Event | None:
    """One raw event; None if it is malformed, a notice, the bot's own, or of an unused type."""
    if not isinstance(raw, dict):
        return None
    type_, sender, event_id = raw.get("type"), raw.get("sender"), raw.get("event_id")
    content = raw.get("content")
    if not (_is(sender, _USER) and _is(event_id, _ID) and isinstance(content, dict) and isinstance(type_, str)):
        return None
    if "state_key" in raw:
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
            return _redaction(room, event_id, sender, at, raw.get("redacts"), content.get("redacts"))
        case "m.reaction":
            return _reaction(room, event_id, sender, at, content)
        case _:
            return None


def _state(
    room: str, type_: str, key: object, sender: str, event_id: str, content: dict[str, Any]
) -> StateChange | None:
    if not isinstance(key, str) or _UNSTORABLE.search(key) or (type_ == "m.room.member" and not _is(key, _USER)):
        return None
    if type_ == "m.room.create":
        content = {**content, "creator": sender}  # room version 11 and later no longer say it themselves
    return StateChange(room, type_, key, sender, event_id, content)


def _redaction(room: str, event_id: str, sender: str, at: int, old: object, new: object) -> Redaction | None:
    """The target is beside the content, since room version 11 inside it; if the two differ, one is forged."""
    target = new if old is None else old
    if not _is(target, _ID) or new not in (None, target):
        return None
    return Redaction(room, event_id, sender, at, target)


def _message(room: str, event_id: str, sender: str, at: int, content: dict[str, Any]) -> Message | Edit | None:
    relation = _dict(content.get("m.relates_to"))
    if relation.get("rel_type") == "m.replace":
        target, new = relation.get("event_id"), content.get("m.new_content")
        if not (_is(target, _ID) and isinstance(new, dict)):
            return None
        edited = _text_message(room, event_id, sender, at, new, {})
        return Edit(target, edited) if edited else None
    return _text_message(room, event_id, sender, at, content, relation)


def _text_message(
    room: str, event_id: str, sender: str, at: int, content: dict[str, Any], relation: dict[str, Any]
) -> Message | None:
    kind, body, html = content.get("msgtype"), content.get("body"), content.get("formatted_body")
    if not isinstance(kind, str) or kind not in READ_MSGTYPES or not isinstance(body, str):
        return None
    body = _storable(body)
    html = _storable(html) if isinstance(html, str) and content.get("format") == "org.matrix.custom.html" else None
    reply_to = _dict(relation.get("m.in_reply_to")).get("event_id")
    if isinstance(reply_to, str):
        body, html = _without_quote(body), html and _without_html_quote(html)
    mentioned = _list(_dict(content.get("m.mentions")).get("user_ids"))[:MAX_MENTIONS]
    return Message(
        room=room,
        event_id=event_id,
        sender=sender,
        sent_at=at,
        body=body,
        html=html,
        reply_to=reply_to if _is(reply_to, _ID) else None,
        thread=_thread(relation),
        mentions=frozenset(user for user in mentioned if _is(user, _USER)),
        kind=kind,
        attachment=_attachment(content, body) if kind in FILE_MSGTYPES else None,
    )


def thread(raw: Mapping[str, Any]) -> str | None:
    """The root of the thread a raw event is in; relations stay readable in encrypted events."""
    return _thread(section(raw, "content", "m.relates_to"))


def _thread(relation: Mapping[str, Any]) -> str | None:
    root = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
    return root if _is(root, _ID) else None


def _attachment(content: dict[str, Any], body: str) -> Attachment:
    """What an event says of its file (spec, "Media captions": without a `filename` the body is the name)."""
    name, info = content.get("filename"), _dict(content.get("info"))
    type_, size = info.get("mimetype"), info.get("size")
    url = _dict(content.get("file")).get("url", content.get("url"))  # encrypted, or not
    return Attachment(
        name=_storable(name if isinstance(name, str) and name else body)[:MAX_NAME_LENGTH],
        mimetype=_storable(type_)[:MAX_NAME_LENGTH] if isinstance(type_, str) else "",
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None,
        url=url if _is(url, _CONTENT) else "",
    )


def _without_quote(body: str) -> str:
    """Without the lines that repeat what is replied to (spec, "Fallbacks for rich replies"; of an emote: `> * <@`)."""
    quote = _QUOTE.match(body) if body.startswith(("> <", "> * <")) else None
    return body[quote.end() :] if quote else body


def _without_html_quote(html: str) -> str:
    end = html[:MAX_BODY_LENGTH].lower().find("</mx-reply>") if html[:10].lower() == "<mx-reply>" else -1
    return html[end + len("</mx-reply>") :] if end >= 0 else html


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:MAX_BODY_LENGTH])


def _reaction(room: str, event_id: str, sender: str, at: int, content: dict[str, Any]) -> Reaction | None:
    relation = _dict(content.get("m.relates_to"))
    target, key = relation.get("event_id"), relation.get("key")
    if relation.get("rel_type") != "m.annotation" or not _is(target, _ID) or not isinstance(key, str):
        return None
    return Reaction(room, event_id, sender, at, target, _storable(key[:100]))


def invite(room: object, part: object, own_id: str) -> Invite | None:
    """One entry of `rooms.invite`. Without an inviter it will be rejected."""
    if not is_room_id(room) or not isinstance(part, dict):
        return None
    for raw in _list(section(part, "invite_state").get("events")):
        if not (isinstance(raw, dict) and raw.get("type") == "m.room.member" and raw.get("state_key") == own_id):
            continue
        sender, content = raw.get("sender"), _dict(raw.get("content"))
        if content.get("membership") == "invite" and _is(sender, _USER):
            return Invite(room, sender, direct=content.get("is_direct") is True)
    return Invite(room, "", direct=False)


def own_join(raw_events: object, own_id: str) -> str | None:
    """The id of the bot's own latest join among these raw events. A new display name is no join."""
    join = None
    for raw in _list(raw_events):
        if isinstance(raw, dict) and raw.get("type") == "m.room.member" and raw.get("state_key") == own_id:
            now, before = (_dict(content).get("membership") for content in (raw.get("content"), _before(raw)))
            if now != "join":
                join = None
            elif before != "join" and _is(raw.get("event_id"), _ID):
                join = raw["event_id"]
    return join


def _before(raw: dict[str, Any]) -> object:
    """The state an event replaced (`prev_content` has stood in both places)."""
    return _dict(raw.get("unsigned")).get("prev_content", raw.get("prev_content"))


def after_join(events: Sequence[AnyEvent], join: str | None) -> tuple[AnyEvent, ...]:
    """Drops messages from before the bot joined; state events stay."""
    order = ids(events)
    start = order.index(join) if join in order else 0
    return tuple(event for number, event in enumerate(events) if number >= start or isinstance(event, StateChange))


def ids(events: Iterable[Event | Undecryptable]) -> list[str]:
    return [event.event_id if isinstance(event, Undecryptable) else id_of(event) for event in events]


def _is(value: object, pattern: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= 255 and pattern.fullmatch(value) is not None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def is_user_id(value: object) -> TypeGuard[str]:
    """A usable user id."""
    return _is(value, _USER)


def is_room_id(value: object) -> TypeGuard[str]:
    """A usable room id."""
    return _is(value, _ID) and value.startswith("!")


def section(response: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`response[name][name]…` where each is an object; {} where one is not."""
    here: dict[str, Any] = dict(response)
    for name in names:
        here = _dict(here.get(name))
    return here
