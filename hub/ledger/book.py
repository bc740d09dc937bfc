"""Book: what can be posted to the points ledger.

Every operation names a key. The same key with the same request gives the first posting, `repeated`, and writes nothing; with
another request it is a Conflict. An operation checks everything before it writes: one that is refused changes nothing.

    award      issuance or campaign budget -> debt first, then pending or available (opens a lot)
    release    pending -> debt first, then available (opens a lot)
    redeem     available -> redeemed            restore   redeemed -> the same lots, in reverse order
    hold       available -> held                capture   held -> redeemed, the rest back; cancel: held -> the same lots
    adjust     adjusted <-> available           expire    available -> expired, one posting a lot
    claw_back  the award's pending, its lot, other lots, then debt or written_off -> clawed_back
    fund       issuance -> campaign budget      reverse   the opposite of a posting

Points that come back repay debt first; those of a lot whose time is over are forfeited to `expired`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from hub.errors import Closed, LedgerError, Short
from hub.ids import Ids
from hub.ledger import corrections, holds
from hub.ledger import lots as rules
from hub.ledger.accounts import ADJUSTED, EXPIRED, ISSUANCE, REDEEMED, campaign_account
from hub.ledger.journal import Draft, Journal, checked, moment, payload_of
from hub.ledger.postings import Balance, Hold, Lot, Posting, Source
from hub.ledger.spaces import ACCOUNTS, BUDGETS, KEYS, OPEN_LOTS
from hub.store import Unit

_EXPIRY = Source(reason="the points' time is over")


class Book:
    """The ledger in one unit of work; `now` is the moment at which its postings are recorded."""

    def __init__(self, unit: Unit, ids: Ids, now: datetime) -> None:
        self._journal = Journal(unit, ids, now)
        self._unit = unit

    def want(self, member_ids: Collection[str]) -> None:
        """Read balances, open lots and heads of these members in two queries."""
        self._unit.want(ACCOUNTS, member_ids)
        self._unit.want(OPEN_LOTS, member_ids)

    def want_balances(self, member_ids: Collection[str]) -> None:
        """Read what awards and a look at the balance need, in two queries; the lots of who spends are read when they do."""
        self._unit.want(ACCOUNTS, member_ids)
        self._unit.want(self._journal.dead, member_ids)

    def want_keys(self, keys: Collection[str]) -> None:
        """Read in one query which of these keys were used."""
        self._unit.want(KEYS, keys)

    def never_used(self, key: str) -> None:
        """Look for no posting under this key: what it names came about in this very unit."""
        if not self._unit.knows(KEYS, key):
            self._unit.know(KEYS, key, None)

    def is_used(self, key: str) -> bool:
        """Whether anything was posted under this key."""
        return self._unit.get(KEYS, key) is not None

    def balance(self, member_id: str) -> Balance:
        """The member's points as of now."""
        account = self._journal.account(member_id)
        return Balance(self._journal.live_points(member_id), account.pending, account.held, account.debt)

    def touched(self) -> Collection[str]:
        """The members for whom something was posted here."""
        return self._unit.changed(ACCOUNTS)

    def award(
        self, member_id: str, points: int, *, key: str, source: Source, expires_at: datetime | None, effective_at: datetime,
        kind: str = "award", pending: bool = False, campaign: str | None = None,
    ) -> Posting:  # fmt: skip
        """Credit points earned at `effective_at`; pending ones open no lot yet. Short when the campaign's budget has less."""
        expires, effective = moment(expires_at), moment(effective_at)
        assert effective is not None
        payload = payload_of(kind, member_id, checked(points), expires, effective, int(pending), campaign)
        journal = self._journal
        if repeated := journal.repeated(key, payload):
            return repeated
        if kind in corrections.OTHER_KINDS:
            raise LedgerError(f"{kind!r} is the kind of another posting; name the kind of an award otherwise.")
        if campaign is not None and (left := self._unit.get(BUDGETS, campaign) or 0) < points:
            raise Short(f"The budget of campaign {campaign!r} has {left} points left, not {points}. Fund it first.")
        draft = Draft(kind, key, payload, source, points, member_id, effective_at)
        draft.control.append((ISSUANCE if campaign is None else campaign_account(campaign), -points))
        repaid = min(points, journal.account(member_id).debt)
        draft.debt = repaid
        if pending:
            draft.pending = points - repaid
        elif points > repaid:
            draft.available = points - repaid
            draft.opens = (points - repaid, expires, effective)
        return journal.post(draft)

    def release(self, award_txn_id: str, *, key: str, source: Source, expires_at: datetime | None) -> Posting:
        """Let the award's pending points be spent. Closed when that happened before."""
        return corrections.release(self._journal, award_txn_id, key=key, source=source, expires=moment(expires_at))

    def redeem(self, member_id: str, points: int, *, key: str, source: Source) -> Posting:
        """Spend points. Short when the member has less that is available."""
        journal = self._journal
        payload = payload_of("redeem", member_id, checked(points))
        if repeated := journal.repeated(key, payload):
            return repeated
        draft = Draft("redeem", key, payload, source, points, member_id, journal.now, control=[(REDEEMED, points)])
        self._spend(draft, points)
        return journal.post(draft)

    def restore(self, redeem_txn_id: str, points: int, *, key: str, source: Source) -> Posting:
        """Give spent points back to the lots they came from, the last taken first. Closed when fewer are left to give back."""
        return corrections.restore(self._journal, redeem_txn_id, checked(points), key=key, source=source)

    def hold(self, member_id: str, points: int, *, key: str, source: Source, until: datetime | None = None) -> Hold:
        """Set points aside. Short when the member has less that is available. Held points do not expire."""
        journal = self._journal
        payload = payload_of("hold", member_id, checked(points), moment(until))
        if repeated := journal.repeated(key, payload):
            return holds.opened(journal, repeated)
        draft = Draft("hold", key, payload, source, points, member_id, journal.now, until=until, held=points)
        self._spend(draft, points)
        return holds.opened(journal, journal.post(draft))

    def capture(self, hold_id: str, *, points: int | None = None, key: str, source: Source) -> Posting:
        """Spend what is held, or `points` of it; the rest goes back. Closed when the hold was resolved before."""
        return holds.capture(self._journal, hold_id, None if points is None else checked(points), key=key, source=source)

    def cancel(self, hold_id: str, *, key: str, source: Source) -> Posting:
        """Let what is held go back to its lots. Closed when the hold was resolved before."""
        return holds.cancel(self._journal, hold_id, key=key, source=source)

    def adjust(self, member_id: str, points: int, *, key: str, source: Source, expires_at: datetime | None = None) -> Posting:
        """Credit points (opens a lot), or take them when below zero. Short when the member has less that is available."""
        journal = self._journal
        payload = payload_of("adjust", member_id, points, moment(expires_at))
        checked(abs(points))
        if repeated := journal.repeated(key, payload):
            return repeated
        draft = Draft("adjust", key, payload, source, abs(points), member_id, journal.now, control=[(ADJUSTED, -points)])
        if points < 0:
            self._spend(draft, -points)
        else:
            draft.debt = min(points, journal.account(member_id).debt)
            if rest := points - draft.debt:
                draft.available = rest
                draft.opens = (rest, moment(expires_at), journal.now_text)
        return journal.post(draft)

    def claw_back(
        self, award_txn_id: str, points: int, *, key: str, source: Source, on_short: Literal["debt", "write_off"] = "debt"
    ) -> Posting:
        """Take an award back, in sum never more than it gave: `points` of the answer say what was taken."""
        return corrections.claw_back(self._journal, award_txn_id, checked(points), key=key, source=source, on_short=on_short)

    def pending_of(self, award_txn_id: str) -> int:
        """What of an award cannot be spent yet."""
        return corrections.pending(self._journal, award_txn_id)

    def clawed_back_of(self, award_txn_id: str) -> int:
        """What was taken back of an award so far."""
        return corrections.clawed(self._journal, award_txn_id)

    def expire(self, lots: Sequence[Lot]) -> list[Posting]:
        """Take what is left in lots whose time is over; a lot that is empty by now is passed over."""
        journal = self._journal
        self.want([lot.member_id for lot in lots])
        self.want_keys([f"expire:{lot.id}" for lot in lots])
        posted = []
        for lot in lots:
            left = journal.left(lot.member_id, lot.id)
            if rules.alive(left, journal.now_text):
                raise Closed(f"Lot {lot.id} of member {lot.member_id} has not expired: its time is over at {left.expires_at}.")
            if not left.points:
                continue
            assert lot.expires_at is not None
            key = f"expire:{lot.id}"
            if self._unit.get(KEYS, key):  # a clock that was set back let the lot live again after its first sweep
                key = f"{key}:{journal.account(lot.member_id).seq}"
            draft = Draft("expire", key, payload_of(key), _EXPIRY, left.points, lot.member_id, lot.expires_at)
            draft.control.append((EXPIRED, left.points))
            draft.available = -left.points
            draft.moves.append((lot.id, -left.points))
            posted.append(journal.post(draft))
        return posted

    def fund(self, campaign: str, points: int, *, key: str, source: Source) -> Posting:
        """Give a campaign a budget, or more of it; awards can be paid from it until it is used up."""
        journal = self._journal
        payload = payload_of("fund", campaign, checked(points))
        if repeated := journal.repeated(key, payload):
            return repeated
        draft = Draft("fund", key, payload, source, points, None, journal.now)
        draft.control.extend([(ISSUANCE, -points), (campaign_account(campaign), points)])
        return journal.post(draft)

    def reverse(self, txn_id: str, *, key: str, source: Source) -> Posting:
        """Post the opposite. Closed when that was done before, for a reversal, or when another operation is the way back."""
        return corrections.reverse(self._journal, txn_id, key=key, source=source)

    def _spend(self, draft: Draft, points: int) -> None:
        member_id = draft.member_id
        assert member_id is not None
        available = self._journal.live_points(member_id)
        if available < points:
            raise Short(f"Member {member_id} has {available} points available, {points} were asked for.")
        short = self._journal.owe(draft, points)
        assert short == 0, draft
