"""Check steps: what a recipe does, one action a step, each typed against its action's inputs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import replace

from hub.document import Broken, Mapping, Node, Scalar, Sequence, did_you_mean
from hub.errors import Problem
from hub.recipes.expression import Compiled, Names, compile_expression
from hub.recipes.expression.functions import FUNCTIONS
from hub.recipes.inputs import as_problems, compile_inputs
from hub.recipes.model import OnFailure, PlannedStep, Step
from hub.recipes.types import ANY, BOOLEAN
from hub.recipes.vocabulary import ActionType, Missing, Vocabulary

STEPS_MOST = 50
RESERVED_NAMES = frozenset(
    ["event", "member", "programme", "now", "today", "true", "false", "none", "null", "nothing", *FUNCTIONS]
)
_ASIDE = ("as", "if", "on_failure")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NOTES = {"when": "if", "condition": "if", "name": "as", "id": "as", "on_error": "on_failure", "otherwise": "on_failure"}


def read_steps(
    node: Node | None, vocabulary: Vocabulary, names: Names, problems: list[Problem]
) -> tuple[tuple[Step, ...], tuple[PlannedStep, ...]]:
    """The steps as written and as planned."""
    if node is None:
        return (), ()
    if not isinstance(node, Sequence):
        problems.append(node.problem("`do` is a list of steps", "start each step with `- `"))
        return (), ()
    if not node.items or len(node.items) > STEPS_MOST:
        message = (
            "`do` has no steps"
            if not node.items
            else f"a recipe has at most {STEPS_MOST} steps, and here are {len(node.items)}"
        )
        problems.append(node.problem(message, "add one" if not node.items else "split it into several recipes"))
        return (), ()
    reader = _StepReader(vocabulary, names, problems, _names_given(node.items))
    pairs = [pair for index, item in enumerate(node.items) if (pair := reader.read(index, item)) is not None]
    return tuple(step for step, _ in pairs), tuple(planned for _, planned in pairs if planned is not None)


def _names_given(items: Iterable[Node]) -> list[str]:
    nodes = [item.get("as") for item in items if isinstance(item, Mapping)]
    return [node.text for node in nodes if isinstance(node, Scalar)]


class _StepReader:
    """Reads steps in order; each sees the names that earlier ones gave."""

    def __init__(self, vocabulary: Vocabulary, names: Names, problems: list[Problem], given: list[str]) -> None:
        self._vocabulary = vocabulary
        self._problems = problems
        self._earlier: set[str] = set()
        later = {name: "a later step gives that name; steps run in order" for name in given if name not in names.types}
        self._names = replace(names, types=dict(names.types), absent=later)

    def read(self, index: int, node: Node) -> tuple[Step, PlannedStep | None] | None:
        """One step; None when it cannot be told what it is."""
        key = self._action_key(node)
        if key is None or not isinstance(node, Mapping):
            return None
        condition = self._condition(node.get("if"))
        on_failure = self._on_failure(node.get("on_failure"))
        name = self._name(node.get("as"))
        inputs = node.values[key.text]
        action = self._vocabulary.action(key.text)
        planned = None
        if isinstance(action, Missing):
            hint = action.hint or did_you_mean(key.text, self._vocabulary.action_names())
            self._problems.append(key.problem(action.message, hint))
        else:
            compiled = compile_inputs(inputs, action.inputs, self._names, self._problems, key)
            reads = self._reads(compiled.values(), condition)
            planned = PlannedStep(index, key.text, name, compiled, condition, on_failure, reads, action, key.line)
        self._give(name, node.get("as"), None if isinstance(action, Missing) else action)
        written = inputs.plain() if isinstance(inputs, Mapping) else {}
        return Step(key.text, written, name, condition.text if condition else None, on_failure, key.line), planned

    def _reads(self, inputs: Iterable[Compiled], condition: Compiled | None) -> frozenset[str]:
        all_reads = frozenset().union(*(one.reads for one in inputs), condition.reads if condition else ())
        return all_reads & self._earlier

    def _action_key(self, node: Node) -> Scalar | None:
        if not isinstance(node, Mapping):
            hint = (
                f"write `- {node.text[:40]}:` with its inputs below"
                if isinstance(node, Scalar)
                else "write `- award: {points: 10}`"
            )
            if not isinstance(node, Broken):
                self._problems.append(node.problem("a step is an action with its inputs", hint))
            return None
        actions = [key for key in node.keys.values() if key.text not in _ASIDE]
        known = set(self._vocabulary.action_names())
        first = next((key for key in actions if key.text in known), actions[0] if actions else None)
        if first is None:
            self._problems.append(node.problem("this step names no action", "write `- award: {points: 10}`"))
        for key in actions:
            if key is not first:
                meant = _NOTES.get(key.text)
                hint = f"did you mean `{meant}`?" if meant else did_you_mean(key.text, _ASIDE) or "start a new step with `- `"
                self._problems.append(key.problem(f"a step has one action, and `{key.text}` is a second key", hint))
        return first

    def _condition(self, node: Node | None) -> Compiled | None:
        if node is None or isinstance(node, Broken):
            return None
        if not isinstance(node, Scalar):
            self._problems.append(node.problem(f"`if` is one expression, not {node.what}", "join conditions with `and`"))
            return None
        compiled, faults = compile_expression(node.text, self._names, BOOLEAN)
        self._problems.extend(as_problems(node, faults))
        return compiled

    def _on_failure(self, node: Node | None) -> OnFailure:
        text = node.text if isinstance(node, Scalar) else None
        if text == "continue":
            return "continue"
        if node is not None and text != "hold" and not isinstance(node, Broken):
            hint = "write `hold` (wait for a person, as without it) or `continue`"
            self._problems.append(node.problem(f"`on_failure` cannot be `{text or node.what}`", hint))
        return "hold"

    def _name(self, node: Node | None) -> str | None:
        if node is None or isinstance(node, Broken):
            return None
        text = node.text if isinstance(node, Scalar) else ""
        if text in RESERVED_NAMES or keyword.iskeyword(text):
            self._problems.append(node.problem(f"`{text}` has a meaning already", "choose another name"))
        elif text in self._earlier:
            self._problems.append(node.problem(f"an earlier step is called `{text}` already", "choose another name"))
        elif not _NAME.fullmatch(text):
            self._problems.append(node.problem("a name is made of small letters, digits and `_`", "for instance `earned`"))
        else:
            return text
        return None

    def _give(self, name: str | None, node: Node | None, action: ActionType | None) -> None:
        """Makes the result of a step known to the later ones; it may be absent, for the step may not have run."""
        if name is None:
            return
        if action is not None and action.gives is None and node is not None:
            self._problems.append(
                node.problem(f"`{action.name}` gives nothing that could be called `{name}`", "leave `as` out")
            )
        kind = action.gives.or_none() if action is not None and action.gives is not None else ANY
        absent = {word: hint for word, hint in self._names.absent.items() if word != name}
        self._names = replace(self._names, types={**self._names.types, name: kind}, absent=absent)
        self._earlier.add(name)
