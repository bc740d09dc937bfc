"""Lineage: the way of points, from the delivery to what was later spent of them; and why something earned nothing.

"Why 37?" and "why did order 1042 earn nothing?" are answered from what is recorded: events, runs, traces, receipts and the
ledger; `hub.insight.telling` says it in sentences.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from hub.clock import from_text
from hub.engine import calls, runs, traces
from hub.engine import events as states
from hub.insight.rules import Rules
from hub.insight.stories import Asked, EventStory, Heard, Later, MemberStory, Moved, Ran, Silence, Story, Unheard
from hub.ledger import Balance, StatementLine, statement
from hub.store import Row, Session, load

queries = load("hub.insight")

_EVENTS_MOST = 50
_LOOKED_THROUGH_MOST = 1_000
_CHAIN_MOST = 20

Bodies = Callable[[Sequence[str]], Mapping[str, bytes]]
"""The bodies of deliveries, by their ids, so far as the inbox still has them."""


def find(session: Session, what: str, bodies: Bodies | None = None) -> tuple[Story, ...]:
    """What is known of a transaction, lot, event, run, delivery, member, or an order, payment or other number.

    The oldest first; empty when nothing is. bodies: with them, deliveries that could not be read are looked through too.
    """
    if not what.strip():
        return ()
    kind = what.partition("_")[0]
    if kind in {"txn", "lot"}:
        row = session.row(queries.transaction, id=f"txn_{what.partition('_')[2]}")
        return () if row is None else tuple(_moved(session, [row]))
    if kind == "mem":
        return _member(session, what)
    if kind == "run":
        run = session.row(queries.run, id=what)
        return () if run is None else tuple(_stories(session, session.rows(queries.events, ids=[run["event_id"]])))
    if kind == "dlv":
        return tuple(_delivery(session, what, bodies))
    found = _stories(session, session.rows(queries.events_called, what=what, most=_EVENTS_MOST))
    return tuple(found) or tuple(_mentions(session, what, bodies))


def _delivery(session: Session, delivery_id: str, bodies: Bodies | None) -> Iterable[Story]:
    found = _stories(session, session.rows(queries.events_of_delivery, delivery_id=delivery_id, most=_EVENTS_MOST))
    receipts = list(_unheard(session.rows(queries.receipt, delivery_id=delivery_id)))
    yield from found
    yield from receipts
    if bodies is not None and not found and not receipts and bodies([delivery_id]):
        yield Unheard(delivery_id, "", "nothing new", "")


def _stories(session: Session, rows: Sequence[Row]) -> list[EventStory]:
    return [_story(session, row) for row in rows]


def _story(session: Session, row: Row) -> EventStory:
    heard = _heard(session, row)
    rules = Rules(session)
    return EventStory(
        heard=heard,
        runs=tuple(_runs(session, rules, heard.id)),
        silent=tuple(Silence(*one) for one in traces.of(session, heard.id)),
        moved=tuple(_moved(session, session.rows(queries.transactions_of_event, event_id=heard.id))),
        blocked_by=_parked(session, heard.lane) if heard.state == "ready" else None,
    )


def _parked(session: Session, lane: str) -> tuple[str, str, datetime] | None:
    row = session.row(queries.parked_lane, lane=lane)
    return None if row is None else (row["event_id"], row["note"], from_text(row["parked_at"]))


def _heard(session: Session, row: Row) -> Heard:
    """The event with the chain of events that led to it."""
    chain = [row]
    while len(chain) < _CHAIN_MOST and chain[-1]["cause_id"]:
        cause = session.row(queries.events, ids=[chain[-1]["cause_id"]])
        if cause is None:
            break
        chain.append(cause)
    heard: Heard | None = None
    for one in reversed(chain):
        heard = Heard(
            id=one["id"],
            what=states.name_of(one["connection"], one["kind"]),
            fact=one["fact"],
            key=one["key"],
            member_id=one["member_id"],
            lane=one["lane"],
            state=states.STATES[one["state"]],
            occurred_at=from_text(one["occurred_at"]),
            recorded_at=from_text(one["recorded_at"]),
            note=one["note"],
            delivery_id=one["delivery_id"],
            data=json.loads(one["data"], parse_float=Decimal),
            cause=heard,
        )
    assert heard is not None
    return heard


def _runs(session: Session, rules: Rules, event_id: str) -> Iterable[Ran]:
    found = [runs.from_row(row) for row in session.rows(queries.runs_of_event, event_id=event_id)]
    asked: dict[str, list[Asked]] = {run.id: [] for run in found}
    for row in session.rows(queries.calls_of_runs, run_ids=list(asked)):
        one = Asked(row["connection"], row["name"], calls.STATES[row["state"]], row["attempts"], row["note"])
        asked[row["run_id"]].append(one)
    for run in found:
        yield Ran(
            id=run.id,
            recipe=run.recipe,
            version=run.version,
            state=runs.STATES[run.state],
            position=run.position,
            note=run.note,
            wakes_at=run.wake_at,
            awaits=run.awaits,
            journal=run.journal,
            asked=tuple(asked[run.id]),
            rule=rules.of(run.recipe, run.version, run.position),
        )


def _moved(session: Session, rows: Sequence[Row]) -> Iterable[Moved]:
    """These transactions, in the order of the rows; one that moves no member's points is left out."""
    statements = {member: statement(session, member) for member in dict.fromkeys(row["member_id"] for row in rows) if member}
    lines = {line.txn_id: line for told in statements.values() for line in told}
    wanted = [(lines[row["id"]], row["member_id"]) for row in rows if row["id"] in lines]
    yield from _completed(session, wanted, statements)


