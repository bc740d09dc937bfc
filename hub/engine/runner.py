"""Runner: works an event through the recipes that listen, and carries waiting runs on.

Built-in steps act at once on the batch's unit of work; a step that calls a platform goes to the outbox, where its run waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from hub import log
from hub.clock import to_text
from hub.engine import runs
from hub.engine.alike import looks_like
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.catalogue import Catalogue
from hub.engine.controls import Ask, Stop, Wait
from hub.engine.events import Event, effect_key, queries
from hub.engine.hindsight import AWARD, remember_run, seen_by
from hub.engine.overlap import earned_already
from hub.engine.refunds import take_back_late
from hub.engine.runs import AWAITING, ONCE, RUNS, Entry, Run
from hub.engine.traces import Trace
from hub.errors import HubError
from hub.programme.work import Work
from hub.recipes.model import Plan, PlannedStep
from hub.recipes.vocabulary import Missing
from hub.store import as_json
from hub.store.tally import count

_LOG = log.get(__name__)
Scope = dict[str, Any]
_UNKNOWN = "?"


class Failed(HubError):
    """A step could not be done."""


class Runner:
    """Carries recipes out, within one batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._unit = batch.unit
        self._always = {"programme": batch.programme.view(), "now": batch.now, "today": batch.today}
        self._touched: dict[str, None] = {}
        self._confirmed: set[str] = set()
        self.asked: dict[str, Call] = {}
        """The call that each run waits for, of those that were made here."""

    def start(self, event: Event) -> None:
        """Let every recipe that listens hear of the event, and wake the runs that waited for it."""
        batch = self._batch
        topics = batch.catalogue.topics(event.connection, event.trigger, event.fact)
        self._wake(event, topics)
        trace = Trace(self._unit, batch.plans.reasons)
        scope: Scope | None = None
        for plan in batch.plans.listening(topics):
            scope = scope or self._scope(event)
            if plan.condition is not None and plan.condition.evaluate(scope) is not True:
                trace.add(plan, plan.condition.because(scope), scope)
                continue
            if why := self._used_up(plan, event, scope):
                trace.add_in_full(plan, why)
                continue
            self._save(self._carry_on(self._new_run(plan, event, scope), plan, event, scope))
            scope = None  # the next one sees the member as this one left them, and nothing that this one named
        trace.keep(event.id)

    def resume(
        self,
        run: Run,
        outcome: str,
        gave: Mapping[str, Any] | None = None,
        *,
        given: Mapping[str, Any] | None = None,
        why: str = "",
    ) -> None:
        """Carry a waiting run on, now that the step at which it stands has come to an outcome."""
        try:
            plan = self._plan_of(run)
        except (HubError, LookupError) as error:
            # What the step gave is kept all the same; its name is in the plan, and filled in when there is one again.
            entry = Entry(run.position, _UNKNOWN, outcome, None, given, gave, why)
            noted = run if outcome == "failed" else self._noted_as(run, entry)
            self._hold(noted, f"its recipe can no longer be carried out: {error}")
            return
        step = plan.steps[run.position]
        if outcome == "failed" and step.on_failure != "continue":
            self._hold(run, why)
            return
        self._go_on(self._noted_as(run, Entry(step.index, step.action, outcome, step.name, given, gave, why)), plan)

    def retry(self, run: Run) -> None:
        """Carry a held run on with the step that failed; finished steps are not done again."""
        self._confirmed.add(run.id)
        plan = self._plan_of(run)
        journal = tuple(
            entry
            if entry.action != _UNKNOWN
            else replace(entry, action=plan.steps[entry.step].action, name=plan.steps[entry.step].name)
            for entry in run.journal
        )
        self._go_on(run.moved(runs.READY, self._batch.now, note="", journal=journal), plan)

    def _go_on(self, run: Run, plan: Plan) -> None:
        """Carry a run on from where it stands; whatever goes wrong holds it, and it alone."""
        try:
            with self._unit.savepoint():
                event = self._event_of(run)
                self._save(self._carry_on(run, plan, event, self._scope(event, run)))
                take_back_late(self._batch, event, f"{run.id}/{run.position}")
        except HubError as error:
            self._hold(run, str(error))
        except Exception as error:  # noqa: BLE001 - nothing that one run meets may stop the worker
            _LOG.exception("a run cannot go on", run=run.id, recipe=run.recipe)
            self._hold(run, f"unexpected {log.in_words(error)}")

    def _noted_as(self, run: Run, entry: Entry) -> Run:
        return run.moved(runs.READY, self._batch.now).noted(entry)

    def _hold(self, run: Run, why: str) -> None:
        self._save(run.moved(runs.HELD, self._batch.now, note=why))

    def wake(self, run: Run) -> None:
        """Carry on a run whose time has come: what it waited for did not come, or only the time was waited for."""
        row = self._unit.session.row(queries.task_of_run, run_id=run.id)
        if row is not None:
            self._unit.append(queries.answer_task, (row["otherwise"], "", to_text(self._batch.now), row["id"]))
            self.resume(run, "timeout", {"outcome": "timeout", "answer": row["otherwise"], "by": ""})
            return
        outcome = "done" if run.awaits is None else "timeout"
        self.resume(run, outcome, {"outcome": outcome})

    def step_of(self, run: Run) -> PlannedStep:
        """The step at which the run stands."""
        return self._plan_of(run).steps[run.position]

    def _plan_of(self, run: Run) -> Plan:
        return self._batch.plans.pinned(self._unit.session, run.recipe, run.version)

    def _event_of(self, run: Run) -> Event:
        event = self._batch.events.by_id(run.event_id)
        if event is None:
            raise LookupError(f"run {run.id} belongs to event {run.event_id}, which is not there")
        return event

    def _new_run(self, plan: Plan, event: Event, scope: Scope) -> Run:
        now = self._batch.now
        run = Run(
            id=self._batch.ids.new("run"),
            event_id=event.id,
            recipe=plan.recipe.name,
            version=plan.recipe.version,
            member_id=event.member_id,
            lane=event.lane,
            depth=event.depth,
            state=runs.READY,
            position=0,
            started_at=now,
            changed_at=now,
            seen=seen_by(plan, event, scope["member"]),
        )
        remember_run(self._unit, run)
        return run

    def _scope(self, event: Event, run: Run | None = None) -> Scope:
        batch = self._batch
        return {
            "event": batch.in_own_currency(event).fact.__dict__,
            "member": batch.view_of(event.member_id),
            **self._always,
            **(run.named(batch.catalogue.as_given) if run is not None else {}),
        }

    def _used_up(self, plan: Plan, event: Event, scope: Scope) -> str:
        """Why a recipe that works once for each key does nothing now; empty when it does, and uses the key up."""
        if plan.once_per is None:
            return ""
        value = plan.once_per.evaluate(scope)
        if value is None:
            return ""
        key = (plan.recipe.name, str(value))
        used_by = self._unit.get(ONCE, key)
        if used_by is not None:
            return f"once_per {plan.once_per.text}: {value} was used by {used_by}"
        self._unit.know(ONCE, key, event.id)
        self._unit.append(queries.add_once_key, (*key, event.id))
        return ""

    def _carry_on(self, run: Run, plan: Plan, event: Event, scope: Scope) -> Run:
        first = run.position
        while run.state == runs.READY and run.position < len(plan.steps):
            if run.position > first:
                scope["member"] = self._batch.view_of(run.member_id)
            run = self._step(run, plan.steps[run.position], event, scope)
        return run.moved(runs.DONE, self._batch.now) if run.state == runs.READY else run

    def _step(self, run: Run, step: PlannedStep, event: Event, scope: Scope) -> Run:
        if not step.reads <= scope.keys():
            why = f"it reads `{min(step.reads - scope.keys())}`, which was not done"
            return run.noted(Entry(step.index, step.action, "skipped", step.name, why=why))
        try:
            if step.condition is not None and step.condition.evaluate(scope) is not True:
                return run.noted(Entry(step.index, step.action, "skipped", step.name, why=step.condition.explain(scope)))
            return self._do(run, step, event, scope)
        except (HubError, ValidationError, ValueError) as error:
            why = _plainly(error)
            if step.on_failure == "continue":
                return run.noted(Entry(step.index, step.action, "failed", step.name, why=why))
            return run.moved(runs.HELD, self._batch.now, note=f"step {step.index + 1} ({step.action}): {why}")

    def _do(self, run: Run, step: PlannedStep, event: Event, scope: Scope) -> Run:
        doing = self._batch.catalogue.doing(step.action)
        if isinstance(doing, Missing):
            raise Failed(f"{doing.message}; {doing.hint}")
        if step.action == AWARD and (why := earned_already(self._batch, event, run.recipe, step.index)):
            return run.noted(Entry(step.index, step.action, "skipped", step.name, why=why))
        if step.action == AWARD and run.id not in self._confirmed and (why := looks_like(self._batch, event)):
            return run.moved(runs.HELD, self._batch.now, note=f"step {step.index + 1} ({step.action}): {why}")
        known = step.type.inputs
        values: dict[str, Any] = {}
        given: dict[str, Any] = {}
        for name, compiled in step.inputs.items():
            value = values[name] = compiled.evaluate(scope)
            if value is not None or known[name].type.optional:
                given[name] = value
        inputs = doing.action.inputs.model_validate(given)
        if doing.connection is not None:
            return self._ask_platform(run, step, doing.connection.name, doing.action.name, inputs)
        with self._unit.savepoint():
            work = self._work(run, step, event)
            if self._batch.events.is_fresh(event.id):
                self._batch.book.never_used(work.key)
            result = doing.action.call({Work: work, Catalogue: self._batch.catalogue}, inputs)
            steered = self._steered(run, step, result)
            return steered or self._noted(run, step, scope, values, result)

    def _work(self, run: Run, step: PlannedStep, event: Event) -> Work:
        return self._batch.work_for(
            event,
            key=effect_key(event, run.recipe, step.index),
            step=step.name or step.action,
            run_id=run.id,
            recipe=run.recipe,
            version=run.version,
        )

    def _steered(self, run: Run, step: PlannedStep, result: Any) -> Run | None:
        """The run where the action's result steers it; None where the result is a result."""
        if isinstance(result, Stop):
            noted = run.noted(Entry(step.index, step.action, "done", step.name, why=result.reason))
            return noted.moved(runs.STOPPED, self._batch.now, note=result.reason)
        if isinstance(result, Wait):
            return self._wait(run, result.until, result.fact)
        if isinstance(result, Ask):
            self._open_task(run, result)
            return self._wait(run, result.until, None)
        return None

    def _noted(self, run: Run, step: PlannedStep, scope: Scope, given: Mapping[str, Any], result: Any) -> Run:
        gave = result.model_dump() if isinstance(result, BaseModel) else None
        if step.name and gave is not None:
            scope[step.name] = gave
        outcome = gave.get("outcome", "done") if gave is not None else "done"
        return run.noted(Entry(step.index, step.action, outcome, step.name, given, gave))

    def _wait(self, run: Run, until: Any, fact: str | None) -> Run:
        if fact is not None and isinstance(missing := self._batch.catalogue.when(fact), Missing):
            raise Failed(f"it cannot wait for `{fact}`: {missing.message}. {missing.hint}".rstrip())
        if fact is not None and run.member_id is not None:
            known = self._unit.get(AWAITING, run.member_id) or ()
            self._unit.know(AWAITING, run.member_id, (*known, run.id))
        return run.moved(runs.WAITING, self._batch.now, wake_at=until, awaits=fact)

    def _open_task(self, run: Run, ask: Ask) -> None:
        row = (
            self._batch.ids.new("tsk"), run.id, run.member_id, ask.question, as_json(ask.choices), ask.otherwise,
            to_text(ask.until), to_text(self._batch.now),
        )  # fmt: skip
        self._unit.append(queries.add_task, row)

    def _ask_platform(self, run: Run, step: PlannedStep, connection: str, name: str, inputs: BaseModel) -> Run:
        now = self._batch.now
        call = Call(
            id=self._batch.ids.new("call"),
            kind="action",
            connection=connection,
            name=name,
            lane=run.lane,
            input=inputs.model_dump(mode="json", exclude_defaults=True),
            due_at=now,
            created_at=now,
            changed_at=now,
            run_id=run.id,
            step=step.index,
            event_id=run.event_id,
            member_id=run.member_id,
        )
        self._unit.put(CALLS, call.id, call)
        self.asked[run.id] = call
        return run.moved(runs.WAITING, now)

    def _wake(self, event: Event, topics: tuple[str, ...]) -> None:
        if event.member_id is None:
            return
        for run_id in self._unit.get(AWAITING, event.member_id) or ():
            run = self._unit.get(RUNS, run_id)
            if run is not None and run.awaits in topics:
                self.resume(run, "fact", {"outcome": "fact"})

    @property
    def started(self) -> list[Run]:
        """The runs that were started or carried on here, as they stand."""
        runs_here = (self._unit.get(RUNS, run_id) for run_id in self._touched)
        return [run for run in runs_here if run is not None]

    def _save(self, run: Run) -> None:
        self._touched[run.id] = None
        if run.state in (runs.DONE, runs.STOPPED):
            count(self._unit, "run", runs.STATES[run.state])
            for entry in run.journal:
                count(self._unit, "step", entry.outcome)
        self._unit.put(RUNS, run.id, run)


def _plainly(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"`{'.'.join(map(str, one['loc']))}`: {one['msg']}" for one in error.errors(include_url=False))
    return str(error)
