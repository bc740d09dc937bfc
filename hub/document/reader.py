"""Reader: YAML text into nodes with places, on PyYAML's safe event stream, which constructs nothing.

Events instead of composed nodes: anchors and tags stay visible, nothing recurses, and a broken file is read as far as it goes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.document.nodes import Broken, Mapping, Node, Plain, Scalar, Sequence, Source
from hub.document.traps import QUOTE_BRACES, Trap, in_plain_words, resolve, resolve_key
from hub.errors import ConfigError, Problem

DOCUMENT_CHARACTERS = 256 * 1024
DOCUMENT_DEPTH = 24
DOCUMENT_EVENTS = 40_000
DOCUMENT_PROBLEMS = 50
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_ANCHORS = ("anchors and aliases (`&`, `*`) are not used here", "write the value out, or put quotes around it")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Document:
    """What could be read of a file, and what is wrong with it. complete: it was read to its end."""

    source: Source
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False


def load(text: str, path: str) -> Node:
    """The root node of a YAML text. path: as shown in problems. ConfigError with every problem found."""
    document = parse(text, path)
    if document.problems or document.root is None:
        raise ConfigError(document.problems or [Problem(path, 0, 0, "the file is empty", "write at least one key")])
    return document.root


def read(path: Path, shown: str | None = None) -> str:
    """The text of a file. shown: its name in problems. ConfigError when it cannot be read or is not UTF-8."""
    name = shown or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            [Problem(name, 0, 0, f"the file cannot be read: {error.strerror}", "check the name and the rights")]
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise ConfigError([Problem(name, line, 1, message, "save the file as UTF-8")]) from error


def parse(text: str, path: str) -> Document:
    """Reads as much as there is; never raises. The root is None where nothing could be read."""
    source = Source(text.removeprefix("\ufeff"), path)
    document = Document(source)
    refusal = _unfit(source)
    if refusal is not None:
        document.problems.append(refusal)
        return document
    builder = _Builder(document)
    loader = _Loader(source.text)
    try:
        while builder.take(loader.get_event()):
            pass
        document.complete = builder.at_end
    except yaml.YAMLError as error:
        problem = in_plain_words(error, source)
        if problem.line not in builder.brace_lines:
            document.problems.append(problem)
    finally:
        loader.dispose()
    return document


def _unfit(source: Source) -> Problem | None:
    if len(source.text) > DOCUMENT_CHARACTERS:
        message = f"the file has {len(source.text):,} characters; at most {DOCUMENT_CHARACTERS:,} are read"
        return Problem(source.path, 0, 0, message, "split it into several files")
    found = _UNREADABLE.search(source.text)
    if found is None:
        return None
    line = source.text.count("\n", 0, found.start()) + 1
    column = found.start() - source.text.rfind("\n", 0, found.start())
    return source.problem(line, column, f"the control character U+{ord(found.group()):04X} cannot stand in a file", "remove it")


def _place_of(event: Any) -> tuple[int, int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1, mark.index


class _Builder:
    """Puts nodes together, event by event, on a stack of its own."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._source = document.source
        self._open_nodes: list[Mapping | Sequence] = []
        self._key: Scalar | Broken | None = (
            None  # waits for its value in the innermost mapping; the value of a Broken one is dropped
        )
        self._skipping = 0  # how many nodes are open in a part that is passed over
        self._events = 0
        self.brace_lines: set[int] = set()
        self.at_end = False

    def take(self, event: Any) -> bool:
        """Works one event; False at the end, or when there is no use in reading on."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if not self._skipping:
                self._place(self._scalar(event))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._begin(event, Mapping if kind is yaml.MappingStartEvent else Sequence)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end()
        elif kind is yaml.AliasEvent:
            self._say(event, *_NO_ANCHORS)
            self._place(self._broken(event))
        elif kind is yaml.DocumentStartEvent and self._document.root is not None:
            self._say(event, "a second document (`---`) starts here", "one file holds one document")
            return False
        elif kind is yaml.StreamEndEvent:
            self.at_end = True
            return False
        self._events += 1
        return self._within_limits(event)

    def _within_limits(self, event: Any) -> bool:
        if len(self._open_nodes) + self._skipping > DOCUMENT_DEPTH:
            self._say(event, f"this is nested more than {DOCUMENT_DEPTH} levels deep", "make it flatter")
            return False
        if self._events > DOCUMENT_EVENTS:
            self._say(event, f"the file holds more than {DOCUMENT_EVENTS:,} values", "split it into several files")
            return False
        return len(self._document.problems) < DOCUMENT_PROBLEMS

    def _say(self, event: Any, message: str, hint: str, width: int = 1) -> None:
        mark = event.start_mark
        self._document.problems.append(self._source.problem(mark.line + 1, mark.column + 1, message, hint, width))

    def _broken(self, event: Any) -> Broken:
        return Broken(self._source, _place_of(event))

    def _refuses(self, event: Any) -> bool:
        if event.anchor is not None:
            self._say(event, *_NO_ANCHORS)
        elif event.tag is not None:
            self._say(
                event, f"tags such as `{event.tag[:40]}` are not used here", "leave it out, or put quotes around the value"
            )
        return event.anchor is not None or event.tag is not None

    def _at_key(self) -> bool:
        return self._key is None and bool(self._open_nodes) and type(self._open_nodes[-1]) is Mapping

    def _scalar(self, event: Any) -> Scalar | Broken:
        if self._refuses(event):
            return self._broken(event)
        text, style = event.value, event.style or ""
        value: Plain = text
        if not style:
            try:
                value = resolve_key(text) if self._at_key() else resolve(text)
            except Trap as trap:
                self._say(event, trap.message, trap.hint, len(text))
                return self._broken(event)
        place = _place_of(event)
        if not text and not style and isinstance(self._key, Scalar):
            place = (self._key.line, self._key.column, self._key.start)  # an empty value has no place of its own
        return Scalar(self._source, place, text, value, style)

    def _place(self, node: Node) -> None:
        """Puts a node where it belongs; in a mapping it is a key first, a value next."""
        if self._skipping:
            return
        parent = self._open_nodes[-1] if self._open_nodes else None
        if parent is None:
            self._document.root = node
        elif isinstance(parent, Sequence):
            parent.items.append(node)
        elif self._key is None:
            self._key = node if isinstance(node, Scalar) else self._unusable_key(node)
        else:
            key, self._key = self._key, None
            if isinstance(key, Scalar):
                self._place_under(parent, key, node)

    def _unusable_key(self, node: Node) -> Broken:
        return Broken(self._source, (node.line, node.column, node.start))

    def _place_under(self, parent: Mapping, key: Scalar, node: Node) -> None:
        if key.text in parent.values:
            hint = f"the first is on line {parent.keys[key.text].line}"
            self._document.problems.append(key.problem(f"the key `{key.text}` stands here a second time", hint))
        else:
            parent.keys[key.text] = key
            parent.values[key.text] = node

    def _begin(self, event: Any, make: type[Mapping] | type[Sequence]) -> None:
        if self._skipping:
            self._skipping += 1
        elif self._at_key():
            self._complex_key(event, self._open_nodes[-1])
            self._skip(event)
        elif self._refuses(event):
            self._skip(event)
        else:
            node = make(self._source, _place_of(event))
            self._place(node)
            self._open_nodes.append(node)

    def _skip(self, event: Any) -> None:
        self._place(self._broken(event))
        self._skipping = 1

    def _complex_key(self, event: Any, parent: Node) -> None:
        mark = event.start_mark
        if event.flow_style and self._source.text[parent.start : mark.index + 1] == "{{":
            self.brace_lines.add(mark.line + 1)
            self._document.problems.append(parent.problem(QUOTE_BRACES, "put quotes around it", width=2))
            self._replace_by_broken(parent)
        else:
            self._say(event, "a list or mapping cannot be a key", "put quotes around it if it is text")

    def _replace_by_broken(self, node: Node) -> None:
        broken = Broken(self._source, (node.line, node.column, node.start))
        above = self._open_nodes[-2] if len(self._open_nodes) > 1 else None
        if isinstance(above, Sequence):
            above.items[-1] = broken
        elif isinstance(above, Mapping):
            above.values.update({key: broken for key, value in above.values.items() if value is node})
        else:
            self._document.root = broken

    def _end(self) -> None:
        if self._skipping:
            self._skipping -= 1
        else:
            self._open_nodes.pop()
            self._key = None
