"""Values: the small types that facts, actions and recipes are made of.

Money is Decimal, points are integers, times are aware UTC; a float is refused wherever it comes in.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Annotated, Any, ClassVar

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler
from pydantic_core import SchemaSerializer, core_schema

POINTS_MOST = 1_000_000_000_000
MONEY_MOST = Decimal(1_000_000_000_000)
MONEY_PLACES = 4


class MoneyMark:
    """Marks a Decimal field as money, for the checker of recipes and for pages."""


class PointsMark:
    """Marks an integer field as points."""


def _no_float(value: Any) -> Any:
    if isinstance(value, float | bool):
        kind = "a boolean" if isinstance(value, bool) else "a floating-point number"
        raise ValueError(f"{value!r} is {kind}; give a whole number or a decimal as text")
    return value


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > MONEY_MOST:
        raise ValueError(f"{value} is not an amount of money that can be used (at most {MONEY_MOST:f})")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError(f"{value} is below zero")
    return value


def utc(value: datetime | str) -> datetime:
    """The instant that a platform writes in ISO 8601; where it says no zone, it means UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} says no time zone")
    return value.astimezone(UTC)


Number = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_bounded)]
"""An exact number, for instance a quantity of 1.5 hours."""
SignedMoney = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_bounded), MoneyMark()]
"""An amount that may be below zero, in the currency that stands beside it."""
Money = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_bounded), AfterValidator(_not_negative), MoneyMark()]
"""An amount of zero or more, in the currency that stands beside it."""
Points = Annotated[int, BeforeValidator(_no_float), Field(ge=-POINTS_MOST, le=POINTS_MOST), PointsMark()]
"""A whole number of points."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code such as USD."""
Moment = Annotated[datetime, AfterValidator(_aware)]
"""An instant, in UTC; text without a zone is refused."""
UtcMoment = Annotated[datetime, AfterValidator(utc)]
"""An instant that a platform writes without a zone, meaning UTC."""

# ISO 4217 minor units that are not 2.
_EXPONENTS = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def exponent(currency: str) -> int:
    """How many decimal places the currency has (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def from_minor(amount: int, currency: str) -> Decimal:
    """1850 USD cents -> Decimal("18.50"); 1850 JPY -> Decimal("1850")."""
    return Decimal(amount).scaleb(-exponent(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Decimal("18.50") USD -> 1850. ValueError when the amount has more places than the currency."""
    scaled = amount.scaleb(exponent(currency))
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{amount} has more decimal places than {currency} ({exponent(currency)})")
    return whole


def share(goods: Decimal, paid: Decimal, whole: Decimal, currency: str) -> Decimal:
    """The part of the goods that was paid for (or given back) with `paid` of the `whole`, to the smallest coin."""
    if paid >= whole:
        return goods
    return (goods * paid / whole).quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_EVEN)


def email(text: str | None) -> str | None:
    """The address in the form in which addresses are compared (case folded), or None when it is none."""
    folded = (text or "").strip().casefold()
    name, at, domain = folded.rpartition("@")
    return folded if at and name and "." in domain and not re.search(r"\s", folded) else None


def names(full: str | None) -> dict[str, Any]:
    """`first_name` and `last_name` of a name that a platform keeps as one; an address in its place is none."""
    first, _, last = " ".join((full or "").split()).partition(" ")
    return {"first_name": first or None, "last_name": last or None} if "@" not in first else {}


def stars(given: object, out_of: int = 5) -> int | None:
    """A rating on the scale of five, from a number or what people write of one; None when it is none of its own scale."""
    try:
        number = Decimal(str(given).strip().replace(",", "."))
        return int((number * 5 / out_of).quantize(Decimal(1), ROUND_HALF_UP)) if 0 <= number <= out_of else None
    except InvalidOperation:
        return None


@cache
def phone(text: str | None, region: str | None = None) -> str | None:
    """The number as E.164 (`+14155550123`), or None when it is none.

    region: the country (`US`) in which a number without an international prefix is read.
    """
    try:
        number = phonenumbers.parse(text or "", region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later, or that month's last day: Jan 31 + 1 month = Feb 28 or 29."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@lru_cache(maxsize=1024)  # whatever is earned on one day ends together
def _end_of(day: date, months: int, days: int, zone: tzinfo) -> datetime:
    last = add_months(day, months) + timedelta(days=days)
    return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


_UNITS = {
    "second": (0, 0, 1),
    "minute": (0, 0, 60),
    "hour": (0, 0, 3600),
    "day": (0, 1, 0),
    "week": (0, 7, 0),
    "month": (1, 0, 0),
    "quarter": (3, 0, 0),
    "year": (12, 0, 0),
}
_PART = re.compile(r"(\d{1,5})\s*(" + "|".join(_UNITS) + r")s?", re.ASCII)
_DURATION = re.compile(rf"\s*{_PART.pattern}(?:\s+(?:and\s+)?{_PART.pattern})*\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as people say it: `12 months`, `1 week 2 days`, `90 minutes`.

    Months and days are counted on the calendar of the programme's time zone, hours and less on the clock.
    """

    months: int = 0
    days: int = 0
    seconds: int = 0

    # Wherever a value is written as JSON, this one is written as people say it.
    __pydantic_serializer__: ClassVar[SchemaSerializer] = SchemaSerializer(
        core_schema.any_schema(serialization=core_schema.plain_serializer_function_ser_schema(str))
    )

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Reads `12 months`, `30 days`, `2 hours 30 minutes`. ValueError when it is none."""
        if not _DURATION.fullmatch(text.lower()):
            raise ValueError(f"{text!r} is not a length of time such as `12 months` or `30 days`")
        months = days = seconds = 0
        for count, unit in _PART.findall(text.lower()):
            per_month, per_day, per_second = _UNITS[unit]
            months += int(count) * per_month
            days += int(count) * per_day
            seconds += int(count) * per_second
        return cls(months, days, seconds)

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment this much later, in UTC; the local time of day is kept for months and days."""
        return self._moved(moment, zone, 1)

    def before(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment this much earlier, in UTC."""
        return self._moved(moment, zone, -1)

    def end_of_day_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The end of the last good day: earned on local date D, the start of the day after D + this, in UTC.

        A length in hours or less has no last day: it ends exactly this much later.
        """
        if self.seconds:
            return self.after(moment, zone)
        return _end_of(moment.astimezone(zone).date(), self.months, self.days, zone)

    def _moved(self, moment: datetime, zone: tzinfo, sign: int) -> datetime:
        local = moment.astimezone(zone)
        day = add_months(local.date(), sign * self.months) + timedelta(days=sign * self.days)
        kept = datetime.combine(day, local.time(), zone)
        return kept.astimezone(UTC) + timedelta(seconds=sign * self.seconds)

    def __str__(self) -> str:
        parts = [(self.months, "month"), (self.days, "day"), (self.seconds, "second")]
        said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
        return " ".join(said) or "0 days"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )
