"""A reply in Markdown → the plain body and the safe HTML of a Matrix message.

The Markdown is CommonMark without raw HTML and without images; a line break in a paragraph is a line break. The HTML uses
tags that the Matrix specification allows (Client-Server API, "m.room.message msgtypes") and no attribute but the
`href` of a link and the `start` of a numbered list.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape as escape_html
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.texts import Text

MOST_BYTES = 40_000  # of plain body and HTML together: encryption adds a third, and an event may have 65 536
TOO_LONG = Text("(This answer is too long for one message. The rest is left out.)")

_ADDRESS = re.compile(r"(https?://|mailto:|matrix:)\S", re.IGNORECASE)
_PERSON = re.compile(
    r"https://matrix\.to/#/(@|%40)|matrix:u/", re.IGNORECASE
)  # a mention: its text says enough
_PUNCTUATION = re.compile(
    r"([!-/:-@\[-`{-~])"
)  # what a backslash may stand before (CommonMark, "Backslash escapes")
_ROOM_MENTION = re.compile(r"@(?=room)", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"


def harmless(text: str) -> str:
    """Any text as one line that changes nothing around it.

    Control and formatting characters (text direction, zero width, lone surrogates) are removed, white space is one
    space, and `@room` is split by an invisible word joiner so that it calls nobody.
    """
    text = "".join(" " if char.isspace() else char for char in text)
    visible = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return _ROOM_MENTION.sub("@" + _WORD_JOINER, " ".join(visible.split()))


def escape(text: str) -> str:
    """Makes any text harmless inside Markdown: it is shown as `harmless` leaves it.

    It may also stand as the address of a link, `[…](…)`; it may not stand between backticks.
    """
    return _PUNCTUATION.sub(r"\\\1", harmless(text))


def render(markdown: str, too_long: str = str(TOO_LONG)) -> tuple[str, str]:
    """Plain body and HTML of a reply, together at most `MOST_BYTES` as JSON; `too_long` ends one that had to be cut."""
    whole = "".join(
        char for char in markdown if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
    )
    kept = whole[:MOST_BYTES]
    while True:
        plain, html = _written(_MARKDOWN.parse(kept))
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


# Raw HTML is text. Without link definitions no line disappears, and without images nothing is fetched by reading.
_MARKDOWN = _Markdown("commonmark", {"html": False}).disable(
    ["html_block", "html_inline", "image", "reference"]
)


class _Indent:
    """What stands before the lines of a list item or quotation: once `first`, then `rest`."""

    def __init__(self, first: str, rest: str) -> None:
        self.first: str | None = first
        self.rest = rest

    def take(self) -> str:
        first, self.first = self.first, None
        return self.rest if first is None else first


def _written(tokens: Sequence[Token]) -> tuple[str, str]:
    """Walks the tokens in one loop: how deep they are nested does not matter."""
    lines: list[str] = []
    html: list[str] = []
    indents: list[_Indent] = []
    numbers: list[
        int | None
    ] = []  # of the lists we are in: the next item's number, None where they are not numbered
    tight = False

    def leaf(text: str) -> None:
        if lines and not tight:
            lines.append("".join(indent.rest for indent in indents if indent.first is None).rstrip())
        lines.extend(
            ("".join(indent.take() for indent in indents) + line).rstrip() for line in text.split("\n")
        )

    for token in tokens:
        match token.type:
            case "inline":
                text, marked = _inline(token.children or ())
                leaf(text)
                html.append(marked)
            case "fence" | "code_block":
                tight = False
                leaf(token.content.rstrip("\n"))
                html.append(f"<pre><code>{escape_html(token.content)}</code></pre>")
            case "hr":
                tight = False
                leaf("---")
                html.append("<hr>")
            case "bullet_list_open" | "ordered_list_open":
                start = token.attrGet("start")
                numbers.append(None if token.tag == "ul" else 1 if start is None else int(start))
                html.append(f"<{token.tag}>" if start is None else f'<{token.tag} start="{int(start)}">')
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
                html.append(f"</{token.tag}>")
            case "list_item_open":
                marker = "- " if (number := numbers[-1]) is None else f"{number}. "
                numbers[-1] = None if number is None else number + 1
                indents.append(_Indent(marker, " " * len(marker)))
                html.append("<li>")
            case "list_item_close":
                if indents[-1].first is not None:  # an empty item
                    leaf("")
                indents.pop()
                html.append("</li>")
            case "blockquote_open":
                indents.append(_Indent("> ", "> "))
                html.append("<blockquote>")
            case "blockquote_close":
                indents.pop()
                html.append("</blockquote>")
            case "paragraph_open" | "paragraph_close" if token.hidden:  # in a list without blank lines
                tight = True
            case _:  # paragraphs and headings
                tight = False
                html.append(f"<{token.tag}>" if token.nesting == 1 else f"</{token.tag}>")
    return "\n".join(lines), "".join(html)


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
