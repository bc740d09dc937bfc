"""Marks: that a member has changed, so that what platforms show of them may be out of date; whatever the cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hub.clock import to_text
from hub.engine.batch import Batch
from hub.engine.mirrors.rows import queries


class Marks:
    """The marks of these connections: one row for each and each member that a transaction changes."""

    def __init__(self, connections: Iterable[str]) -> None:
        self._connections = sorted(connections)

    def note(self, batch: Batch) -> None:
        """Mark whoever this batch has changed; it is written with the change."""
        changed = {*batch.book.touched(), *batch.roll.touched()}
        for connection in self._connections:
            self.put(batch, connection, sorted(changed))

    @staticmethod
    def put(batch: Batch, connection: str, members: Collection[str]) -> None:
        """Mark these members at a connection."""
        at = to_text(batch.now)
        for member_id in members:
            batch.unit.append(queries.mark, (connection, member_id, at))
