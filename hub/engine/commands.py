"""Commands: what a person or a program asks of the hub; each is kept like any delivery, carried out once, and answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hub import log
from hub.clock import to_text
from hub.engine import calls, retention, runs, timers
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.catalogue import BUILT_IN
from hub.engine.events import DONE, PARKED, READY, Event, queries
from hub.engine.inbox import Delivery, Inbox
from hub.engine.own_facts import ManualFact
from hub.engine.plans import manual_topic
from hub.engine.runner import Runner
from hub.engine.runs import RUNS
from hub.engine.schedule import ask_pull
from hub.engine.workshop import PARKED_LANES
from hub.errors import HubError
from hub.ledger import Source
from hub.programme.facts import PointsAdjusted
from hub.programme.members import Member
from hub.sdk import Connection
from hub.sdk.values import Moment, Points
from hub.store import as_json

_LOG = log.get(__name__)
Payload = Mapping[str, Any]
Done = tuple[dict[str, Any], list[Event]]
"""The answer, and the events that are to be worked now."""
Command = Callable[[Batch, Delivery, Payload], Done]


class Commands:
    """Carries commands out, within the batch in which they are read. more: commands of other modules, by name."""

    def __init__(self, inbox: Inbox, connections: Mapping[str, Connection], more: Mapping[str, Command]) -> None:
        self._inbox = inbox
        self._connections = connections
        self._by_name: dict[str, Command] = {
            **more,
            "replay": self._replay,
            "trigger": self._trigger,
            "adjust": self._adjust,
            "answer": self._answer_task,
            "pull": self._pull,
            "drop": self._drop,
        }

    def carry_out(self, batch: Batch, delivery: Delivery) -> list[Event]:
        """Do it and keep the answer; a command that cannot be done changes nothing and says why."""
        try:
            with batch.unit.savepoint():
                command = self._by_name.get(delivery.path)
                if command is None:
                    raise HubError(f"there is no command `{delivery.path}`; known: {', '.join(sorted(self._by_name))}")
                result, events = command(batch, delivery, json.loads(delivery.body))
        except HubError as error:
            self._keep_answer(batch, delivery, ok=False, result={"error": str(error)})
            return []
        except Exception as error:  # noqa: BLE001 - whoever asked waits for an answer
            _LOG.exception("a command broke off", command=delivery.path, delivery=delivery.id)
            why = f"`{delivery.path}` broke off, and nothing was changed: unexpected {log.in_words(error)}"
            self._keep_answer(batch, delivery, ok=False, result={"error": why})
            return []
        self._keep_answer(batch, delivery, ok=True, result=result)
        return events

    def _keep_answer(self, batch: Batch, delivery: Delivery, *, ok: bool, result: Payload) -> None:
        batch.unit.append(queries.add_answer, (delivery.id, int(ok), as_json(result), to_text(batch.now)))

    def _replay(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name = str(payload.get("id", ""))
        replays = {"dlv": self._replay_delivery, "evt": self._replay_event, "run": self._replay_run, "call": self._replay_call,
                   "tmr": self._replay_timer}  # fmt: skip
        replay = replays.get(name.partition("_")[0])
        if replay is None:
            raise HubError(
                f"`{name}` cannot be replayed; give the id of a delivery, event, run, call or timer, as `hub held` shows it"
            )
        return replay(batch, name)

    def _replay_delivery(self, batch: Batch, name: str) -> Done:
        kept = self._inbox.by_id(name)
        if kept is None:
            removed_at = self._inbox.removed_at(name)
            why = retention.told(name, removed_at) if removed_at is not None else f"there is no delivery {name} in the inbox"
            raise HubError(why)
        if kept.kind == "command":
            raise HubError(f"{name} is a command, and commands are carried out once; give it again")
        admission = Admission(batch, dict(self._connections))
        events = admission.admit([kept])
        if name not in admission.unreadable:
            batch.unit.append(queries.drop_receipt, (name,))
        elif not events:
            raise HubError(f"{name} still cannot be read: {admission.unreadable[name]}")
        return {"replayed": name, "events": [event.id for event in events]}, events

    def _replay_event(self, batch: Batch, name: str) -> Done:
        event = batch.events.by_id(name)
        if event is None:
            raise HubError(f"there is no event {name}")
        event = batch.events.held(event)
        if event.state != PARKED:
            raise HubError(f"event {name} is not parked; only an event that could not be worked is worked again")
        self._free(batch, event)
        return {"replayed": name}, [batch.events.settle(event, READY)]

    def _replay_run(self, batch: Batch, name: str) -> Done:
        run = batch.unit.get(RUNS, name)
        if run is None:
            raise HubError(f"there is no run {name}")
        if run.state != runs.HELD:
            raise HubError(f"run {name} is {runs.STATES[run.state]}, not held; there is nothing to replay")
        rows = batch.unit.session.rows(queries.calls_of_run, run_id=name)
        held = [call for call in map(calls.from_row, rows) if call.state == calls.HELD and call.step == run.position]
        if held:
            self._call_again(batch, batch.unit.get(CALLS, held[-1].id) or held[-1])
            waiting = run.moved(runs.READY, batch.now, note="").moved(runs.WAITING, batch.now)
            batch.unit.put(RUNS, run.id, waiting)
        else:
            Runner(batch).retry(run)
        return {"replayed": name, "from_step": run.position + 1}, []

    def _replay_call(self, batch: Batch, name: str) -> Done:
        call = batch.unit.get(CALLS, name)
        if call is None:
            raise HubError(f"there is no call {name}")
        if call.state != calls.HELD:
            raise HubError(f"call {name} is {calls.STATES[call.state]}, not held")
        run = batch.unit.get(RUNS, call.run_id) if call.run_id else None
        if run is not None and run.state == runs.HELD and run.position == call.step:
            return self._replay_run(batch, run.id)
        self._call_again(batch, call)
        return {"replayed": name}, []

    def _call_again(self, batch: Batch, call: Call) -> None:
        note = call.note if call.note.startswith(calls.UNCERTAIN) else ""
        again = call._replace(state=calls.DUE, attempts=0, due_at=batch.now, note=note, changed_at=batch.now)
        batch.unit.put(CALLS, call.id, again)

    def _replay_timer(self, batch: Batch, name: str) -> Done:
        timer = next((one for one in timers.held_timers(batch.unit.session).values() if one.id == name), None)
        if timer is None:
            raise HubError(f"there is no timer {name} that is set aside; it may have worked meanwhile")
        timers.hold(batch.unit, replace(timer, retry_at=batch.now))
        return {"replayed": name, "timer": timer.name}, []

    def _drop(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name = str(payload.get("id", ""))
        why = f"given up ({payload.get('reason') or 'no reason given'})"
        run, event, call = batch.unit.get(RUNS, name), batch.events.by_id(name), batch.unit.get(CALLS, name)
        event = batch.events.held(event) if event is not None else None
        receipt = batch.unit.session.row(queries.receipt, delivery_id=name)
        if run is not None and run.state == runs.HELD:
            batch.unit.put(RUNS, run.id, run.moved(runs.STOPPED, batch.now, note=f"{why}: {run.note}"))
        elif event is not None and event.state == PARKED:
            self._free(batch, event)
            batch.events.settle(event, DONE, f"{why}: {event.note}")
        elif call is not None and call.state == calls.HELD and not self._holds_its_run(batch, call):
            batch.unit.put(CALLS, call.id, call.refused(batch.now, f"{why}: {call.note}"))
        elif receipt is not None and receipt["state"] == "unreadable":
            note = f"{why}: {receipt['note']}"
            row = (name, receipt["seq"], receipt["connection"], "ignored", note, to_text(batch.now))
            batch.unit.append(queries.add_receipt, row)
        else:
            raise HubError(
                f"`{name}` is not a held run or call, a parked event or an unreadable delivery; `hub held` shows what can be "
                "given up"
            )
        return {"stopped": name}, []

    def _holds_its_run(self, batch: Batch, call: Call) -> bool:
        run = batch.unit.get(RUNS, call.run_id) if call.run_id else None
        return run is not None and run.state == runs.HELD

    def _free(self, batch: Batch, event: Event) -> None:
        """The lane that this event parked goes on."""
        batch.unit.append(queries.free_lane, (event.lane,))
        batch.unit.know(PARKED_LANES, event.lane, None)

    def _trigger(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        recipe = str(payload.get("recipe", ""))
        if not batch.plans.listens(manual_topic(recipe)):
            raise HubError(f"there is no enabled recipe `{recipe}` with `when: manual`")
        member_id = payload.get("member")
        if member_id is not None:
            _member(batch, payload)
        fact = ManualFact(
            occurred_at=batch.now,
            member_id=member_id or "",
            key=delivery.id,
            recipe=recipe,
            by=str(payload.get("by") or ""),
            input=str(payload.get("input") or ""),
        )
        event = Event(
            id=batch.ids.new("evt"),
            connection=BUILT_IN,
            trigger=manual_topic(recipe),
            key=delivery.id,
            fact=fact,
            lane=str(member_id) if member_id else delivery.id,
            member_id=str(member_id) if member_id else None,
            state=READY,
            occurred_at=batch.now,
            recorded_at=batch.now,
            delivery_id=delivery.id,
        )
        batch.events.record(event)
        return {"event": event.id, "recipe": recipe}, [event]

    def _adjust(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        member, points = _member(batch, payload), _points(payload)
        reason, actor = str(payload.get("reason") or ""), str(payload.get("by") or "")
        if points == 0 or not reason:
            raise HubError("an adjustment needs points other than 0 and a reason that the member may read")
        source = Source(reason=reason, actor=actor)
        expires_at = batch.programme.expires_at(batch.now, batch.programme.expiry) if points > 0 else None
        posting = batch.book.adjust(member.id, points, key=f"command:{delivery.id}", source=source, expires_at=expires_at)
        balance = batch.book.balance(member.id).spendable
        told = {"member_id": member.id, "key": f"command:{delivery.id}:adjusted", "occurred_at": batch.now, "reason": reason}
        batch.tell(PointsAdjusted.model_validate({**told, "points": points, "balance": balance}))
        return {"txn": posting.txn_id, "balance": balance}, []

    def _answer_task(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        task = batch.unit.session.row(queries.task, id=str(payload.get("task", "")))
        if task is None:
            raise HubError(f"there is no task `{payload.get('task')}`")
        run = batch.unit.get(RUNS, task["run_id"])  # its lane is ours now: the clock cannot answer meanwhile
        task = batch.unit.session.row(queries.task, id=task["id"]) or task
        if task["answered_at"] is not None:
            raise HubError(f"task {task['id']} was answered before, with `{task['answer']}`")
        answer, by = str(payload.get("choice", "")), str(payload.get("by") or "")
        choices = json.loads(task["choices"])
        if answer not in choices:
            raise HubError(f"`{answer}` is not one of the answers: {', '.join(choices)}")
        batch.unit.append(queries.answer_task, (answer, by, to_text(batch.now), task["id"]))
        if run is not None and run.state == runs.WAITING:
            Runner(batch).resume(run, "done", {"outcome": "done", "answer": answer, "by": by})
        return {"task": task["id"], "answer": answer}, []

    def _pull(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        connection = self._connections.get(str(payload.get("connection", "")))
        if connection is None:
            raise HubError(
                f"there is no connection `{payload.get('connection')}`; known: {', '.join(sorted(self._connections))}"
            )
        pulls = connection.connector.pulls
        if not pulls:
            raise HubError(f"{connection.connector.title} has nothing that can be pulled")
        since = moment_said(payload.get("since"))
        asked = [ask_pull(batch, connection.name, pull, since) for pull in pulls]
        return {"connection": connection.name, "calls": [call.id for call in asked]}, []


def _member(batch: Batch, payload: Payload) -> Member:
    name = str(payload.get("member") or "")
    try:
        return batch.roll.get(name)
    except KeyError:
        raise HubError(f"there is no member `{name}`; give an id as `hub members` shows it") from None


def _points(payload: Payload) -> int:
    try:
        points: int = TypeAdapter(Points).validate_python(payload.get("points"))
    except ValidationError:
        raise HubError(f"`{payload.get('points')}` is not a whole number of points") from None
    return points


def moment_said(text: object) -> datetime | None:
    """The moment that a command names; None where it names none. HubError when it is none."""
    if not text:
        return None
    try:
        moment: datetime = TypeAdapter(Moment).validate_python(text)
    except ValidationError:
        raise HubError(f"`{text}` is not a moment; write it as 2026-12-24T18:30:00Z") from None
    return moment
