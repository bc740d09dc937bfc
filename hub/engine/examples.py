"""Examples: runs the examples that stand in recipes, in memory, with the platforms' own samples as their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from random import Random
from typing import Any

from pydantic import ValidationError

from hub.clock import VirtualClock
from hub.engine import runs
from hub.engine.batch import Batch
from hub.engine.catalogue import BUILT_IN, Catalogue
from hub.engine.events import READY, Event
from hub.engine.plans import Plans, topic_of
from hub.engine.runner import Runner
from hub.engine.runs import Entry, Run
from hub.errors import HubError
from hub.ids import Ids
from hub.ledger import Source
from hub.programme.facts import HubFact
from hub.programme.members import MEMBERS, Member
from hub.programme.settings import Programme
from hub.recipes.model import Example, Expected, Plan
from hub.recipes.vocabulary import Missing
from hub.sdk.fact import Fact
from hub.sdk.sample import SAMPLE_NOW
from hub.sdk.values import to_minor
from hub.store import NoRows

_MEMBER = "mem_0190b2c4d5e67f8090a1b2c3d4e5f607"
_EVENT = "evt_0190b2c4d5e67f8090a1b2c3d4e5f608"
_STEPS_MOST = 100
_SILENT = ("skipped", "failed", "blocked")


@dataclass(frozen=True, slots=True)
class Tried:
    """One example of a recipe and what is wrong with it; empty when it came out as expected."""

    recipe: str
    line: int
    problems: tuple[str, ...]


def try_examples(plan: Plan, catalogue: Catalogue, programme: Programme) -> Iterator[Tried]:
    """Run every example of a recipe."""
    for example in plan.recipe.examples:
        try:
            problems = _try(plan, example, catalogue, programme)
        except (HubError, ValidationError) as error:
            problems = [str(error)]
        yield Tried(plan.recipe.name, example.line, tuple(problems))


def _try(plan: Plan, example: Example, catalogue: Catalogue, programme: Programme) -> list[str]:
    now = example.now or SAMPLE_NOW
    if example.programme:
        programme = Programme.model_validate(_laid_over(programme.model_dump(by_alias=True), example.programme))
    random = Random(0)  # noqa: S311 - ids of an example that is thrown away
    batch = Batch.begin(
        NoRows(),
        now=now,
        ids=Ids(VirtualClock(now), random),
        random=random,
        programme=programme,
        catalogue=catalogue,
        plans=Plans([plan], catalogue),
    )
    event = _event(plan, example, catalogue, programme, now)
    if event.member_id is not None:
        _enrol(batch, event.member_id, example.member, now)
    runner = Runner(batch)
    batch.events.record(event)
    runner.start(event)
    for _ in range(_STEPS_MOST):
        waiting = [run for run in runner.started if run.state == runs.WAITING]
        if not waiting:
            break
        _answer(runner, waiting[0], catalogue)
    return _compare(example, runner.started)


def _event(plan: Plan, example: Example, catalogue: Catalogue, programme: Programme, now: datetime) -> Event:
    when = next(one for one in plan.whens if one.name == example.when)
    kind = catalogue.when(when.name)
    if isinstance(kind, Missing):
        raise HubError(kind.message)
    fact_type = catalogue.fact_type(when.name)
    sample = {**kind.sample, "currency": programme.currency} if "currency" in kind.sample else kind.sample
    fact: Fact = fact_type.model_validate(_laid_over(sample, example.given))
    is_own = isinstance(fact, HubFact) or catalogue.watch(when.name) is not None
    member_id = (fact.member_id or None) if isinstance(fact, HubFact) else _MEMBER
    topic = topic_of(plan, when)
    # `shop.order_paid` is told by the connection (or any of the connector) of that name, `sale` by anybody.
    teller, dot, trigger = ("", "", topic) if is_own else topic.rpartition(".")
    return Event(
        id=_EVENT,
        connection=BUILT_IN if is_own else teller if dot else "example",
        trigger=trigger,
        key="example",
        fact=fact,
        lane=member_id or _EVENT,
        member_id=member_id,
        state=READY,
        occurred_at=fact.occurred_at or now,
        recorded_at=now,
    )


def _enrol(batch: Batch, member_id: str, said: Mapping[str, Any], now: datetime) -> None:
    """Make the member that the example describes; what it does not say is empty."""
    zone = batch.programme.zone
    fields = {name: value for name, value in said.items() if name in Member._fields}
    fields.pop("id", None)
    if "tags" in fields:
        fields["tags"] = frozenset(fields["tags"])
    if "spent" in fields:
        fields["spent"] = to_minor(Decimal(fields["spent"]), batch.programme.currency)
    last = said.get("last_activity_on")
    joined_on = said.get("joined_on") or now.astimezone(zone).date()
    fields["joined_on"] = joined_on
    fields.setdefault("tier", batch.programme.tier_for(int(said.get("lifetime_points") or 0)))
    joined_at = datetime.combine(joined_on, time(), zone)
    member = Member(member_id, joined_at, **fields)
    if last is not None:
        member = member._replace(last_activity_at=datetime.combine(last, time(12), zone))
    batch.unit.know(MEMBERS, member_id, member)
    if said.get("balance"):
        batch.book.adjust(member_id, int(said["balance"]), key="example", source=Source(reason="example"))
    if said.get("pending"):
        source = Source(reason="example")
        batch.book.award(
            member_id, int(said["pending"]), key="pending", source=source, expires_at=None, effective_at=now, pending=True
        )


def _answer(runner: Runner, run: Run, catalogue: Catalogue) -> None:
    """Carry the run on with what it waits for: the sample of its action, or the time that was waited for."""
    step = runner.step_of(run)
    doing = catalogue.doing(step.action)
    if isinstance(doing, Missing) or doing.connection is None:
        runner.resume(run, "done", {"outcome": "done", "answer": "", "by": ""})
        return
    samples = [one for one in doing.connection.connector.samples if one.of == doing.action.name and one.fails is None]
    gave = samples[0].gives if samples and isinstance(samples[0].gives, Mapping) else {}
    runner.resume(run, "done", gave, given=runner.asked[run.id].input)


def _compare(example: Example, started: Sequence[Run]) -> list[str]:
    held = [f"it is held: {run.note}" for run in started if run.state == runs.HELD]
    done = [entry for run in started for entry in run.journal if entry.outcome not in _SILENT]
    expected = list(example.expect)
    names = [entry.action for entry in done]
    if names != [one.action for one in expected]:
        wanted = ", ".join(one.action for one in expected) or "nothing"
        failed = [f"{one.action} failed: {one.why}" for run in started for one in run.journal if one.outcome == "failed"]
        return [*held, *failed, f"expected {wanted}; it did {', '.join(names) or 'nothing'}"]
    return held + [text for one, entry in zip(expected, done, strict=True) for text in _differences(one, entry)]


def _differences(expected: Expected, entry: Entry) -> Iterator[str]:
    for name, wanted in expected.values.items():
        came = [side[name] for side in (entry.given, entry.gave) if side and name in side]  # as an input, a result, or both
        if not any(_same(wanted, value) for value in came):
            got = " and ".join(str(value) for value in came) or "nothing"
            yield f"{expected.action}: expected {name} {wanted!s}, got {got}"


def _same(wanted: Any, came: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(came, Mapping) and all(name in came and _same(value, came[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(came, list | tuple) and len(wanted) == len(came) and all(map(_same, wanted, came))
    return bool(wanted == came) or str(wanted) == str(came)


def _laid_over(sample: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(sample)
    for name, value in given.items():
        under = laid.get(name)
        laid[name] = _laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return laid
