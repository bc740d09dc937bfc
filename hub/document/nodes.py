"""Nodes: what a YAML file holds, each part with its place, so that every complaint can point at it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from hub.errors import Problem

EXCERPT_CHARACTERS = 160
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BLANK_ESCAPES = frozenset("nrt 0abevfLPN_\n")

Plain = str | int | Decimal | bool | None


def did_you_mean(word: str, options: Iterable[str], form: str = "{}") -> str:
    """ "did you mean `when`?", or nothing when no option is near. form: how the option is shown, `event.{}`."""
    known = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word.lower()[:100], list(known), n=1, cutoff=0.6)
    return f"did you mean `{form.format(known[near[0]])}`?" if near else ""


class Source:
    """A file's text, to cut excerpts from."""

    __slots__ = ("_lines", "path", "text")

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self._lines: list[str] | None = None

    def problem(self, line: int, column: int, message: str, hint: str = "", width: int = 1) -> Problem:
        """A Problem at a place (both from 1), with the line it stands on."""
        excerpt = self.excerpt(line, column)
        room = len(excerpt) - column + 1
        return Problem(self.path, line, column, message, hint, excerpt, max(1, min(width, room)))

    def excerpt(self, line: int, column: int) -> str:
        """The line as it can be shown on a terminal; nothing when the place is too far to the right of it."""
        if self._lines is None:
            self._lines = _LINE_BREAK.split(self.text)
        if not 0 < line <= len(self._lines) or column > EXCERPT_CHARACTERS:
            return ""
        shown = _NOT_SHOWN.sub(" ", self._lines[line - 1].replace("\t", " "))
        return shown.rstrip() if len(shown) <= EXCERPT_CHARACTERS else shown[: EXCERPT_CHARACTERS - 1] + "…"


class Node:
    """A part of a file. place: line and column, which count from 1, and the index of its first character."""

    __slots__ = ("column", "line", "source", "start")
    what = "something"

    def __init__(self, source: Source, place: tuple[int, int, int]) -> None:
        self.source = source
        self.line, self.column, self.start = place

    def problem(self, message: str, hint: str = "", width: int = 1) -> Problem:
        """A Problem that points at the beginning of this node."""
        return self.source.problem(self.line, self.column, message, hint, width)

    def plain(self) -> Any:
        """The node without its places: dict, list, str, int, Decimal, bool or None."""
        return None


class Broken(Node):
    """A part that could not be read; its Problem has been reported already."""

    __slots__ = ()


class Scalar(Node):
    """One value. text: as written, without quotes. value: str, int, Decimal, bool or None (never a float).

    style: "" for a plain value, else the quote (`'`, `"`) or block sign (`|`, `>`) that it is written with.
    """

    __slots__ = ("style", "text", "value")
    what = "a single value"

    def __init__(self, source: Source, place: tuple[int, int, int], text: str, value: Plain, style: str) -> None:
        super().__init__(source, place)
        self.text = text
        self.value = value
        self.style = style

    def plain(self) -> Plain:
        return self.value

    def problem_at(self, offset: int, width: int, message: str, hint: str = "") -> Problem:
        """A Problem that points at the character `offset` of the text, wherever quotes and folding have put it."""
        line, column = self._place(offset)
        return self.source.problem(line, column, message, hint, width)

    def problem(self, message: str, hint: str = "", width: int = 0) -> Problem:
        """A Problem that points at the value."""
        wide = width or (len(self.text) + (2 if self.style in {"'", '"'} else 0) if self.style not in {"|", ">"} else 1)
        return self.source.problem(self.line, self.column, message, hint, wide)

    def _place(self, offset: int) -> tuple[int, int]:
        if not self.style and "\n" not in self.source.text[self.start : self.start + offset + 1]:
            return self.line, self.column + offset
        at = self._index(sum(not character.isspace() for character in self.text[:offset]))
        before = _LINE_BREAK.split(self.source.text[:at])
        return len(before), len(before[-1]) + 1

    def _index(self, visible: int) -> int:
        """The index in the source of the visible character number `visible` of the text."""
        source, at = self.source.text, self.start
        if self.style in {"|", ">"}:
            at = source.find("\n", at) + 1 or len(source)
        elif self.style:
            at += 1
        while at < len(source):
            step, shows = self._character(source, at)
            if shows and visible == 0:
                return at
            visible -= shows
            at += step
        return max(self.start, len(source) - 1)

    def _character(self, source: str, at: int) -> tuple[int, bool]:
        character = source[at]
        if self.style == '"' and character == "\\" and at + 1 < len(source):
            return 2, source[at + 1] not in _BLANK_ESCAPES
        if self.style == "'" and source[at : at + 2] == "''":
            return 2, True
        return 1, not character.isspace()


class Sequence(Node):
    """A list."""

    __slots__ = ("items",)
    what = "a list"

    def __init__(self, source: Source, place: tuple[int, int, int]) -> None:
        super().__init__(source, place)
        self.items: list[Node] = []

    def plain(self) -> list[Any]:
        return [item.plain() for item in self.items]


class Mapping(Node):
    """Keys with values, in the order in which they stand."""

    __slots__ = ("keys", "values")
    what = "a mapping of keys to values"

    def __init__(self, source: Source, place: tuple[int, int, int]) -> None:
        super().__init__(source, place)
        self.keys: dict[str, Scalar] = {}
        self.values: dict[str, Node] = {}

    def get(self, key: str) -> Node | None:
        """The value of a key, or None when it does not stand there."""
        return self.values.get(key)

    def items(self) -> Iterator[tuple[Scalar, Node]]:
        """Each key (with its place) and its value."""
        return ((self.keys[key], value) for key, value in self.values.items())

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def plain(self) -> dict[str, Any]:
        return {key: value.plain() for key, value in self.values.items()}


def place_at(node: Node, path: Iterable[str | int]) -> tuple[Node, Node]:
    """The node at a path, as far as there is one, and the node around it."""
    parent = node
    for part in path:
        inner: Node | None = None
        if isinstance(node, Mapping):
            inner = node.get(str(part))
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            inner = node.items[part]
        if inner is None:
            return node, node
        parent, node = node, inner
    return node, parent


def key_at(parent: Node, name: str) -> Node:
    """The key of that name, or the whole where there is none."""
    return parent.keys.get(name, parent) if isinstance(parent, Mapping) else parent


def day_of(text: str) -> date | None:
    """The day that `2026-12-24` names, or None when it is none."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
