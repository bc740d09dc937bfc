"""Expression functions: the few that recipes may call, each with its types, its work and its line in the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
from typing import Any

from hub.document import did_you_mean
from hub.recipes.expression.parts import Part
from hub.recipes.expression.rules import NUMERIC, TIMES, Unfit, compared, united
from hub.recipes.expression.work import (
    WEEKDAYS,
    day_part,
    day_said,
    days_between,
    extreme,
    fits,
    hour_of,
    length,
    number_said,
    rounded,
    short,
    to_whole,
    total,
    weekday_of,
)
from hub.recipes.types import BOOLEAN, DATE, INTEGER, NOTHING, NUMBER, TEXT, Type
from hub.recipes.values import EXACT, MISFITS, Run, Scope, field_of, writer

MANY = 20
ROUND_PLACES = 6


@dataclass(frozen=True, slots=True)
class Call:
    """What a function is called with."""

    parts: tuple[Part, ...]
    named: Mapping[str, Part]
    currency: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Function:
    """usage and doc: for people. least, most: how many values it takes. type: checks them and says what comes out.

    make: the closure. sure: it gives a value even where one it was given is absent.
    """

    usage: str
    doc: str
    least: int
    most: int
    type: Callable[[Call], Type]
    make: Callable[[Call], Run]
    keywords: bool = False
    sure: bool = False


def _takes(kinds: frozenset[str] | set[str], result: Type | None, what: str) -> Callable[[Call], Type]:
    """Every value must be of one of these kinds; the result is of a given type, or of the first value's."""

    def check(call: Call) -> Type:
        for part in call.parts:
            if part.type.kind not in {*kinds, "any", "nothing"}:
                raise Unfit(f"this takes {what}, and here is {part.type}")
        return result or replace(call.parts[0].type, choices=())

    return check


def _simple(work: Callable[..., Any]) -> Callable[[Call], Run]:
    """The closure of a function that gives None when any of its values is None."""

    def make(call: Call) -> Run:
        runs = [part.run for part in call.parts]

        def run(scope: Scope) -> Any:
            values = [inner(scope) for inner in runs]
            try:
                return None if None in values else work(*values)
            except MISFITS:
                return None

        return run

    return make


def _zoned(work: Callable[..., Any]) -> Callable[[Call], Run]:
    """As _simple, for functions that need to know the zone."""
    return lambda call: _simple(lambda *values: work(call.zone, *values))(call)


def _round_type(call: Call) -> Type:
    kind = _takes(NUMERIC, None, "a number")(call)
    if len(call.parts) == 1:
        return INTEGER
    places = call.parts[1]
    if places.kind != "literal" or places.type.kind != "integer" or places.run({}) > ROUND_PLACES:
        raise Unfit(f"the places are a whole number from 0 to {ROUND_PLACES}")
    return kind if kind.kind == "money" else NUMBER


def _extreme_type(call: Call) -> Type:
    if len(call.parts) == 1:
        kind = call.parts[0].type
        if kind.kind == "any":
            return kind
        if kind.kind != "list" or kind.of is None:
            raise Unfit("one value alone must be a list")
        held = kind.of.or_none()
    else:
        held = NOTHING
        for part in call.parts:
            held = united(held, part.type)
    if held.kind not in NUMERIC | TIMES | {"any", "nothing"}:
        raise Unfit(f"this takes numbers or dates, and here is {held}")
    return held if len(call.parts) == 1 or any(part.type.optional for part in call.parts) else replace(held, optional=False)


def _sum_type(call: Call) -> Type:
    kind = call.parts[0].type
    if kind.kind == "any":
        return NUMBER
    if kind.kind != "list" or kind.of is None or kind.of.kind not in NUMERIC | {"any"}:
        raise Unfit(f"this takes a list of numbers, and here is {kind}")
    return NUMBER if kind.of.kind == "any" else replace(kind.of, optional=False)


def _default_type(call: Call) -> Type:
    first, second = (part.type for part in call.parts)
    return replace(united(replace(first, optional=False), second), optional=second.optional)


def _default(call: Call) -> Run:
    first, second = (part.run for part in call.parts)
    return lambda scope: value if (value := first(scope)) is not None else second(scope)


def _text_type(call: Call) -> Type:
    kind = call.parts[0].type
    if kind.kind in {"record", "map", "list"}:
        raise Unfit(f"{kind} cannot be written as one text")
    return TEXT


def _text(call: Call) -> Run:
    write = writer(call.parts[0].type, call.currency, call.zone)
    return _simple(write)(call)


def _where_type(call: Call) -> Type:
    kind = call.parts[0].type
    if kind.kind == "any":
        return kind
    fields = kind.of.fields if kind.kind == "list" and kind.of is not None else None
    if fields is None or not call.named:
        raise Unfit("this takes a list of records, and what their fields must be")
    for name, part in call.named.items():
        if name not in fields:
            raise Unfit(f"`{name}` is not a field of {kind.of.name if kind.of else 'it'}", did_you_mean(name, fields))
        wanted, given = fields[name].type, part.type
        compared("==", wanted, given.of if given.kind == "list" and given.of is not None else given)
    return kind


