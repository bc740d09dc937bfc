"""Expression: typed against names, compiled into closures, never evaluated as Python.

compiled = compile_expression("event.amount >= 20", Names({"event": record_of(Sale)}, "USD", zone), BOOLEAN)
compiled.evaluate({"event": {"amount": Decimal(12)}})       # False
compiled.explain({"event": {"amount": Decimal(12)}})        # "event.amount >= 20 (was 12)"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from hub.recipes.expression.parts import Because, Part, explainer
from hub.recipes.expression.rules import accepts
from hub.recipes.expression.syntax import parse
from hub.recipes.expression.tokens import Fault
from hub.recipes.expression.types import Typer
from hub.recipes.types import Type
from hub.recipes.values import Run, Scope, is_number, whole


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may name. absent: names that do not stand here, with the reason (a later step's, for instance)."""

    types: Mapping[str, Type]
    currency: str
    zone: tzinfo
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A checked expression, template or plain value, ready to be worked.

    text: as written. type: of its value. reads: the names that it uses, and their fields (`event.rating`). evaluate(scope): its
    value, None when something that it needs is absent; never raises. constant: it reads nothing, its value is always the same.
    """

    text: str
    type: Type
    reads: frozenset[str]
    evaluate: Callable[[Scope], Any]
    why_not: Callable[[Scope], Because] | None = None

    @property
    def constant(self) -> bool:
        """True when the value never changes."""
        return not self.reads

    def explain(self, scope: Scope) -> str:
        """The parts of a condition that are false, with the values that made them so; else the text with its values."""
        return self.because(scope).told(scope)

    def because(self, scope: Scope) -> Because:
        """The same with the values left out, so that it is the same for many events."""
        return Because((self.text,)) if self.why_not is None else self.why_not(scope)


def fixed(text: str, kind: Type, value: Any) -> Compiled:
    """A plain value."""
    because = Because((text,))
    return Compiled(text, kind, frozenset(), lambda scope: value, lambda scope: because)


def compile_expression(text: str, names: Names, wanted: Type | None = None) -> tuple[Compiled | None, list[Fault]]:
    """The expression and what is wrong with it; without faults it can be worked. wanted: the type that it must have."""
    try:
        tree = parse(text)
    except Fault as fault:
        return None, [fault]
    typer = Typer(text, names.types, names.currency, names.zone, names.absent)
    part = typer.part(tree)
    faults = typer.faults
    if wanted is not None and not faults:
        hint = accepts(wanted, part.type)
        if hint is not None:
            faults = [Fault(f"this is {part.type}, but {wanted} is needed", part.start, part.end - part.start, hint)]
        elif wanted.choices and part.constant and part.run({}) not in {*wanted.choices, None}:
            faults = [Fault(f"this must be one of {', '.join(wanted.choices)}", part.start, part.end - part.start)]
    if faults:
        return None, faults
    return Compiled(text, part.type, frozenset(typer.reads), finished(part, wanted or part.type), _told_of(part, text)), []


def _told_of(part: Part, text: str) -> Callable[[Scope], Because]:
    """The explainer of an expression, made when it is first asked."""
    made: list[Callable[[Scope], Because]] = []

    def tell(scope: Scope) -> Because:
        if not made:
            made.append(explainer(part, text))
        return made[0](scope)

    return tell


def finished(part: Part, wanted: Type) -> Run:
    """The closure of a whole expression: numbers finite, whole ones as int, conditions true or false, and nothing else."""
    run = part.run
    if wanted.kind == "boolean":
        return run if part.sure else lambda scope: run(scope) is True
    if (wanted.kind == "points" and not wanted.unrounded) or wanted.kind == "integer":
        return lambda scope: whole(run(scope))
    if wanted.kind in {"number", "money", "points"}:
        return lambda scope: value if is_number(value := run(scope)) else None
    return run
