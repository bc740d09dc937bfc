"""Calling: what one worker does about calls: takes them up, claims them, and notes what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hub import log
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.intake import finish, take_turn
from hub.engine.outbox import Outbox
from hub.engine.performer import Outcome
from hub.engine.transactions import Transactions
from hub.sdk import Connection
from hub.store import OutOfReach

_LOG = log.get(__name__)


class Calling:
    """The outbox and its transactions."""

    def __init__(self, transactions: Transactions, outbox: Outbox, connections: Mapping[str, Connection]) -> None:
        self._transactions = transactions
        self._outbox = outbox
        self._connections = dict(connections)

    def take_up(self, connections: Collection[str]) -> None:
        """Go on with the calls of these connections that were cut off."""

        def recover(batch: Batch) -> int:
            number = self._outbox.recover(batch, connections)
            finish(batch, [], self._transactions)
            return number

        if recovered := self._transactions.do(recover):
            _LOG.info("took up calls that were cut off", count=recovered)

    def claim(self) -> bool:
        """Make the calls that are due and can be made now; False when there were none."""

        def claim(batch: Batch) -> None:
            self._outbox.claim(batch)
            finish(batch, [], self._transactions)

        self._transactions.do(claim)
        return self._outbox.launch()

    def record(self, *, wait_seconds: float = 0) -> bool:
        """Note what became of calls; waits so long for the first, where asked to. False when nothing was told."""
        outcomes = self._outbox.told(wait_seconds=wait_seconds)
        if not outcomes:
            return False
        try:
            self._transactions.do(lambda batch: self._note(batch, outcomes))
        except OutOfReach:
            self._outbox.tell_again(outcomes)  # what was told is not lost
            raise
        except Exception:  # noqa: BLE001 - one call must not hold up the others
            _LOG.exception("answers could not be noted; they are noted one by one", count=len(outcomes))
            self._note_one_by_one(outcomes)
        self._outbox.noted(outcomes)
        return True

    def _note_one_by_one(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self._transactions.each(outcomes, lambda batch, one: self._note(batch, [one]), self._outbox.give_up)
        except Exception:
            self._outbox.tell_again(outcomes)  # what has been noted is known not to be begun any more
            raise

    def _note(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        if any(outcome.told for outcome in outcomes):
            take_turn(batch)
        finish(batch, self._outbox.record(batch, outcomes, Admission(batch, self._connections)), self._transactions)
