"""Corrections: what happens to a posting afterwards. Each is a posting of its own; the first one stays as it is."""

from __future__ import annotations

from typing import Literal

from hub.errors import Closed, LedgerError, Short
from hub.ledger.accounts import ADJUSTED, AVAILABLE, CLAWED_BACK, DEBT, EXPIRED, PENDING, REDEEMED, WRITTEN_OFF, campaign_of
from hub.ledger.holds import taken_by
from hub.ledger.journal import Draft, Journal, moment, payload_of
from hub.ledger.lots import alive, back, lot_of
from hub.ledger.postings import Posting, Source
from hub.ledger.spaces import BUDGETS

_WAY_BACK = {
    "release": "claw the award back instead",
    "hold": "cancel the hold instead",
    "cancel": "hold the points again instead",
    "restore": "redeem the points again instead",
    "expire": "adjust the balance instead",
    "reversal": "post the first transaction again instead",
}
OTHER_KINDS = frozenset(_WAY_BACK) | {"redeem", "capture", "adjust", "clawback", "fund"}
"""The kinds of postings that are no awards."""


def clawed(journal: Journal, award_txn_id: str) -> int:
    """What was taken back of an award and stayed so."""
    return sum(
        follower.points - sum(undone.points for undone in journal.following(follower.txn_id))
        for follower in journal.following(award_txn_id)
        if follower.kind == "clawback"
    )


def pending(journal: Journal, award_txn_id: str) -> int:
    """What of an award is pending still."""
    return _pending_left(journal, journal.posting(award_txn_id))


def release(journal: Journal, award_txn_id: str, *, key: str, source: Source, expires: str | None) -> Posting:
    """pending -> debt first, then available."""
    payload = payload_of("release", award_txn_id, expires)
    if repeated := journal.repeated(key, payload):
        return repeated
    award = _award(journal, award_txn_id)
    if not award.on(PENDING):
        raise LedgerError(f"The award {award_txn_id} has no pending points; they could be spent from the start.")
    if _followed_by(journal, award, "release"):
        raise Closed(f"The award {award_txn_id} was released before.")
    points = _pending_left(journal, award)
    draft = Draft("release", key, payload, source, points, award.member_id, journal.now, follows=award_txn_id, pending=-points)
    assert award.member_id is not None
    draft.debt = min(points, journal.account(award.member_id).debt)
    if rest := points - draft.debt:
        effective = moment(award.effective_at)
        assert effective is not None
        draft.available = rest
        draft.opens = (rest, expires, effective)
    return journal.post(draft)


def restore(journal: Journal, txn_id: str, points: int, *, key: str, source: Source) -> Posting:
    """redeemed -> the lots that were spent, the last taken first."""
    payload = payload_of("restore", txn_id, points)
    if repeated := journal.repeated(key, payload):
        return repeated
    spend = journal.posting(txn_id)
    if spend.kind not in ("redeem", "capture"):
        raise LedgerError(f"Transaction {txn_id} is {_a(spend.kind)}; only spent points can be restored.")
    left = spend.points - _given_back(journal, spend)
    if points > left:
        raise Closed(f"Of the {spend.points} points spent by {txn_id}, {left} are still to give back; {points} were asked for.")
    return journal.post(_returning(journal, "restore", spend, points, key=key, payload=payload, source=source))


def claw_back(
    journal: Journal, award_txn_id: str, points: int, *, key: str, source: Source, on_short: Literal["debt", "write_off"]
) -> Posting:
    """The award's pending points, its own lot, other lots in spend order, then debt (or written_off) -> clawed_back."""
    payload = payload_of("clawback", award_txn_id, points, on_short)
    if repeated := journal.repeated(key, payload):
        return repeated
    award = _award(journal, award_txn_id)
    taking = min(points, award.points - clawed(journal, award_txn_id))
    draft = Draft("clawback", key, payload, source, taking, award.member_id, journal.now, follows=award_txn_id)
    draft.control.append((CLAWED_BACK, taking))
    draft.pending = -min(taking, _pending_left(journal, award))
    short = journal.owe(draft, taking + draft.pending, first=tuple(_own_lots(journal, award)))
    if on_short == "debt":
        draft.debt = -short
    else:
        draft.control.append((WRITTEN_OFF, -short))
    return journal.post(draft)


