"""Is a message for the bot, may its sender use the command, and what is the answer?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

import structlog

from bot.api import Reply
from bot.core.commands import CommandSpec, command_line, first_word, is_called, parse, pill_at_start
from bot.core.counts import NO_COMMAND, Counts
from bot.core.errors import UsageError, UserError
from bot.core.events import Message
from bot.core.permissions import Role
from bot.core.rate_limit import RateLimit, Verdict
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Clock, Transaction
from bot.replies import TOO_LONG
from bot.runtime import message_builder, openness
from bot.runtime.contexts import EventContext
from bot.runtime.services import CORE, Asked, Services
from bot.storage import outbox

log = structlog.get_logger()

HANDLER_SECONDS = 10  # a handler only computes and touches the database; longer means it hangs

SPOKEN = frozenset({"m.text", "m.emote"})

SORRY = Text("Something went wrong on my side. The error has been logged; please try again later.")
TOO_OFTEN = Text("You're asking too fast. I'll answer again in a minute.")
NOT_TAKEN = Text("The homeserver rejected the file; it may be too large.")
MAY_BE_TOO_LONG = 5000  # characters of a reply; below it nothing is ever cut

NOT_UNDERSTOOD = Text("I didn't understand that.")
NOT_ALLOWED = Text("That command is for moderators.")
NOT_COORDINATOR = Text("That command is for coordinators and moderators.")
ROOMS_ONLY = Text("Use that command in a room of the hub, so that the others can see it.")
NOT_SURE = Text(
    "That command is for moderators, and I can't be sure that you sent it: this room requires "
    "messages to be encrypted by one of your devices, and this one was not. Please send it again "
    "from an app signed in to your account."
)


class Intent(Enum):
    """What a message is to the bot."""

    COMMAND = "a command, or anything said in a direct chat"
    MENTION = "said to the bot in a room, yet no command: it is answered, and a part of the talk"
    CONVERSATION = "not for the bot"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator set about answering."""

    answer_within: int = 600_000  # ms; older commands found after a pause are not answered
    per_person: int = 20  # questions a minute
    per_room: int = 60


