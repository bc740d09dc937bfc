"""Check examples: `given`, `member` and `expect` of a recipe, typed against its facts and actions, with places kept."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence as Series
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.document import Broken, Mapping, Node, Scalar, Section, Sequence, did_you_mean
from hub.errors import Problem
from hub.recipes.expression.closures import aware
from hub.recipes.expression.rules import NUMERIC
from hub.recipes.model import Example, Expected, PlannedStep, Step
from hub.recipes.types import ANY, Field, Type
from hub.recipes.vocabulary import ActionType, Vocabulary, WhenType

EXAMPLES_MOST = 100
_KEYS = ("when", "given", "member", "programme", "now", "expect")


def read_examples(
    node: Node | None,
    kinds: Series[WhenType],
    steps: tuple[Series[Step], Series[PlannedStep]],
    vocabulary: Vocabulary,
    problems: list[Problem],
) -> tuple[Example, ...]:
    """The examples of a recipe. steps: as written, and those of them that could be planned."""
    if node is None:
        return ()
    if not isinstance(node, Sequence) or len(node.items) > EXAMPLES_MOST:
        problems.append(node.problem(f"`examples` is a list of at most {EXAMPLES_MOST} examples", "start each with `- `"))
        return ()
    written, planned = steps
    actions: dict[str, ActionType | None] = {
        **dict.fromkeys(step.action for step in written),
        **{step.action: step.type for step in planned},
    }
    reader = _ExampleReader({kind.name: kind for kind in kinds}, actions, vocabulary, problems)
    return tuple(reader.read(item) for item in node.items if not isinstance(item, Broken))


class _ExampleReader:
    """Reads one example after the other."""

    def __init__(
        self,
        kinds: Dictionary[str, WhenType],
        actions: Dictionary[str, ActionType | None],
        vocabulary: Vocabulary,
        problems: list[Problem],
    ) -> None:
        self._kinds = kinds
        self._actions = actions
        self._vocabulary = vocabulary
        self._problems = problems

    def read(self, node: Node) -> Example:
        """One example."""
        section = Section(node, "examples", _KEYS, self._problems)
        name = section.choice("when", list(self._kinds), next(iter(self._kinds), ""))
        record = self._kinds[name].record if name in self._kinds else ANY
        given = self._laid_over(section.get("given"), record)
        member = self._laid_over(section.get("member"), self._vocabulary.member)
        programme = self._laid_over(section.get("programme"), ANY)
        now = self._now(section.get("now"))
        if isinstance(node, Mapping) and "expect" not in node:
            self._problems.append(
                node.problem("the example says nothing of what to expect", "add `expect: nothing` or the actions")
            )
        expect = tuple(self._expected(section.get("expect")))
        return Example(name, given, member, now, expect, node.line, node, programme)

    def _laid_over(self, node: Node | None, record: Type) -> Dictionary[str, Any]:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return {}
        if not isinstance(node, Mapping):
            self._problems.append(node.problem("write fields with their values", "for instance {amount: 120.00}"))
            return {}
        value = self._value(node, record)
        return value if isinstance(value, dict) else {}

    def _now(self, node: Node | None) -> datetime | None:
        if node is None:
            return None
        try:
            return aware(datetime.fromisoformat(node.text if isinstance(node, Scalar) else ""), self._vocabulary.zone)
        except ValueError:
            self._problems.append(node.problem("`now` is a date with time", "write it as 2026-12-24T18:00:00Z"))
            return None

    def _expected(self, node: Node | None) -> Iterator[Expected]:
        if node is None or (isinstance(node, Scalar) and node.text == "nothing"):
            return
        if not isinstance(node, Mapping) or not node.keys:
            self._problems.append(
                node.problem("`expect` is `nothing`, or actions with their values", "for instance {award: {points: 240}}")
            )
            return
        for key, value in node.items():
            if key.text not in self._actions:
                hint = did_you_mean(key.text, self._actions) or f"it has {', '.join(f'`{name}`' for name in self._actions)}"
                self._problems.append(key.problem(f"the recipe has no step `{key.text}`", hint))
                continue
            record = _expectable(self._actions[key.text])
            for one in value.items if isinstance(value, Sequence) else [value]:
                yield Expected(key.text, self._laid_over(one, record), key.line)

    def _value(self, node: Node, kind: Type) -> Any:
        """The value of a node as the type wants it: text as written, numbers exact, dates as dates."""
        if isinstance(node, Mapping):
            return self._fields(node, kind)
        if isinstance(node, Sequence):
            if kind.kind not in {"list", "any"}:
                self._problems.append(node.problem(f"{kind} is needed here, not a list"))
            return [self._value(item, kind.of or ANY) for item in node.items]
        if not isinstance(node, Scalar) or (node.value is None and not node.style):
            return None
        if kind.kind in {"record", "map", "list"}:
            self._problems.append(node.problem(f"{kind} is needed here, not one value"))
            return None
        return self._single(node, kind)

    def _single(self, node: Scalar, kind: Type) -> Any:
        if kind.kind in {"text", "duration"}:
            return node.text
        if kind.kind in NUMERIC and not isinstance(node.value, int | Decimal):
            return self._number(node, kind)
        if kind.kind in {"date", "moment"}:
            return self._time(node, kind)
        if (kind.kind == "boolean") != isinstance(node.value, bool) and kind.kind != "any":
            self._problems.append(node.problem(f"{kind} is needed here, not `{node.text}`"))
        return node.value

    def _number(self, node: Scalar, kind: Type) -> Any:
        try:
            value = Decimal(node.text) if isinstance(node.value, str) else Decimal("NaN")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self._problems.append(node.problem(f"{kind} is needed here, not `{node.text}`"))
        return value

    def _time(self, node: Scalar, kind: Type) -> Any:
        try:
            if kind.kind == "date":
                return date.fromisoformat(node.text)
            return aware(datetime.fromisoformat(node.text), self._vocabulary.zone)
        except ValueError:
            self._problems.append(
                node.problem(f"{kind} is needed here, not `{node.text}`", "write it as 2026-12-24 or 2026-12-24T18:00:00Z")
            )
            return None

    def _fields(self, node: Mapping, kind: Type) -> Any:
        if kind.kind == "record":
            fields = kind.fields or {}
        elif kind.kind in {"map", "any"}:
            fields = dict.fromkeys(node.values, Field(kind.of or ANY))
        else:
            self._problems.append(node.problem(f"{kind} is needed here, not named values"))
            return None
        known: dict[str, Any] = {}
        for key, value in node.items():
            if key.text in fields:
                known[key.text] = self._value(value, fields[key.text].type)
            else:
                hint = did_you_mean(key.text, fields) or f"it has {', '.join(f'`{name}`' for name in list(fields)[:12])}"
                self._problems.append(key.problem(f"`{key.text}` is not a field of {kind.name or 'this'}", hint))
        return known


def _expectable(action: ActionType | None) -> Type:
    """What an example may say of a step: its inputs, and the fields of its result."""
    if action is None:
        return ANY
    fields = {name: Field(one.type) for name, one in action.inputs.items()}
    return Type("record", fields={**fields, **((action.gives.fields if action.gives else None) or {})}, name=f"`{action.name}`")
