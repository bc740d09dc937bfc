"""Expression closures: how each piece of an expression is worked. No closure raises; what does not fit gives None or false.

The common shapes (a field of a name, a comparison with a literal) have closures of their own, because every event runs them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from hub.recipes.expression.parts import Part
from hub.recipes.types import Type
from hub.recipes.values import (
    EXACT,
    MISFITS,
    Run,
    Scope,
    day_in,
    field_of,
    floor_divide,
    item_of,
    joined,
    lengths,
    moved,
    remainder,
)

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
    "/": EXACT.divide,
    "//": floor_divide,
    "%": remainder,
}
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def aware(moment: datetime, zone: tzinfo) -> datetime:
    """A moment written without a zone is in the programme's."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def constant(value: Any) -> Run:
    """Always the same."""
    return lambda scope: value


def name(word: str) -> Run:
    """What stands under a name."""
    return lambda scope: scope.get(word)


def field(base: Part, word: str) -> Run:
    """A field of what `base` gives."""
    inner = base.run

    def run(scope: Scope) -> Any:
        held = inner(scope)
        if type(held) is dict:
            return held.get(word)
        try:
            return field_of(held, word)
        except MISFITS:
            return None

    return run


def item(base: Part, key: str | int) -> Run:
    """An item of what `base` gives."""
    inner = base.run
    return lambda scope: item_of(inner(scope), key)


def listed(parts: Sequence[Part]) -> Run:
    """A list of what the parts give."""
    runs = [part.run for part in parts]
    if all(part.constant for part in parts):
        return constant([run({}) for run in runs])
    return lambda scope: [run(scope) for run in runs]


def negated(part: Part) -> Run:
    """The number with the other sign."""
    inner = part.run

    def run(scope: Scope) -> Any:
        try:
            return EXACT.minus(inner(scope))
        except MISFITS:
            return None

    return run


def inverted(part: Part) -> Run:
    """True unless the part is."""
    inner = part.run
    return lambda scope: inner(scope) is not True


def all_of(parts: Sequence[Part]) -> Run:
    """True when every part is; the first false one ends it."""
    runs = [part.run for part in parts]
    if len(runs) == 2:
        first, second = runs
        return lambda scope: first(scope) is True and second(scope) is True

    def run(scope: Scope) -> bool:
        return all(inner(scope) is True for inner in runs)

    return run


def any_of(parts: Sequence[Part]) -> Run:
    """True when some part is; the first true one ends it."""
    runs = [part.run for part in parts]

    def run(scope: Scope) -> bool:
        return any(inner(scope) is True for inner in runs)

    return run


def chosen(test: Part, then: Part, other: Part) -> Run:
    """One of two, by a condition."""
    when, yes, no = test.run, then.run, other.run
    return lambda scope: yes(scope) if when(scope) is True else no(scope)


def arithmetic(sign: str, kind: Type, left: Part, right: Part, zone: tzinfo) -> Run:
    """`left sign right`, by the type of the result."""
    work = _worker(sign, kind, zone)
    one, other = left.run, right.run

    def run(scope: Scope) -> Any:
        try:
            return work(one(scope), other(scope))
        except MISFITS:
            return None

    return run


def _worker(sign: str, kind: Type, zone: tzinfo) -> Callable[[Any, Any], Any]:
    if kind.kind == "text":
        return joined
    if kind.kind in {"date", "moment"}:
        return lambda one, other: moved(one, other, zone, back=sign == "-")
    if kind.kind == "duration":
        return lambda one, other: lengths(one, other, -1 if sign == "-" else 1)
    numbers = _NUMBERS[sign]
    if kind.kind != "any":
        return numbers

    def work(one: Any, other: Any) -> Any:
        if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
            return numbers(one, other)
        if sign == "+" and isinstance(one, str):
            return joined(one, other)
        return moved(one, other, zone, back=sign == "-") if sign in {"+", "-"} else None

    return work


def comparison(sign: str, left: Part, right: Part, days: tzinfo | None) -> Run:
    """One comparison. days: the zone in which both sides are taken as days."""
    one, other = (left.run, right.run) if days is None else (_days(left.run, days), _days(right.run, days))
    if sign in {"==", "!="}:
        return _equality(one, other, wanted=sign == "==")
    if sign in {"in", "not in"}:
        return _membership(one, other, wanted=sign == "in")
    order = _ORDERS[sign]
    if right.kind == "literal" and days is None:
        return _against_literal(order, one, other({}))

    def run(scope: Scope) -> bool:
        first, second = one(scope), other(scope)
        if first is None or second is None:
            return False
        try:
            return order(first, second) is True
        except MISFITS:
            return False

    return run


def _against_literal(order: Callable[[Any, Any], Any], one: Run, literal: Any) -> Run:
    def run(scope: Scope) -> bool:
        first = one(scope)
        if first is None:
            return False
        try:
            return order(first, literal) is True
        except MISFITS:
            return False

    return run


def _days(inner: Run, zone: tzinfo) -> Run:
    def run(scope: Scope) -> Any:
        try:
            return day_in(inner(scope), zone)
        except MISFITS:
            return None

    return run


def _equality(one: Run, other: Run, *, wanted: bool) -> Run:
    def run(scope: Scope) -> bool:
        try:
            return bool(one(scope) == other(scope)) is wanted
        except MISFITS:
            return not wanted

    return run


def _membership(one: Run, other: Run, *, wanted: bool) -> Run:
    def run(scope: Scope) -> bool:
        try:
            return (one(scope) in other(scope)) is wanted
        except MISFITS:
            return not wanted

    return run


def chained(pairs: Sequence[Run]) -> Run:
    """`a < b < c`: every pair holds."""

    def run(scope: Scope) -> bool:
        return all(pair(scope) for pair in pairs)

    return run
