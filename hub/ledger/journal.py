"""Journal: writes one transaction whole (entries, lot, allocations, link, projections) on a unit of work.

The rules of what may be posted stand in `book` and `corrections`; here stands what a posting is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from hub.clock import to_text
from hub.errors import Conflict, LedgerError
from hub.ids import Ids
from hub.ledger import lots as rules
from hub.ledger.accounts import AVAILABLE, DEBT, EXPIRED, HELD, PENDING, campaign_of
from hub.ledger.chain import Value, canonical, digest, link
from hub.ledger.lots import Left, Lots, lot_of
from hub.ledger.postings import Allocation, Entry, Posting, Source
from hub.ledger.spaces import (
    ACCOUNTS,
    BUDGETS,
    FOLLOWING,
    KEYS,
    LEFT,
    MOVED,
    OPEN_LOTS,
    OPENED,
    POSTINGS,
    Account,
    Kept,
    again,
    dead_at,
)
from hub.ledger.sql import SQL
from hub.sdk.values import POINTS_MOST
from hub.store import Unit, as_json
from hub.store.tally import count

_ADD_TXN, _ADD_ENTRY, _ADD_LOT = SQL.add_txn, SQL.add_entry, SQL.add_lot
_ADD_ALLOCATION, _ADD_LINK = SQL.add_allocation, SQL.add_link


@dataclass(slots=True)
class Draft:
    """A transaction in the making.

    available, pending, held, debt: signed changes of the member's accounts (`debt` up: repaid). opens: points, expires_at and
    effective_at of the lot that it opens. moves: the points taken from lots (below zero) or given back.
    """

    kind: str
    key: str
    payload: bytes
    source: Source
    points: int
    member_id: str | None
    effective_at: datetime
    follows: str | None = None
    until: datetime | None = None
    control: list[tuple[str, int]] = field(default_factory=list)
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    opens: tuple[int, str | None, str] | None = None
    moves: list[tuple[str, int]] = field(default_factory=list)


class Journal:
    """The ledger as one unit of work sees it."""

    def __init__(self, unit: Unit, ids: Ids, now: datetime) -> None:
        self.unit = unit
        self.now = now
        self.now_text = to_text(now)
        self.dead = dead_at(self.now_text)
        self._ids = ids

    def account(self, member_id: str) -> Account:
        """The member's balances; zero for one that the ledger does not know."""
        account = self.unit.get(ACCOUNTS, member_id)
        assert account is not None
        return account

    def open_lots(self, member_id: str) -> Lots:
        """The member's lots with points left, dead ones among them."""
        unit = self.unit
        lots = unit.get(OPEN_LOTS, member_id) or ()
        news = (*(unit.get(OPENED, member_id) or ()), *(unit.get(MOVED, member_id) or ()))
        return rules.changed(lots, news) if news else lots

    def live_points(self, member_id: str) -> int:
        """What the member can spend now."""
        if self.unit.knows(OPEN_LOTS, member_id):
            dead = rules.dead_points(self.open_lots(member_id), self.now_text)
        else:  # none was spent here, so those opened here are all there
            opened = self.unit.get(OPENED, member_id) or ()
            dead = (self.unit.get(self.dead, member_id) or 0) + rules.dead_points(opened, self.now_text)
        return self.account(member_id).available - dead

    def left(self, member_id: str, lot_id: str) -> Left:
        """A lot of the member's, empty or not."""
        for lot in self.open_lots(member_id):
            if lot.lot_id == lot_id:
                return lot
        found = self.unit.get(LEFT, lot_id)
        if found is None:
            raise LedgerError(f"There is no lot {lot_id!r} of member {member_id!r}. Its id stands in the statement.")
        return found

    def posting(self, txn_id: str) -> Posting:
        """An earlier transaction."""
        found = self.unit.get(POSTINGS, txn_id)
        if found is None:
            raise LedgerError(f"There is no transaction {txn_id!r} in the ledger. Take its id from the member's statement.")
        return found

    def following(self, txn_id: str) -> tuple[Posting, ...]:
        """What corrects or continues this transaction."""
        return self.unit.get(FOLLOWING, txn_id) or ()

    def repeated(self, key: str, payload: bytes) -> Posting | None:
        """What the key was used for, if this is the same request. Conflict if it was another."""
        kept = self.unit.get(KEYS, key)
        if kept is None:
            return None
        if kept.payload != payload:
            first = kept.posting
            raise Conflict(
                f"The key {key!r} was used before for another posting: {first.kind} of {first.points} points, {first.txn_id}. "
                "Give each business fact a key of its own."
            )
        return again(kept.posting)

    def give_back(self, draft: Draft, pieces: list[tuple[str, int]]) -> None:
        """Return points to their lots; those of dead lots are forfeited, and debt is repaid first."""
        member_id = draft.member_id
        assert member_id is not None
        dead = 0
        for lot_id, points in pieces:
            if rules.alive(self.left(member_id, lot_id), self.now_text):
                draft.moves.append((lot_id, points))
                draft.available += points
            else:
                dead += points
        if dead:
            draft.control.append((EXPIRED, dead))
        debt = self.account(member_id).debt - draft.debt
        if debt and draft.moves:
            draft.debt += debt - self.owe(draft, debt)

    def owe(self, draft: Draft, points: int, first: tuple[str, ...] = ()) -> int:
        """Take points from live lots, as far as they reach; gives what is short."""
        assert draft.member_id is not None
        lots = self.open_lots(draft.member_id)
        if draft.moves:
            lots = rules.changed(lots, self._moved(draft).values())
        taken = rules.take(lots, points, self.now_text, first)
        found = -sum(part for _, part in taken)
        draft.moves.extend(taken)
        draft.available -= found
        return points - found

    def post(self, draft: Draft) -> Posting:
        """Write the transaction."""
        txn_id = self._ids.new("txn")
        entries = [Entry(None, account, amount, None) for account, amount in draft.control if amount]
        member_id = draft.member_id
        after = self._member_entries(draft, entries) if member_id is not None else None
        assert sum([entry.amount for entry in entries]) == 0, draft
        lot_id = self._move_lots(draft, txn_id)
        allocations = tuple([Allocation(*move) for move in draft.moves])
        posting = Posting(
            txn_id, draft.key, draft.kind, member_id, draft.points, tuple(entries), lot_id, allocations,
            draft.effective_at, draft.follows, draft.until,
        )  # fmt: skip
        self._write(draft, posting, after)
        return posting

    def _member_entries(self, draft: Draft, entries: list[Entry]) -> Account:
        before = self.account(draft.member_id)  # type: ignore[arg-type]
        available, pending, held = before.available + draft.available, before.pending + draft.pending, before.held + draft.held
        debt = before.debt - draft.debt
        assert available >= 0 and pending >= 0 and held >= 0 and debt >= 0, draft
        for account, amount, balance in (
            (AVAILABLE, draft.available, available),
            (PENDING, draft.pending, pending),
            (HELD, draft.held, held),
            (DEBT, draft.debt, -debt),
        ):
            if amount:
                entries.append(Entry(draft.member_id, account, amount, balance))
        return Account(available, pending, held, debt, before.seq + 1, before.head)

    def _move_lots(self, draft: Draft, txn_id: str) -> str | None:
        opens, moves, member_id = draft.opens, draft.moves, draft.member_id
        if opens is None and not moves:
            assert draft.available == 0, draft
            return None
        assert member_id is not None
        unit, lot_id = self.unit, None
        moved = 0
        if opens is not None:
            lot_id, moved = lot_of(txn_id), opens[0]
            left = Left(lot_id, member_id, opens[1], opens[2], moved)
            if not rules.alive(left, self.now_text):
                unit.get(self.dead, member_id)  # what was dead before it
            unit.know(OPENED, member_id, rules.added(unit.get(OPENED, member_id) or (), left))
            unit.append(_ADD_LOT, (lot_id, txn_id, member_id, moved, opens[1], opens[2]))
            unit.put(LEFT, lot_id, left)
        news = self._moved(draft)
        for moved_id, lot in news.items():
            assert lot.points >= 0, draft
            unit.put(LEFT, moved_id, lot)
        assert moved + sum([points for _, points in moves]) == draft.available, draft
        if news:
            unit.know(MOVED, member_id, (*(unit.get(MOVED, member_id) or ()), *news.values()))
        return lot_id

    def _moved(self, draft: Draft) -> dict[str, Left]:
        """What is left in the lots that the draft moves points of."""
        assert draft.member_id is not None
        news: dict[str, Left] = {}
        for lot_id, points in draft.moves:
            lot = news.get(lot_id) or self.left(draft.member_id, lot_id)
            news[lot_id] = lot._replace(points=lot.points + points)
        return news

    def _write(self, draft: Draft, posting: Posting, after: Account | None) -> None:
        unit, source, txn_id = self.unit, draft.source, posting.txn_id
        effective_at = self.now_text if draft.effective_at is self.now else to_text(draft.effective_at)
        context = None if source.context is None else as_json(source.context)
        hashed = (posting.kind, posting.member_id, posting.points, effective_at, self.now_text, posting.follows,
                  to_text(posting.until) if posting.until else None, source.event_id, source.recipe, source.version,
                  source.run_id, source.step, context)  # fmt: skip
        count(unit, "posting", posting.kind)
        unit.append(_ADD_TXN, (txn_id, draft.key, draft.payload, *hashed, source.reason, source.actor))
        for n, entry in enumerate(posting.entries, start=1):
            unit.append(_ADD_ENTRY, (txn_id, n, *entry))
        for n, allocation in enumerate(posting.allocations, start=1):
            unit.append(_ADD_ALLOCATION, (txn_id, n, *allocation))
        for account, amount in draft.control:
            if (campaign := campaign_of(account)) is not None:
                budget = unit.get(BUDGETS, campaign) or 0
                unit.put(BUDGETS, campaign, budget + amount)
        if after is not None and posting.member_id is not None:
            lot = (posting.lot_id, *draft.opens) if draft.opens else None
            txn: tuple[Value, ...] = (txn_id, draft.key, draft.payload.hex(), *hashed)
            head = link(after.head, digest(txn, posting.entries, lot, posting.allocations), posting.member_id, after.seq)
            unit.append(_ADD_LINK, (posting.member_id, after.seq, txn_id, head))
            unit.put(ACCOUNTS, posting.member_id, after._replace(head=head))
        if posting.follows is not None:
            unit.know(FOLLOWING, posting.follows, (*self.following(posting.follows), posting))
        unit.know(POSTINGS, txn_id, posting)
        unit.know(KEYS, draft.key, Kept(draft.payload, posting))


def payload_of(*parts: str | int | None) -> bytes:
    """The hash of what was asked for; a key that comes again must bring the same."""
    return sha256(canonical(parts)).digest()


def moment(at: datetime | None) -> str | None:
    """As tables keep it."""
    return None if at is None else to_text(at)


def checked(points: int) -> int:
    """A number of points that can be posted. LedgerError for zero, less, or more than the ledger carries."""
    if type(points) is not int or not 1 <= points <= POINTS_MOST:
        raise LedgerError(f"{points!r} points cannot be posted: give a whole number from 1 to {POINTS_MOST}.")
    return points
