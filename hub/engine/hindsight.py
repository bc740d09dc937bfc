"""Hindsight: what a recipe would have given, had the returned lines never been bought.

The recipe is worked again in the version and with the member that it saw then, on what is left of the sale; nothing is posted.
That needs refunds that name their lines; those that name only an amount are taken back in proportion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hub.engine.batch import Batch
from hub.engine.events import Event, queries
from hub.engine.runs import RUNS, Entry, Run
from hub.errors import HubError
from hub.programme.awarding import Said, worth
from hub.programme.clawback import Earned, Reevaluate
from hub.programme.members import MemberView
from hub.recipes.model import Plan
from hub.recipes.vocabulary import Missing
from hub.sdk.fact import Line
from hub.sdk.facts import Refund, Sale
from hub.store import Session, Space, Unit, as_json

AWARD = "award"
_PERSONAL = frozenset(["first_name", "last_name", "email", "phone", "birthday", "language"])
"""What says who the member is stays in the member's record alone."""


def seen_by(plan: Plan, event: Event, member: Mapping[str, Any] | None) -> str:
    """The member as the recipe sees them now, as JSON, where it may give points for a sale; else empty."""
    if member is None or not isinstance(event.fact, Sale) or all(step.action != AWARD for step in plan.steps):
        return ""
    seen = {name: value for name, value in member.items() if value is not None and name not in _PERSONAL}
    return as_json({**seen, "attributes": dict(member["attributes"])})


def remember_run(unit: Unit, run: Run) -> None:
    """Let a refund in the same unit find the run."""
    if run.seen:
        unit.know(AWARDING, run.event_id, (*(unit.get(AWARDING, run.event_id) or ()), run.id))


def reevaluation(batch: Batch, sale: Event, refunds: Sequence[Refund]) -> Reevaluate | None:
    """How to work the awards of a sale again without what these refunds, all that there are, give back.

    None when that cannot be said: a refund names no lines, or one that the sale does not have.
    """
    left = _without(sale, refunds)
    if left is None:
        return None
    sale_left = batch.in_own_currency(sale._replace(fact=left))

    def again(earned: Earned) -> int | None:
        for run_id in batch.unit.get(AWARDING, sale.id) or ():
            run = batch.unit.get(RUNS, run_id)
            entry = (
                next((one for one in run.journal if _posted(one) == earned.transaction_id), None) if run is not None else None
            )
            if run is not None and entry is not None and run.seen:
                return _worked_again(batch, run, entry, sale_left)
        return None

    return again


def _posted(entry: Entry) -> str | None:
    return str((entry.gave or {}).get("transaction_id")) if entry.action == AWARD else None


def _worked_again(batch: Batch, run: Run, entry: Entry, sale: Event) -> int | None:
    try:
        plan = batch.plans.pinned(batch.unit.session, run.recipe, run.version)
        doing = batch.catalogue.doing(AWARD)
        if isinstance(doing, Missing):
            return None
        scope = _scope(batch, run, sale)
        step = plan.steps[entry.step]
        conditions = [one for one in (plan.condition, step.condition) if one is not None]
        if any(condition.evaluate(scope) is not True for condition in conditions):
            return 0
        given = {name: compiled.evaluate(scope) for name, compiled in step.inputs.items()}
        inputs = doing.action.inputs.model_validate({name: value for name, value in given.items() if value is not None})
        said = Said(*(getattr(inputs, name) for name in Said._fields))
        return worth(said, sale.fact, batch.programme)
    except (HubError, ValidationError, ValueError, LookupError):
        return None  # then it is taken back in proportion


def _scope(batch: Batch, run: Run, sale: Event) -> dict[str, Any]:
    return {
        **run.named(batch.catalogue.as_given),
        "event": sale.fact.__dict__,
        "member": MemberView.model_validate_json(run.seen).__dict__,
        "programme": batch.programme.view(),
        "now": run.started_at,
        "today": run.started_at.astimezone(batch.programme.zone).date(),
    }


def _without(event: Event, refunds: Sequence[Refund]) -> Sale | None:
    """The sale without what was given back; None when the lines do not say it."""
    sale = event.fact
    if not isinstance(sale, Sale) or not sale.lines or not all(refund.lines for refund in refunds):
        return None
    lines = list(sale.lines)
    for returned in (line for refund in refunds for line in refund.lines):
        place = next((n for n, line in enumerate(lines) if _same(line, returned) and line.net >= returned.net), None)
        if place is None:
            return None
        line = lines[place]
        quantity = max(line.quantity - returned.quantity, line.quantity * 0)
        lines[place] = line.model_copy(update={"net": line.net - returned.net, "quantity": quantity})
    amount = sale.amount - sum((refund.amount for refund in refunds), sale.amount * 0)
    if amount < 0:
        return None
    kept = tuple(line for line in lines if line.net or line.quantity)
    return sale.model_copy(update={"amount": amount, "lines": kept})


def _same(line: Line, returned: Line) -> bool:
    return line.sku == returned.sku if line.sku or returned.sku else line.title == returned.title


def _load(session: Session, events: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in session.rows(queries.awarding_runs, event_ids=list(events)):
        found[row["event_id"]] = (*found.get(row["event_id"], ()), row["id"])
    return found


AWARDING: Space[str, tuple[str, ...]] = Space("awarding_runs", _load)
"""The runs of a sale that may have given points."""
