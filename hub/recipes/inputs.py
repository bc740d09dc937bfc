"""Inputs: what a recipe writes for a setting, input or example value, read by the type that is asked for.

The type decides: text is a template, everything else an expression or plain value, lists and maps item by item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from decimal import Decimal
from typing import Any

from hub.document import Broken, Mapping, Node, Scalar, Sequence, did_you_mean
from hub.errors import Problem
from hub.recipes.expression import Compiled, Names, compile_expression, fixed
from hub.recipes.expression.tokens import Fault
from hub.recipes.template import compile_template
from hub.recipes.types import ANY, NOTHING, Type
from hub.recipes.values import Scope
from hub.recipes.vocabulary import Input
from hub.sdk.values import Duration

_WORDS = re.compile(r"[\w. ]*")
_READS = re.compile(r"\b([a-z]\w*)\.[a-z]", re.ASCII)
_PATH = re.compile(r"([a-z]\w*)(?:\.\w+)+", re.ASCII)


def compile_inputs(
    node: Node | None, inputs: Dictionary[str, Input], names: Names, problems: list[Problem], owner: Scalar
) -> dict[str, Compiled]:
    """Every input that stands there, compiled. owner: the key of the action or trigger, for what is missing."""
    compiled: dict[str, Compiled] = {}
    given = node if isinstance(node, Mapping) else None
    if given is None and not _is_empty(node):
        first = next((name for name, one in inputs.items() if one.required), next(iter(inputs), ""))
        hint = f"write `{owner.text}: {{{first}: …}}`" if first else f"write `{owner.text}:` alone"
        if node is not None and not isinstance(node, Broken):
            problems.append(node.problem(f"`{owner.text}` takes named inputs", hint))
        return compiled
    for key, value in given.items() if given is not None else ():
        one = inputs.get(key.text)
        if one is None:
            known = f"it takes {', '.join(f'`{name}`' for name in inputs)}" if inputs else "it takes none"
            hint = did_you_mean(key.text, inputs) or known
            problems.append(key.problem(f"`{key.text}` is not an input of `{owner.text}`", hint))
            continue
        result = compile_value(value, one.type if one.required else one.type.or_none(), names, problems)
        if result is not None:
            compiled[key.text] = result
            _check_fixed(value, result, one, problems)
    for name, one in inputs.items():
        if one.required and (given is None or name not in given):
            problems.append(owner.problem(f"`{owner.text}` needs `{name}`", f"add `{name}: …`: {one.doc or one.type}"))
    return compiled


def _check_fixed(node: Node, compiled: Compiled, one: Input, problems: list[Problem]) -> None:
    """A fixed value must pass the validators that the input will meet when it is worked."""
    if one.check is None or not compiled.constant or (value := compiled.evaluate({})) is None:
        return
    why = one.check(value)
    if why is not None:
        problems.append(node.problem(f"`{one.name}`: {why}"))


def _is_empty(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.value is None)


def compile_value(node: Node, wanted: Type, names: Names, problems: list[Problem]) -> Compiled | None:
    """What stands for one input; None after a Problem."""
    if isinstance(node, Scalar):
        return _scalar(node, wanted, names, problems)
    if isinstance(node, Sequence) and wanted.kind in {"list", "any"}:
        return _list(wanted, [compile_value(item, wanted.of or ANY, names, problems) for item in node.items])
    if isinstance(node, Mapping) and wanted.kind in {"map", "any"}:
        return _map(wanted, {key.text: compile_value(one, wanted.of or ANY, names, problems) for key, one in node.items()})
    if isinstance(node, Mapping) and wanted.kind == "record":
        fields = {
            name: Input(name, one.type, required=not one.type.optional, doc=one.doc)
            for name, one in (wanted.fields or {}).items()
        }
        owner = Scalar(node.source, (node.line, node.column, node.start), wanted.name, wanted.name, "")
        return _map(wanted, compile_inputs(node, fields, names, problems, owner))
    if not isinstance(node, Broken):
        problems.append(node.problem(f"{wanted} is needed here, not {node.what}"))
    return None


def _scalar(node: Scalar, wanted: Type, names: Names, problems: list[Problem]) -> Compiled | None:
    value = node.value
    if value is None and not node.style:
        if wanted.optional:
            return fixed(node.text, NOTHING, None)
        problems.append(node.problem(f"{wanted} is needed here, and nothing stands here"))
        return None
    if wanted.kind in {"text", "any"}:
        return _text(node, wanted, names, problems)
    if wanted.kind in {"list", "map", "record"}:
        compiled, faults = compile_expression(node.text, names, wanted)
        if faults and not _PATH.fullmatch(node.text):
            problems.append(node.problem(f"{wanted} is needed here", _write_as(wanted, node.text)))
        else:
            problems.extend(as_problems(node, faults))
        return compiled
    if isinstance(value, bool) and wanted.kind != "boolean":
        problems.append(node.problem(f"{wanted} is needed here, not {node.text}"))
        return None
    return fixed(node.text, wanted, value) if isinstance(value, bool) else _expression(node, wanted, names, problems)


def _write_as(wanted: Type, text: str) -> str:
    return f"write `[{text[:40]}]`" if wanted.kind == "list" else "write `key: value` lines below it"


def _expression(node: Scalar, wanted: Type, names: Names, problems: list[Problem]) -> Compiled | None:
    if wanted.kind == "duration":
        try:
            return fixed(node.text, wanted, Duration.parse(node.text))
        except ValueError:
            if _WORDS.fullmatch(node.text) and node.text.partition(".")[0] not in names.types:
                problems.append(
                    node.problem(f"`{node.text}` is not a length of time", "write for instance `12 months` or `30 days`")
                )
                return None
    if (
        isinstance(node.value, int | Decimal)
        and wanted.kind in {"number", "money", "points"}
        and (wanted.kind != "points" or wanted.unrounded or isinstance(node.value, int))
    ):
        return fixed(node.text, wanted, node.value)
    compiled, faults = compile_expression(node.text, names, wanted)
    problems.extend(as_problems(node, faults))
    return compiled


def as_problems(node: Scalar, faults: list[Fault]) -> list[Problem]:
    """The faults of an expression or template, at their places in the file."""
    return [node.problem_at(fault.offset, fault.width, fault.message, fault.hint) for fault in faults]


def _text(node: Scalar, wanted: Type, names: Names, problems: list[Problem]) -> Compiled | None:
    if wanted.kind == "any" and not isinstance(node.value, str):
        return fixed(node.text, ANY, node.value)
    reads = _READS.search(node.text)
    if reads and reads.group(1) in names.types and not compile_expression(node.text, names)[1]:
        hint = f'write "{{{{ {node.text} }}}}"'
        problems.append(node.problem(f"this is the text `{node.text}` itself, not its value", hint))
        return None
    compiled, faults = compile_template(node.text, names, keep_type=wanted.kind == "any")
    problems.extend(as_problems(node, faults))
    if compiled is not None and wanted.choices and compiled.constant and node.text not in wanted.choices:
        hint = did_you_mean(node.text, wanted.choices) or f"it is one of {', '.join(f'`{word}`' for word in wanted.choices)}"
        problems.append(node.problem(f"`{node.text[:60]}` cannot stand here", hint))
        return None
    return compiled


def _list(wanted: Type, items: list[Compiled | None]) -> Compiled | None:
    found = [item for item in items if item is not None]
    if len(found) < len(items):
        return None
    runs = [item.evaluate for item in found]

    def run(scope: Scope) -> list[Any]:
        return [inner(scope) for inner in runs]

    return Compiled("", wanted, frozenset().union(*(item.reads for item in found)), run)


def _map(wanted: Type, values: Dictionary[str, Compiled | None]) -> Compiled | None:
    found = {key: one for key, one in values.items() if one is not None}
    if len(found) < len(values):
        return None
    runs = [(key, one.evaluate) for key, one in found.items()]

    def run(scope: Scope) -> dict[str, Any]:
        return {key: inner(scope) for key, inner in runs}

    return Compiled("", wanted, frozenset().union(*(one.reads for one in found.values())), run)
