"""Record triggers: what a connector hears and asks for whose records mean what the connection says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.sdk import records
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.fact import Fact
from hub.sdk.facts import DealWon, InvoiceIssued, JobCompleted, LoyaltyActivity, Refund, TicketSolved
from hub.sdk.records import Record, RecordedPerson, RecordedRow, RecordedSale
from hub.sdk.settings import Settings
from hub.sdk.trigger import Payload

if TYPE_CHECKING:
    from hub.sdk.connector import Connector

AnyNotice = Any
Bring = Callable[[AnyNotice, Connection, Client | None], Record | None]
"""Makes a whole record of a notice; None when it is not what its reading asks for."""
List = Callable[[Client, Settings, datetime, str], Iterator[Mapping[str, Any]]]
"""The data of the records that mean something (the word of the reading), changed since a moment."""


@dataclass(frozen=True, slots=True)
class _Kind:
    trigger: str
    told: str
    pull: str
    asked: str
    key: tuple[str, ...]
    gives: type[Fact]
    make: Callable[[Record | None], Fact | None]


KINDS = {
    "sale": _Kind(
        "sale_made",
        "Somebody bought something and has paid: a record says so that means a sale.",
        "sales_since",
        "Records that mean a sale, changed since a moment.",
        ("record_id",),
        RecordedSale,
        records.sale,
    ),
    "refund": _Kind(
        "refund_made",
        "A sale was taken back, in full or in part.",
        "refunds_since",
        "Records that mean a refund, changed since a moment.",
        ("refund_id",),
        Refund,
        records.refund,
    ),
    "invoice": _Kind(
        "invoice_issued",
        "An invoice was sent, and is not paid yet.",
        "invoices_since",
        "Records that mean an open invoice, changed since a moment.",
        ("invoice_id",),
        InvoiceIssued,
        records.invoice,
    ),
    "job": _Kind(
        "job_completed",
        "A repair or another piece of work was finished.",
        "jobs_since",
        "Finished jobs, changed since a moment.",
        ("job_id",),
        JobCompleted,
        records.job,
    ),
    "deal": _Kind(
        "deal_won",
        "A deal was won.",
        "deals_since",
        "Won deals, changed since a moment.",
        ("deal_id",),
        DealWon,
        records.deal,
    ),
    "case": _Kind(
        "case_closed",
        "A case was closed.",
        "cases_since",
        "Closed cases, changed since a moment.",
        ("ticket_id",),
        TicketSolved,
        records.case,
    ),
    "customer": _Kind(
        "contact_changed",
        "A person's record is new, or something that is read of it has changed.",
        "contacts_since",
        "People whose records were changed since a moment.",
        ("customer.id", "version"),
        RecordedPerson,
        records.person,
    ),
    "activity": _Kind(
        "activity_recorded",
        "Another loyalty programme gave or took points.",
        "activities_since",
        "Records of another programme's points, changed since a moment.",
        ("activity_id",),
        LoyaltyActivity,
        records.activity,
    ),
    "other": _Kind(
        "record_changed",
        "A record of another table was created or changed.",
        "records_since",
        "Records of other tables, changed since a moment.",
        ("table", "row_id", "version"),
        RecordedRow,
        records.row,
    ),
}


def hear_records(
    connector: Connector, notice: type[Payload], bring: Bring, listed: List, *, fetch_if: str, without: Collection[str] = ()
) -> dict[str, Callable[..., Any]]:
    """Declares a trigger and a pull for each meaning of records, and gives them by their names, for samples.

    Its items are of the kind that their reading means (`sale`, `job` …). notice: what is told of a record. without: meanings
    that the connector has triggers of its own for.
    """
    declared: dict[str, Callable[..., Any]] = {}
    for means, kind in KINDS.items():
        if means not in without:
            trigger, pull = _trigger(kind, notice, bring), _pull(kind, means, listed)
            connector.trigger(means, key=kind.key, fetch_if=fetch_if)(trigger)
            connector.pull(trigger)(pull)
            declared |= {kind.trigger: trigger, kind.pull: pull}
    return declared


def _trigger(kind: _Kind, notice: type[Payload], bring: Bring) -> Callable[..., Any]:
    def told(notice: AnyNotice, connection: Connection, client: Client | None) -> Fact | None:
        return kind.make(bring(notice, connection, client))

    told.__name__, told.__doc__ = kind.trigger, kind.told
    told.__annotations__ |= {"notice": notice, "client": Client | None, "return": kind.gives | None}
    return told


def _pull(kind: _Kind, means: str, listed: List) -> Callable[..., Any]:
    def asked(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
        return listed(client, settings, since, means)

    asked.__name__, asked.__doc__ = kind.pull, kind.asked
    return asked
