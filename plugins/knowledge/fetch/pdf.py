"""The title and first words of a PDF, read in a child process that can do no harm: little memory, little time, nothing
written.

`pdf_child.py` is what runs there; what it says is judged here.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.knowledge.fetch.html_meta import LONGEST_DESCRIPTION, LONGEST_TITLE, iso_language
from plugins.knowledge.text.tidy import tidy

_CHILD = Path(__file__).with_name("pdf_child.py")
_LONGEST_NAME = 100
_LETTERS = re.compile(r"[^\W\d_]{2}")
# What programs write where they were told no title.
_NO_TITLE = re.compile(
    r"""(?:microsoft\ (?:word|powerpoint|excel)|word|powerpoint|adobe\ \w+|quark\w*)\ ?-\ .*
    |untitled.* | sin\ título.* | sans\ titre.* | sem\ título.* | (?:new\ )?document\d* | documento\d* | title | título
    |powerpoint[-\ ]presentation | présentation\ powerpoint | presentación\ de\ powerpoint
    |apresentação\ do\ powerpoint | slide\ \d+ | diapositiv[ae]\ \d+ | blank\ page | print | none | null
    |.+\.(?:docx?|dotx?|xlsx?|pptx?|indd|pdf|qxd|qxp|rtf|odt|tex|dvi|ps|eps|cdr|ai|pub|pmd|p65|fm|html?|tmp|tiff?|jpe?g)
    |\S+[_\d]\S* | (?:file|https?)://.*""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_AUTHOR = re.compile(
    r"(?:admin\w*|user\w*|usuario|utilisateur|author|unknown|owner|windows.*|\W*)\d*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float = 8.0
    cpu: int = 5
    """Seconds of the processor."""
    memory: int = 400 * 1024 * 1024
    """Bytes of address space."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Of the shapes of `Facts`."""

    title: str | None = None
    author: str | None = None
    language: str | None = None
    description: str | None = None
    """How page 1 begins."""


async def read(data: bytes, limits: Limits) -> Paper:
    """What a PDF, or the beginning of one, says of itself. Nothing (never an error) if it cannot be read in bounds."""
    said: dict[str, object] = {}
    for line in (await _child(data, limits)).splitlines():
        with suppress(ValueError):  # it was ended while it wrote
            said |= json.loads(line)
    return judged(said)


def judged(said: Mapping[str, object]) -> Paper:
    """The title that was written into the file, unless a program made it up; else the largest line of page 1. And how
    page 1 begins, unless that is no words: numbers, or letters that only the file's own fonts can tell."""

    def text(key: str, longest: int) -> str:
        value = said.get(key)
        return tidy(value, longest) if isinstance(value, str) else ""

    title, line, author = text("title", LONGEST_TITLE), text("line", LONGEST_TITLE), text("author", _LONGEST_NAME)
    if not _LETTERS.search(title) or _NO_TITLE.fullmatch(title):
        title = line if _LETTERS.search(line) else ""
    if _NO_AUTHOR.fullmatch(author):
        author = ""
    words = text("text", LONGEST_DESCRIPTION)
    if 2 * sum(map(str.isalpha, words)) < len("".join(words.split())):
        words = ""
    return Paper(title or None, author or None, iso_language(text("language", 20)), words or None)


async def _child(data: bytes, limits: Limits) -> bytes:
    """What the child writes; empty if there is none, or it takes too long."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # neither the environment nor the current folder has a say in what is imported
        str(_CHILD),
        str(limits.memory),
        str(limits.cpu),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        cwd="/",
    )
    try:
        async with asyncio.timeout(limits.seconds):
            written, _ = await child.communicate(data)
            return written
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
