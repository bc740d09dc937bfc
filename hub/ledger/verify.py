"""Verify: proves the books from the first posting on, and names what is wrong.

It reads what was posted member by member, checks sums, balances, lots and the hash chain, rebuilds every projection and
compares it with the live one, and counts rows, so that a changed, missing or added one is found. `reason` and `actor` are
not proved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.ledger import blocks
from hub.ledger.accounts import AVAILABLE, DEBT, HELD, PENDING
from hub.ledger.chain import GENESIS, link
from hub.ledger.lots import Left
from hub.ledger.rebuilt import Rebuilt
from hub.ledger.sql import SQL
from hub.ledger.whole import Whole, by_ids, completed, raw
from hub.store import Session

_MEMBERS = 100
_TXNS = 2_000
_SHOWN = 20
_TABLES = ("txn", "entry", "lot", "allocation", "balance", "lot_left", "block_head", "block_txn")
_STRAYS = (
    ("txn", "unlinked_txns", "Transaction {id} of a member stands in no chain: it was added, or its link was removed."),
    ("entry", "stray_entries", "There are entries of transaction {id}, which is not there."),
    ("allocation", "stray_allocations", "There are allocations of transaction {id}, which is not there."),
    ("lot", "stray_lots", "Lot {id} was opened by no transaction."),
    ("balance", "stray_balances", "There is a balance of member {id}, for whom nothing was posted."),
    ("lot_left", "stray_remainders", "There is a remainder of lot {id}, which was not opened."),
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was proved, and what was found wrong: whole sentences, none when the books are right."""

    members: int
    txns: int
    entries: int
    blocks: int
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(session: Session, progress: Progress | None = None) -> Verification:
    """Prove the ledger. progress: called with the number of transactions read so far and of all."""
    row = session.row(SQL.counts)
    assert row is not None
    tables = {name: int(row[name]) for name in _TABLES}
    audit = _Audit(session, tables["txn"], progress or (lambda done, total: None))
    audit.members()
    audit.memberless()
    audit.projections()
    audit.strays(tables)
    block_count, heads, alone, findings = blocks.check(session)
    audit.findings.extend(findings)
    for name, bound in (("block_head", heads), ("block_txn", alone)):
        if tables[name] != bound:
            audit.findings.append(f"Table {name} has {tables[name]} rows, the blocks bind {bound}.")
    seen = audit.seen
    return Verification(seen["balance"], seen["txn"], seen["entry"], block_count, tuple(audit.findings))