def reverse(journal: Journal, txn_id: str, *, key: str, source: Source) -> Posting:
    """The opposite of a posting, so far as it still stands."""
    payload = payload_of("reversal", txn_id)
    if repeated := journal.repeated(key, payload):
        return repeated
    first = journal.posting(txn_id)
    if first.kind in _WAY_BACK:
        raise Closed(f"Transaction {txn_id} is {_a(first.kind)}, which cannot be reversed; {_WAY_BACK[first.kind]}.")
    if _followed_by(journal, first, "reversal"):
        raise Closed(f"Transaction {txn_id} was reversed before.")
    if first.kind in ("redeem", "capture"):
        left = first.points - _given_back(journal, first)
        if not left:
            raise Closed(f"The points spent by {txn_id} were all given back before.")
        return journal.post(_returning(journal, "reversal", first, left, key=key, payload=payload, source=source))
    draft = Draft("reversal", key, payload, source, first.points, first.member_id, journal.now, follows=txn_id)
    draft.control.extend((entry.account, -entry.amount) for entry in first.entries if entry.member_id is None)
    if first.kind == "fund":
        _take_budget(journal, draft)
    elif first.kind == "clawback":
        _undo_claw_back(journal, draft, first)
    elif first.kind == "adjust" and first.on(ADJUSTED) > 0:
        journal.give_back(draft, back(taken_by(first), 0, first.points))
    else:
        _undo_credit(journal, draft, first)
    return journal.post(draft)


def _undo_credit(journal: Journal, draft: Draft, first: Posting) -> None:
    for kind, advice in (("release", "was released"), ("clawback", "was clawed back in part")):
        if _followed_by(journal, first, kind):
            raise Closed(f"The award {first.txn_id} {advice} and cannot be reversed; claw back what is left of it instead.")
    draft.pending = -first.on(PENDING)
    if first.lot_id is not None and first.member_id is not None:
        opened, left = first.on(AVAILABLE), journal.left(first.member_id, first.lot_id).points
        if left < opened:
            raise Short(f"Of the {opened} points of lot {first.lot_id}, {left} are left. Claw the award back instead.")
        draft.available = -opened
        draft.moves.append((first.lot_id, -opened))
    if repaid := first.on(DEBT):
        draft.debt = -journal.owe(draft, repaid)


def _undo_claw_back(journal: Journal, draft: Draft, first: Posting) -> None:
    assert first.follows is not None and first.member_id is not None
    award = journal.posting(first.follows)
    loose, owed = -first.on(PENDING), -first.on(DEBT)
    if not _followed_by(journal, award, "release"):
        draft.pending, loose = loose, 0
    debt = journal.account(first.member_id).debt
    draft.debt = min(owed + loose, debt)
    journal.give_back(draft, back(taken_by(first), 0, first.points))
    rest = owed + loose - min(owed + loose, debt)
    if not rest:
        return
    lots = [journal.left(first.member_id, lot_id) for lot_id in _own_lots(journal, award)]
    if lots and not alive(lots[0], journal.now_text):
        draft.control.append((EXPIRED, rest))
        return
    effective = moment(award.effective_at)
    assert effective is not None
    draft.available += rest
    draft.opens = (rest, lots[0].expires_at if lots else None, effective)


def _take_budget(journal: Journal, draft: Draft) -> None:
    for account, amount in draft.control:
        campaign = campaign_of(account)
        if campaign is not None and (left := journal.unit.get(BUDGETS, campaign) or 0) < -amount:
            raise Short(f"The budget of campaign {campaign!r} has {left} points left, {-amount} were to be taken back.")


def _returning(journal: Journal, kind: str, spend: Posting, points: int, *, key: str, payload: bytes, source: Source) -> Draft:
    draft = Draft(kind, key, payload, source, points, spend.member_id, journal.now, follows=spend.txn_id)
    draft.control.append((REDEEMED, -points))
    journal.give_back(draft, back(_spent(journal, spend), _given_back(journal, spend), points))
    return draft


def _spent(journal: Journal, spend: Posting) -> list[tuple[str, int]]:
    """The lots that were spent; a hold that was captured in part had more."""
    if spend.kind == "redeem":
        return taken_by(spend)
    assert spend.follows is not None
    hold = taken_by(journal.posting(spend.follows))
    released = back(hold, 0, sum(points for _, points in hold) - spend.points)
    less = dict(released)
    return [(lot_id, points - less.get(lot_id, 0)) for lot_id, points in hold]


def _given_back(journal: Journal, spend: Posting) -> int:
    return sum(follower.points for follower in journal.following(spend.txn_id))


def _pending_left(journal: Journal, award: Posting) -> int:
    followers = journal.following(award.txn_id)
    undone = [posting for follower in followers for posting in journal.following(follower.txn_id)]
    return sum(posting.on(PENDING) for posting in (award, *followers, *undone))


def _own_lots(journal: Journal, award: Posting) -> list[str]:
    lots = [award.lot_id] if award.lot_id else []
    releases = [follower for follower in journal.following(award.txn_id) if follower.kind == "release"]
    return lots + [lot_of(posting.txn_id) for posting in releases if posting.on(AVAILABLE)]


def _award(journal: Journal, txn_id: str) -> Posting:
    award = journal.posting(txn_id)
    if award.kind in OTHER_KINDS:
        raise LedgerError(f"Transaction {txn_id} is {_a(award.kind)}, not an award.")
    if _followed_by(journal, award, "reversal"):
        raise Closed(f"The award {txn_id} was reversed before.")
    return award


def _followed_by(journal: Journal, posting: Posting, kind: str) -> bool:
    return any(follower.kind == kind for follower in journal.following(posting.txn_id))


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
