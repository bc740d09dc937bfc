"""Expression rules: which values may be added, compared and chosen between, and what comes of it.

Money and points never mix by accident: a bare number beside money is in the programme's currency, money by money is a ratio,
money times money is nothing.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from hub.recipes.types import (
    ANY,
    DATE,
    DURATION,
    INTEGER,
    MOMENT,
    MONEY,
    NUMBER,
    POINTS,
    TEXT,
    Type,
)

NUMERIC = frozenset(["number", "integer", "money", "points"])
PLAIN_NUMBERS = frozenset(["number", "integer"])
TIMES = frozenset(["date", "moment"])
SINGLE = frozenset([*NUMERIC, *TIMES, "text", "boolean", "duration", "nothing", "any"])


class Unfit(Exception):
    """Two kinds of value that cannot be worked together. args: message, hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint


def arithmetic(sign: str, left: Type, right: Type) -> Type:
    """The type of `left sign right`. Unfit when there is none."""
    kinds = (left.kind, right.kind)
    if "any" in kinds or "nothing" in kinds:
        return ANY
    result = _numbers(sign, left, right) if NUMERIC.issuperset(kinds) else _others(sign, kinds)
    if result is None:
        raise _unfit(sign, left, right)
    return result.or_none() if left.optional or right.optional else result


def _numbers(sign: str, left: Type, right: Type) -> Type | None:
    kinds = {left.kind, right.kind}
    money = [left.kind == "money", right.kind == "money"]
    if kinds == {"money", "points"} and sign in {"+", "-", "//", "%"}:
        return None
    if money == [False, True] and sign in {"/", "//", "%"}:
        return None
    if sign == "//":
        return INTEGER
    if sign == "/":
        return MONEY if money == [True, False] else NUMBER
    if any(money):
        return None if all(money) and sign == "*" else MONEY
    return _whole_or_number(kinds, NUMBER if kinds == {"points"} and sign == "*" else POINTS)


def _whole_or_number(kinds: AbstractSet[str], with_points: Type) -> Type:
    if "number" in kinds:
        return NUMBER
    return with_points if "points" in kinds else INTEGER


def _others(sign: str, kinds: tuple[str, str]) -> Type | None:
    if kinds == ("text", "text") and sign == "+":
        return TEXT
    if sign not in {"+", "-"}:
        return None
    if kinds == ("duration", "duration"):
        return DURATION
    times = {"date": DATE, "moment": MOMENT}
    if kinds[1] == "duration":
        return times.get(kinds[0])
    return times.get(kinds[1]) if kinds[0] == "duration" and sign == "+" else None


_DONE = {
    "+": "added to",
    "-": "subtracted from",
    "*": "multiplied with",
    "/": "divided by",
    "//": "divided by",
    "%": "divided by",
}


def _unfit(sign: str, left: Type, right: Type) -> Unfit:
    one, other = (right, left) if sign == "-" else (left, right)
    message = f"{one} cannot be {_DONE[sign]} {other}"
    if {left.kind, right.kind} == {"money", "points"}:
        return Unfit(message, "make points of money by a rate first, or compare them apart")
    if sign == "-" and {left.kind, right.kind} <= TIMES:
        return Unfit(message, "write days_between(earlier, later)")
    if "text" in {left.kind, right.kind}:
        return Unfit(message, "number(…) reads a number from text, text(…) writes one")
    if {left.kind, right.kind} == {"money"}:
        return Unfit(message, "one of the two must be a plain number")
    return Unfit(message)


