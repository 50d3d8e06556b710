"""What the bot says, as Matrix content: in the thread it was asked in, pinging only whom it must.

It speaks in notices, which ping nobody: the push rule `.m.rule.suppress_notices` comes before the one for mentions
(client-server API, "Default override rules"). So what has to ping somebody is an ordinary text.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.api import Reply
from bot.core.errors import UserError
from bot.core.events import Message
from bot.core.files import File
from bot.core.texts import Text
from bot.ports import Translator
from bot.replies import escape, harmless, render

LONGEST_NAME = 100  # characters of a file's name


def answer(reply: Reply, to: Message, too_long: str) -> Mapping[str, object]:
    """What answers `to`, in its thread if it is in one; `too_long` ends one that had to be cut."""
    relation: dict[str, object] = {"m.in_reply_to": {"event_id": to.event_id}}
    if to.thread:
        relation = {"rel_type": "m.thread", "event_id": to.thread, "is_falling_back": False, **relation}
    return {**announcement(reply, too_long), "m.relates_to": relation}


def announcement(reply: Reply, too_long: str = "") -> Mapping[str, object]:
    """What stands alone: a notice, a text if it mentions somebody, or a file with the words beside it."""
    body, html = render(reply.text, too_long)
    content = {
        "msgtype": "m.text" if reply.mentions else "m.notice",
        "body": body,
        "format": "org.matrix.custom.html",
        "formatted_body": html,
        "m.mentions": {"user_ids": list(reply.mentions)} if reply.mentions else {},
    }
    return {**content, **_carrying(reply.file, body)} if reply.file else content


def _carrying(file: File, words: str) -> Mapping[str, object]:
    """What a message with a file says of it (spec, "Media captions"); where it is, is added when it is uploaded."""
    name = harmless(file.name)[:LONGEST_NAME] or "file"
    info = {"mimetype": file.mimetype, "size": len(file.content)}
    return {"msgtype": "m.file", "body": words or name, "filename": name, "info": info}


def said(error: UserError, words: Translator) -> str:
    """The sentence of an error, in the reader's language."""
    if isinstance(error.text, str):
        return error.text
    values = {name: escape(value) if isinstance(value, str) else value for name, value in error.text.values}
    return words.t(Text(error.text.template, **values))
