"""Rebuilt: the projections as they follow from what was posted."""

from __future__ import annotations

from collections import defaultdict

from hub.ledger.accounts import AVAILABLE, OF_MEMBERS, campaign_of
from hub.ledger.holds import hold_id_of
from hub.ledger.lots import Left
from hub.ledger.whole import Whole

HoldRow = tuple[str, str, int, str | None, str | None]


class Rebuilt:
    """Balances, lots, holds and budgets, posting by posting."""

    def __init__(self) -> None:
        self.balances: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(OF_MEMBERS, 0))
        self.lots: dict[str, Left] = {}
        self.holds: dict[str, HoldRow] = {}
        self.budgets: defaultdict[str, int] = defaultdict(int)
        self._opened: dict[str, int] = {}

    def forget_members(self) -> None:
        """Make room for the next members; holds and budgets are kept."""
        self.balances.clear()
        self.lots.clear()
        self._opened.clear()

    def post(self, whole: Whole) -> list[str]:
        """Apply a transaction; gives what is wrong with it."""
        txn_id = whole.txn["id"]
        found = [
            f"The {name} of transaction {txn_id} are not numbered from 1 on without a gap: one was removed or added."
            for name, rows in (("entries", whole.entries), ("allocations", whole.allocations))
            if [row["n"] for row in rows] != list(range(1, len(rows) + 1))
        ]
        if bool(whole.entries) != bool(whole.txn["points"]):
            found.append(f"Transaction {txn_id} of {whole.txn['points']} points has {len(whole.entries)} entries.")
        if total := sum(row["amount"] for row in whole.entries):
            found.append(f"The entries of transaction {txn_id} sum to {total}, not to zero.")
        found.extend(self._entries(whole))
        found.extend(self._lots(whole))
        self._hold(whole)
        return found

    def _entries(self, whole: Whole) -> list[str]:
        found = []
        for row in whole.entries:
            member_id, account, amount = row["member_id"], row["account"], row["amount"]
            if member_id is None:
                if (campaign := campaign_of(account)) is not None:
                    self.budgets[campaign] += amount
                continue
            balances = self.balances[member_id]
            balances[account] = balances.get(account, 0) + amount
            if row["balance_after"] != balances[account]:
                found.append(
                    f"Transaction {row['txn_id']} says that member {member_id} had {row['balance_after']} {account} after it; "
                    f"the entries up to it sum to {balances[account]}."
                )
        return found

    def _lots(self, whole: Whole) -> list[str]:
        found = []
        txn_id, lot = whole.txn["id"], whole.lot
        moved = 0
        if lot is not None:
            moved = lot["points"]
            self.lots[lot["id"]] = Left(lot["id"], lot["member_id"], lot["expires_at"], lot["effective_at"], moved)
            self._opened[lot["id"]] = moved
        for row in whole.allocations:
            lot_id, points = row["lot_id"], row["points"]
            moved += points
            before = self.lots.get(lot_id)
            if before is None:
                found.append(f"Transaction {txn_id} draws on lot {lot_id}, which was not opened before it for the same member.")
                continue
            after = self.lots[lot_id] = before._replace(points=before.points + points)
            if not 0 <= after.points <= self._opened[lot_id]:
                found.append(f"Transaction {txn_id} leaves {after.points} of {self._opened[lot_id]} points in lot {lot_id}.")
        available = sum(row["amount"] for row in whole.entries if row["account"] == AVAILABLE)
        if moved != available:
            found.append(f"Transaction {txn_id} moves {moved} points of lots, and {available} on the available account.")
        return found

    def _hold(self, whole: Whole) -> None:
        txn = whole.txn
        if txn["kind"] == "hold":
            self.holds[hold_id_of(txn["id"])] = (txn["id"], txn["member_id"], txn["points"], txn["until"], None)
        elif txn["kind"] in ("capture", "cancel"):
            hold_id = hold_id_of(txn["follows"])
            if hold_id in self.holds:
                self.holds[hold_id] = (*self.holds[hold_id][:4], txn["id"])
