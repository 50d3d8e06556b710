"""What answers words that are no command: a greeting, a typing error, a search without its command."""

from __future__ import annotations

from textwrap import shorten

from bot.api import Context, escape, harmless, nearest, normalize
from plugins.help.courtesy import is_courtesy
from plugins.help.manual import called, prefix_of, written

LONGEST_WORD = 40  # characters of an unknown word that are shown
LONGEST_QUERY = 100  # characters of a message that are proposed as a search
LONG_MESSAGE = 6  # words: a message as long that asks nothing may be a report
AROUND_A_SENTENCE = " .,;:!?¡¿…"


def answer(ctx: Context, line: str) -> str:
    manual = ctx.manual()
    own = next(entry for entry in manual if entry.name == "help")
    prefix = prefix_of(own)
    help_ = written(ctx, prefix, own.word.removeprefix(prefix))
    if is_courtesy(line, ctx.bot_name):
        return ctx.t(
            "Happy to help! I find the links people share in their hub's rooms. Write {help} to see what I can do.",
            help=help_,
        )
    here = [entry for entry in manual if entry.here]
    first = line.split(maxsplit=1)[0]
    word = escape(first[:LONGEST_WORD])
    readable = [name for entry in here for name in (entry.word.removeprefix(prefix), entry.name)]
    if "?" not in line and (meant := nearest(first, readable)):
        sentence = ctx.t(
            "I don't know “{word}”. Did you mean {nearest}? Write {help} to see what I can do.",
            word=word,
            nearest=written(ctx, prefix, meant),
            help=help_,
        )
    else:
        sentence = ctx.t("I don't know “{word}”. Write {help} to see what I can do.", word=word, help=help_)
    paragraphs = [sentence]
    if ctx.room.direct and "?" not in line and len(line.split()) >= LONG_MESSAGE:
        paragraphs.append(
            ctx.t("I am not a channel for reporting wrongdoing; {help} lists the official channels.", help=help_)
        )
    if find := called(here, "find"):  # whoever writes plain words to the bot mostly wants to find something
        words = [name.removeprefix(prefix) for name in find.names]
        command = written(ctx, prefix, find.word.removeprefix(prefix), _query(line, words))
        paragraphs.append(ctx.t("To find something, write {command}.", command=command))
    return "\n\n".join(paragraphs)


def _query(line: str, find_words: list[str]) -> str:
    """What to search for: the message without a misspelt `find` ("fnd gifts") or another form of it ("busco gifts"),
    and without the punctuation around a sentence."""
    first = line.split(maxsplit=1)[0]
    if nearest(first, find_words) or any(_is_form(first, word) for word in find_words):
        line = line.removeprefix(first)
    return shorten(harmless(line.replace("`", "")), LONGEST_QUERY, placeholder="").strip(AROUND_A_SENTENCE)


def _is_form(word: str, verb: str) -> bool:
    """Whether a word is likely another form of a verb: `busco` of `buscar`, `cherche` of `chercher`."""
    word, verb = normalize(word), normalize(verb)
    return word[:4] == verb[:4] and len(verb) > 4 and abs(len(word) - len(verb)) <= 2
