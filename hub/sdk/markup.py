"""Markup: XML from outside as a small tree; no document type, no entity and nothing outside of the body is ever looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from hub.errors import Unreadable
from hub.sdk.decode import DEPTH_MOST

BYTES_MOST = 4 * 1024 * 1024
ELEMENTS_MOST = 100_000

# Between a namespace and a name, where expat writes both.
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its name, attributes and children, all without namespaces, and the text that stands right in it."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Element, ...] = ()
    text: str = ""

    def each(self, path: str) -> Iterator[Element]:
        """The elements under a path of names (`Body/notifications`), in order."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                yield from child.each(rest) if rest else (child,)

    def first(self, path: str) -> Element | None:
        """The first element under a path, None where there is none."""
        return next(self.each(path), None)

    def said(self, path: str) -> str:
        """The text of the first element under a path, trimmed; empty where there is none."""
        found = self.first(path)
        return found.text.strip() if found else ""


def read_xml(body: bytes) -> Element:
    """The root of a document. Unreadable when it is not XML, too large or too deep, or has a document type."""
    if len(body) > BYTES_MOST:
        raise Unreadable(f"The XML is {len(body):,} bytes long; {BYTES_MOST:,} is the most.")
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=_BETWEEN)
    parser.buffer_text = True
    # Entities are declared in a document type, so whoever refuses that never meets one.
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"The body is not XML that can be read: {error}.") from None
    return tree.root()


def _refuse(*_: object) -> int:
    raise Unreadable("The XML has a document type or entities, and such a document is not read.")


def _local(name: str) -> str:
    return name.rpartition(_BETWEEN)[2]


class _Tree:
    """Builds the elements as expat tells of them."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Mapping[str, str], list[Element], list[str]]] = [("", {}, [], [])]
        self._count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if len(self._open) > DEPTH_MOST:
            raise Unreadable(f"The XML is nested deeper than {DEPTH_MOST} levels.")
        if self._count > ELEMENTS_MOST:
            raise Unreadable(f"The XML has more than {ELEMENTS_MOST:,} elements.")
        self._open.append((_local(name), {_local(key): value for key, value in attributes.items()}, [], []))

    def end(self, _: str) -> None:
        name, attributes, children, texts = self._open.pop()
        self._open[-1][2].append(Element(name, attributes, tuple(children), "".join(texts)))

    def text(self, text: str) -> None:
        self._open[-1][3].append(text)

    def root(self) -> Element:
        return self._open[0][2][0]
