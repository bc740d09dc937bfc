"""Holds: points set aside, and the one thing that becomes of them."""

from __future__ import annotations

from dataclasses import replace

from hub.errors import Closed, LedgerError, Short
from hub.ledger.accounts import REDEEMED
from hub.ledger.journal import Draft, Journal, payload_of
from hub.ledger.lots import back
from hub.ledger.postings import Hold, Posting, Source
from hub.ledger.spaces import HOLDS


def hold_id_of(txn_id: str) -> str:
    """The id of the hold that this transaction makes."""
    return "hold_" + txn_id[4:]


def opened(journal: Journal, posting: Posting) -> Hold:
    """The hold of a posting; a new one is taken note of."""
    hold_id = hold_id_of(posting.txn_id)
    if posting.repeated:
        return replace(_get(journal, hold_id), repeated=True)
    assert posting.member_id is not None
    hold = Hold(hold_id, posting.member_id, posting.txn_id, posting.points, posting.until)
    journal.unit.put(HOLDS, hold_id, hold)
    return hold


def capture(journal: Journal, hold_id: str, points: int | None, *, key: str, source: Source) -> Posting:
    """held -> redeemed; what is not captured goes back to its lots, the last taken first."""
    payload = payload_of("capture", hold_id, points)
    if repeated := journal.repeated(key, payload):
        return repeated
    hold = _open(journal, hold_id)
    captured = hold.points if points is None else points
    if captured > hold.points:
        raise Short(f"Hold {hold_id} holds {hold.points} points, {captured} were to be captured.")
    draft = Draft("capture", key, payload, source, captured, hold.member_id, journal.now, follows=hold.txn_id)
    draft.control.append((REDEEMED, captured))
    return _resolve(journal, hold, draft, hold.points - captured)


def cancel(journal: Journal, hold_id: str, *, key: str, source: Source) -> Posting:
    """held -> available, to the same lots."""
    payload = payload_of("cancel", hold_id)
    if repeated := journal.repeated(key, payload):
        return repeated
    hold = _open(journal, hold_id)
    draft = Draft("cancel", key, payload, source, hold.points, hold.member_id, journal.now, follows=hold.txn_id)
    return _resolve(journal, hold, draft, hold.points)


def _resolve(journal: Journal, hold: Hold, draft: Draft, returning: int) -> Posting:
    draft.held = -hold.points
    journal.give_back(draft, back(taken_by(journal.posting(hold.txn_id)), 0, returning))
    posting = journal.post(draft)
    journal.unit.put(HOLDS, hold.id, replace(hold, resolved_by=posting.txn_id))
    return posting


def taken_by(posting: Posting) -> list[tuple[str, int]]:
    """The lots that a debit took from, and how much, in the order in which it did."""
    return [(lot_id, -points) for lot_id, points in posting.allocations if points < 0]


def _get(journal: Journal, hold_id: str) -> Hold:
    hold = journal.unit.get(HOLDS, hold_id)
    if hold is None:
        raise LedgerError(f"There is no hold {hold_id!r}. `hold` gives the id of a new one.")
    return hold


def _open(journal: Journal, hold_id: str) -> Hold:
    hold = _get(journal, hold_id)
    if hold.resolved_by is not None:
        posting = journal.posting(hold.resolved_by)
        raise Closed(f"Hold {hold_id} was resolved before, by {posting.kind} {posting.txn_id} of {posting.points} points.")
    return hold
