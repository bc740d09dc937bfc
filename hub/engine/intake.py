"""Intake: takes deliveries out of the inbox, one worker at a time, and keeps the place in it with what came of them.

Where one process writes, they are worked at once, in the same transaction; where several do, their events are left ready in
their lanes, for whoever takes the lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub import log
from hub.clock import to_text
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.commands import Commands
from hub.engine.cursors import inbox_place, move_inbox
from hub.engine.events import Event, queries
from hub.engine.inbox import Delivery, Inbox
from hub.engine.transactions import Transactions
from hub.engine.workshop import Workshop
from hub.sdk import Connection
from hub.store import OutOfReach

_LOG = log.get(__name__)
_ADMITTED_MOST = 500
ADMISSION = "admission"
"""The lane of whoever places facts: one at a time, so that each is known to the next."""


class Intake:
    """The inbox as one worker empties it."""

    def __init__(
        self, transactions: Transactions, inbox: Inbox, commands: Commands, connections: Mapping[str, Connection]
    ) -> None:
        self._transactions = transactions
        self._inbox = inbox
        self._commands = commands
        self._connections = dict(connections)
        self.is_left = False
        """Whether there were deliveries at the last look, and another worker was at them."""

    def work(self, place: int) -> bool:
        """Admit what follows this place; False when there is nothing, or another worker does it."""
        deliveries = self._inbox.after(place, _ADMITTED_MOST)
        # A command ends its batch: what it sets free is worked before what came after it.
        commands = [place for place, delivery in enumerate(deliveries, start=1) if delivery.kind == "command"]
        deliveries = deliveries[: commands[0]] if commands else deliveries
        self.is_left = False
        if not deliveries:
            return False
        try:
            admitted = self._transactions.do(lambda batch: self._admit(batch, deliveries))
            self.is_left = not admitted
            return admitted
        except OutOfReach:
            raise
        except Exception:  # noqa: BLE001 - one delivery must not hold up the others
            _LOG.exception("a batch could not be written; its deliveries are worked one by one", count=len(deliveries))
            self._transactions.each(deliveries, lambda batch, one: self._admit(batch, [one]), self._put_aside)
            return True

    def _admit(self, batch: Batch, deliveries: Sequence[Delivery]) -> bool:
        if not self._is_our_turn(batch, deliveries[0]):
            return False
        admission = Admission(batch, self._connections)
        finish(batch, admission.admit([one for one in deliveries if one.kind != "command"]), self._transactions)
        for command in [one for one in deliveries if one.kind == "command"]:
            finish(batch, self._commands.carry_out(batch, command), self._transactions)
        move_inbox(batch.unit, deliveries[-1].seq)
        return True

    def _put_aside(self, batch: Batch, delivery: Delivery, why: str) -> None:
        if self._is_our_turn(batch, delivery):
            row = (delivery.id, delivery.seq, delivery.connection, "unreadable", why, to_text(batch.now))
            batch.unit.append(queries.add_receipt, row)
            move_inbox(batch.unit, delivery.seq)

    def _is_our_turn(self, batch: Batch, first: Delivery) -> bool:
        if ADMISSION not in batch.unit.session.try_lock([ADMISSION]) or inbox_place(batch.unit) >= first.seq:
            return False
        follow(batch)
        return True


def take_turn(batch: Batch) -> None:
    """Wait until nobody else places facts; before any other lane."""
    batch.unit.session.lock([ADMISSION])
    follow(batch)


def follow(batch: Batch) -> None:
    """What is recorded from now on comes after all that there is, whatever the clocks of those who recorded it."""
    newest = batch.unit.session.row(queries.newest_event)
    if newest is not None:
        batch.ids.pass_by(newest["id"])


def finish(batch: Batch, placed: Sequence[Event], transactions: Transactions) -> None:
    """Work what was placed, and what it causes, where no other worker could; else leave it ready."""
    if not transactions.is_shared:
        workshop = Workshop(batch)
        workshop.work(placed)
        workshop.work_emitted()
