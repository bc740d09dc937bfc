"""Section: a mapping of a file read key by key by its owner, who collects every problem instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as Dictionary
from decimal import Decimal
from typing import TypeVar

from hub.document.nodes import Broken, Mapping, Node, Scalar, Sequence, did_you_mean
from hub.errors import Problem

T = TypeVar("T")


class Section:
    """One mapping and the keys that it may have.

    name: what it is called in messages (`programme`). keys: those that are known; None for names that the admin chooses.
    notes: what to say instead of "unknown" about certain keys. Every getter returns its default and notes a Problem when a
    value is not what it should be.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        keys: Collection[str] | None,
        problems: list[Problem],
        notes: Dictionary[str, str] | None = None,
    ) -> None:
        self.node = node
        self.name = name
        self.problems = problems
        self._map = node if isinstance(node, Mapping) else None
        if self._map is None:
            self._expect_mapping(node)
        elif keys is not None:
            self._refuse_unknown(self._map, keys, notes or {})

    def _expect_mapping(self, node: Node) -> None:
        if not isinstance(node, Broken):
            self.problems.append(
                node.problem(f"`{self.name}` must be a mapping of keys to values", "write `key: value` lines below it")
            )

    def _refuse_unknown(self, node: Mapping, keys: Collection[str], notes: Dictionary[str, str]) -> None:
        for key in node.keys.values():
            if key.text in keys:
                continue
            hint = (
                notes.get(key.text) or did_you_mean(key.text, keys) or f"known are {', '.join(f'`{known}`' for known in keys)}"
            )
            self.problems.append(key.problem(f"`{key.text}` is not a key of `{self.name}`", hint))

    def __contains__(self, key: str) -> bool:
        return self._map is not None and key in self._map

    def keys(self) -> list[Scalar]:
        """The keys that stand there, with their places."""
        return list(self._map.keys.values()) if self._map else []

    def get(self, key: str) -> Node | None:
        """The node of a key as it stands; None when it is absent or could not be read."""
        node = self._map.get(key) if self._map else None
        return None if isinstance(node, Broken) else node

    def say(self, key: str, message: str, hint: str = "") -> None:
        """Notes a Problem at the value of a key, or at the section when the key is absent."""
        self.problems.append((self.get(key) or self.node).problem(message, hint))

    def _scalar(self, key: str, what: str, *, required: bool) -> Scalar | None:
        node = self.get(key)
        if isinstance(node, Scalar) and (node.value is not None or node.style):
            return node
        if node is not None and not (isinstance(node, Scalar) and not required):
            found = "empty" if isinstance(node, Scalar) else node.what
            self.problems.append(node.problem(f"`{key}` must be {what}, but it is {found}"))
        elif node is None and required and self._map is not None and key not in self._map:
            self.problems.append(self.node.problem(f"`{self.name}` has no `{key}`", f"add `{key}: …` ({what})"))
        return None

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """The value as it is written (`1.10` stays "1.10")."""
        node = self._scalar(key, "text", required=required)
        return default if node is None else node.text

    def parsed(self, key: str, parse: Callable[[str], T], default: T, *, what: str = "text", required: bool = False) -> T:
        """What `parse` makes of the value; the text of its ValueError becomes the Problem."""
        node = self._scalar(key, what, required=required)
        if node is None:
            return default
        try:
            return parse(node.text)
        except ValueError as error:
            self.problems.append(node.problem(f"`{key}`: {error}"))
            return default

    def integer(
        self, key: str, default: int = 0, *, least: int | None = None, most: int | None = None, required: bool = False
    ) -> int:
        """A whole number."""
        value = self._number(key, "a whole number", least, most, required=required)
        if value is None:
            return default
        if isinstance(value, int):
            return value
        self.say(key, f"`{key}` must be a whole number, not {value}")
        return default

    def number(
        self,
        key: str,
        default: Decimal = Decimal(0),
        *,
        least: int | None = None,
        most: int | None = None,
        required: bool = False,
    ) -> Decimal:
        """An exact number."""
        value = self._number(key, "a number", least, most, required=required)
        return default if value is None else Decimal(value)

    def _number(self, key: str, what: str, least: int | None, most: int | None, *, required: bool) -> int | Decimal | None:
        node = self._scalar(key, what, required=required)
        if node is None:
            return None
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.problems.append(node.problem(f"`{key}` must be {what}, not `{node.text}`"))
            return None
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = " and ".join(
                part
                for part in (f"at least {least}" if least is not None else "", f"at most {most}" if most is not None else "")
                if part
            )
            self.problems.append(node.problem(f"`{key}` must be {bounds}, not {node.text}"))
            return None
        return value

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """true or false."""
        node = self._scalar(key, "true or false", required=False)
        if node is None:
            return default
        if isinstance(node.value, bool):
            return node.value
        self.problems.append(node.problem(f"`{key}` must be true or false, not `{node.text}`"))
        return default

    def choice(self, key: str, options: Collection[str], default: str = "", *, required: bool = False) -> str:
        """One of some words."""
        listed = ", ".join(f"`{option}`" for option in options)
        node = self._scalar(key, f"one of {listed}", required=required)
        if node is None or node.text in options:
            return default if node is None else node.text
        self.problems.append(
            node.problem(f"`{key}` cannot be `{node.text}`", did_you_mean(node.text, options) or f"it is one of {listed}")
        )
        return default

    def texts(self, key: str) -> list[str]:
        """A list of texts; a single one stands for a list of one."""
        node = self.get(key)
        if isinstance(node, Scalar):
            return [node.text] if node.value is not None else []
        found: list[str] = []
        for item in node.items if isinstance(node, Sequence) else []:
            if isinstance(item, Scalar):
                found.append(item.text)
            elif not isinstance(item, Broken):
                self.problems.append(item.problem(f"`{key}` must be a list of texts"))
        if isinstance(node, Mapping):
            self.problems.append(node.problem(f"`{key}` must be a list of texts"))
        return found

    def section(self, key: str, keys: Collection[str] | None, name: str = "") -> Section | None:
        """The mapping under a key, or None when it is absent or empty."""
        node = self.get(key)
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return None
        return Section(node, name or key, keys, self.problems)

    def sections(self, key: str, keys: Collection[str] | None, name: str = "") -> list[Section]:
        """The mappings of the list under a key."""
        node = self.get(key)
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return []
        if not isinstance(node, Sequence):
            self.problems.append(node.problem(f"`{key}` must be a list", "start each item with `- `"))
            return []
        return [Section(item, name or key, keys, self.problems) for item in node.items if not isinstance(item, Broken)]
