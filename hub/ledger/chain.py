"""Chain: one link per member and transaction, so that a changed, missing, added or moved byte is found.

Canonical form: the values in a fixed order, each as `<number of characters>:<text>`, an absent one as `-`; integers in decimal,
bytes in lower-case hexadecimal. It is UTF-8 for SHA-256. A transaction's form is, in this order,

    id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id,
    step, context;  the number of entries, then of each member_id, account, amount, balance_after;
    the number of lots opened (0 or 1), then id, points, expires_at, effective_at;
    the number of allocations, then of each lot_id, points.

`reason` and `actor` may be personal and are left out: erasing a person changes no hash.
A link is SHA-256 over the previous link (32 zero bytes before the first), the transaction's digest, and the form of
member_id, seq. A block is SHA-256 over the previous block and the form of its seq, sealed_at, last_txn_id, of member_id, seq
and link of each head, an absent value, and of id and digest of each transaction that belongs to no member.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

GENESIS = bytes(32)

Value = str | int | None


def canonical(values: Iterable[Value]) -> bytes:
    """The form of some values."""
    return "".join(
        [
            "-" if value is None else f"{len(value)}:{value}" if type(value) is str else f"{len(str(value))}:{value}"
            for value in values
        ]
    ).encode()


def digest(
    txn: Sequence[Value],
    entries: Sequence[Sequence[Value]],
    lot: Sequence[Value] | None,
    allocations: Sequence[Sequence[Value]],
) -> bytes:
    """The digest of a transaction; its parts as the module says, `payload` in hexadecimal."""
    values = list(txn)
    values.append(len(entries))
    for entry in entries:
        values.extend(entry)
    if lot is None:
        values.append(0)
    else:
        values.append(1)
        values.extend(lot)
    values.append(len(allocations))
    for allocation in allocations:
        values.extend(allocation)
    return sha256(canonical(values)).digest()


def link(previous: bytes, txn: bytes, member_id: str, seq: int) -> bytes:
    """The member's new head."""
    return sha256(previous + txn + canonical((member_id, seq))).digest()


def block_hash(
    previous: bytes,
    block: tuple[int, str, str],
    heads: Iterable[tuple[str, int, bytes]],
    alone: Iterable[tuple[str, bytes]],
) -> bytes:
    """The hash of a block: its number, time and last transaction; members' heads; digests of transactions without a member."""
    values: list[Value] = list(block)
    for member_id, seq, head in heads:
        values.extend((member_id, seq, head.hex()))
    values.append(None)
    for txn_id, txn in alone:
        values.extend((txn_id, txn.hex()))
    return sha256(previous + canonical(values)).digest()
