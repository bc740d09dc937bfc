"""Ledger: the books, proved, told and handed over. `hub ledger verify`, `statement`, `export`, `totals`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from hub.cli import people
from hub.cli.look import when
from hub.cli.output import json_option, print_json, print_json_lines, progress, say, screen, table
from hub.cli.workspace import reading, workspace_option
from hub.clock import to_text
from hub.ledger.postings import Source
from hub.ledger.statement import StatementLine
from hub.ledger.statement import export as export_of
from hub.ledger.statement import statement as statement_of
from hub.ledger.totals import Totals
from hub.ledger.totals import totals as totals_of
from hub.ledger.verify import Verification
from hub.ledger.verify import verify as prove


@click.group()
def ledger() -> None:
    """Prove the points ledger, read a member's statement, hand the books over."""


@ledger.command()
@workspace_option
@json_option
def verify(*, folder: Path, as_json: bool) -> None:
    """Prove the books from the first posting on: sums, balances, lots, hash chain. Exit code 1 when anything is wrong."""
    with reading(folder) as session, progress() as bar:
        task = bar.add_task("Transactions", total=None)
        found = prove(session, lambda done, total: bar.update(task, completed=done, total=total))
    if as_json:
        print_json({"verified": found.ok, **dataclasses.asdict(found)})
    else:
        tell_verification(found)
    if not found.ok:
        sys.exit(1)


def tell_verification(found: Verification) -> None:
    """Say what was proved, or everything that is wrong."""
    read = f"{found.txns:,} transactions with {found.entries:,} entries of {found.members:,} members"
    if found.ok:
        say(f"The books balance: {read}.", "green")
        return
    say(f"The books are wrong. {read} were read; {len(found.findings)} findings:", "bold red")
    for finding in found.findings:
        say(f"  {finding}")


@ledger.command()
@click.argument("who")
@workspace_option
@json_option
def statement(*, who: str, folder: Path, as_json: bool) -> None:
    """Say where every point of a member comes from: "why 37?".

    WHO is an id, e-mail address, phone number, `connection:id` or a name.
    """
    with reading(folder) as session:
        row = people.one(session, who)
        lines = statement_of(session, row["id"])
    if as_json:
        print_json([line_of(line) for line in lines])
        return
    screen().print(Text.assemble(("Statement of ", "bold"), (people.name_of(row), "bold"), f"  {row['id']}"))
    tell_statement(lines)


def tell_statement(lines: list[StatementLine]) -> None:
    """Show a statement to a person."""
    shown = (
        (
            when(to_text(line.effective_at)), line.kind, signed(line.points), line.balance.spendable, _why(line),
            when(to_text(line.lot.expires_at)) if line.lot and line.lot.expires_at else "", line.source.event_id or "",
        )
        for line in lines
    )  # fmt: skip
    columns = ("when", "what", "points", "balance", "why", "expire", "event")
    table(columns, shown, nothing="Nothing was ever posted for this member.", numbers=("points", "balance"))


def line_of(line: StatementLine) -> dict[str, Any]:
    """A line of a statement as JSON knows it."""
    return {
        "seq": line.seq,
        "transaction": line.txn_id,
        "kind": line.kind,
        "points": line.points,
        "effective_at": to_text(line.effective_at),
        "recorded_at": to_text(line.recorded_at),
        "balance": dataclasses.asdict(line.balance) | {"spendable": line.balance.spendable},
        "source": _source(line.source),
        "follows": line.follows,
        "lot": None
        if line.lot is None
        else {
            "id": line.lot.id,
            "points": line.lot.points,
            "left": line.lot.left,
            "expires_at": to_text(line.lot.expires_at) if line.lot.expires_at else None,
        },
        "drawn": [
            {"lot": one.lot_id, "points": one.points, "earned_by": one.earned_by, "source": _source(one.source)}
            for one in line.drawn
        ],
    }


def signed(points: int) -> Text:
    """Points with their sign."""
    return Text(f"{points:+,}" if points else "0", style="green" if points > 0 else "red" if points < 0 else "dim")


def _source(source: Source) -> dict[str, Any]:
    said = source._asdict()
    return {name: value for name, value in said.items() if value not in (None, "")}


def _why(line: StatementLine) -> str:
    source = line.source
    recipe = f"{source.recipe} {source.version or ''}".strip() if source.recipe else ""
    computed = ", ".join(f"{name} {value}" for name, value in _flat(source.context or {}))
    return "; ".join(part for part in (source.reason, recipe, computed, source.actor and f"by {source.actor}") if part)


def _flat(context: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in context.items() if isinstance(value, str | int) and not isinstance(value, bool)]


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; this is what it prints in any case.")
@workspace_option
def export(*, as_json: bool, folder: Path) -> None:
    """Print every entry, one JSON object a line: transaction, account, amount, times, event, recipe."""
    with reading(folder) as session:
        print_json_lines(export_of(session))


@ledger.command()
@workspace_option
@json_option
def totals(*, folder: Path, as_json: bool) -> None:
    """Sum the books up: points issued, redeemed, expired, clawed back and outstanding."""
    with reading(folder) as session:
        found = totals_of(session)
    print_json(dataclasses.asdict(found)) if as_json else tell_totals(found)


def tell_totals(found: Totals) -> None:
    """Show the sums of the books to a person."""
    rows = [(name.replace("_", " "), value) for name, value in dataclasses.asdict(found).items() if isinstance(value, int)]
    table(("points", "sum"), rows, nothing="", numbers=("sum",))
    by_recipe = sorted(found.by_recipe.items(), key=lambda pair: -pair[1])
    table(("recipe", "issued"), by_recipe, nothing="No recipe has issued points yet.", numbers=("issued",))
