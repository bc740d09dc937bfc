"""Expression parts: the compiled pieces of an expression, and why a condition was false."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, zip_longest

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


@dataclass(frozen=True, slots=True, eq=False)
class Because:
    """Why a condition was false, with its values left out: the text around them, and what each is called and is found by.

    The same reason of a condition is the same object each time.
    """

    around: tuple[str, ...]
    values: tuple[tuple[str, Run], ...] = ()

    def told(self, scope: Scope) -> str:
        """The reason with its values."""
        return filled(self.around, [shown(run(scope)) for _, run in self.values])


def filled(around: Sequence[str], values: Iterable[str]) -> str:
    """The values with the text before, between and after them."""
    return "".join(chain.from_iterable(zip_longest(around, values, fillvalue="")))


def explainer(part: Part, text: str) -> Callable[[Scope], Because]:
    """Says which pieces of a condition were false and with which values: `event.amount >= 20 (was 12.50)`.

    Taken apart once, because every event that a recipe lets go by is told why.
    """
    if part.kind == "and":
        return _first_false([(piece.run, explainer(piece, text)) for piece in part.parts])
    if part.kind == "or":
        tellers = [explainer(piece, text) for piece in part.parts]
        neither = cache(_neither)
        return lambda scope: neither(*[tell(scope) for tell in tellers])
    because = _reason(part, text)
    return lambda scope: because


def _reason(part: Part, text: str) -> Because:
    said = " ".join(text[part.start : part.end].split())
    paths = tuple(dict(_paths(part, text)).items())[:EXPLANATION_VALUES]
    if not paths:
        return Because((said,))
    if len(paths) == 1 and (_is_path(part) or (part.kind == "compare" and any(_is_path(piece) for piece in part.parts))):
        return Because((f"{said} (was ", ")"), paths)
    (first, _), *others = paths
    return Because((f"{said} ({first} was ", *(f", {path} was " for path, _ in others), ")"), paths)


def _neither(*found: Because) -> Because:
    around = ["neither "]
    values: list[tuple[str, Run]] = []
    for number, one in enumerate(found):
        around[-1] += (" nor " if number else "") + one.around[0]
        around += one.around[1:]
        values += one.values
    return Because(tuple(around), tuple(values))


def _first_false(pieces: list[tuple[Run, Callable[[Scope], Because]]]) -> Callable[[Scope], Because]:
    def tell(scope: Scope) -> Because:
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
