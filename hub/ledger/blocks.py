"""Blocks: the heads of all chains, bound together, so that a chain cannot be cut off at its end.

A copy of the newest block's hash, kept elsewhere, shows later that nothing below it was changed.

Ids of transactions are those of clocks: one that is recorded later may have a smaller id, where several processes write and
their clocks differ. So the walk over ids begins a while before the last block, and leaves out the heads that are sealed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.clock import to_text
from hub.ids import since
from hub.ledger.chain import GENESIS, block_hash
from hub.ledger.sql import SQL
from hub.ledger.whole import by_ids, raw
from hub.store import Row, Session, Unit

_MOST = 10_000
_LOOKED_BACK = timedelta(minutes=10)


def seal(unit: Unit, now: datetime, most: int = _MOST) -> int:
    """Bind at most `most` transactions since the last block into a new one; gives its number, 0 when there were none.

    Nobody else may write meanwhile: what is bound is what there is.
    """
    session = unit.session
    last = session.row(SQL.last_block)
    seq, after, previous = (last["seq"] + 1, last["last_txn_id"], last["hash"]) if last else (1, "", GENESIS)
    alone = [row["id"] for row in session.rows(SQL.memberless_unsealed)]
    until, heads = _next_heads(session, after, most)
    if not heads and not alone:
        return 0
    block = (seq, to_text(now), until)
    unit.append(SQL.add_block, (*block, _hash(session, previous, block, heads, alone)))
    for row in heads:
        unit.append(SQL.add_block_head, (seq, row["member_id"], row["seq"]))
    for txn_id in alone:
        unit.append(SQL.add_block_txn, (seq, txn_id))
    return int(seq)


def _next_heads(session: Session, after: str, most: int) -> tuple[str, list[Row]]:
    """The unsealed heads of the first stretch that has any, and where it ends; heads may be sealed ahead of their stretch."""
    while True:
        ids = [row["id"] for row in session.rows(SQL.txn_ids_after, after=after, most=most)]
        until = ids[-1] if ids else after
        heads = session.rows(SQL.heads_to_seal, after=since(after, _LOOKED_BACK) if after else "", until=until)
        if heads or not ids:
            return until, heads
        after = until


def newest(session: Session) -> tuple[int, str] | None:
    """The number and the hash of the newest block; None before the first. Whoever noted it can tell a changed copy later."""
    row = session.row(SQL.last_block)
    return (row["seq"], raw(row["hash"]).hex()) if row is not None else None


def check(session: Session) -> tuple[int, int, int, list[str]]:
    """How many blocks, heads and transactions in them there are, and what is wrong with them."""
    findings: list[str] = []
    previous = GENESIS
    blocks = session.rows(SQL.blocks)
    head_count = alone_count = 0
    for expected, row in enumerate(blocks, start=1):
        seq = row["seq"]
        if seq != expected:
            findings.append(f"Block {expected} is missing: the next one is {seq}.")
            break
        heads = session.rows(SQL.block_heads, block=seq)
        alone = [found["txn_id"] for found in session.rows(SQL.block_txns, block=seq)]
        head_count += len(heads)
        alone_count += len(alone)
        lost = [f"link {head['seq']} of member {head['member_id']}" for head in heads if head["hash"] is None]
        if lost:
            findings.append(f"Block {seq} binds {', '.join(lost[:5])}, which is missing from the chain.")
        elif _hash(session, previous, (seq, row["sealed_at"], row["last_txn_id"]), heads, alone) != row["hash"]:
            findings.append(f"Block {seq} does not fit what it binds: it, or something in it, was changed after it was sealed.")
        previous = raw(row["hash"])
    return len(blocks), head_count, alone_count, findings


def _hash(session: Session, previous: bytes, block: tuple[int, str, str], heads: list[Row], alone: list[str]) -> bytes:
    wholes = by_ids(session, alone)
    return block_hash(  # sorted here: databases differ in the order of texts
        previous,
        block,
        sorted((row["member_id"], row["seq"], raw(row["hash"])) for row in heads),
        [(txn_id, wholes[txn_id].digest() if txn_id in wholes else b"") for txn_id in sorted(alone)],
    )
