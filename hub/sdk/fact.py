"""Fact: what every fact is made of: customers, references, lines, and the base of them all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.sdk.values import Moment, Number, SignedMoney

Text = Annotated[str, Field(max_length=10_000)]
Short = Annotated[str, Field(max_length=512)]


class Value(BaseModel):
    """A part of a fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Customer(Value):
    """Who it was, in the platform's own words; the hub finds or creates the member by these.

    id: the platform's id of the customer. phone: as the platform writes it; the hub makes it E.164.
    consents: what the customer said on this occasion, by channel (`sms`, `email`), True for yes.
    """

    id: Short | None = None
    email: Short | None = None
    phone: Short | None = None
    first_name: Short | None = None
    last_name: Short | None = None
    birthday: date | None = None
    language: Short | None = None
    consents: dict[str, bool] = Field(default_factory=dict)

    def is_known(self) -> bool:
        """True when there is anything by which to find the member."""
        return bool(self.id or self.email or self.phone)


class Reference(Value):
    """A typed pointer to another thing of the same platform, for instance the order that a payment pays.

    connection: filled in by the hub where the platform means itself.
    """

    kind: Short
    id: Short
    connection: Short = ""


class Line(Value):
    """One line of a sale. net: after discounts, without tax."""

    title: Short = ""
    sku: Short | None = None
    category: Short | None = None
    quantity: Number = Decimal(1)
    net: SignedMoney


class Fact(Value):
    """Something that happened. occurred_at: when, by the platform; the hub stamps it where the platform says nothing.

    references: what it is about; `subject` names things that are this very fact under another name (a job, its invoice, its
    payment), so that they can be recognised as one. makes_member: somebody whom the hub does not know becomes a member by it.
    is_turnover: what recipes see of its amounts is in the programme's currency; else it stays in its own.
    """

    occurred_at: Moment | None = None
    customer: Customer | None = None
    references: tuple[Reference, ...] = ()

    fact: ClassVar[str] = "fact"
    sample: ClassVar[dict[str, Any]] = {}
    makes_member: ClassVar[bool] = True
    is_turnover: ClassVar[bool] = True
