"""Commands: is this message one, may its sender use it, and what is the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from textwrap import shorten

import structlog

from bot.api import Reply
from bot.core.commands import (
    CommandSpec,
    command_line,
    first_word,
    is_called,
    is_form,
    is_slip,
    nearest,
    parse,
    pill_at_start,
)
from bot.core.courtesy import is_courtesy
from bot.core.errors import UsageError, UserError
from bot.core.events import Message
from bot.core.permissions import Role
from bot.core.rate_limit import Cooldown, Verdict
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Clock, Transaction, Translator
from bot.replies import TOO_LONG, harmless
from bot.runtime import message_builder
from bot.runtime.contexts import EventContext
from bot.runtime.services import CORE, Asked, Desk
from bot.storage import outbox

log = structlog.get_logger()

HANDLER_SECONDS = 10  # a handler only computes and touches the database; longer means it hangs

LONGEST_REPEATED = 100  # characters of what was said, in the command that is proposed
MUCH = 6  # words: who writes so many that are no question may be telling of something
AROUND_A_SENTENCE = " .,;:!?¡¿…"

SPOKEN = frozenset({"m.text", "m.emote"})

SORRY = Text("Something went wrong on my side. It has been noted; please try again later.")
TOO_OFTEN = Text("That was many questions at once. I will answer again in a minute.")
NOT_TAKEN = Text("The homeserver did not take the file; perhaps it is too large.")
MAY_BE_TOO_LONG = 5000  # characters of a reply; below it nothing is ever cut

AT_YOUR_SERVICE = Text(
    "Always glad to help! I find again what people share in the rooms of their hub. Write {help} to see what I can do."
)

NO_REPORTS = Text("I am not a channel for reporting wrongdoing; {help} says which the official ones are.")

NOT_ALLOWED = Text("That command is for moderators.")
NOT_COORDINATOR = Text("That command is for coordinators and moderators.")
ROOMS_ONLY = Text("Write that in a room of the hub, so that the others see it.")
NOT_SURE = Text(
    "That command is for moderators, and I cannot be sure that you wrote it: the message was not encrypted by a device "
    "of your account, as it must be in this room. Please write it again from an app that is signed in to your account."
)


class Heard(Enum):
    """What a message is to the bot."""

    COMMAND = "a command, or anything said in a direct chat"
    CALL = "said to the bot in a room, yet no command: it is answered, and a part of the talk"
    TALK = "not for the bot"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator set about answering."""

    answer_within: int = 600_000  # ms; older commands found after a pause are not answered
    per_person: int = 20  # questions a minute
    per_room: int = 60