def _completed(
    session: Session, wanted: Sequence[tuple[StatementLine, str]], statements: Mapping[str, Sequence[StatementLine]]
) -> Iterable[Moved]:
    rules = Rules(session)
    keys = {row["id"]: row["key"] for row in session.rows(queries.keys, ids=[line.txn_id for line, _ in wanted])}
    event_ids = list(dict.fromkeys(line.source.event_id for line, _ in wanted if line.source.event_id))
    heard = {row["id"]: _heard(session, row) for row in session.rows(queries.events, ids=event_ids)}
    for line, member_id in wanted:
        source = line.source
        rule = rules.of(source.recipe, source.version, _step(keys[line.txn_id])) if source.recipe and source.version else None
        about = heard.get(source.event_id) if source.event_id else None
        yield Moved(line, member_id, about, rule, tuple(_later(line, statements[member_id])))


def _step(key: str) -> int | None:
    """The number of the step, with which the key of what it posted ends."""
    last = key.rpartition("/")[2]
    return int(last) if last.isdecimal() else None


def _later(line: StatementLine, told: Sequence[StatementLine]) -> Iterable[Later]:
    for other in told:
        if other.seq <= line.seq:
            continue
        drawn = sum(one.points for one in other.drawn if line.lot is not None and one.lot_id == line.lot.id)
        follows = other.follows == line.txn_id
        if drawn or follows:
            points = other.points if follows else drawn
            yield Later(other.txn_id, other.kind, points, other.effective_at, other.source.reason, follows)


def _member(session: Session, member_id: str) -> tuple[MemberStory, ...]:
    row = session.row(queries.member, id=member_id)
    if row is None:
        return ()
    told = statement(session, member_id)
    sums: dict[str, int] = {}
    for line in told:
        sums[line.kind] = sums.get(line.kind, 0) + line.points
    holding = [(line, member_id) for line in told if line.lot is not None and line.lot.left]
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    story = MemberStory(
        member_id=member_id,
        name=name,
        tier=row["tier"],
        balance=Balance(row["available"], row["pending"], row["held"], row["debt"]),
        holding=tuple(_completed(session, holding, {member_id: told})),
        sums=sums,
        blocked_by=_parked(session, member_id),
    )
    return (story,)


def _mentions(session: Session, what: str, bodies: Bodies | None) -> Iterable[Unheard]:
    """Notices and deliveries that speak of it, as a word of its own, and became no event."""
    word = re.compile(rf"(?<!\w){re.escape(what)}(?!\w)")
    for row in session.rows(queries.open_fetches, most=_LOOKED_THROUGH_MOST):
        if word.search(row["input"]):
            state = "held" if row["state"] == calls.HELD else "to be fetched"
            yield Unheard(row["id"], row["connection"], state, row["note"])
    receipts = session.rows(queries.receipts, most=_LOOKED_THROUGH_MOST)
    kept = bodies([row["delivery_id"] for row in receipts]) if bodies is not None else {}
    said = {row["delivery_id"]: kept.get(row["delivery_id"], b"").decode(errors="replace") for row in receipts}
    yield from _unheard(row for row in receipts if word.search(row["note"]) or word.search(said[row["delivery_id"]]))


def _unheard(rows: Iterable[Row]) -> Iterable[Unheard]:
    for row in rows:
        yield Unheard(row["delivery_id"], row["connection"], row["state"], row["note"])
