"""Rules: the text of a recipe's step as it was when it ran, with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping as Values
from dataclasses import dataclass
from typing import Any

from hub.document import Mapping, Node, Scalar, Sequence, parse
from hub.store import Session, load

queries = load("hub.insight")

_BESIDE_THE_ACTION = {"as", "if", "on_failure"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A step of a version of a recipe. step: its number from 1. line: of the step. inputs, conditions: as written."""

    recipe: str
    version: str
    path: str = ""
    condition: str = ""
    step: int | None = None
    action: str = ""
    line: int | None = None
    inputs: Values[str, str] | None = None
    step_condition: str = ""


class Rules:
    """Reads each version once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[tuple[str, str], tuple[Node | None, str]] = {}

    def of(self, recipe: str, version: str, index: int | None) -> Rule:
        """The step with this index; what is not known of it stays empty."""
        root, path = self._version(recipe, version)
        if not isinstance(root, Mapping):
            return Rule(recipe, version, step=None if index is None else index + 1)
        rule = Rule(recipe, version, path, _text(root.get("if")))
        steps = root.get("do")
        if index is None or not isinstance(steps, Sequence) or not 0 <= index < len(steps.items):
            return rule
        return _with_step(rule, steps.items[index], index)

    def _version(self, recipe: str, version: str) -> tuple[Node | None, str]:
        known = self._read.get((recipe, version))
        if known is None:
            row = self._session.row(queries.recipe, recipe=recipe, version=version)
            known = (None, "") if row is None else (parse(row["source"], row["path"]).root, row["path"])
            self._read[recipe, version] = known
        return known


def _with_step(rule: Rule, step: Node, index: int) -> Rule:
    if not isinstance(step, Mapping):
        return rule
    action = next((name for name in step.keys if name not in _BESIDE_THE_ACTION), "")
    inputs = step.get(action)
    written = {name: _text(value) for name, value in _pairs(inputs)}
    condition = _text(step.get("if"))
    return Rule(rule.recipe, rule.version, rule.path, rule.condition, index + 1, action, step.line, written, condition)


def _pairs(node: Node | None) -> list[tuple[str, Any]]:
    return [(key.text, value) for key, value in node.items()] if isinstance(node, Mapping) else []


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
