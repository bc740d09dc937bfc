"""Commands: what a person asks about spending: to match it now, to settle a difference, to give points back."""

from __future__ import annotations

from collections.abc import Mapping

from hub.engine.batch import Batch
from hub.engine.commands import Command, Done, Payload, moment_said
from hub.engine.inbox import Delivery
from hub.engine.spend.bought import Bought, bought, calls_of
from hub.engine.spend.checking import Checking
from hub.engine.spend.matching import in_words
from hub.engine.spend.rows import DIFFERENCES, Difference
from hub.errors import HubError
from hub.ledger import Source, redemptions
from hub.programme.facts import PointsAdjusted
from hub.sdk import Connection


class SpendCommands:
    """The commands by name. checking: the connections whose orders can be asked for."""

    def __init__(self, connections: Mapping[str, Connection], checking: Mapping[str, Checking]) -> None:
        self._connections = connections
        self._checking = checking

    @property
    def by_name(self) -> Mapping[str, Command]:
        """Each by the name under which it is asked for."""
        return {"check_spend": self._check, "settle_spend": self._settle, "give_back": self._give_back}

    def _check(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name, since = str(payload.get("connection") or ""), moment_said(payload.get("since"))
        known = ", ".join(f"`{one}`" for one in self._checking) or "none"
        if not self._checking or (name and name not in self._checking):
            raise HubError(f"`{name}` is no connection that tells what it sold; there are: {known}" if name else _NOBODY)
        chosen = [name] if name else list(self._checking)
        return {"connections": chosen, "calls": [self._checking[one].begin(batch, since).id for one in chosen]}, []

    def _settle(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        one, reason = _open(batch, payload), str(payload.get("reason") or "")
        if not reason:
            raise HubError("a difference is settled with a reason, for whoever looks at it later")
        _close(batch, one, payload, reason)
        return {"settled": one.id, "what": in_words(one)}, []

    def _give_back(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        """Restore what was redeemed for a call of which nothing was sold."""
        one = _open(batch, payload)
        connection = self._connections.get(one.connection)
        calls = calls_of(batch.unit.session, [one.call_id])
        if not one.points or connection is None or not calls or calls[0].member_id is None:
            raise HubError(f"no points stay redeemed for {one.id}: {in_words(one)}; `hub spend settle {one.id}` settles it")
        member_id = calls[0].member_id
        batch.book.want_balances([member_id])  # the member's lane is ours before it is read what is left
        [paid] = bought(batch.unit.session, connection, calls)
        source = Source(reason=str(payload.get("reason") or "The reward was not sent"), actor=_actor(payload))
        given = _restore(batch, paid, f"command:{delivery.id}", source)
        balance = batch.book.balance(member_id).spendable
        if given:
            told = {"member_id": member_id, "key": f"command:{delivery.id}:given_back", "occurred_at": batch.now}
            fact = {**told, "points": given, "balance": balance, "reason": source.reason}
            batch.tell(PointsAdjusted.model_validate(fact))
        _close(batch, one, payload, source.reason)
        return {"settled": one.id, "member": member_id, "points": given, "balance": balance}, []


_NOBODY = "no connection tells what it sold, so there is nothing to match"


def _open(batch: Batch, payload: Payload) -> Difference:
    name = str(payload.get("id") or "")
    one = batch.unit.get(DIFFERENCES, name)
    if one is None:
        raise HubError(f"there is no difference `{name}`; `hub spend` lists them")
    if one.settled_at is not None:
        by = f" by {one.settled_by}" if one.settled_by else ", because it was no longer so"
        raise HubError(f"{name} was settled on {one.settled_at:%Y-%m-%d}{by}")
    return one


def _restore(batch: Batch, paid: Bought, key: str, source: Source) -> int:
    """Give the points of a call back to the lots they came from, so far as they were not given back before."""
    given = 0
    for spent in redemptions(batch.unit.session, ids=paid.redeemed):
        points = min(spent.left, paid.left - given)
        if points > 0:
            batch.book.restore(spent.txn_id, points, key=f"{key}:{spent.txn_id}", source=source)
            given += points
    return given


def _close(batch: Batch, one: Difference, payload: Payload, reason: str) -> None:
    settled = one._replace(settled_at=batch.now, settled_by=_actor(payload), note=reason)
    batch.unit.put(DIFFERENCES, one.id, settled)


def _actor(payload: Payload) -> str:
    return str(payload.get("by") or "a person")