def compared(sign: str, left: Type, right: Type) -> None:
    """Unfit when the two cannot be compared in this way."""
    kinds = {left.kind, right.kind}
    if "any" in kinds or (sign in {"==", "!="} and "nothing" in kinds):
        return
    if "nothing" in kinds:
        raise Unfit("nothing is greater or smaller than none", "write `== none` or `!= none`")
    message = f"{left} cannot be compared with {right}"
    if kinds == {"money", "points"}:
        raise Unfit(message, "make points of money by a rate first")
    if kinds <= NUMERIC or kinds <= TIMES:
        return
    if sign in {"==", "!="} and left.kind == right.kind and left.kind in SINGLE:
        return
    if kinds == {"duration"}:
        raise Unfit("lengths of time have no order: a month has no fixed length", "compare moments: `x < now - 30 days`")
    if kinds == {"text"}:
        raise Unfit("texts have no order", "number(…) or date(…) reads a value from text")
    if "text" in kinds and kinds & (NUMERIC | TIMES):
        raise Unfit(
            message, "number(…) or date(…) reads a value from text" if kinds & NUMERIC else "dates are written without quotes"
        )
    raise Unfit(message)


def contained(item: Type, container: Type) -> None:
    """Unfit when `item in container` makes no sense."""
    if container.kind == "list":
        if item.kind not in SINGLE:
            raise Unfit(f"{item} cannot be looked for in a list")
        if container.of is not None:
            compared("==", item, container.of)
    elif container.kind in {"text", "map"}:
        if item.kind not in {"text", "any"}:
            raise Unfit(f"{item} cannot be looked for in {container}")
    elif container.kind != "any":
        raise Unfit(f"`in` looks in a list, not in {container}", "to compare, write `==`")


def united(left: Type, right: Type) -> Type:
    """The type of a value that is one of the two. Unfit when they have nothing in common."""
    if left.kind == "nothing":
        return right.or_none()
    if right.kind == "nothing":
        return left.or_none()
    optional = left.optional or right.optional
    result = _united(left, right)
    if result is None:
        raise Unfit(f"this would be {left} or {right}: a value is of one kind")
    return result.or_none() if optional else result


def _united(left: Type, right: Type) -> Type | None:
    kinds = {left.kind, right.kind}
    if "any" in kinds:
        return ANY
    if kinds <= NUMERIC:
        return None if kinds == {"money", "points"} else MONEY if "money" in kinds else _whole_or_number(kinds, POINTS)
    if len(kinds) > 1 or (left.kind == "record" and left.name != right.name):
        return None
    if left.of is not None and right.of is not None:
        return replace(left, of=united(left.of, right.of))
    both = tuple(dict.fromkeys([*left.choices, *right.choices])) if left.choices and right.choices else ()
    return replace(left, choices=both)


def accepts(wanted: Type, given: Type) -> str | None:
    """None when a value of type `given` can be taken where `wanted` is asked for; else why not, as a hint."""
    if "any" in {wanted.kind, given.kind} or given.kind == "nothing" or wanted.kind == given.kind == "text":
        return None
    if wanted.kind in NUMERIC and given.kind in NUMERIC:
        return _accepts_number(wanted, given)
    if wanted.kind == "moment" and given.kind == "date":
        return None
    if wanted.kind != given.kind:
        return _hint(wanted, given)
    if wanted.kind in {"list", "map"} and wanted.of is not None and given.of is not None:
        return accepts(wanted.of, given.of)
    return None


def _accepts_number(wanted: Type, given: Type) -> str | None:
    if wanted.kind == "points" and wanted.unrounded:
        return None
    if given.kind == "money" and wanted.kind != "money":
        return "divide by an amount of money, or write floor(…), round(…) or ceil(…)"
    if wanted.kind == "money" and given.kind == "points":
        return "multiply the points by what one is worth"
    if wanted.kind in {"integer", "points"} and given.kind == "number":
        return "write floor(…), round(…) or ceil(…)"
    return None


def _hint(wanted: Type, given: Type) -> str:
    if wanted.kind == "boolean":
        if given.kind in NUMERIC:
            return "compare it: `… > 0`"
        return 'compare it: `… == "…"`' if given.kind == "text" else "compare it: `… != none`"
    if wanted.kind in NUMERIC and given.kind == "text":
        return "number(…) reads a number from text"
    if wanted.kind == "date" and given.kind == "moment":
        return "write date(…)"
    return ""
