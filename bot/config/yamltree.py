"""A YAML file as a tree of texts with positions. Nothing is guessed: `no`, `19:30` and `1.0` stay what was written.

The tree is made from YAML's events, so that each alias is one shared node: a file that would grow to more than
`MAX_NODES` values when its aliases are written out is refused before anything grows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from bot.core.errors import Problem
from bot.core.texts import Text

MAX_BYTES = 4_000_000
MAX_NODES = 100_000
MAX_DEPTH = 50

# libyaml's parser where PyYAML was built with it (its wheels are) is ten times faster and gives the same events.
Loader = type[yaml.BaseLoader] | type["yaml.cyaml.CBaseLoader"]
LOADERS: Sequence[Loader] = (yaml.BaseLoader, *([yaml.CBaseLoader] if yaml.__with_libyaml__ else []))
_TAGS = (None, "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_NULLS = ("", "~", "null", "Null", "NULL")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDE_COLON = re.compile(r"\s*(?:- +)?[\w-]+：")
_ROOM_ADDRESS = re.compile(r"#[^\s:#]+:\S+")


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, counting from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Scalar:
    position: Position
    text: str | None  # None: nothing was written, or `null`
    size: int = 1


@dataclass(slots=True)
class Items:
    position: Position
    nodes: list[Node] = field(default_factory=list)
    size: int = 1  # values in it, aliases written out


@dataclass(slots=True)
class Mapping:
    position: Position
    nodes: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Items | Mapping
Loc = Sequence[str | int]  # the way to a value: ("meetings", 0, "remind")


def plain(node: Node) -> object:
    """The values alone: texts and None, lists, dictionaries."""
    match node:
        case Scalar(text=text):
            return text
        case Items(nodes=items):
            return [plain(item) for item in items]
        case Mapping(nodes=entries):
            return {key: plain(value) for key, value in entries.items()}


def child(node: Node, step: str | int) -> Node | None:
    match node, step:
        case Mapping(nodes=entries), str():
            return entries.get(step)
        case Items(nodes=items), int() if 0 <= step < len(items):
            return items[step]
    return None


def reach(root: Node, loc: Loc) -> Node:
    """What the way leads to, as far as it exists."""
    node = root
    for step in loc:
        node = child(node, step) or node
    return node


def text_of(node: Node | None, key: str) -> str | None:
    """The text under a key, if `node` is a mapping and has one there."""
    value = node and child(node, key)
    return value.text if isinstance(value, Scalar) else None


def items_of(node: Node | None, key: str) -> Sequence[Node]:
    """The list under a key; () if there is none."""
    value = node and child(node, key)
    return value.nodes if isinstance(value, Items) else ()


def shown(loc: Loc) -> str:
    """`meetings[0].remind`"""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return text.removeprefix(".")


def read(file: str, content: bytes, loader: Loader = LOADERS[-1]) -> tuple[Node | None, list[Problem]]:
    """The tree of a file's content (None if it holds nothing, or nothing usable) and what is wrong with it as YAML."""
    if len(content) > MAX_BYTES:
        text = Text("the file is larger than {megabytes} MB; is it the right file?", megabytes=MAX_BYTES // 1_000_000)
        return None, [Problem(file, 1, 1, "", text)]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, [Problem(file, 1, 1, "", Text("the file is encoded as UTF-16; save it as UTF-8"))]
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        position = _position_after(content[: error.start].decode("utf-8", "replace"))
        return None, [
            Problem(file, position.line, position.column, "", Text("the file is not UTF-8 text; save it as UTF-8"))
        ]
    if unprintable := _UNPRINTABLE.search(source):
        position = _position_after(source[: unprintable.start()])
        name = f"U+{ord(unprintable[0]):04X}"
        text = Text("there is an invisible character here ({name}); remove it", name=name)
        return None, [Problem(file, position.line, position.column, "", text)]
    reader = _Reader(file, source, loader)
    try:
        return reader.document(), reader.problems
    except _Unusable as error:
        position = error.position
        return None, [*reader.problems, Problem(file, position.line, position.column, "", error.text)]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, reader.syntax(error)]


def _position_after(text: str) -> Position:
    lines = re.split("\r\n|\r|\n", text)
    return Position(len(lines), len(lines[-1]) + 1)


class _Unusable(Exception):  # noqa: N818 - ends the reading of one file, never leaves this module
    def __init__(self, position: Position, text: Text) -> None:
        super().__init__(str(text))
        self.position, self.text = position, text


