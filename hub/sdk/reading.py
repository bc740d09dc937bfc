"""Readings: what the tables of a platform mean, and which of their columns say what, as a connection says it.

For platforms whose tables and columns are each account's own: nobody can name their fields beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Means = Literal["sale", "refund", "invoice", "job", "deal", "case", "customer", "activity", "other"]
Table = Annotated[str, Field(pattern=r"^[A-Za-z]\w{0,99}$")]


def _place(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w-]*(\.\w[\w-]*){0,4}", text):
        raise ValueError("this is not where something stands; write a name such as `email`, or names with dots between")
    return text


Place = Annotated[str, AfterValidator(_place)]
"""A column, or one of a related record (`Contact.Email`), or deeper (`lines.0.unit-price`)."""
Places = Annotated[tuple[Place, ...], BeforeValidator(lambda said: (said,) if isinstance(said, str) else said)]
Wanted = bool | int | str

PRICED = frozenset({"sale", "refund", "invoice"})


class Reading(BaseModel):
    """What the records of a table mean, and which of their columns say what; of several the first that says anything.

    where: what they must be. discount: what `amount` still holds of discounts, in a sale. at: when it happened. number: by
    which people know it. of: the sale that a refund takes back. references: other things that it is about, by kind. no_email,
    no_sms: true where the person wants none. created, changed: the platform's own columns for when it was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    means: Means
    where: dict[Place, Wanted | list[Wanted]] = Field(default_factory=dict)
    customer: Places = ()
    email: Places = ()
    phone: Places = ()
    first_name: Place | None = None
    last_name: Place | None = None
    no_email: Places = ()
    no_sms: Places = ()
    amount: Place | None = None
    currency: Place | None = None
    total: Place | None = None
    tax: Place | None = None
    discount: Place | None = None
    points: Place | None = None
    number: Place | None = None
    title: Place | None = None
    at: Place | None = None
    due_on: Place | None = None
    of: Place | None = None
    references: dict[str, Place] = Field(default_factory=dict)
    attributes: dict[str, Place] = Field(default_factory=dict)
    created: Place | None = None
    changed: Place | None = None

    def places(self, currency: str | None) -> list[str]:
        """Every column that its fact is made of. currency: of the connection, where all amounts are in one."""
        money = (self.amount, self.total, self.tax, self.discount, None if currency or self.amount is None else self.currency)
        single = (*money, self.points, self.number, self.title, self.at, self.due_on, self.of)
        whom = (*self.customer, *self.email, *self.phone, self.first_name, self.last_name, *self.no_email, *self.no_sms)
        several = (*self.where, *whom, *self.references.values(), *self.attributes.values())
        return list(dict.fromkeys(place for place in (*several, *single) if place))


AnyReading = TypeVar("AnyReading", bound=Reading)
Standard = Mapping[str, Mapping[str, Any]]
"""What the platform's own tables mean, as a connection would say it."""


def readings(model: type[AnyReading], standard: Standard) -> Any:
    """The type of a setting that says what tables mean, by their names; laid over what is known of the platform's own."""

    def laid_over(said: dict[str, AnyReading]) -> dict[str, AnyReading]:
        whole = {}
        for table, given in said.items():
            whole[table] = model.model_validate({**standard.get(table, {}), **given.model_dump(exclude_unset=True)})
            if whole[table].means in PRICED and whole[table].amount is None:
                raise ValueError(f"says of `{table}` that it means {given.means}, but not which column is the `amount`")
        return whole

    return Annotated[dict[Table, model], AfterValidator(laid_over)]  # type: ignore[valid-type]


def reading_of(table: str, said: Mapping[str, AnyReading], model: type[AnyReading], standard: Standard) -> AnyReading:
    """What a table means: as the connection says, else as it is known, else something else."""
    return said.get(table) or model.model_validate(standard.get(table, {"means": "other"}))


def text_of(value: Any) -> str:
    """A column's value as text; empty where it is none that people could read."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).strip() if isinstance(value, str | int) else ""


def moment_of(text: str) -> datetime | None:
    """The moment that a text names; of a day its noon, which is on that day nearly everywhere."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == 10:
        return datetime.combine(moment, time(12), UTC)
    return moment.astimezone(UTC) if moment.tzinfo else None
