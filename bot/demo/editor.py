"""One line of typing: the keys a person presses in, the text and the cursor out. Touches no terminal."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from rich.cells import cell_len

END = "\x04"  # what `feed` answers for Ctrl-D on an empty line

_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]|O.|[^\[O])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]*|O)?")
_MOVES = {
    "\x1b[A": "up", "\x1bOA": "up", "\x10": "up",
    "\x1b[B": "down", "\x1bOB": "down", "\x0e": "down",
    "\x1b[C": "right", "\x1bOC": "right", "\x06": "right",
    "\x1b[D": "left", "\x1bOD": "left", "\x02": "left",
    "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "\x01": "home",
    "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end", "\x05": "end",
    "\x7f": "backspace", "\x08": "backspace", "\x1b[3~": "delete",
    "\x15": "clear", "\x0b": "cut", "\x17": "word", "\x04": "delete",
}  # fmt: skip
"""What terminals send for the keys, and the usual control keys of shells."""


@dataclass(slots=True)
class LineEditor:
    text: str = ""
    cursor: int = 0  # in characters
    _entered: list[str] = field(default_factory=list)  # earlier lines, oldest first
    _at: int = 0  # the earlier line that is shown; after the last one: the draft
    _draft: str = ""
    _unfinished: str = ""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def feed(self, data: bytes) -> list[str]:
        """Takes what the terminal sent, in pieces of any size; answers the lines that were completed."""
        typed = self._unfinished + self._decoder.decode(data)
        self._unfinished = ""
        lines: list[str] = []
        at = 0
        while at < len(typed):
            key = typed[at]
            if key == "\x1b":
                if match := _SEQUENCE.match(typed, at):
                    key = match[0]
                elif _UNFINISHED.fullmatch(typed, at):
                    self._unfinished = typed[at:]
                    break
            at += len(key)
            if key in "\r\n":
                lines.append(self._enter())
            elif key == END and not self.text:
                lines.append(END)
            elif key in _MOVES:
                self._move(_MOVES[key])
            elif key.isprintable():
                self.text = self.text[: self.cursor] + key + self.text[self.cursor :]
                self.cursor += 1
        return lines

    def shown(self, width: int) -> tuple[str, int]:
        """The part of the text that fits in `width` cells, and the cell of the cursor in it."""
        start = self.cursor
        while start > 0 and cell_len(self.text[start - 1 : self.cursor]) < width:
            start -= 1
        end = self.cursor
        while end < len(self.text) and cell_len(self.text[start : end + 1]) <= width:
            end += 1
        return self.text[start:end], cell_len(self.text[start : self.cursor])

    def _enter(self) -> str:
        line = self.text
        if line.strip() and line not in self._entered[-1:]:
            self._entered.append(line)
        self._at = len(self._entered)
        self.text, self.cursor = "", 0
        return line

    def _recall(self, step: int) -> None:
        if self._at == len(self._entered):
            self._draft = self.text
        self._at = min(max(0, self._at + step), len(self._entered))
        self.text = (*self._entered, self._draft)[self._at]
        self.cursor = len(self.text)

    def _move(self, move: str) -> None:
        text, cursor = self.text, self.cursor
        match move:
            case "left":
                self.cursor = max(0, cursor - 1)
            case "right":
                self.cursor = min(len(text), cursor + 1)
            case "home":
                self.cursor = 0
            case "end":
                self.cursor = len(text)
            case "backspace" if cursor:
                self.text, self.cursor = text[: cursor - 1] + text[cursor:], cursor - 1
            case "delete":
                self.text = text[:cursor] + text[cursor + 1 :]
            case "clear":
                self.text, self.cursor = text[cursor:], 0
            case "cut":
                self.text = text[:cursor]
            case "word":
                kept = text[:cursor].rstrip().rpartition(" ")
                start = len(kept[0] + kept[1])
                self.text, self.cursor = text[:start] + text[cursor:], start
            case "up" | "down":
                self._recall(-1 if move == "up" else 1)
