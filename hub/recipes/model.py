"""Model: a recipe as it stands in its file, and the plan that the engine works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub.document import Node
from hub.errors import Problem
from hub.recipes.expression import Compiled
from hub.recipes.vocabulary import ActionType

OnFailure = Literal["hold", "continue"]


@dataclass(frozen=True, slots=True)
class When:
    """A trigger or fact that a recipe waits for, with its settings as written."""

    name: str
    settings: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a recipe as written. name: what later steps call its result (`as`)."""

    action: str
    inputs: Mapping[str, Any]
    name: str | None
    condition: str | None
    on_failure: OnFailure
    line: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A step that an example expects. values: inputs or results that must come out so; others are free."""

    action: str
    values: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """What a recipe does with one fact.

    given: laid over the sample of `when` (by default the recipe's first). member: laid over an empty member. programme: laid
    over that of hub.yaml. now: the moment at which it is worked. expect: the steps that run, in order; empty for `nothing`.
    """

    when: str
    given: Mapping[str, Any]
    member: Mapping[str, Any]
    now: datetime | None
    expect: tuple[Expected, ...]
    line: int
    node: Node = field(compare=False, repr=False)
    programme: Mapping[str, Any] = field(default_factory=dict)

    def problem(self, message: str, hint: str = "") -> Problem:
        """A Problem that points at this example, for one that does not come out as expected."""
        return self.node.problem(message, hint)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe's file. version: the first twelve hex digits of the SHA-256 of its source."""

    name: str
    title: str
    whens: tuple[When, ...]
    condition: str | None
    once_per: str | None
    steps: tuple[Step, ...]
    examples: tuple[Example, ...]
    enabled: bool
    description: str
    owner: str
    path: str
    source: str
    version: str


@dataclass(frozen=True, slots=True)
class PlannedWhen:
    """A trigger with its settings as values, defaults filled in. text: equal for equal names and settings, in any order."""

    name: str
    settings: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A checked step. reads: the names of earlier steps whose results it uses."""

    index: int
    action: str
    name: str | None
    inputs: Mapping[str, Compiled]
    condition: Compiled | None
    on_failure: OnFailure
    reads: frozenset[str]
    type: ActionType
    line: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked recipe."""

    recipe: Recipe
    whens: tuple[PlannedWhen, ...]
    condition: Compiled | None
    once_per: Compiled | None
    steps: tuple[PlannedStep, ...]
