"""Vocabulary: what a recipe may name, as the checker asks for it; the engine's catalogue meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Protocol

from hub.errors import HubError
from hub.recipes.types import Type


@dataclass(frozen=True, slots=True)
class Input:
    """One setting of a trigger or input of an action. default: what holds when a recipe leaves it out.

    check: why a fixed value of the right type cannot be used all the same (`99 9 * * *` is no time), None when it can.
    """

    name: str
    type: Type
    required: bool = False
    default: Any = None
    doc: str = ""
    check: Callable[[Any], str | None] | None = None


@dataclass(frozen=True, slots=True)
class WhenType:
    """Something a recipe can wait for. record: the fields of `event`. sample: a fact, laid under each example's `given`."""

    name: str
    record: Type
    doc: str = ""
    settings: Mapping[str, Input] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionType:
    """Something a recipe can do. gives: what later steps read under its `as` name; None when there is nothing.

    channel: set when it messages a member. builtin: worked by the hub itself, without a platform.
    """

    name: str
    inputs: Mapping[str, Input]
    doc: str = ""
    gives: Type | None = None
    channel: str | None = None
    builtin: bool = False
    sample: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a name cannot be used: nobody offers it, its connection is not set up, two connections offer it."""

    message: str
    hint: str = ""


class OutOfUse(HubError):
    """A recipe names a connector that is there and cannot be used now: the recipe stops, and nothing is wrong with it."""


class Vocabulary(Protocol):
    """All that recipes may name, at this moment, in this workspace."""

    @property
    def member(self) -> Type:
        """The fields of `member`."""
        ...

    @property
    def programme(self) -> Type:
        """The fields of `programme`."""
        ...

    @property
    def currency(self) -> str:
        """The programme's currency, ISO 4217."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The programme's time zone, in which days begin."""
        ...

    def when(self, name: str) -> WhenType | Missing:
        """The trigger or fact of that name. OutOfUse when its connector is."""
        ...

    def action(self, name: str) -> ActionType | Missing:
        """The action of that name. OutOfUse when its connector is."""
        ...

    def when_names(self) -> Iterable[str]:
        """Every name that `when:` takes."""
        ...

    def action_names(self) -> Iterable[str]:
        """Every name that a step takes."""
        ...