class _Reader:
    def __init__(self, file: str, source: str, loader: Loader) -> None:
        self.file, self.problems = file, list[Problem]()
        self._lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", source)  # what YAML takes for line ends
        self._events = iter(yaml.parse(source, Loader=loader))
        self._anchors: dict[str, Node | None] = {}  # None: still being read
        self._path: list[str | int] = []
        self._bracket = 1  # the line of the last `[` or `{`

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    text = Text("a second YAML document begins here; a file holds only one, so remove the '---' line")
                    raise _Unusable(_position(event), text)
                root = self._node(next(self._events))
        return None if isinstance(root, Scalar) and root.text is None else root

    def _node(self, event: yaml.Event) -> Node:
        position = _position(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, position)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)  # noqa: S101 - YAML's grammar
        if event.tag not in _TAGS:
            self._tag(position)
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.CollectionStartEvent) and event.flow_style:
            self._bracket = position.line
        if len(self._path) > MAX_DEPTH:
            raise _Unusable(position, Text("this is nested too deeply"))
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._items(position)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(position)
        elif isinstance(event, yaml.ScalarEvent):
            node = Scalar(position, self._text(event, position))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _items(self, position: Position) -> Items:
        items = Items(position)
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path.append(len(items.nodes))
            items.nodes.append(node := self._node(event))
            self._path.pop()
            items.size = self._grown(items.size + node.size, position)
        return items

    def _mapping(self, position: Position) -> Mapping:
        mapping = Mapping(position)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            at = _position(event)
            key = self._node(event)
            name = (
                (key.text or event.value) if isinstance(key, Scalar) and isinstance(event, yaml.ScalarEvent) else None
            )
            self._path.append(name or "")
            value = self._node(next(self._events))
            if name is None:
                self._report(
                    at, Text("this is not a valid key; a text that begins with a bracket needs quotes"), depth=-1
                )
            elif name == "<<" and isinstance(event, yaml.ScalarEvent) and not event.style:
                self._report(at, Text("'<<' is not supported; write the settings out, or repeat them with '*name'"))
            elif name in mapping.nodes:
                first = mapping.keys[name].line
                self._report(at, Text("'{key}' appears twice; the first is on line {line}", key=name, line=first))
            else:
                mapping.nodes[name], mapping.keys[name] = value, at
            self._path.pop()
            mapping.size = self._grown(mapping.size + key.size + value.size, position)
        return mapping

    def _alias(self, event: yaml.AliasEvent, position: Position) -> Node:
        if event.anchor not in self._anchors:
            text = Text("'&{name}' is not defined above; a value that begins with '*' needs quotes", name=event.anchor)
            raise _Unusable(position, text)
        node = self._anchors[event.anchor]
        if node is None:
            raise _Unusable(position, Text("'*{name}' contains itself", name=event.anchor))
        return node

    def _grown(self, size: int, position: Position) -> int:
        if size > MAX_NODES:
            text = Text("with its aliases expanded, this has more than {count} values", count=MAX_NODES)
            raise _Unusable(position, text)
        return size

    def _text(self, event: yaml.ScalarEvent, position: Position) -> str | None:
        if event.style or event.value not in _NULLS or event.tag is not None:
            return str(event.value)
        rest = (
            self._lines[position.line - 1][position.column - 1 :].strip() if position.line <= len(self._lines) else ""
        )
        if event.value == "" and _ROOM_ADDRESS.match(rest):
            self._report(position, _comment(rest))
        return None

    def _tag(self, position: Position) -> None:
        rest = self._lines[position.line - 1][position.column - 1 :].strip()
        self._report(position, Text("a value that begins with '!' needs quotes: \"{value}\"", value=rest))

    def _report(self, position: Position, text: Text, depth: int | None = None) -> None:
        self.problems.append(Problem(self.file, position.line, position.column, shown(self._path[:depth]), text))

    def _has_wide_colon(self, number: int) -> bool:
        """Whether a line has the colon of Chinese and Japanese keyboards where YAML needs the other one."""
        return number <= len(self._lines) and bool(_WIDE_COLON.match(self._lines[number - 1]))

    def syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        """YAML's own complaint in plain words, as far as the character it stopped at tells what happened."""
        mark = error.problem_mark
        position = Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
        line = self._lines[position.line - 1] if position.line <= len(self._lines) else ""
        what, context = error.problem or "", error.context or ""
        start = error.context_mark.line + 1 if error.context_mark is not None else position.line
        wide = next((nth for nth in (position.line, position.line - 1) if nth and self._has_wide_colon(nth)), None)
        if wide:
            position = Position(wide, self._lines[wide - 1].index("：") + 1)
            text = Text("'：' is a wide colon; write ': ' with a space after it")
        elif "\t" in line[: len(line) - len(line.lstrip())]:
            text = Text("the line is indented with a tab; use spaces")
        elif "cannot start any token" in what:
            char = line[position.column - 1 : position.column]
            text = Text("a value that begins with '{char}' needs quotes", char=char)
        elif context == "while scanning an alias":
            text = Text("a value that begins with '*' needs quotes")
        elif "mapping values are not allowed" in what:
            text = Text("unexpected ': '; check the indentation, or put a text that contains ': ' in quotes")
        elif "quoted scalar" in context and "end of stream" in what:
            text = Text("the quotation mark opened on line {line} is never closed", line=start)
        elif "escape" in what:
            text = Text("inside \"…\", '\\' starts an escape sequence; write '\\\\', or put the text in '…'")
        elif "flow" in context:
            start = self._bracket if context.endswith("node") else start
            if comment := re.search(rf"\s({_ROOM_ADDRESS.pattern})", self._lines[start - 1]):
                return Problem(self.file, start, comment.start(1) + 1, "", _comment(comment[1].rstrip("]},")))
            text = Text("the bracket opened on line {line} is not closed, or a ',' is missing", line=start)
        elif "block" in context:
            text = Text("this line does not match the lines above; check its indentation, or add the missing ':'")
        else:
            text = Text("invalid YAML: {reason}", reason=what or str(error))
        return Problem(self.file, position.line, position.column, "", text)


def _comment(value: str) -> Text:
    return Text("a value that begins with '#' needs quotes, otherwise it is a comment: \"{value}\"", value=value)


def _position(event: yaml.Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
