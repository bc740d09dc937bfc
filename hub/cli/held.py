"""Held: what waits for a person, with the reason and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hub.cli.doing import ask
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import queries, reading, the_user, workspace_option
from hub.engine.events import queries as engine_queries
from hub.store import Session

_MOST = 1_000


@click.group(invoke_without_command=True)
@workspace_option
@json_option
@click.pass_context
def held(ctx: click.Context, *, folder: Path, as_json: bool) -> None:
    """List what waits for a person: held runs and calls, parked events, unreadable deliveries, timers, questions.

    `hub replay ID` goes on with any of them once its cause is mended; done steps are not done again.
    """
    if ctx.invoked_subcommand is not None:
        return
    with reading(folder) as session:
        found = list(_held(session))
    if as_json:
        print_json(found)
        return
    rows = ((when(one["since"]), one["what"], one["id"], one["name"], one["why"], one["next"]) for one in found)
    table(("since", "what", "id", "name", "why", "what to do"), rows, nothing="Nothing waits for a person.")


def _held(session: Session) -> Iterator[dict[str, Any]]:
    for row in session.rows(engine_queries.held_runs, most=_MOST):
        yield _line("run", row["id"], row["recipe"], row["note"], row["changed_at"])
    for row in session.rows(engine_queries.held_calls, most=_MOST):
        yield _line("call", row["id"], f"{row['connection']}.{row['name']}", row["note"], row["changed_at"])
    for row in session.rows(engine_queries.parked_events, most=_MOST):
        yield _line("event", row["id"], f"{row['connection']}.{row['kind']}", row["note"], row["recorded_at"])
    for row in session.rows(engine_queries.receipts_in_state, state="unreadable", most=_MOST):
        yield _line("delivery", row["delivery_id"], row["connection"], row["note"], row["at"])
    for row in session.rows(engine_queries.held_timers):
        yield _line("timer", row["id"], row["name"], f"{row['note']} (next try {row['retry_at'][:16]}Z)", row["since"])
    for row in session.rows(queries.open_tasks, most=_MOST):
        line = _line("question", row["id"], row["member_id"] or "", row["question"], row["created_at"])
        yield {**line, "next": f"hub held answer {row['id']} {'|'.join(json.loads(row['choices']))}"}


def _line(what: str, id_: str, name: str, why: str, since: str) -> dict[str, Any]:
    return {"what": what, "id": id_, "name": name, "why": why, "since": since, "next": f"hub replay {id_}"}


@held.command()
@click.argument("task")
@click.argument("choice")
@workspace_option
@json_option
def answer(*, task: str, choice: str, folder: Path, as_json: bool) -> None:
    """Answer a question that a recipe has asked staff; its run goes on."""
    told = ask(folder, "answer", {"task": task, "choice": choice, "by": the_user()})
    print_json(told) if as_json else say(f"Answered {choice!r}.", "green")


@held.command()
@click.argument("held_id")
@click.option("--reason", required=True, help="Why; it is kept with the run.")
@workspace_option
@json_option
def drop(*, held_id: str, reason: str, folder: Path, as_json: bool) -> None:
    """Give up what is held: a run, a call, a parked event or an unreadable delivery. What it has done stays."""
    told = ask(folder, "drop", {"id": held_id, "reason": reason, "by": the_user()})
    print_json(told) if as_json else say(f"{held_id} is given up; what it has done stays.", "green")
