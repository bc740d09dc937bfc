"""Values: how recipes read, compare, count and show what a fact or member holds; none of it ever raises.

Whatever does not fit gives None, as does everything that is worked with None; comparisons of size with None are false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from hub.recipes.types import Type
from hub.sdk.values import Duration, exponent

Scope = Mapping[str, Any]
Run = Callable[[Scope], Any]

MISFITS = (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises when values do not fit one another."""
EXACT = Context(prec=60, Emax=30, Emin=-60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic of recipes: sixty digits, at most 10^30, after which the result is None."""
_TOO_LARGE = 10 ** (EXACT.Emax + 1)
TEXT_CHARACTERS = 10_000
SHOWN_CHARACTERS = 80
SHOWN_ITEMS = 5


def field_of(base: Any, name: str) -> Any:
    """A field by its key: of a mapping, of a model's own field dict, or of each item of a list; None when it has none."""
    if isinstance(base, Mapping):
        return base.get(name)
    if isinstance(base, list | tuple):
        return [field_of(item, name) for item in base]
    fields = getattr(base, "__dict__", None)
    return fields.get(name) if type(fields) is dict else None


def item_of(base: Any, key: str | int) -> Any:
    """An item by its key or number; None when there is none."""
    if isinstance(base, Mapping):
        return base.get(key)
    if isinstance(base, list | tuple) and isinstance(key, int):
        return base[key] if key < len(base) else None
    return None


def is_number(value: Any) -> bool:
    """True for an int or Decimal below 10^31; a boolean is none, nor is what is not finite."""
    if isinstance(value, Decimal):
        return value.is_finite() and value.adjusted() <= EXACT.Emax
    return isinstance(value, int) and not isinstance(value, bool) and -_TOO_LARGE < value < _TOO_LARGE


def floor_divide(left: Any, right: Any) -> Decimal:
    """How often `right` goes whole into `left`, rounded down."""
    quotient = EXACT.divide_int(left, right)
    rest = EXACT.subtract(left, EXACT.multiply(quotient, right))
    return EXACT.subtract(quotient, 1) if rest and (rest < 0) != (right < 0) else quotient


def remainder(left: Any, right: Any) -> Decimal:
    """What is left of `left` after `floor_divide`; it has the sign of `right`."""
    return EXACT.subtract(left, EXACT.multiply(floor_divide(left, right), right))


def joined(left: Any, right: Any) -> str | None:
    """Two texts one after the other."""
    whole = left + right if isinstance(left, str) and isinstance(right, str) else None
    return whole if whole is not None and len(whole) <= TEXT_CHARACTERS else None


def moved(moment: Any, duration: Any, zone: tzinfo, *, back: bool = False) -> date | datetime | None:
    """A date or moment, later or earlier by a length of time. Hours count from the start of a date's day."""
    if isinstance(moment, Duration):
        moment, duration = duration, moment
    if not isinstance(duration, Duration) or not isinstance(moment, date):
        return None
    if isinstance(moment, datetime):
        return None if moment.tzinfo is None else (duration.before if back else duration.after)(moment, zone)
    start = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    return (duration.before if back else duration.after)(start, zone).astimezone(zone).date()


def lengths(left: Any, right: Any, sign: int) -> Duration | None:
    """The sum or difference of two lengths of time."""
    if not isinstance(left, Duration) or not isinstance(right, Duration):
        return None
    return Duration(left.months + sign * right.months, left.days + sign * right.days, left.seconds + sign * right.seconds)


def day_in(value: Any, zone: tzinfo) -> date | None:
    """The local day of a moment; a date is its own day."""
    if isinstance(value, datetime):
        return value.astimezone(zone).date() if value.tzinfo is not None else None
    return value if isinstance(value, date) else None


def whole(value: Any) -> int | None:
    """The value as an int, rounded down; None when it is no number."""
    if not is_number(value):
        return None
    return int(Decimal(value).to_integral_value(ROUND_FLOOR))


def shown(value: Any) -> str:
    """A value for traces: `12.50`, `"Gold"`, `none`; long ones are cut, and of lists the first items are told."""
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=_single) if isinstance(value, set | frozenset) else value
        text = f"[{', '.join(_single(item) for item in items[:SHOWN_ITEMS])}{', …' if len(value) > SHOWN_ITEMS else ''}]"
    else:
        text = _single(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _single(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:SHOWN_CHARACTERS]}"'
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, Decimal | int | date | Duration):
        return _spelled(value)
    return "[…]" if isinstance(value, list | tuple | set | frozenset) else "a record"


def _spelled(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() and abs(value.adjusted()) <= 100 else str(value)
    if isinstance(value, int) and value.bit_length() > 400:
        return "a huge number"
    return str(value.isoformat() if isinstance(value, date) else value)


def writer(kind: Type, currency: str, zone: tzinfo) -> Callable[[Any], str]:
    """How a value of this type is written into text: money with its currency's places, dates as 2026-12-24, none as nothing."""
    places = Decimal(1).scaleb(-exponent(currency))

    def write(value: Any) -> str:
        if kind.kind == "money" and is_number(value):
            return f"{EXACT.quantize(value, places):f}"
        return _written(value, zone)

    def write_safely(value: Any) -> str:
        try:
            return write(value)
        except MISFITS:
            return ""

    return write_safely


def _written(value: Any, zone: tzinfo) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M") if value.tzinfo is not None else ""
    if isinstance(value, list | tuple | set | frozenset):
        items: Iterable[Any] = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return ", ".join(_written(item, zone) for item in items)
    if isinstance(value, Decimal) and is_number(value):
        text = _spelled(value)
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, str | int | date | Duration):
        return value if isinstance(value, str) else _spelled(value)
    return ""
