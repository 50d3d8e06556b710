"""`!language` and `!forget`: how the bot speaks with a person, and what it holds about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from bot.api import Context, Language, Plugin, Reply, Settings, UserError, command, escape

__all__ = ["People"]

NAMES = {"en": "English", "es": "español", "fr": "français", "pt": "português"}
SAID_AS = {
    "en": ("english", "inglés", "ingles", "anglais", "inglês"),
    "es": ("spanish", "español", "espanol", "espagnol", "espanhol", "castellano"),
    "fr": ("french", "francés", "frances", "français", "francais", "francês"),
    "pt": ("portuguese", "portugués", "portugues", "portugais", "português"),
}
"""What people call the languages, in each of them, with and without accents."""

HUBS_CHOICE = "auto"
ME = frozenset({"", "me", "my data", "mis datos", "mes données", "mes donnees", "meus dados"})
YES = frozenset({"yes", "sí", "si", "oui", "sim"})


class People(Plugin[Settings]):
    name = "people"

    @command(
        "language",
        help="Show or choose your language.",
        aliases={"es": "idioma", "fr": "langue", "pt": "idioma"},
        anywhere=True,
        changes=True,
        examples=("language en", "language auto"),
    )
    async def language(self, ctx: Context, *, language: str = "") -> Reply:
        wanted = " ".join(language.casefold().split())
        if not wanted:
            return Reply(_languages(ctx))
        if wanted == HUBS_CHOICE:
            await ctx.set_language(None)
            words = ctx.translator(_hubs_language(ctx))
            return Reply(
                words.t("From now on, I'll answer you in the hub's language: {name}.", name=NAMES[words.language])
            )
        code = next((code for code in NAMES if wanted == code or wanted in SAID_AS[code]), None)
        if code is None:
            unknown = ctx.t("I don't speak “{language}”.", language=escape(language[:40]))
            raise UserError(f"{unknown}\n\n{_languages(ctx)}")
        await ctx.set_language(code)
        return Reply(ctx.translator(code).t("From now on, I'll answer you in {name}.", name=NAMES[code]))

    @command(
        "forget",
        help="Erase your data.",
        aliases={"es": "olvidar", "fr": "oublier", "pt": "esquecer"},
        anywhere=True,
        changes=True,
        examples=("forget me", "forget me yes"),
    )
    async def forget_me(self, ctx: Context, *, me: str = "") -> Reply:
        *before, last = me.casefold().split() or [""]
        sure = last in YES
        if " ".join(before if sure else [*before, last]) not in ME:
            raise UserError(ctx.t("I can only erase your own data, not data about other people or things."))
        if not sure:
            return Reply(_what_forgetting_means(ctx))
        later = await ctx.forget_sender()
        done = ctx.t("Done. Your data has been erased.")
        if later:
            done += "\n\n" + ctx.t(
                "Not everything could be erased yet: {parts} is unavailable. Its data is not shown, and yours is "
                "erased as soon as it is back.",
                parts=", ".join(later),
            )
        return Reply(done)


def _languages(ctx: Context) -> str:
    word = _word(ctx, "language")
    choices = {code: NAMES[code] for code in get_args(Language)} | {HUBS_CHOICE: ctx.t("the language of the hub")}
    lines = [
        "- " + ctx.t("{command}: {meaning}", command=f"`{word} {code}`", meaning=name) for code, name in choices.items()
    ]
    now = ctx.t("I answer you in {name}. To change the language, write:", name=NAMES[ctx.language])
    return now + "\n" + "\n".join(lines)


def _hubs_language(ctx: Context) -> str:
    try:
        return ctx.hub.languages[0]
    except UserError:  # somebody of no hub
        return "en"


def _what_forgetting_means(ctx: Context) -> str:
    confirmation = f"`{_word(ctx, 'forget')} {ctx.t('me yes')}`"
    return "\n".join(
        [
            "**" + ctx.t("This will be erased in all hubs:") + "**",
            "- " + ctx.t("the links you shared and the text you wrote with them;"),
            "- " + ctx.t("the language you chose;"),
            "- " + ctx.t("anything else you entered by command."),
            "",
            ctx.t("A link that other people also shared stays, under their names."),
            ctx.t("Your messages stay in the room until you delete them there."),
            ctx.t("What moderators wrote about you in the configuration stays until they remove it."),
            *_what_is_kept(ctx),
            "",
            ctx.t("This cannot be undone. To confirm, write {command}.", command=confirmation),
        ]
    )


def _what_is_kept(ctx: Context) -> Iterator[str]:
    """Who chose that nothing they share is kept, and is forgotten, must not find their next link kept."""
    word = next((entry.word for entry in ctx.manual() if entry.name == "mylinks"), None)
    if word:
        yield ctx.t(
            "If you turned off storing your links, I keep that one setting so that it stays in effect. To "
            "erase it too, write {command} first.",
            command=f"`{word} on`",
        )


def _word(ctx: Context, name: str) -> str:
    """How a command of this plugin is written here, in the asker's language."""
    return next((entry.word for entry in ctx.manual() if entry.name == name), name)
