"""Terms: the types of what recipes fill in for the programme's actions and watches."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from hub.sdk.values import Duration, PointsMark


def _exact(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError(f"{value!r} is not an exact number")
    return value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is not a number of points")
    return value


def _whole_days(value: Duration) -> Duration:
    if value.seconds or not (value.months or value.days):
        raise ValueError(f"`{value}` is not a whole number of days or months, such as `90 days`")
    return value


ExactPoints = Annotated[Decimal, BeforeValidator(_exact), AfterValidator(_finite), PointsMark()]
"""Points that may carry a fraction; whoever takes them rounds as the programme says."""
Days = Annotated[Duration, AfterValidator(_whole_days)]
"""A length of time of whole days or months."""


class Usual(Duration):
    """Stands for the length of time that the programme's settings say."""

    __slots__ = ()

    def __str__(self) -> str:
        return "as the programme says"


USUAL = Usual()
