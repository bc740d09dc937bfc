"""Records: rows of a platform's tables that mean what the connection says they mean: a sale, a job, a deal, a person.

Of a CRM whose tables and columns are each account's own, a connector reads no fixed fields. It takes a setting of `readings`,
brings the record as a Record, and the functions below make the fact of it; of no record they make none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hub.errors import Unreadable
from hub.sdk.encode import json_text
from hub.sdk.envelope import dig, found
from hub.sdk.fact import Customer, Reference, Short
from hub.sdk.facts import (
    CustomerChanged,
    DealWon,
    InvoiceIssued,
    JobCompleted,
    LoyaltyActivity,
    Refund,
    RowChanged,
    Sale,
    TicketSolved,
)
from hub.sdk.reading import PRICED, Reading, Wanted, moment_of, text_of


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a table, with its columns (related records within). told_at: when it was told of.

    currency: of the connection, where all amounts are in one. same: gives an id in the form in which ids are compared.
    ours: columns that the hub writes, so that they are no news.
    """

    table: str
    id: str
    columns: Mapping[str, Any]
    reading: Reading
    told_at: datetime | None = None
    currency: str | None = None
    same: Callable[[str], str] = str
    ours: Collection[str] = ()

    def said(self, *places: str | None) -> str:
        """What stands in the first of these columns that is not empty."""
        values = (dig(self.columns, place) for place in places if place)
        return next((text for value in values if found(value) and (text := text_of(value))), "")

    def holds(self) -> bool:
        """Whether it is what its reading asks for."""
        return all(_is(self.said(place), wanted) for place, wanted in self.reading.where.items())

    def lacks(self) -> list[str]:
        """The columns of its reading that are not there at all, not even empty."""
        return [place for place in self.reading.places(self.currency) if place.partition(".")[0] not in self.columns]

    def when(self) -> datetime | None:
        """When it happened, as far as anything says so."""
        changed = moment_of(self.said(self.reading.changed)) or self.told_at
        at = moment_of(self.said(self.reading.at))
        # The day for which a deal was planned may lie ahead.
        return min(at, changed) if at and changed else at or self.told_at or changed

    def customer(self) -> Customer | None:
        """Whom it is about."""
        reading = self.reading
        # A box that is not ticked is no yes: nobody asked.
        refused = {"email": reading.no_email, "sms": reading.no_sms}
        person = Customer(
            id=self.same(self.said(*reading.customer)) or None,
            email=self.said(*reading.email) or None,
            phone=self.said(*reading.phone) or None,
            first_name=self.said(reading.first_name)[:512] or None,
            last_name=self.said(reading.last_name)[:512] or None,
            consents={channel: False for channel, boxes in refused.items() if "true" in map(self.said, boxes)},
        )
        return person if person.is_known() else None

    def attributes(self) -> dict[str, str]:
        """The attributes that the reading names, where they say anything; all columns where it names none."""
        named = self.reading.attributes or {name: name for name in self.columns if self.reading.means == "other"}
        told = {name: self.said(place) for name, place in named.items() if place not in self.ours}
        return {name: text[:10_000] for name, text in told.items() if text}

    def known(self, kind: str) -> dict[str, Any]:
        """What every fact says. kind: of the reference to the record itself."""
        named = {kind: self.id, **{what: self.same(self.said(place)) for what, place in self.reading.references.items()}}
        references = tuple(Reference(kind=what, id=text) for what, text in named.items() if text)
        return {"occurred_at": self.when(), "customer": self.customer(), "references": references}

    def priced(self) -> dict[str, Any]:
        """The amount with its currency; both None where there is none. Unreadable when a sale or the like has none."""
        amount = self.said(self.reading.amount) or None
        currency = (self.currency or self.said(self.reading.currency)).upper() or None
        if amount is None and self.reading.means in PRICED:
            raise Unreadable(f"The {self.table} {self.id} says no amount: `{self.reading.amount}` is empty.")
        if amount is not None and currency is None:
            raise Unreadable(f"The {self.table} {self.id} names no currency. Write `currency` into the connection.")
        return {"amount": amount, "currency": currency if amount else None}

    def points(self) -> int:
        """The points in it, without parts of one; 0 where there are none."""
        try:
            return int(Decimal(self.said(self.reading.points) or 0))
        except (InvalidOperation, ValueError, OverflowError):
            raise Unreadable(f"`{self.reading.points}` of the {self.table} {self.id} is no number.") from None


