"""Ledger: the double-entry points ledger, append only, with lots, holds and a hash chain."""

from hub.ledger.book import Book
from hub.ledger.due import holds_due, lots_due, lots_expiring, next_expiry
from hub.ledger.postings import Allocation, Balance, Entry, Hold, Lot, Posting, Source

__all__ = [
    "Allocation",
    "Balance",
    "Book",
    "Entry",
    "Hold",
    "Lot",
    "Posting",
    "Source",
    "holds_due",
    "lots_due",
    "lots_expiring",
    "next_expiry",
]
