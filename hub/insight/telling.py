"""Telling: stories of points and events in sentences, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from hub.engine.catalogue import BUILT_IN
from hub.engine.runs import Entry
from hub.insight.rules import Rule
from hub.insight.stories import EventStory, Heard, MemberStory, Moved, Ran, Story, Unheard
from hub.ledger import Lot, StatementLine

KINDS = {
    "award": "earned",
    "redeem": "spent",
    "expire": "expired",
    "clawback": "taken back",
    "restore": "given back",
    "adjust": "adjusted",
    "hold": "set aside",
    "capture": "spent of what was set aside",
    "cancel": "no longer set aside",
    "release": "released",
    "reversal": "reversed",
}
"""What each kind of transaction does to points, in a word."""

_OWN = f"{BUILT_IN}."
_ROUNDINGS = {"floor": "rounded down", "ceil": "rounded up", "half_even": "rounded to the nearest"}


def sentences(story: Story, zone: tzinfo) -> list[str]:
    """The story, a sentence or two each. zone: in which times are told."""
    if isinstance(story, Moved):
        return [*_posted(story, zone), *(_way(story.heard, zone) if story.heard else ()), *_made(story, zone)]
    if isinstance(story, EventStory):
        return list(_event(story, zone))
    return list(_member(story, zone)) if isinstance(story, MemberStory) else [_unheard(story)]


# A transaction --------------------------------------------------------------------------------------------------------


def _posted(moved: Moved, zone: tzinfo) -> Iterator[str]:
    line = moved.line
    reason = f" “{line.source.reason}”" if line.source.reason else ""
    yield (
        f"{_points(line.points, signed=True)} on {_day(line.effective_at, zone)}:{reason} {_kind(line)}, "
        f"{line.txn_id}. The balance was {line.balance.spendable:,} then."
    )


def _kind(line: StatementLine) -> str:
    pending = (line.source.context or {}).get("pending")
    return f"earned, {_points(pending)} to be spent later" if pending else KINDS.get(line.kind, line.kind)


def _made(moved: Moved, zone: tzinfo) -> Iterator[str]:
    """By which rule, how it was worked out, where the points came from or stand, what became of them."""
    if moved.line.source.actor:
        yield f"It was done by {moved.line.source.actor}."
    if moved.rule is not None:
        yield _ruled(moved.rule)
    yield from _worked_out(moved.line)
    yield from _kept(moved, zone)


def _way(heard: Heard, zone: tzinfo) -> Iterator[str]:
    """From the delivery to the event, through the events that led to it."""
    came = f" in delivery {heard.delivery_id}" if heard.delivery_id else ""
    told = "told by the hub itself" if heard.what.startswith(_OWN) else f"told by {heard.what}{came}"
    yield f"{_named(heard)} on {_time(heard.occurred_at, zone)}, {told}: event {heard.id}."
    if heard.cause is not None:
        first, *others = _way(heard.cause, zone)
        yield f"It arose from this: {first}"
        yield from others


def _ruled(rule: Rule) -> str:
    place = f" ({rule.path}:{rule.line})" if rule.path and rule.line else f" ({rule.path})" if rule.path else ""
    step = f", step {rule.step}" if rule.step else ""
    written = ", ".join(f"`{name}: {text}`" for name, text in (rule.inputs or {}).items() if text and name != "reason")
    asks = f" says {rule.action} {written}".rstrip() if rule.action else " did it"
    conditions = " and ".join(f"`{text}`" for text in (rule.condition, rule.step_condition) if text)
    held = f", and its condition {conditions} held" if conditions else ", without a condition"
    return f"Recipe {rule.recipe}, version {rule.version}{step}{place},{asks}{held}."


def _worked_out(line: StatementLine) -> Iterator[str]:
    context = line.source.context or {}
    if "method" in context:
        target = _points(context["target"])
        yield f"{context['returned']} of {context['of']} have been given back in all, which takes {target} back in all."
    if "exact" not in context:
        return
    money = f"Of {context['amount']} {context['currency']}" if "amount" in context else "Exactly"
    converted = f" (in the programme's currency {context['base']})" if "base" in context else ""
    terms = _terms(context)
    came_to = context.get("pending", line.points)
    whole = context.get("uncapped", context.get("group_points", came_to))
    rounding = _ROUNDINGS[context["rounding"]]
    exact = _number(context["exact"])
    said = f"{money}{converted} came {terms}{exact} points"
    yield f"{said}." if exact == str(whole) else f"{said}; {rounding} that is {whole}."
    if "uncapped" in context:
        yield f"A cap brought {context['uncapped']} down to {context.get('group_points', came_to)}."
    if "group" in context:
        together = f"came to {_points(context['group_points'])} together; this one brought {came_to} of them"
        yield f"All awards of the group `{context['group']}` {together}."
    if context.get("tier"):
        yield f"The member's tier was {context['tier']}."


def _terms(context: Mapping[str, Any]) -> str:
    """`37.50 x 2 + 10 = `, where there was more than one term; of a group, whose terms are of several awards, nothing."""
    if "group" in context:
        return ""
    factor, bonus = context.get("factor", "1"), context.get("bonus", 0)
    times = f" × {_number(factor)}" if str(factor) != "1" else ""
    more = f" + {bonus}" if bonus else ""
    return f"{_number(context['base_points'])}{times}{more} = " if times or more else ""


def _kept(moved: Moved, zone: tzinfo) -> Iterator[str]:
    line = moved.line
    if line.drawn:
        verb = "They came from" if line.points <= 0 else "They went back to"
        parts = [f"{abs(one.points)} of “{one.source.reason or one.earned_by}”" for one in line.drawn]
        yield f"{verb} {_listed(parts)}."
    lot = line.lot
    repaid = line.points - (lot.points if lot else 0)
    if line.kind in {"award", "release"} and repaid > 0:
        yield f"{repaid} of them repaid a debt."
    if lot is not None:
        left = "all" if lot.left == lot.points else "none" if lot.left == 0 else f"{lot.left}"
        yield f"They stand in {lot.id}, {_good(lot, zone)}; {left} of the {lot.points} {'is' if lot.left == 1 else 'are'} left."
    for later in moved.later:
        reason = f" (“{later.reason}”)" if later.reason else ""
        word = KINDS.get(later.kind, later.kind)
        yield f"Later {abs(later.points)} {word} on {_day(later.at, zone)}{reason}: {later.txn_id}."


# An event -------------------------------------------------------------------------------------------------------------


def _event(story: EventStory, zone: tzinfo) -> Iterator[str]:
    heard = story.heard
    yield from _way(heard, zone)
    yield from _state(story, zone)
    earned = sum(moved.line.points for moved in story.moved)
    if heard.state == "done":
        yield f"It came to {_points(earned, signed=True)}." if story.moved else "It earned nothing."
    for moved in story.moved:
        yield from _posted(moved, zone)
        yield from _made(moved, zone)
    for run in story.runs:
        yield from _ran(run, zone)
    for silence in story.silent:
        yield f"Recipe {silence.recipe}, version {silence.version}, did nothing: {silence.why}."
    if heard.state == "done" and not (story.runs or story.silent or story.moved):
        yield f"No enabled recipe listened to {heard.what} or `{heard.fact}` when it was worked."


def _state(story: EventStory, zone: tzinfo) -> Iterator[str]:
    heard = story.heard
    if story.blocked_by is not None:
        yield f"It waits behind {_blocked(story.blocked_by, zone)}"
    elif heard.state == "ready":
        yield "It has not been worked yet; is a worker running (`hub run`)?"
    elif heard.state == "parked":
        yield f"It could not be worked and is parked: {_stop(heard.note)} Mend that, then `hub replay {heard.id}`."
    elif heard.state == "unclaimed":
        code = heard.data.get("order_id") or heard.data.get("payment_id") or heard.key
        how = f"An update that names the buyer, or the SMS CLAIM {code} of a member, attaches it."
        yield f"It is unclaimed, so it has earned nothing yet: {_stop(heard.note)} {how}"
    elif heard.state == "waiting":
        yield f"It waits: {_stop(heard.note)}"
    elif heard.note:
        yield f"Noted: {_stop(heard.note)}"


def _blocked(by: tuple[str, str, datetime], zone: tzinfo) -> str:
    event_id, note, since = by
    return f"event {event_id}, parked since {_time(since, zone)}: {_stop(note)} Mend that, then `hub replay {event_id}`."


def _ran(run: Ran, zone: tzinfo) -> Iterator[str]:
    steps = "; ".join(_stepped(entry) for entry in run.journal) or "no step is done yet"
    yield f"Recipe {run.recipe}, version {run.version}, is {run.state} ({run.id}): {steps}."
    where = f" at line {run.rule.line}" if run.rule.line else ""
    if run.state == "held":
        yield f"It is held before step {run.position + 1}{where}: {_stop(run.note)} Mend that, then `hub replay {run.id}`."
    elif run.state == "stopped" and run.note:
        yield f"It was stopped: {_stop(run.note)}"
    elif run.state == "waiting":
        times = f" until {_time(run.wakes_at, zone)}" if run.wakes_at else ""
        yield f"It waits at step {run.position + 1}{where}{f' for {run.awaits}' if run.awaits else ''}{times}."
    for asked in run.asked:
        note = f": {_stop(asked.note)}" if asked.note else "."
        yield f"The call {asked.connection}.{asked.name} is {asked.state} after {asked.attempts} attempts{note}"


def _stepped(entry: Entry) -> str:
    gave = entry.gave or {}
    points = f", {_points(gave['points'])}" if gave.get("points") else ""
    why = f" ({entry.why})" if entry.why else ""
    return f"step {entry.step + 1}, {entry.action}: {entry.outcome}{points}{why}"


# A member, a delivery -------------------------------------------------------------------------------------------------


def _member(story: MemberStory, zone: tzinfo) -> Iterator[str]:
    balance = story.balance
    who = f"{story.name} ({story.member_id})" if story.name else story.member_id
    tier = f", {story.tier}," if story.tier else ""
    yield f"{who}{tier} has {_points(balance.spendable)}."
    if story.holding or balance.debt:
        yield equation(story)
    for moved in story.holding:
        yield " ".join(_short(moved, zone))
    if balance.pending or balance.held:
        yield f"Besides, {balance.pending} are pending and {balance.held} are set aside."
    sums = [f"{abs(points):,} {KINDS.get(kind, kind)}" for kind, points in story.sums.items() if points]
    if sums:
        yield f"In all: {_listed(sums)}."
    if story.blocked_by is not None:
        yield f"What came after waits behind {_blocked(story.blocked_by, zone)}"


def equation(story: MemberStory) -> str:
    """`37 = 25 of “Order 1042” + 12 of “Happy birthday”.`"""
    lots = [(moved.line, moved.line.lot) for moved in story.holding]
    parts = [f"{lot.left} of “{line.source.reason or line.kind}”" for line, lot in lots if lot]
    owed = f" - {story.balance.debt} owed" if story.balance.debt else ""
    return f"{story.balance.spendable:,} = {' + '.join(parts) or '0'}{owed}."


def _short(moved: Moved, zone: tzinfo) -> Iterator[str]:
    line, lot = moved.line, moved.line.lot
    assert lot is not None
    left = f"{lot.left} of {lot.points} left, {_good(lot, zone)}"
    yield f"“{line.source.reason or line.kind}” of {_day(line.effective_at, zone)}: {left}; {line.txn_id}."
    if moved.rule is not None:
        yield f"By {moved.rule.recipe} {moved.rule.version}."
    yield from _worked_out(line)


def _good(lot: Lot, zone: tzinfo) -> str:
    """Until when the points are good: the last day, not the midnight after it."""
    return f"good through {_day(lot.expires_at - timedelta(microseconds=1), zone)}" if lot.expires_at else "good for ever"


def _unheard(unheard: Unheard) -> str:
    said = f"Delivery {unheard.id} from {unheard.connection}"
    if unheard.state == "unreadable":
        return f"{said} could not be read: {_stop(unheard.note)} Mend that, then `hub replay {unheard.id}`."
    if unheard.state == "nothing new":
        return f"Delivery {unheard.id} made no event: what it tells was known already, or the worker has not read it yet."
    if unheard.state in {"held", "to be fetched"}:
        note = f": {_stop(unheard.note)}" if unheard.note else "."
        what = "could not be fetched and is held" if unheard.state == "held" else "is still to be fetched"
        return f"{unheard.connection} told of it, and the rest {what} ({unheard.id}){note}"
    return f"{said} was left out ({unheard.state.replace('_', ' ')}): {_stop(unheard.note)}"


# Words ----------------------------------------------------------------------------------------------------------------


def _named(heard: Heard) -> str:
    """`Sale of 37.50 USD (payment pay_1, order 1042)`."""
    data = heard.data
    money = f" of {data['amount']} {data.get('currency', '')}".rstrip() if data.get("amount") is not None else ""
    about = ", ".join(f"{one['kind']} {one['id']}" for one in data.get("references", ()))
    own = heard.what.startswith(_OWN)  # whose keys are long and say nothing to people
    fact = heard.fact.removeprefix(_OWN).replace("_", " ")
    return f"{fact.capitalize()}{money}{'' if own else f' ({about or heard.key})'}"


def _points(points: int, *, signed: bool = False) -> str:
    number = f"{points:+,}" if signed and points else f"{points:,}"
    return f"{number} point" if abs(points) == 1 else f"{number} points"


def _number(text: str) -> str:
    """An exact number as people write it: a fraction stays one where it has no end."""
    top, _, bottom = str(text).partition("/")
    if not bottom:
        return f"{Decimal(top).normalize():f}"
    quotient = Decimal(top) / Decimal(bottom)
    return f"{quotient.normalize():f}" if quotient * Decimal(bottom) == Decimal(top) else f"{top}/{bottom}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _stop(note: str) -> str:
    return note if note.endswith((".", "!", "?")) else f"{note}."


def _time(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()
