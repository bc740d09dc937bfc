"""Expression parts: the compiled pieces of an expression, and why a condition was false."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.recipes.types import Type
from hub.recipes.values import Run, Scope, shown

EXPLANATION_VALUES = 4


@dataclass(slots=True)
class Part:
    """A typed piece with the closure that works it. The closure never raises.

    kind: as in Tree. start, end: its place in the text. constant: it reads no names. sure: its value is never None.
    """

    kind: str
    type: Type
    run: Run
    start: int
    end: int
    parts: tuple[Part, ...] = ()
    constant: bool = False
    sure: bool = False


def explain(part: Part, text: str, scope: Scope) -> str:
    """Which pieces of a condition were false and with which values: `event.amount >= 20 (was 12.50)`."""
    if part.kind == "and":
        false = next((piece for piece in part.parts if piece.run(scope) is not True), None)
        return explain(false or part.parts[-1], text, scope)
    if part.kind == "or":
        return "neither " + " nor ".join(explain(piece, text, scope) for piece in part.parts)
    said = " ".join(text[part.start : part.end].split())
    values = list(dict.fromkeys(_values(part, text, scope)))[:EXPLANATION_VALUES]
    if not values:
        return said
    if len(values) == 1 and part.kind == "compare" and any(_is_path(piece) for piece in part.parts):
        return f"{said} (was {values[0][1]})"
    if _is_path(part):
        return f"{said} (was {values[0][1]})"
    return f"{said} ({', '.join(f'{path} was {value}' for path, value in values)})"


def _is_path(part: Part) -> bool:
    return part.kind in {"name", "field", "item"}


def _values(part: Part, text: str, scope: Scope) -> Iterator[tuple[str, str]]:
    if part.constant:
        return
    if _is_path(part):
        yield text[part.start : part.end], shown(part.run(scope))
        return
    for piece in part.parts:
        yield from _values(piece, text, scope)