def _where(call: Call) -> Run:
    source = call.parts[0].run
    tests = [(name, part.run) for name, part in call.named.items()]

    def run(scope: Scope) -> Any:
        items = source(scope)
        wanted = [(name, inner(scope)) for name, inner in tests]
        try:
            return [item for item in items if all(fits(field_of(item, name), value) for name, value in wanted)]
        except MISFITS:
            return None

    return run


_ONE_TEXT = frozenset(["text"])
_SIZED = frozenset(["text", "list", "map"])


def _of_text(usage: str, doc: str, work: Callable[..., Any], result: Type = TEXT, values: int = 1) -> Function:
    return Function(usage, doc, values, values, _takes(_ONE_TEXT, result, "text"), _simple(work))


def _of_day(usage: str, doc: str, work: Callable[..., Any], result: Type = INTEGER, values: int = 1) -> Function:
    return Function(usage, doc, values, values, _takes(TIMES, result, "a date"), _zoned(work))


def _of_number(usage: str, doc: str, work: Callable[..., Any], result: Type | None) -> Function:
    return Function(usage, doc, 1, 1, _takes(NUMERIC, result, "a number"), _simple(work))


FUNCTIONS: dict[str, Function] = {
    "round": Function(
        "round(x) or round(x, 2)",
        "The nearest whole number, or so many places; a half goes to the even side.",
        1,
        2,
        _round_type,
        _simple(lambda value, *places: rounded(value, *places) if places else to_whole(ROUND_HALF_EVEN)(value)),
    ),
    "floor": _of_number("floor(x)", "The whole number at or below.", to_whole(ROUND_FLOOR), INTEGER),
    "ceil": _of_number("ceil(x)", "The whole number at or above.", to_whole(ROUND_CEILING), INTEGER),
    "abs": _of_number("abs(x)", "The number without its sign.", EXACT.abs, None),
    "min": Function("min(a, b) or min(list)", "The least.", 1, MANY, _extreme_type, _simple(extreme(min))),
    "max": Function("max(a, b) or max(list)", "The greatest.", 1, MANY, _extreme_type, _simple(extreme(max))),
    "sum": Function("sum(list)", "All numbers of a list together: sum(event.lines.net).", 1, 1, _sum_type, _simple(total)),
    "len": Function("len(x)", "How many letters or items.", 1, 1, _takes(_SIZED, INTEGER, "text or a list"), _simple(length)),
    "where": Function(
        "where(list, field=value)",
        'The records whose field is this, or one of these: where(event.lines, category="oil").',
        1,
        1,
        _where_type,
        _where,
        keywords=True,
    ),
    "default": Function("default(x, y)", "x, or y where x is absent.", 2, 2, _default_type, _default, sure=True),
    "lower": _of_text("lower(text)", "In small letters.", lambda text: short(text.lower())),
    "upper": _of_text("upper(text)", "In capitals.", lambda text: short(text.upper())),
    "contains": _of_text(
        "contains(text, part)",
        "Whether the part stands in the text, capitals or not.",
        lambda text, part: part.casefold() in text.casefold(),
        BOOLEAN,
        2,
    ),
    "starts_with": _of_text("starts_with(text, part)", "Whether the text begins so.", str.startswith, BOOLEAN, 2),
    "ends_with": _of_text("ends_with(text, part)", "Whether the text ends so.", str.endswith, BOOLEAN, 2),
    "text": Function("text(x)", "A value as text, as `{{ x }}` writes it.", 1, 1, _text_type, _text),
    "number": Function(
        "number(text)",
        "The number that a text says, none when it says none.",
        1,
        1,
        lambda call: _takes(_ONE_TEXT, NUMBER, "text")(call).or_none(),
        _simple(number_said),
    ),
    "date": Function(
        "date(x)",
        "The day that a text (2026-12-24) or moment names.",
        1,
        1,
        lambda call: _takes(TIMES | _ONE_TEXT, DATE, "text or a moment")(call).or_none(),
        _zoned(day_said),
    ),
    "year": _of_day("year(x)", "The year of a date or moment.", day_part("year")),
    "month": _of_day("month(x)", "The month, 1 to 12.", day_part("month")),
    "day": _of_day("day(x)", "The day of the month, 1 to 31.", day_part("day")),
    "hour": Function(
        "hour(moment)",
        "The hour in the programme's time zone, 0 to 23.",
        1,
        1,
        _takes({"moment"}, INTEGER, "a date with time"),
        _zoned(hour_of),
    ),
    "weekday": _of_day(
        "weekday(x)", 'The name of the day: weekday(now) == "Tuesday".', weekday_of, replace(TEXT, choices=WEEKDAYS)
    ),
    "days_between": _of_day("days_between(earlier, later)", "How many days from one to the other.", days_between, INTEGER, 2),
}
"""Every function by its name."""