def _is(text: str, wanted: Wanted | list[Wanted]) -> bool:
    return text.casefold() in [text_of(one).casefold() for one in (wanted if isinstance(wanted, list) else [wanted])]


def _version(value: Any) -> str:
    return hashlib.sha256(json_text(value).encode()).hexdigest()[:32]


class RecordedSale(Sale):
    """A record that says that somebody bought something and has paid. number: by which people know it."""

    record_id: Short
    number: Short = ""


class RecordedPerson(CustomerChanged):
    """A person's record is not as it was read before. version: of what is read."""

    version: Short


class RecordedRow(RowChanged):
    """A record that means nothing else. version: of what is read."""

    version: Short


def sale(record: Record | None) -> RecordedSale | None:
    """A sale; its record is known to others as an invoice."""
    if record is None:
        return None
    number = record.said(record.reading.number)[:512]
    priced, discount = record.priced(), record.said(record.reading.discount)
    if discount:
        priced |= {"amount": max(Decimal(priced["amount"]) - Decimal(discount), Decimal(0)), "discount": discount}
    return RecordedSale(
        **record.known("invoice"),
        **priced,
        total=record.said(record.reading.total) or None,
        tax=record.said(record.reading.tax) or None,
        record_id=record.id,
        number=number,
        order_id=number or record.id,
        channel="invoice",
    )


def refund(record: Record | None) -> Refund | None:
    """A refund of the sale that the record names."""
    if record is None:
        return None
    known, of = record.known("refund"), record.same(record.said(record.reading.of))
    if of:
        known["references"] += (Reference(kind="invoice", id=of),)
    return Refund(**known, **record.priced(), refund_id=record.id, reason=record.said(record.reading.title)[:10_000])


def invoice(record: Record | None) -> InvoiceIssued | None:
    """An invoice that is not paid yet."""
    if record is None:
        return None
    due = record.said(record.reading.due_on)[:10] or None
    return InvoiceIssued(**record.known("invoice"), **record.priced(), invoice_id=record.id, due_on=due)


def job(record: Record | None) -> JobCompleted | None:
    """A finished job."""
    if record is None:
        return None
    title = record.said(record.reading.title)[:512]
    return JobCompleted(**record.known("job"), **record.priced(), job_id=record.id, title=title)


def deal(record: Record | None) -> DealWon | None:
    """A won deal."""
    if record is None:
        return None
    return DealWon(**record.known("deal"), **record.priced(), deal_id=record.id, title=record.said(record.reading.title)[:512])


def case(record: Record | None) -> TicketSolved | None:
    """A closed case."""
    if record is None:
        return None
    return TicketSolved(**record.known("ticket"), ticket_id=record.id, subject=record.said(record.reading.title)[:512])


def person(record: Record | None) -> RecordedPerson | None:
    """A person, or a company that is served like one; known by the record itself where it names nobody."""
    if record is None:
        return None
    customer, attributes = record.customer() or Customer(), record.attributes()
    customer = customer.model_copy(update={"id": customer.id or record.id})
    created, changed = (moment_of(record.said(place)) for place in (record.reading.created, record.reading.changed))
    return RecordedPerson(
        occurred_at=record.when(),
        customer=customer,
        created=created is not None and created == changed,
        attributes=attributes,
        version=_version({"customer": customer, "attributes": attributes}),
    )


def activity(record: Record | None) -> LoyaltyActivity | None:
    """Points that another programme gave or took, by their sign."""
    if record is None:
        return None
    points = record.points()
    kind: Literal["earned", "redeemed", "other"] = "earned" if points > 0 else "redeemed" if points < 0 else "other"
    return LoyaltyActivity(**record.known("activity"), activity_id=record.id, kind=kind, points=points)


def row(record: Record | None) -> RecordedRow | None:
    """A row with the attributes that its reading names, or with all that was told."""
    if record is None:
        return None
    fields = record.attributes()
    return RecordedRow(**record.known("record"), table=record.table, row_id=record.id, fields=fields, version=_version(fields))