class Answering:
    """Answers commands, inside the batch's transaction."""

    def __init__(self, desk: Desk, clock: Clock, limits: Limits) -> None:
        self._desk, self._clock = desk, clock
        self._per_person = Cooldown(limits.per_person)
        self._per_room = Cooldown(limits.per_room)

    async def command(self, tx: Transaction, message: Message, *, stale: bool, edited: str | None = None) -> Heard:
        """What the message is; it is answered if it should be.

        `edited` is the id of the edit that gave the message its present words; `message` has the original's id.
        """
        desk = self._desk
        if message.kind not in SPOKEN and not _said_beside_file(message):
            return Heard.TALK
        direct = await desk.is_direct(tx, message.room)
        pill = pill_at_start(message.html, desk.user_id)
        names = (*desk.names, pill) if pill else desk.names
        line = command_line(message.body, prefix=desk.prefix, names=names, direct=direct)
        if line is None or not line.strip():
            return Heard.TALK
        spec = desk.registry.vocabulary.find(first_word(line))
        known = Heard.COMMAND if spec or direct else Heard.CALL
        if known is Heard.CALL and not self._is_called(message, names, pill, line):
            return Heard.TALK
        if stale:
            return known
        asked = await self._asked(tx, message, edited)
        if asked is None:
            return known
        context = await desk.context(tx, message, spec.owner if spec else CORE, asked, self._clock.now())
        words = desk.translations.translator(CORE, context.language)
        match self._cooldown(message):
            case Verdict.SAY_ONCE:
                await self.answer(tx, asked, Reply(words.t(TOO_OFTEN)))
            case Verdict.ANSWER if spec is None:
                await self.answer(tx, asked, self._unknown(line, context, words))
            case Verdict.ANSWER if spec is not None:
                reply = await self._run(tx, context, spec, line)
                if reply is not None:
                    await self.answer(tx, asked, reply)
        return known

    def _is_called(self, message: Message, names: Sequence[str], pill: str | None, line: str) -> bool:
        """Whether words that are no command want an answer in a room. Not those behind the sign, which other bots
        have too; nor who shares something: that is kept quietly."""
        if message.attachment or "://" in line:
            return False
        return bool(pill) or is_called(message.body, prefix=self._desk.prefix, names=names)

    async def answer(self, tx: Transaction, asked: Asked, reply: Reply) -> None:
        """Writes the answer to something asked: new, or in place of the answer it had."""
        too_long = ""
        if len(reply.text) > MAY_BE_TOO_LONG:
            too_long = (await self._desk.core_translator(tx, asked.message)).t(TOO_LONG)
        instead = None
        if reply.file:
            refused = (await self._desk.core_translator(tx, asked.message)).t(NOT_TAKEN)
            words = Reply(f"{reply.text}\n\n{refused}".strip(), reply.mentions)
            instead = message_builder.answer(words, asked.message, too_long)
        room, replaces = asked.message.room, asked.replaces
        if replaces and (reply.file or await outbox.carried_file(tx, replaces)):
            # Apps do not show that a file was edited: the old answer goes, and a new one comes.
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
            cause=asked.message.event_id,
            asker=asked.message.sender,
            now=self._clock.now(),
        )

    async def _run(self, tx: Transaction, context: EventContext, spec: CommandSpec, line: str) -> Reply | None:
        """The handler inside its fence: whatever it does, the rest of the batch goes on."""
        words = context.words
        try:
            await _may_use(self._desk, context, spec)
            call = parse(line, spec)
            async with tx.savepoint(), asyncio.timeout(HANDLER_SECONDS):
                reply: Reply | None = await self._desk.registry.commands[spec.owner, spec.name](
                    context, **call.arguments
                )
        except UsageError as error:
            usage = f"`{self._desk.prefix}{spec.usage_as(spec.word_in(words.language), words.t)}`"
            return Reply(
                f"{message_builder.said(error, words)}\n\n{words.t('Write it like this: {usage}', usage=usage)}"
            )
        except UserError as error:
            return Reply(message_builder.said(error, words))
        except Exception:
            log.exception("a command failed", command=spec.name, event_id=context.message.event_id)
            return Reply(words.t(SORRY))
        return reply

    async def _asked(self, tx: Transaction, message: Message, edited: str | None) -> Asked | None:
        """How the answer is to be sent; None if somebody edited what another asked."""
        before = await outbox.answer_to(tx, message.room, message.event_id)
        if before is None or edited is None:
            return Asked(message, key("reply", message.room, edited or message.event_id))
        if await outbox.asker_of(tx, message.room, message.event_id) != message.sender:
            return None
        return Asked(message, key("edit", message.room, edited), replaces=before)

    def _cooldown(self, message: Message) -> Verdict:
        now = self._clock.now()
        person = self._per_person.ask(message.sender, now)
        return person if person is not Verdict.ANSWER else self._per_room.ask(message.room, now)

    def _unknown(self, line: str, context: EventContext, words: Translator) -> Reply:
        """What somebody is told who said to the bot what is no command."""
        vocabulary, sign = self._desk.registry.vocabulary, "" if context.room.direct else self._desk.prefix
        helping, finding = vocabulary.find("help"), vocabulary.find("find")
        shown = f"`{sign}{helping.word_in(words.language) if helping else 'help'}`"
        if is_courtesy(line, self._desk.display_name):
            return Reply(words.t(AT_YOUR_SERVICE, help=shown))
        first, usable = first_word(line), context.usable()
        meant = None if "?" in line else nearest(first, _words_for(usable, words.language))
        told = (
            words.t(
                "I do not know “{word}”. Did you mean {nearest}? Write {help} to see what I can do.",
                word=message_builder.shown(first),
                nearest=f"`{sign}{meant}`",
                help=shown,
            )
            if meant
            else words.t(
                "I do not know “{word}”. Write {help} to see what I can do.",
                word=message_builder.shown(first),
                help=shown,
            )
        )
        if context.room.direct and "?" not in line and len(line.split()) >= MUCH:
            told += "\n\n" + words.t(NO_REPORTS, help=shown)
        if finding is None or finding not in usable:
            return Reply(told)
        # Who writes plain words to the bot mostly wants to find something.
        command = f"`{sign}{finding.word_in(words.language)} {_looked_for(line, finding)}".rstrip() + "`"
        return Reply(f"{told}\n\n{words.t('To find something, write {command}.', command=command)}")


def _words_for(specs: Sequence[CommandSpec], language: str) -> Sequence[str]:
    """What a reader of a language may have meant to write: its words, and the English ones."""
    return [word for spec in specs for word in (spec.word_in(language), spec.name)]


def _looked_for(line: str, finding: CommandSpec) -> str:
    """What to write after the word for finding: what was said, without that word misspelt ("fnd gifts") or in another
    form ("busco gifts"), and without the marks around a sentence."""
    first = first_word(line)
    if any(is_slip(first, word) or is_form(first, word) for word in finding.words):
        line = line.strip().removeprefix(first)
    said = shorten(harmless(line.replace("`", "")), LONGEST_REPEATED, placeholder="")
    return said.strip(AROUND_A_SENTENCE)


def _said_beside_file(message: Message) -> bool:
    """A file's name is no command; what was written beside it may be one."""
    return message.attachment is not None and message.body != message.attachment.name


async def _may_use(desk: Desk, context: EventContext, spec: CommandSpec) -> None:
    if context.role < spec.role:
        claimed = await desk.claimed_role(context.db, context.message, context.hubs)
        allowed = claimed >= spec.role
        raise UserError(NOT_SURE if allowed else NOT_ALLOWED if spec.role > Role.COORDINATOR else NOT_COORDINATOR)
    if not spec.anywhere:
        _ = context.hub  # raises for somebody of no hub
    if spec.rooms_only and context.room.direct:
        raise UserError(ROOMS_ONLY)
