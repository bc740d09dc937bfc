"""Expression parts: the compiled pieces of an expression, and why a condition was false."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def explainer(part: Part, text: str) -> Callable[[Scope], str]:
    """Says which pieces of a condition were false and with which values: `event.amount >= 20 (was 12.50)`.

    Taken apart once, because every event that a recipe lets go by is told why.
    """
    if part.kind == "and":
        return _first_false([(piece.run, explainer(piece, text)) for piece in part.parts])
    if part.kind == "or":
        tellers = [explainer(piece, text) for piece in part.parts]
        return lambda scope: "neither " + " nor ".join([tell(scope) for tell in tellers])
    said = " ".join(text[part.start : part.end].split())
    paths = list(dict(_paths(part, text)).items())[:EXPLANATION_VALUES]
    if not paths:
        return lambda scope: said
    if len(paths) == 1 and (_is_path(part) or (part.kind == "compare" and any(_is_path(piece) for piece in part.parts))):
        run = paths[0][1]
        return lambda scope: f"{said} (was {shown(run(scope))})"
    return lambda scope: f"{said} ({', '.join([f'{path} was {shown(run(scope))}' for path, run in paths])})"


def _first_false(pieces: list[tuple[Run, Callable[[Scope], str]]]) -> Callable[[Scope], str]:
    def tell(scope: Scope) -> str:
        for run, tell_piece in pieces:
            if run(scope) is not True:
                return tell_piece(scope)
        return pieces[-1][1](scope)

    return tell


def _is_path(part: Part) -> bool:
    return part.kind in {"name", "field", "item"}


def _paths(part: Part, text: str) -> Iterator[tuple[str, Run]]:
    if part.constant:
        return
    if _is_path(part):
        yield text[part.start : part.end], part.run
        return
    for piece in part.parts:
        yield from _paths(piece, text)
