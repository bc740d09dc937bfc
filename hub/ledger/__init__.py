"""Ledger: the double-entry points ledger, append only, with lots, holds and a hash chain."""

from hub.ledger.blocks import newest as newest_block
from hub.ledger.blocks import seal
from hub.ledger.book import Book
from hub.ledger.due import holds_due, lots_due, lots_expiring, next_expiry
from hub.ledger.postings import Allocation, Balance, Entry, Hold, Lot, Posting, Source
from hub.ledger.redemptions import Redemption, redemptions
from hub.ledger.standing import Standing, standings
from hub.ledger.statement import Drawn, StatementLine, export, statement
from hub.ledger.totals import Totals, totals
from hub.ledger.verify import Verification, verify

__all__ = [
    "Allocation",
    "Balance",
    "Book",
    "Drawn",
    "Entry",
    "Hold",
    "Lot",
    "Posting",
    "Redemption",
    "Source",
    "Standing",
    "StatementLine",
    "Totals",
    "Verification",
    "export",
    "holds_due",
    "lots_due",
    "lots_expiring",
    "newest_block",
    "next_expiry",
    "redemptions",
    "seal",
    "standings",
    "statement",
    "totals",
    "verify",
]