class Dispatcher:
    """Answers commands, and what else is said to the bot, inside the batch's transaction."""

    def __init__(self, services: Services, clock: Clock, limits: Limits) -> None:
        self._services, self._clock = services, clock
        self.counts = Counts()
        self._per_person = RateLimit(limits.per_person)
        self._per_room = RateLimit(limits.per_room)

    async def command(self, tx: Transaction, message: Message, *, stale: bool, edit_id: str | None = None) -> Intent:
        """What the message is; it is answered if it should be.

        `edit_id` is the id of the edit that gave the message its present text; `message` has the original's id.
        """
        services = self._services
        if message.kind not in SPOKEN and not _said_beside_file(message):
            return Intent.CONVERSATION
        direct = await services.is_direct(tx, message.room)
        pill = pill_at_start(message.html, services.user_id)
        names = (*services.names, pill) if pill else services.names
        line = command_line(message.body, prefix=services.prefix, names=names, direct=direct)
        if line is None:
            return Intent.CONVERSATION
        registry = services.registry
        spec = registry.vocabulary.find(first_word(line))
        intent = Intent.COMMAND if spec or direct or not line else Intent.MENTION
        if intent is Intent.MENTION and not self._is_called(message, names, pill, line):
            return Intent.CONVERSATION
        if stale and not (spec and spec.changes):
            return intent
        begun, asked = time.perf_counter(), await self._asked(tx, message, edit_id)
        if asked is None:
            return intent
        owner = spec.owner if spec else registry.fallback[0] if registry.fallback else CORE
        context = await services.context(tx, message, owner, self._clock.now(), edit_id, asked)
        verdict = self._rate_limit(message)
        reply = None
        if verdict is Verdict.ANSWER or (spec and spec.changes):
            reply = await self._reply(tx, context, spec, line)
        if verdict is Verdict.SAY_ONCE:
            reply = Reply(context.t(TOO_OFTEN))
        if reply and verdict is not Verdict.SILENCE:
            await self.answer(tx, asked, reply)
            self.counts.commands[spec.name if spec else NO_COMMAND] += 1
        log.debug(
            "command handled",
            command=spec.name if spec else None,
            plugin=owner,
            room=message.room,
            event_id=message.event_id,
            limited=verdict is not Verdict.ANSWER,
            ms=round(1000 * (time.perf_counter() - begun)),
        )
        return intent

    def _is_called(self, message: Message, names: Sequence[str], pill: str | None, line: str) -> bool:
        """Whether words that are no command want an answer in a room: not after the prefix, which other bots use, too;
        and not if they share something, which is kept without an answer."""
        if message.attachment or "://" in line:
            return False
        return bool(pill) or is_called(message.body, prefix=self._services.prefix, names=names)

    async def answer(self, tx: Transaction, asked: Asked, reply: Reply) -> None:
        """Writes the answer to a question: a new message, or an edit of the answer it had."""
        too_long = ""
        if len(reply.text) > MAY_BE_TOO_LONG:
            too_long = (await self._services.core_translator(tx, asked.message)).t(TOO_LONG)
        instead = None
        if reply.file:
            refused = (await self._services.core_translator(tx, asked.message)).t(NOT_TAKEN)
            words = Reply(f"{reply.text}\n\n{refused}".strip(), reply.mentions)
            instead = message_builder.answer(words, asked.message, too_long)
        room, replaces = asked.message.room, asked.replaces
        if replaces and (reply.file or await outbox.carried_file(tx, replaces)):
            # Apps do not show that a file was edited, so the old answer is removed and a new one sent.
            gone = key("redact", room, asked.key)
            await outbox.enqueue(tx, key=gone, room=room, action="redact", replaces=replaces, now=self._clock.now())
            replaces = None
        await outbox.enqueue(
            tx,
            key=asked.key,
            room=room,
            content=message_builder.answer(reply, asked.message, too_long),
            file=reply.file,
            instead=instead,
            replaces=replaces,
            # An edit does not say which thread its message is in; an answer that is edited itself stays where it is.
            thread_of=asked.message.event_id if asked.edit_id and not replaces else None,
            cause=asked.message.event_id,
            asker=asked.message.sender,
            now=self._clock.now(),
        )

    async def _reply(self, tx: Transaction, context: EventContext, spec: CommandSpec | None, line: str) -> Reply | None:
        """What the command's handler answers, or the fallback. A handler that fails does not stop the batch."""
        registry = self._services.registry
        try:
            if not (spec and spec.anywhere) and (openings := self._services.directory.openings(context.message.room)):
                return Reply(_too_open(context, openings))
            if spec:
                await _may_use(self._services, context, spec)
                handler = partial(registry.commands[spec.owner, spec.name], **parse(line, spec).arguments)
            elif registry.fallback:
                handler = partial(registry.fallback[1], line=line.strip())
            else:
                return Reply(context.t(NOT_UNDERSTOOD))
            async with tx.savepoint(), asyncio.timeout(HANDLER_SECONDS):
                reply: Reply | None = await handler(context)
        except UserError as error:
            return Reply(self._explain(error, spec, context))
        except Exception:
            log.exception("a command failed", command=spec.name if spec else None, event_id=context.message.event_id)
            return Reply(context.t(SORRY))
        return reply

    def _explain(self, error: UserError, spec: CommandSpec | None, context: EventContext) -> str:
        """The sentence of an error, and how to write a command that was not understood."""
        sentence = message_builder.said(error, context.words)
        if spec is None or not isinstance(error, UsageError):
            return sentence
        usage = f"`{self._services.prefix}{spec.usage_as(spec.word_in(context.language), context.t)}`"
        return f"{sentence}\n\n{context.t('Write it like this: {usage}', usage=usage)}"

    async def _asked(self, tx: Transaction, message: Message, edit_id: str | None) -> Asked | None:
        """How the answer is to be sent; None if somebody edited what another asked."""
        before = await outbox.answer_to(tx, message.room, message.event_id)
        if before is None or edit_id is None:
            return Asked(message, key("reply", message.room, edit_id or message.event_id), edit_id=edit_id)
        if await outbox.asker_of(tx, message.room, message.event_id) != message.sender:
            return None
        return Asked(message, key("edit", message.room, edit_id), before, edit_id)

    def _rate_limit(self, message: Message) -> Verdict:
        """Who has asked nothing for a minute is answered, however many others ask in the room: together they cannot
        silence the bot for somebody else."""
        now = self._clock.now()
        fresh = self._per_person.is_full(message.sender, now)
        person = self._per_person.ask(message.sender, now)
        if person is not Verdict.ANSWER:
            return person
        room = self._per_room.ask(message.room, now)
        return Verdict.ANSWER if fresh else room


def _too_open(context: EventContext, openings: Sequence[Text]) -> str:
    """Only those who can change it learn what is open, and how to close it."""
    if context.role < Role.COORDINATOR:
        return context.t(openness.TOO_OPEN)
    return openness.lines(openings, context, context.t(openness.HERE))


def _said_beside_file(message: Message) -> bool:
    """A file's name is no command; what was written beside it may be one."""
    return message.attachment is not None and message.body != message.attachment.name


async def _may_use(services: Services, context: EventContext, spec: CommandSpec) -> None:
    if context.role < spec.role:
        claimed = await services.claimed_role(context.db, context.message, context.hubs)
        allowed = claimed >= spec.role
        raise UserError(NOT_SURE if allowed else NOT_ALLOWED if spec.role > Role.COORDINATOR else NOT_COORDINATOR)
    if not spec.anywhere:
        _ = context.hub  # raises for somebody of no hub
    if spec.rooms_only and context.room.direct:
        raise UserError(ROOMS_ONLY)
