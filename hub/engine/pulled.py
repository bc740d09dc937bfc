"""Pulled: a record that a pull brought and that cannot be read is kept like a delivery, so that it is seen and can be replayed.

Its id is made of its content: a pull looks back a little, and what it brings again is the same delivery.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub import log
from hub.engine.inbox import Delivery
from hub.sdk import Item
from hub.sdk.decode import json_value
from hub.sdk.encode import Exactly, json_text, plain

_DIGEST_BYTES = 16


def kept(connection: str, pull: str, item: Item, received_at: datetime) -> Delivery:
    """The record as the inbox keeps it, without the secrets that this process knows. path: the pull's name."""
    at = item.at.isoformat() if item.at else None
    record = {"kind": item.kind, "data": item.data, "id": item.id, "account": item.account, "at": at, "problem": item.problem}
    body = json_text(_keepable(record)).encode()
    digest = hashlib.blake2b(b"\0".join((connection.encode(), pull.encode(), body)), digest_size=_DIGEST_BYTES)
    return Delivery("pulled", body, received_at, connection=connection, path=pull, id=f"dlv_{digest.hexdigest()}")


def item_of(delivery: Delivery) -> Item:
    """The record that was kept. Unreadable when it holds what no database can keep."""
    record = json_value(delivery.body)
    at = datetime.fromisoformat(record["at"]) if record["at"] else None
    return Item(record["kind"], record["data"], record["id"], record["account"], at, record["problem"])


def _keepable(value: Any) -> Any:
    if isinstance(value, str):
        return log.redact(value)
    if isinstance(value, Mapping):
        return Exactly({log.redact(str(name)): _keepable(child) for name, child in value.items()})
    if isinstance(value, list | tuple):
        return [_keepable(child) for child in value]
    return value if value is None or isinstance(value, int | Decimal) else log.redact(plain(value))
