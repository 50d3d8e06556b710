"""A reply in Markdown → the plain body and the safe HTML of a Matrix message.

The Markdown is CommonMark without raw HTML and without images; a line break in a paragraph is a line break.
The HTML uses tags that the Matrix specification allows (Client-Server API, "m.room.message msgtypes") and no
attribute but the `href` of a link and the `start` of a numbered list.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape as escape_html
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.texts import Text

MOST_BYTES = 40_000  # of plain body and HTML together: encryption adds a third, and an event may have 65 536
TOO_LONG = Text("(This answer is too long for one message; the rest is omitted.)")

_ADDRESS = re.compile(r"(https?://|mailto:|matrix:)\S", re.IGNORECASE)
_PERSON = re.compile(r"https://matrix\.to/#/(@|%40)|matrix:u/", re.IGNORECASE)  # a mention: its text says enough
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # what a backslash may stand before (CommonMark, "Backslash escapes")
_ROOM_MENTION = re.compile(r"@(?=room)", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"


def harmless(text: str) -> str:
    """Makes any text one plain line: control and formatting characters (text direction, zero width, lone surrogates)
    are removed, white space becomes single spaces, and `@room` is split by an invisible word joiner so that it notifies
    nobody. For text outside Markdown; else use `escape`.

    >>> harmless("two\\nlines")
    'two lines'
    """
    text = "".join(" " if char.isspace() else char for char in text)
    visible = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return _ROOM_MENTION.sub("@" + _WORD_JOINER, " ".join(visible.split()))


def escape(text: str) -> str:
    """Makes any text safe inside Markdown: it is shown as written, on one line (`harmless`). Also safe as the address
    of a link, `[…](…)`, but not between backticks.

    Example::

        return Reply(f"[{escape(title)}]({escape(url)})")
    """
    return _PUNCTUATION.sub(r"\\\1", harmless(text))


def render(markdown: str, too_long: str = str(TOO_LONG)) -> tuple[str, str]:
    """Plain body and HTML of a reply, together at most `MOST_BYTES` as JSON; `too_long` ends a cut one."""
    whole = "".join(char for char in markdown if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    kept = whole[:MOST_BYTES]
    while True:
        page = _Page()
        for token in _MARKDOWN.parse(kept):
            page.write(token)
        plain, html = "\n".join(page.lines), "".join(page.html)
        if len(kept) < len(whole):
            plain = f"{plain}\n\n{too_long}".lstrip("\n")
            html += f"<p>{escape_html(too_long)}</p>"
        if not kept or len(json.dumps([plain, html], ensure_ascii=False).encode()) <= MOST_BYTES:
            return plain, html
        kept = _shorter(kept)


def _shorter(text: str) -> str:
    """The first three quarters, up to the end of a line if one ends in the second half of them."""
    text = text[: len(text) * 3 // 4]
    end = text.rfind("\n", len(text) // 2)
    return text[:end] if end > 0 else text


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Whether an address becomes a link at all; one that does not is shown as it was written."""
        return bool(_ADDRESS.match(url))


# Raw HTML is text. Without link definitions no line disappears; without images nothing is fetched by reading.
_MARKDOWN = _Markdown("commonmark", {"html": False}).disable(["html_block", "html_inline", "image", "reference"])


@dataclass(slots=True)
class _Indent:
    """What stands before the lines of a list item or quotation: once `first`, then `rest`."""

    first: str
    rest: str
    used: bool = False

    def take(self) -> str:
        text, self.used = (self.rest if self.used else self.first), True
        return text


class _Page:
    """Writes both forms, token by token: however deep blocks are nested, nothing here is recursive."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.html: list[str] = []
        self._indents: list[_Indent] = []
        self._numbers: list[int | None] = []  # per list we are in: the next item's number, None without numbers
        self._tight = False  # in a list without blank lines between its items

    def write(self, token: Token) -> None:
        match token.type:
            case "inline":
                text, html = _inline(token.children or ())
                self._leaf(text, html)
            case "fence" | "code_block":
                self._tight = False
                self._leaf(token.content.rstrip("\n"), f"<pre><code>{escape_html(token.content)}</code></pre>")
            case "hr":
                self._tight = False
                self._leaf("---", "<hr>")
            case "paragraph_open" | "paragraph_close" | "heading_open" | "heading_close":
                self._tight = token.hidden
                if not token.hidden:
                    self.html.append(f"<{token.tag}>" if token.nesting == 1 else f"</{token.tag}>")
            case _ if token.nesting == 1:
                self._open(token)
            case _:
                self._close(token)

    def _leaf(self, text: str, html: str) -> None:
        if self.lines and not self._tight:
            self.lines.append("".join(indent.rest for indent in self._indents if indent.used).rstrip())
        for line in text.split("\n"):
            self.lines.append("".join([*(indent.take() for indent in self._indents), line]).rstrip())
        self.html.append(html)

    def _open(self, token: Token) -> None:
        start = token.attrGet("start")
        self.html.append(f"<{token.tag}>" if start is None else f'<{token.tag} start="{int(start)}">')
        if token.type == "list_item_open":
            number = self._numbers[-1]
            marker = "- " if number is None else f"{number}. "
            self._numbers[-1] = None if number is None else number + 1
            self._indents.append(_Indent(marker, " " * len(marker)))
        elif token.type == "blockquote_open":
            self._indents.append(_Indent("> ", "> "))
        elif token.tag == "ol":
            self._numbers.append(1 if start is None else int(start))
        else:
            self._numbers.append(None)

    def _close(self, token: Token) -> None:
        if token.tag in ("ol", "ul"):
            self._numbers.pop()
        else:
            if not self._indents[-1].used:  # an empty item
                self._leaf("", "")
            self._indents.pop()
        self.html.append(f"</{token.tag}>")


def _inline(tokens: Iterable[Token]) -> tuple[str, str]:
    plain: list[str] = []
    html: list[str] = []
    link, before = "", 0  # links do not nest
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                plain.append("\n")
                html.append("<br>")
            case "code_inline":
                plain.append(token.content)
                html.append(f"<code>{escape_html(token.content)}</code>")
            case "link_open":
                link, before = str(token.attrGet("href")), len(plain)
                html.append(f'<a href="{escape_html(link)}">')
            case "link_close":
                plain[before:] = [_link_as_text("".join(plain[before:]), link)]
                html.append("</a>")
            case "em_open" | "strong_open":
                html.append(f"<{token.tag}>")
            case "em_close" | "strong_close":
                html.append(f"</{token.tag}>")
            case _:
                plain.append(token.content)
                html.append(escape_html(token.content))
    return "".join(plain), "".join(html)


def _link_as_text(text: str, address: str) -> str:
    if not text.strip() or text in (address, unquote(address), address.removeprefix("mailto:")):
        return address.removeprefix("mailto:")
    return text if _PERSON.match(address) else f"{text} ({address})"
