"""Expression work: what the functions of recipes do with values; one that does not fit raises as Python does, or gives None."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from hub.document import day_of
from hub.recipes.values import EXACT, TEXT_CHARACTERS, day_in, is_number

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SPOKEN = re.compile(r"-?\d{1,30}(?:\.\d{1,12})?", re.ASCII)


def rounded(value: Any, places: int = 0) -> Any:
    """The nearest number with so many places; a half goes to the even side."""
    return EXACT.quantize(value, Decimal(1).scaleb(-places)) if is_number(value) else None


def to_whole(rounding: str) -> Callable[[Any], Any]:
    """Rounds to an int."""
    return lambda value: int(Decimal(value).to_integral_value(rounding)) if is_number(value) else None


def extreme(pick: Callable[[Any], Any]) -> Callable[..., Any]:
    """The least or greatest of several values, or of a list, in which absent ones do not count."""

    def work(*values: Any) -> Any:
        if len(values) > 1:
            return pick(values)
        some = [value for value in values[0] if value is not None] if not isinstance(values[0], str | Mapping) else []
        return pick(some) if some else None

    return work


def total(values: Any) -> Any:
    """The sum of a list; absent numbers count nothing."""
    added: Any = Decimal(0)
    for value in values if isinstance(values, list | tuple) else ():
        added = EXACT.add(added, value) if value is not None else added
    return added


def number_said(text: Any) -> Any:
    """The number that a text says."""
    return Decimal(text.strip()) if isinstance(text, str) and _SPOKEN.fullmatch(text.strip()) else None


def day_said(zone: tzinfo, value: Any) -> Any:
    """The day that a text or moment names."""
    return day_of(value.strip()[:10]) if isinstance(value, str) else day_in(value, zone)


def day_part(name: str) -> Callable[[tzinfo, Any], Any]:
    """The year, month or day of a date or local day of a moment."""

    def work(zone: tzinfo, value: Any) -> Any:
        day = day_in(value, zone)
        return getattr(day, name) if day is not None else None

    return work


def weekday_of(zone: tzinfo, value: Any) -> Any:
    """The name of the day."""
    day = day_in(value, zone)
    return WEEKDAYS[day.weekday()] if day is not None else None


def hour_of(zone: tzinfo, value: datetime) -> Any:
    """The local hour."""
    return value.astimezone(zone).hour if value.tzinfo is not None else None


def days_between(zone: tzinfo, earlier: date, later: date) -> Any:
    """How many days from one to the other."""
    first, last = day_in(earlier, zone), day_in(later, zone)
    return (last - first).days if first is not None and last is not None else None


def length(value: Any) -> Any:
    """How many letters or items."""
    return len(value) if isinstance(value, str | list | tuple | set | frozenset | Mapping) else None


def short(text: Any) -> Any:
    """The text, unless it is too long."""
    return text if isinstance(text, str) and len(text) <= TEXT_CHARACTERS else None


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is this, or one of these."""
    return value in wanted if isinstance(wanted, list | tuple | set | frozenset) else bool(value == wanted)
