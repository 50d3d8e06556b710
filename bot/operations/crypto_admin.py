"""The actions of `faro crypto`: they manage cross-signing and report outcomes as sentences.

Needs vodozemac. Everything raises `IdentityError` and what requests raise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.config.load import Loaded
from bot.core.texts import Text
from bot.matrix.crypto import verification_status
from bot.matrix.crypto.crypto_session import open_session
from bot.matrix.crypto.recovery import recover
from bot.matrix.crypto.verification import TIMEOUT
from bot.matrix.login import Secrets
from bot.ports import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    well: bool
    text: Text


RESET = (
    Text("This creates a new cross-signing identity for the account."),
    Text("Everyone who verified the bot sees that its identity changed and must verify it again."),
    Text("A recovery key made in a Matrix client for the old identity no longer fits."),
    Text("No messages are lost. Stop the bot before you continue."),
)
"""What the operator reads before a reset."""


async def status(loaded: Loaded, clock: Clock) -> list[Outcome]:
    """The cross-signing status of account and device. Can run beside the bot."""
    async with open_session(loaded.config, _secrets(loaded), loaded.data_dir, clock) as session:
        signing_status = await session.signing.status(session.device_id)
        user, device = session.user_id, session.device_id
    match signing_status.identity:
        case "none":
            return [Outcome(False, Text("{user} has no cross-signing identity. See `faro crypto setup`.", user=user))]
        case "foreign":
            text = Text(
                "{user} has a cross-signing identity, but its keys are not in the data folder. "
                "See `faro crypto import` and `faro crypto reset`.",
                user=user,
            )
            return [Outcome(False, text)]
    identity = Outcome(True, Text("The cross-signing identity of {user} is in the data folder.", user=user))
    if signing_status.device_signed:
        return [identity, Outcome(True, Text("This device is signed: {device}", device=device))]
    return [identity, Outcome(False, Text("This device is not signed: {device}. Restart the bot.", device=device))]


async def set_up(loaded: Loaded, clock: Clock) -> Outcome:
    """Creates the identity and signs the device, as every start of the bot does."""
    async with open_session(loaded.config, _secrets(loaded), loaded.data_dir, clock) as session:
        if await session.sign():
            return Outcome(True, Text("The bot's device is now signed."))
        return Outcome(True, Text("Nothing to do: the bot's device is already signed."))


async def reset(loaded: Loaded, clock: Clock) -> Outcome:
    async with open_session(loaded.config, _secrets(loaded), loaded.data_dir, clock) as session:
        await session.signing.reset()
        await session.sign()
    return Outcome(True, Text("The account has a new identity and the bot's device is signed."))


async def import_identity(loaded: Loaded, clock: Clock, recovery_key: str) -> Outcome:
    """The identity made in a Matrix client. Can run beside the bot, which uses it from its next start."""
    async with open_session(loaded.config, _secrets(loaded), loaded.data_dir, clock) as session:
        await session.signing.adopt(await recover(session.http, session.user_id, recovery_key))
    return Outcome(True, Text("The identity is in the data folder. Restart the bot so that it signs its device."))


async def watch(loaded: Loaded, clock: Clock) -> AsyncIterator[Outcome]:
    """Reports the next verification of the running bot, until it ends or ten minutes have passed."""
    folder, began = loaded.data_dir / "crypto", clock.now()
    last = verification_status.latest(folder)
    while clock.now() - began < TIMEOUT:
        step = verification_status.latest(folder)
        if step != last:
            last = step
            outcomes, ended = _step(step)
            for outcome in outcomes:
                yield outcome
            if ended:
                return
        await clock.sleep(0.5)
    yield Outcome(False, Text("No verification was completed within ten minutes."))


def _step(step: verification_status.Step) -> tuple[list[Outcome], bool]:
    user, device = str(step.get("user")), str(step.get("device"))
    if step.get("stage") == "done":
        return [
            Outcome(True, Text("{user} has verified the bot from the device {device}.", user=user, device=device))
        ], True
    if step.get("stage") == "cancelled":
        text = Text("The verification with {user} was cancelled: {reason}", user=user, reason=step.get("reason"))
        return [Outcome(False, text)], True
    emoji, numbers = (", ".join(map(str, step.get(name) or ())) for name in ("emoji", "numbers"))
    return [
        Outcome(True, Text("{user} is verifying the bot from the device {device}.", user=user, device=device)),
        Outcome(True, Text("Emoji: {emoji}", emoji=emoji)),
        Outcome(True, Text("Numbers: {numbers}", numbers=numbers)),
        Outcome(True, Text("If the other screen shows the same, confirm it there. If not, choose “They don't match”.")),
    ], False


def _secrets(loaded: Loaded) -> Secrets:
    return Secrets(loaded.password, loaded.token)
