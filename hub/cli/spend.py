"""Spend: what rewards were bought for, and where the providers say otherwise. `hub spend`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from hub import config
from hub.cli.checking import look_at
from hub.cli.doing import ask
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import reading, the_user, workspace_option
from hub.clock import SystemClock, to_text
from hub.engine.spend.bought import spending_names
from hub.engine.spend.checking import matched_at
from hub.engine.spend.matching import in_words, what_to_do
from hub.engine.spend.orders import pull_of
from hub.engine.spend.report import Cost, Line, Report, report
from hub.engine.spend.rows import Difference, Sum
from hub.errors import HubError
from hub.programme.settings import Programme
from hub.sdk import Connection
from hub.sdk.values import add_months, exponent
from hub.store import Session, Unit

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(invoke_without_command=True)
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="Another month, such as 2026-02.")
@click.option("--from", "first", type=_DAY, help="From this day on.")
@click.option("--to", "last", type=_DAY, help="Up to and with this day.")
@workspace_option
@json_option
@click.pass_context
def spend(
    ctx: click.Context, *, month: datetime | None, first: datetime | None, last: datetime | None, folder: Path, as_json: bool
) -> None:
    """Tell what rewards were bought for this month, what members redeemed for them, and what does not match.

    What was bought is known from the hub's calls, what was sold from the providers' orders; they are matched each night.
    """
    if ctx.invoked_subcommand is not None:
        return
    checked = look_at(config.load(folder))
    if checked.programme is None:
        raise HubError("hub.yaml cannot be read; `hub check` says why.")
    since, until = _period(month, first, last, SystemClock(checked.settings.clock_offset).now(), checked.programme)
    connections = {name: one for name, one in checked.connections.items() if spending_names(one) or pull_of(one.connector)}
    with reading(folder) as session:
        found = report(session, connections, _start(since, checked.programme), _start(until, checked.programme))
        told = _told(session, found, connections, checked.programme)
    told = {"from": since.isoformat(), "to": (until - timedelta(days=1)).isoformat(), **told}
    print_json(told) if as_json else _show(told)


def _period(
    month: datetime | None, first: datetime | None, last: datetime | None, now: datetime, programme: Programme
) -> tuple[date, date]:
    """The first day, and the day after the last."""
    if month is not None and (first is not None or last is not None):
        raise click.UsageError("Say --month, or --from and --to.")
    today = now.astimezone(programme.zone).date()
    if first is None and last is None:
        begin = (month.date() if month is not None else today).replace(day=1)
        return begin, add_months(begin, 1)
    begin = first.date() if first is not None else (last.date() if last is not None else today).replace(day=1)
    end = last.date() if last is not None else max(today, begin)
    if end < begin:
        raise click.UsageError(f"{begin} comes after {end}.")
    return begin, end + timedelta(days=1)


def _start(day: date, programme: Programme) -> datetime:
    return datetime.combine(day, time(), programme.zone).astimezone(UTC)


def _told(session: Session, found: Report, connections: Mapping[str, Connection], programme: Programme) -> dict[str, Any]:
    value, unit = programme.points.value, Unit(session)

    def worth(points: int) -> str | None:
        return None if value is None else _money(points * value, programme.currency)

    return {
        "spent": [_line(line, worth(line.points)) for line in found.lines],
        "points": {"redeemed": found.points, "worth": worth(found.points), "currency": programme.currency},
        "costs": [_cost(cost) for cost in found.costs],
        "differences": [_difference(one) for one in found.differences],
        "matched_until": {
            name: to_text(at) if (at := matched_at(unit, name)) else None
            for name, one in connections.items()
            if pull_of(one.connector)
        },
    }


def _money(amount: Decimal, currency: str) -> str:
    """With the places of its currency; an exact fraction of the smallest coin keeps its own."""
    places = Decimal(1).scaleb(-exponent(currency))
    return f"{amount.quantize(places) if amount == amount.quantize(places) else amount.normalize():f}"


def _line(line: Line, worth: str | None) -> dict[str, Any]:
    return {**dataclasses.asdict(line), "amount": f"{line.amount:f}", "worth": worth}


def _cost(cost: Cost) -> dict[str, Any]:
    sums = {name: f"{getattr(cost, name):f}" for name in ("total", "fees", "refunded")}
    return {**dataclasses.asdict(cost), **sums}


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "id": one.id,
        "connection": one.connection,
        "kind": one.kind,
        "what": in_words(one),
        "call": one.call_id or None,
        "order": one.order_id or None,
        "ours": _sum(one.ours),
        "theirs": _sum(one.theirs),
        "points": one.points,
        "found_at": to_text(one.found_at),
        "settled_at": to_text(one.settled_at) if one.settled_at else None,
        "settled_by": one.settled_by,
        "note": one.note,
        "next": None if one.settled_at else what_to_do(one),
    }


def _sum(amount: Sum | None) -> dict[str, str] | None:
    return None if amount is None else {"amount": f"{amount.exact:f}", "currency": amount.currency}


def _show(told: Mapping[str, Any]) -> None:
    say(f"From {told['from']} to {told['to']}", "bold")
    columns = ("connection", "recipe", "reward", "bought", "came to nothing", "amount", "in", "points", "worth")
    rows = (
        (one["connection"], one["recipe"], one["reward"], one["number"], one["came_to_nothing"], one["amount"],
         one["currency"], one["points"], one["worth"])
        for one in told["spent"]
    )  # fmt: skip
    table(columns, rows, nothing="Nothing was bought.", numbers=("bought", "came to nothing", "amount", "points", "worth"))
    points = told["points"]
    if told["spent"]:
        worth = f", worth {points['worth']} {points['currency']}" if points["worth"] is not None else ""
        say(f"{points['redeemed']:,} points were redeemed for it{worth}.\n")
    costs = (
        (one["connection"], "the hub" if one["ours"] else "somebody else", one["number"], one["total"], one["fees"],
         one["refunded"], one["currency"])
        for one in told["costs"]
    )  # fmt: skip
    if told["costs"]:
        names = ("connection", "bought by", "orders", "cost", "fees", "came back", "in")
        table(names, costs, nothing="", numbers=names[2:6])
    for name, at in told["matched_until"].items():
        say(f"{name}: matched with its orders until {when(at)}." if at else f"{name}: never matched yet.", "dim")
    _show_differences(told)


def _show_differences(told: Mapping[str, Any]) -> None:
    say("\nDifferences", "bold")
    rows = (
        (when(one["found_at"]), one["connection"], one["what"], when(one["settled_at"]), _ending(one))
        for one in told["differences"]
    )
    table(("found", "connection", "what", "settled", "what to do"), rows, nothing="None.")


def _ending(one: Mapping[str, Any]) -> str:
    """What settles a difference, or has settled it."""
    if one["next"]:
        return str(one["next"])
    return f"{one['settled_by']}: {one['note']}" if one["settled_by"] else "it is no longer so"


@spend.command()
@click.argument("connection", required=False)
@click.option("--since", help="Look at all since this moment, such as 2026-01-01T00:00:00Z; by default at a month.")
@workspace_option
@json_option
def check(*, connection: str | None, since: str | None, folder: Path, as_json: bool) -> None:
    """Match what was bought with the provider's orders now."""
    told = ask(folder, "check_spend", {"connection": connection, "since": since, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"{', '.join(told['connections'])}: the orders are asked for; `hub spend` shows what does not match.", "green")


@spend.command()
@click.argument("difference")
@click.option("--reason", required=True, help="Why; it is kept with the difference.")
@workspace_option
@json_option
def settle(*, difference: str, reason: str, folder: Path, as_json: bool) -> None:
    """Say that a difference is settled; it is not found again."""
    told = ask(folder, "settle_spend", {"id": difference, "reason": reason, "by": the_user()})
    print_json(told) if as_json else say(f"Settled: {told['what']}.", "green")


@spend.command("give-back")
@click.argument("difference")
@click.option("--reason", default="The reward was not sent", show_default=True, help="What the member may read about it.")
@workspace_option
@json_option
def give_back(*, difference: str, reason: str, folder: Path, as_json: bool) -> None:
    """Give a member the points back that they redeemed for what was never sold."""
    told = ask(folder, "give_back", {"id": difference, "reason": reason, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"{told['points']:,} points were given back; the balance is {told['balance']:,} now.", "green")
