"""`!find gifts topic:ethics` → a command and its typed arguments. Pure: no translation, no permission, no database.

Grammar: the prefix (or a mention, or nothing in a direct chat), a word that names the command in any language, then
words, "quoted strings" and `name:value` filters. What a command takes is told by its `CommandSpec`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from html import unescape
from urllib.parse import unquote

from rapidfuzz.distance import OSA

from bot.core.errors import UsageError
from bot.core.permissions import Role
from bot.core.texts import Text

LONGEST = 2000  # characters of a command that are read; nobody types more, and a filter bomb stays small

_PILL = re.compile(r"^\[([^\]]*)\]\(https://matrix\.to/#/[^)\s]*\)")  # a mention as some clients write it into the body
_HTML_PILL = re.compile(  # the same in the formatted body (spec, "User and room references")
    r"""\s*(?:<p>\s*)?<a\s[^<>]{0,200}?href=["']https://matrix\.to/#/(?P<user>[^"'?<>\s]{1,600})[^"'<>]*["'][^<>]*>"""
    r"""(?P<text>[^<>]{1,300})</a>""",
    re.IGNORECASE,
)


class Takes(Enum):
    WORD = "one word"
    REST = "the rest of the line"
    FILTER = "name:value"


@dataclass(frozen=True, slots=True)
class Param:
    name: str  # of the handler's parameter
    takes: Takes
    type: type = str  # str or int
    required: bool = True

    @property
    def shown(self) -> str:
        return self.name.rstrip("_")


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """What a command is called and takes. `owner` is the plugin's name."""

    owner: str
    name: str
    help: str
    params: tuple[Param, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # (language, word)
    role: Role = Role.MEMBER
    anywhere: bool = False
    rooms_only: bool = False
    changes: bool = False
    examples: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """`find <words> [topic:…] [since:…]`"""
        return self.usage_as(self.name)

    def usage_as(self, word: str, translate: Callable[[str], str] = str) -> str:
        """The usage in a language. What stands for a value is translated; a filter's name is part of the grammar."""
        parts = [word]
        for param in self.params:
            text = f"{param.shown}:…" if param.takes is Takes.FILTER else f"<{translate(param.shown)}>"
            parts.append(text if param.required else f"[{text.strip('<>')}]")
        return " ".join(parts)

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that calls it, the English one first."""
        return tuple(dict.fromkeys((self.name, *(word for _, word in self.aliases))))

    def word_in(self, language: str) -> str:
        """The command's word in a language; its English name where it has none."""
        return dict(self.aliases).get(language, self.name)


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """A command as `Context.manual` lists it, in the reader's language; all words but `name` include the prefix.

    Example::

        find = next(entry for entry in ctx.manual() if entry.name == "find")
        return Reply(f"`{find.usage}`: {find.help}")
    """

    name: str  # in English
    word: str
    names: tuple[str, ...]  # every word that calls it
    usage: str
    help: str
    examples: tuple[str, ...]
    here: bool  # False: not in a direct chat, where it was asked for


@dataclass(frozen=True, slots=True)
class Call:
    """A command as somebody wrote it, its arguments converted."""

    spec: CommandSpec
    arguments: Mapping[str, object]


class Vocabulary:
    """All commands by every word that calls them, however its case and accents are typed."""

    def __init__(self, specs: Iterable[CommandSpec]) -> None:
        self.specs = tuple(specs)
        self._by_word: dict[str, CommandSpec] = {}
        for spec in self.specs:
            for word in spec.words:
                self._by_word.setdefault(_folded(word), spec)

    def find(self, word: str) -> CommandSpec | None:
        return self._by_word.get(_folded(word))


def nearest(said: str, words: Iterable[str]) -> str | None:
    """Which of the words was most likely meant; None if what was said is not a typo of any of them.

    >>> nearest("remnid", ["find", "remind"])
    'remind'
    """
    near = [(OSA.distance(normalize(said), normalize(word)), word) for word in words if is_slip(said, word)]
    return min(near)[1] if near else None


def is_slip(said: str, meant: str) -> bool:
    """Whether one word may be typed for the other, punctuation and accents aside.

    A letter is wrong, missing or too many, or two have changed places; from six letters on, two such slips. In short
    words and in the second slip the first letter must be right: `how` is not `show`, nor `presentes` `recentes`.
    """
    said, meant = normalize(said), normalize(meant)
    shorter, same_start = min(len(said), len(meant)), said[:1] == meant[:1]
    if shorter < (3 if same_start else 4):
        return False
    return OSA.distance(said, meant) <= (2 if same_start and shorter >= 6 else 1)


def normalize(word: str) -> str:
    """The letters and digits of a word, lower-case and without accents.

    >>> normalize("¿Reunión?")
    'reunion'
    """
    return "".join(filter(str.isalnum, _folded(word)))


def _folded(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def command_line(body: str, *, prefix: str, names: Sequence[str], direct: bool) -> str | None:
    """What is said to the bot, without how it was addressed; None if the message is not for it.

    Addressed by prefix (`!find x`), by one of the bot's `names` (`Faro: find x`, `@faro:example.org find x`), or by
    nothing at all in a direct chat; "" if it says only the bot's name.
    """
    text = _unpilled(body)
    if text.startswith(prefix):
        rest = text[len(prefix) :]
        return rest if rest[:1].strip() else None  # "! find" is an exclamation
    called = _after_name(text, names)
    if called is not None:
        return called.lstrip(":,").strip().removeprefix(prefix)
    return text if direct and text else None


def is_called(body: str, *, prefix: str, names: Sequence[str]) -> bool:
    """Whether the bot is talked to by one of its `names`: a mention (`@Faro gifts`), or a name with a colon or comma
    behind it. `Faro is down` may speak of it."""
    text = _unpilled(body)
    rest = None if text.startswith(prefix) else _after_name(text, names)
    return rest is not None and (rest[:1] in {":", ","} or body.lstrip()[:1] in {"@", "["})


def _unpilled(body: str) -> str:
    return _PILL.sub(r"\1", body.strip(), count=1)[:LONGEST]


def _after_name(text: str, names: Sequence[str]) -> str | None:
    """What follows the bot's name at the start of a text; None if it does not stand there."""
    addressed = text.removeprefix("@")
    for name in sorted((name.removeprefix("@") for name in names), key=len, reverse=True):
        if name and addressed[: len(name)].casefold() == name.casefold():
            rest = addressed[len(name) :]
            if not rest or rest[0] in ":," or rest[0].isspace():
                return rest
    return None


def pill_at_start(html: str | None, user: str) -> str | None:
    """The text of the pill a formatted message begins with, if it stands for this user: clients write into it what
    the person is called in their room, which need not be a name the bot knows of itself."""
    found = _HTML_PILL.match(html[:LONGEST]) if html else None
    if found is None or unquote(unescape(found["user"])) != user:
        return None
    return unescape(found["text"]).strip() or None


def first_word(line: str) -> str:
    return line.split(maxsplit=1)[0] if line.strip() else ""


def parse(line: str, spec: CommandSpec) -> Call:
    """Binds what follows the command's word to its parameters. Raises `UsageError` with a sentence for the asker."""
    filters, words = _sorted(line.strip()[len(first_word(line)) :], spec)
    arguments = {param.name: _convert(param, value) for param, value in filters.items()}
    for param in spec.params:
        if param.takes is Takes.FILTER:
            continue
        if words:
            if param.takes is Takes.WORD:
                arguments[param.name] = _convert(param, words.pop(0).value)
            else:
                arguments[param.name] = " ".join(token.raw for token in words)
                words = []
        elif param.required:
            raise UsageError(Text("Missing: <{name}>.", name=Text(param.shown)))
    if words:
        extra = " ".join(token.value for token in words)
        raise UsageError(Text("I don't know what to do with “{extra}”.", extra=extra))
    return Call(spec, arguments)


def _sorted(text: str, spec: CommandSpec) -> tuple[dict[Param, str], list[_Token]]:
    """The filters with their values, and the words around them. A filter of no parameter is a word."""
    known = {param.shown.casefold(): param for param in spec.params if param.takes is Takes.FILTER}
    filters: dict[Param, str] = {}
    words: list[_Token] = []
    for token in _tokens(text):
        param = known.get(token.key.casefold()) if token.key else None
        if param is None:
            words.append(token)
        elif param in filters:
            raise UsageError(Text("'{name}:' appears twice.", name=param.shown))
        elif not token.filter_value:
            raise UsageError(Text("'{name}:' needs a value right after the colon.", name=param.shown))
        else:
            filters[param] = token.filter_value
    return filters, words


@dataclass(frozen=True, slots=True)
class _Token:
    raw: str  # as written, quotes kept
    value: str  # quotes removed
    key: str  # "topic" of topic:gifts, else ""
    filter_value: str


# A filter's key, an optional quoted or bare value; a quoted string; or a bare word.
# A quote that is never closed is a letter.
_TOKEN = re.compile(
    r"""(?P<key>[^\W\d_][\w-]*):(?:["“«](?P<fq>[^"“”«»]*)["”»]|(?P<fv>[^\s"“«]\S*)?)(?=\s|$)"""
    r"""|["“«](?P<quoted>[^"“”«»]*)["”»](?=\s|$)"""
    r"""|(?P<bare>\S+)"""
)


def _tokens(text: str) -> Iterable[_Token]:
    for match in _TOKEN.finditer(text):
        if match["key"]:
            yield _Token(match[0], match[0], match["key"], (match["fq"] or match["fv"] or "").strip())
        else:
            quoted = match["quoted"]
            yield _Token(match[0], match[0] if quoted is None else quoted.strip(), "", "")


def _convert(param: Param, value: str) -> object:
    if param.type is int:
        digits = value.lstrip("#")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
            raise UsageError(Text("“{value}” should be a number.", value=value))
        return int(digits)
    return value