class _Audit:
    def __init__(self, session: Session, total: int, progress: Progress) -> None:
        self.findings: list[str] = []
        self.seen: Counter[str] = Counter()
        self._session = session
        self._total = total
        self._progress = progress
        self._rebuilt = Rebuilt()

    def members(self) -> None:
        """Every chain, and the balances and lots that follow from it."""
        after = ""
        while page := self._session.rows(SQL.linked_members, after=after, most=_MEMBERS):
            until = page[-1]["member_id"]
            heads = self._chains(after, until)
            self._balances(after, until, heads)
            self._remainders(after, until)
            self._rebuilt.forget_members()
            after = until
            self._progress(self.seen["txn"], self._total)

    def memberless(self) -> None:
        """The transactions without a member; the blocks prove them."""
        after = ""
        while page := completed(self._session, self._session.rows(SQL.memberless_txns, after=after, most=_TXNS)):
            for whole in page:
                self._post(whole)
            after = page[-1].txn["id"]
            self._progress(self.seen["txn"], self._total)

    def projections(self) -> None:
        """Holds and budgets."""
        holds = {
            row["id"]: (row["txn_id"], row["member_id"], row["points"], row["until"], row["resolved_by"])
            for row in self._session.rows(SQL.all_holds)
        }
        budgets = {row["campaign"]: row["points"] for row in self._session.rows(SQL.all_budgets)}
        self._same("Hold", holds, self._rebuilt.holds)
        self._same("The budget of campaign", budgets, self._rebuilt.budgets)

    def strays(self, tables: dict[str, int]) -> None:
        """Rows that no chain led to."""
        for table, query, sentence in _STRAYS:
            if tables[table] != self.seen[table]:
                rows = self._session.rows(getattr(SQL, query), most=_SHOWN)
                self.findings.extend(sentence.format(id=row["id"]) for row in rows)
                self.findings.append(f"Table {table} has {tables[table]} rows, {self.seen[table]} follow from the chains.")

    def _chains(self, after: str, until: str) -> dict[str, tuple[int, bytes]]:
        links = self._session.rows(SQL.links_between, after=after, until=until)
        wholes = by_ids(self._session, [row["txn_id"] for row in links])
        heads: dict[str, tuple[int, bytes]] = {}
        for row in links:
            member_id, seq, txn_id = row["member_id"], row["seq"], row["txn_id"]
            before, head = heads.get(member_id, (0, GENESIS))
            heads[member_id] = (seq, raw(row["hash"]))
            if seq != before + 1:
                self.findings.append(f"The chain of member {member_id} has a gap: link {seq} comes after {before}.")
            whole = wholes.get(txn_id)
            if whole is None:
                self.findings.append(f"Transaction {txn_id} (link {seq} of member {member_id}) is missing.")
                continue
            if link(head, whole.digest(), member_id, seq) != row["hash"]:
                self.findings.append(
                    f"Transaction {txn_id} of member {member_id} does not fit link {seq} of the chain: "
                    "the transaction, the link or one before it was changed after it was posted."
                )
            self._post(whole)
        return heads

    def _post(self, whole: Whole) -> None:
        self.seen["txn"] += 1
        self.seen["entry"] += len(whole.entries)
        self.seen["allocation"] += len(whole.allocations)
        self.seen["lot"] += whole.lot is not None
        try:
            self.findings.extend(self._rebuilt.post(whole))
        except TypeError:
            self.findings.append(f"Transaction {whole.txn['id']} holds a value that is not of its column's type.")

    def _balances(self, after: str, until: str, heads: dict[str, tuple[int, bytes]]) -> None:
        rows = self._session.rows(SQL.balances_between, after=after, until=until)
        live = {
            row["member_id"]: (row["available"], row["pending"], row["held"], row["debt"], row["seq"], raw(row["head"]))
            for row in rows
        }
        for member_id, head in heads.items():
            balances = self._rebuilt.balances[member_id]
            right = (balances[AVAILABLE], balances[PENDING], balances[HELD], -balances[DEBT], *head)
            self.seen["balance"] += 1
            if (stands := live.get(member_id)) != right:
                self.findings.append(
                    f"The balance of member {member_id} is {_said(stands)}; the entries and links make it {_said(right)}."
                )

    def _remainders(self, after: str, until: str) -> None:
        rows = self._session.rows(SQL.lots_left_between, after=after, until=until)
        live = {
            row["lot_id"]: Left(row["lot_id"], row["member_id"], row["expires_at"], row["effective_at"], row["points"])
            for row in rows
        }
        self.seen["lot_left"] += len(self._rebuilt.lots)
        for lot_id, right in self._rebuilt.lots.items():
            if (stands := live.get(lot_id)) != right:
                said = "is missing" if stands is None else f"stands at {tuple(stands)}"
                self.findings.append(f"The remainder of lot {lot_id} {said}; the allocations make it {tuple(right)}.")

    def _same(self, what: str, live: Mapping[str, object], right: Mapping[str, object]) -> None:
        for name in sorted(live.keys() | right.keys()):
            if live.get(name) != right.get(name):
                self.findings.append(f"{what} {name} stands at {live.get(name)}; what was posted makes it {right.get(name)}.")


def _said(balance: tuple[int, int, int, int, int, bytes] | None) -> str:
    if balance is None:
        return "nothing"
    available, pending, held, debt, seq, head = balance
    return f"{available} available, {pending} pending, {held} held, {debt} debt, link {seq} ({head.hex()[:12]})"
