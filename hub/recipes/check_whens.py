"""Check whens: `when:` is a name, a list of names, or names with settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hub.document import Broken, Mapping, Node, Scalar, Sequence, did_you_mean
from hub.errors import Problem
from hub.recipes.expression import Names
from hub.recipes.inputs import compile_inputs
from hub.recipes.model import PlannedWhen, When
from hub.recipes.vocabulary import Missing, Vocabulary, WhenType

WHENS_MOST = 20


def read_whens(
    node: Node | None, vocabulary: Vocabulary, names: Names, problems: list[Problem]
) -> tuple[tuple[When, ...], tuple[PlannedWhen, ...], list[WhenType]]:
    """What the recipe waits for, as written and as planned, and the kinds that are known."""
    whens: list[When] = []
    planned: list[PlannedWhen] = []
    kinds: list[WhenType] = []
    for key, settings in _named(node, problems):
        if len(whens) == WHENS_MOST:
            problems.append(key.problem(f"a recipe waits for at most {WHENS_MOST} things", "split it"))
            break
        written = settings.plain() if isinstance(settings, Mapping) else {}
        whens.append(When(key.text, written, key.line))
        kind = vocabulary.when(key.text)
        if isinstance(kind, Missing):
            hint = kind.hint or did_you_mean(key.text, vocabulary.when_names())
            problems.append(key.problem(kind.message, hint))
            continue
        plan = PlannedWhen(key.text, _settings(key, settings, kind, names, problems), _canonical(key.text, written))
        if plan.text in {one.text for one in planned}:
            problems.append(key.problem(f"`{key.text}` stands here a second time", "remove one"))
        planned.append(plan)
        kinds.append(kind)
    return tuple(whens), tuple(planned), kinds


def _named(node: Node | None, problems: list[Problem]) -> Iterator[tuple[Scalar, Node | None]]:
    if isinstance(node, Sequence):
        if not node.items:
            problems.append(node.problem("`when` is an empty list", "name what the recipe waits for"))
        for item in node.items:
            if isinstance(item, Sequence):
                problems.append(item.problem("a list in a list has no meaning here"))
            else:
                yield from _named(item, problems)
    elif isinstance(node, Mapping):
        if not node.keys:
            problems.append(node.problem("`when` is empty", "name what the recipe waits for"))
        yield from node.items()
    elif isinstance(node, Scalar):
        if node.value is None:
            problems.append(node.problem("`when` is empty", "name what the recipe waits for"))
        else:
            yield node, None
    elif node is not None and not isinstance(node, Broken):
        problems.append(node.problem("`when` is a name, a list of names, or names with settings"))


def _settings(key: Scalar, node: Node | None, kind: WhenType, names: Names, problems: list[Problem]) -> dict[str, Any]:
    """The settings as values; they are fixed, so nothing may be read in them."""
    compiled = compile_inputs(node, kind.settings, names, problems, key)
    values = {name: one.default for name, one in kind.settings.items() if not one.required}
    for name, one in compiled.items():
        if not one.constant:
            where = node.get(name) if isinstance(node, Mapping) else None
            problems.append((where or key).problem(f"`{name}` must be a fixed value", "it is set before there is an event"))
        else:
            values[name] = one.evaluate({})
    return values


def _canonical(name: str, written: Any) -> str:
    return f"{name} {json.dumps(written, sort_keys=True, default=str, ensure_ascii=False)}" if written else name
