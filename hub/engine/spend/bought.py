"""Bought: what calls of the hub were to buy, by which recipe and reward, and what members spent their points for.

The points of a call are those that its run redeemed before it, or of whose redemption its event tells. All is read from the
books as they stand; points that paid for several calls are counted with the first of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from hub.clock import to_text
from hub.engine import calls as states
from hub.engine.batch import DEPTH_MOST
from hub.engine.calls import Call, from_row
from hub.engine.events import queries as event_queries
from hub.engine.runs import RUNS, Run
from hub.engine.spend.rows import Sum, queries, sum_of
from hub.ledger import Redemption, redemptions
from hub.programme.actions import redeemed_under
from hub.programme.facts import PointsRedeemed, RewardRedeemed
from hub.sdk import Connection
from hub.store import Session

_TELLING = (PointsRedeemed.fact, RewardRedeemed.fact)


@dataclass(frozen=True, slots=True)
class Bought:
    """A call that was to buy something. worth: for how much; None where the action has not said it. order_id: the provider's.

    points: what was redeemed for it. left: what of that was not given back. redeemed: in which transactions.
    """

    call: Call
    worth: Sum | None
    order_id: str = ""
    recipe: str = ""
    reward: str = ""
    points: int = 0
    left: int = 0
    redeemed: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether it was bought, as far as the hub knows."""
        return self.call.state == states.DONE


class _Paid(NamedTuple):
    """What was redeemed before a call: ids or keys of transactions, and what the call's own run has given back since."""

    names: tuple[str, ...] = ()
    adjusted: int = 0


def spending_names(connection: Connection) -> list[str]:
    """The actions of a connection that spend."""
    return [action.name for action in connection.connector.actions.values() if action.spends is not None]


def ended(session: Session, connection: Connection, since: datetime, until: datetime) -> list[Call]:
    """The calls of a connection that were to buy something and came to an end, or to a person, in a stretch of time."""
    names, times = spending_names(connection), {"since": to_text(since), "until": to_text(until)}
    rows = session.rows(queries.calls_ended, connection=connection.name, names=names, **times) if names else []
    return [from_row(row) for row in rows]


def calls_of(session: Session, ids: Collection[str]) -> list[Call]:
    """These calls, so far as there are such."""
    return [from_row(row) for row in session.rows(event_queries.calls_by_id, ids=list(ids))]


def bought(session: Session, connection: Connection, calls: Sequence[Call]) -> list[Bought]:
    """What these calls were to buy, oldest first."""
    runs = RUNS.load(session, {call.run_id for call in calls if call.run_id})
    paid = {call.id: _by_run(call, runs.get(call.run_id or "")) for call in calls}
    paid |= _by_events(session, [call for call in calls if not paid[call.id].names])
    names = {name for one in paid.values() for name in one.names}
    spent = {name: one for one in redemptions(session, ids=names, keys=names) for name in (one.txn_id, one.key)}
    counted: set[str] = set()
    found = []
    for call in sorted(calls, key=lambda call: call.id):
        run, said = runs.get(call.run_id or ""), paid[call.id]
        redeemed = [spent[name] for name in said.names if name in spent]
        reward = next((str(one.context["reward"]) for one in redeemed if "reward" in one.context), "")
        one = replace(_asked(connection, call), recipe=run.recipe if run else "", reward=reward)
        found.append(_with_points(one, redeemed, said.adjusted, counted))
    return found


def _asked(connection: Connection, call: Call) -> Bought:
    """What a call said that it buys."""
    action = connection.connector.actions.get(call.name)
    if action is None or action.spends is None:
        return Bought(call, None)
    try:
        spent = action.spends.of(action.inputs.model_validate(call.input), call.result or {})
    except (ValidationError, ArithmeticError):  # the action takes something else by now
        return Bought(call, None)
    return Bought(call, None) if spent is None else Bought(call, sum_of(spent.amount, spent.currency), spent.order_id)


def _with_points(one: Bought, redeemed: Sequence[Redemption], adjusted: int, counted: set[str]) -> Bought:
    fresh = [each for each in redeemed if each.txn_id not in counted]
    counted.update(each.txn_id for each in fresh)
    points, left = sum(each.points for each in fresh), sum(each.left for each in fresh)
    ids = tuple(each.txn_id for each in fresh)
    return replace(one, points=points, left=max(0, left - adjusted), redeemed=ids)


def _by_run(call: Call, run: Run | None) -> _Paid:
    """What the run has redeemed before it made the call."""
    done = [entry for entry in run.journal if entry.outcome == "done" and entry.gave] if run is not None else []
    redeemed = [entry for entry in done if entry.action == "redeem" and entry.step < (call.step or 0)]
    if not redeemed:
        return _Paid()
    later = [int((entry.gave or {})["points"]) for entry in done if entry.action == "adjust" and entry.step > redeemed[0].step]
    names = tuple(str((entry.gave or {})["transaction_id"]) for entry in redeemed)
    return _Paid(names, sum(points for points in later if points > 0))


def _by_events(session: Session, calls: Sequence[Call]) -> dict[str, _Paid]:
    """What a redemption paid that the events of these calls tell of, or the events that caused those."""
    found: dict[str, _Paid] = {}
    asked = {call.id: call.event_id for call in calls if call.event_id}
    for _ in range(DEPTH_MOST + 1):
        if not asked:
            break
        rows = {row["id"]: row for row in session.rows(event_queries.events_by_id, ids=list(set(asked.values())))}
        told = {call_id: rows[event_id] for call_id, event_id in asked.items() if event_id in rows}
        found |= {call_id: _Paid((redeemed_under(row["key"]),)) for call_id, row in told.items() if row["fact"] in _TELLING}
        asked = {call_id: row["cause_id"] for call_id, row in told.items() if call_id not in found and row["cause_id"]}
    return {call.id: found.get(call.id, _Paid()) for call in calls}
