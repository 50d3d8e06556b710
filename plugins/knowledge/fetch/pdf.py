"""Reads title, author and first words of a PDF in a sandboxed child process: little memory and time, no writing.

`pdf_child.py` runs there; its output is validated here.
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
# Default titles that programs write.
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
    """Seconds of CPU time."""
    memory: int = 400 * 1024 * 1024
    """Bytes of address space."""


@dataclass(frozen=True, slots=True)
class PdfMeta:
    """Fields in the same form as in `Facts`."""

    title: str | None = None
    author: str | None = None
    language: str | None = None
    description: str | None = None
    """The beginning of page 1."""


async def read(data: bytes, limits: Limits) -> PdfMeta:
    """The metadata of a PDF, or of the beginning of one. Empty (never an error) if it exceeds the limits."""
    fields: dict[str, object] = {}
    for line in (await _run_child(data, limits)).splitlines():
        with suppress(ValueError):  # killed in the middle of a line
            fields |= json.loads(line)
    return clean_metadata(fields)


def clean_metadata(fields: Mapping[str, object]) -> PdfMeta:
    """Chooses plausible values.

    The title is the file's own unless a program generated it, else the largest line of page 1. The description is the
    beginning of page 1 unless it is mostly not letters: numbers, or text that only the file's own fonts can decode.
    """

    def text(key: str, longest: int) -> str:
        value = fields.get(key)
        return tidy(value, longest) if isinstance(value, str) else ""

    title, line, author = text("title", LONGEST_TITLE), text("line", LONGEST_TITLE), text("author", _LONGEST_NAME)
    if not _LETTERS.search(title) or _NO_TITLE.fullmatch(title):
        title = line if _LETTERS.search(line) else ""
    if _NO_AUTHOR.fullmatch(author):
        author = ""
    words = text("text", LONGEST_DESCRIPTION)
    if 2 * sum(map(str.isalpha, words)) < len("".join(words.split())):
        words = ""
    return PdfMeta(title or None, author or None, iso_language(text("language", 20)), words or None)


async def _run_child(data: bytes, limits: Limits) -> bytes:
    """The output of the child process; empty if it takes too long."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # isolated: neither the environment nor the current folder affects imports
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
            output, _ = await child.communicate(data)
            return output
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
