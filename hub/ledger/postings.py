"""Postings: the values that the ledger takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class Source(NamedTuple):
    """Lineage: where a posting comes from, so that "why 37?" has an answer.

    reason and actor (who, where it was a person) may be personal and stay out of the hash chain; everything else is hashed,
    so `context` must hold no personal data. context: JSON-able; what an award was computed in.
    """

    event_id: str | None = None
    recipe: str | None = None
    version: str | None = None
    run_id: str | None = None
    step: str | None = None
    reason: str = ""
    actor: str = ""
    context: Mapping[str, Any] | None = None


class Entry(NamedTuple):
    """One side of a transaction; the amounts of a transaction sum to zero.

    member_id, balance_after: None for a control account. An entry on `debt` is below zero when the member owes more.
    """

    member_id: str | None
    account: str
    amount: int
    balance_after: int | None


class Allocation(NamedTuple):
    """What a transaction took from a lot (below zero) or gave back to it (above zero)."""

    lot_id: str
    points: int


class Posting(NamedTuple):
    """A transaction of the ledger.

    points: what moved, zero or more. follows: the transaction that it releases, restores, resolves, claws back or reverses.
    repeated: the key was used before for the same thing, nothing was written now.
    """

    txn_id: str
    key: str
    kind: str
    member_id: str | None
    points: int
    entries: tuple[Entry, ...]
    lot_id: str | None
    allocations: tuple[Allocation, ...]
    effective_at: datetime
    follows: str | None = None
    until: datetime | None = None
    repeated: bool = False

    def on(self, account: str) -> int:
        """What this transaction moved on the account, signed."""
        return sum(entry.amount for entry in self.entries if entry.account == account)


@dataclass(frozen=True, slots=True)
class Balance:
    """The points of a member. Points whose time is over are not in `available`, whether or not the sweep has come by."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0

    @property
    def spendable(self) -> int:
        """What the member sees: available less debt."""
        return self.available - self.debt


@dataclass(frozen=True, slots=True)
class Lot:
    """The points of one credit. points: as opened; left: what is still available of them."""

    id: str
    member_id: str
    points: int
    left: int
    expires_at: datetime | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside until they are captured or let go. resolved_by: the transaction that did it."""

    id: str
    member_id: str
    txn_id: str
    points: int
    until: datetime | None = None
    resolved_by: str | None = None
    repeated: bool = False
