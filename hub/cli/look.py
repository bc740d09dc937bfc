"""Look: what has happened. `hub events`, `hub runs`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from hub.cli import people
from hub.cli.output import json_option, print_json, say, screen, table
from hub.cli.workspace import queries, reading, workspace_option
from hub.engine import calls, traces
from hub.engine import events as states_of_events
from hub.engine import runs as states_of_runs
from hub.errors import HubError
from hub.store import Row, Session

COLOURS = {
    "done": "green",
    "ready": "cyan",
    "waiting": "cyan",
    "parked": "red",
    "held": "red",
    "stopped": "dim",
    "unclaimed": "yellow",
}
_CALLED_MOST = 50

limit_option = click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")


@click.command()
@click.argument("what", required=False)
@click.option("--member", default="", metavar="WHO", help="Only those of this member.")
@click.option("--connection", default="", help="Only those of this connection.")
@click.option("--state", type=click.Choice(states_of_events.STATES), help="Only those in this state.")
@limit_option
@workspace_option
@json_option
def events(
    *, what: str | None, member: str, connection: str, state: str | None, limit: int, folder: Path, as_json: bool
) -> None:
    """List the newest events, or tell everything about one.

    WHAT is an id, the key of an event, or an order, payment or other number that events are about: `hub events 1042` says
    what order 1042 earned, and why.
    """
    with reading(folder) as session:
        member_id = people.one(session, member)["id"] if member else ""
        states = _numbers(states_of_events.STATES, state)
        found = (
            _called(session, what)
            if what
            else session.rows(queries.recent_events, states=states, connection=connection, member_id=member_id, most=limit)
        )
        if what and len(found) == 1:
            story = story_of(session, found[0])
            print_json(story) if as_json else tell_story(story)
            return
    listed = [_event(row) for row in found]
    if as_json:
        print_json(listed)
        return
    columns = ("happened", "event", "what", "key", "member", "state", "note")
    rows = (
        (when(one["occurred_at"]), one["id"], one["what"], one["key"], one["member"], state_text(one["state"]), one["note"])
        for one in listed
    )
    table(columns, rows, nothing="No events yet.")


def _called(session: Session, what: str) -> list[Row]:
    found = session.rows(queries.events_called, what=what, most=_CALLED_MOST)
    if not found:
        raise HubError(f"No event is called {what!r}, and none is about it. `hub events` lists the newest.")
    return found


def _numbers(names: Sequence[str], wanted: str | None) -> list[int]:
    """The states as the tables keep them: the wanted one, or all."""
    return [number for number, name in enumerate(names) if wanted in (None, name)]


def _event(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "what": states_of_events.name_of(row["connection"], row["kind"]),
        "fact": row["fact"],
        "key": row["key"],
        "member": row["member_id"],
        "state": states_of_events.STATES[row["state"]],
        "occurred_at": row["occurred_at"],
        "recorded_at": row["recorded_at"],
        "note": row["note"],
    }


def story_of(session: Session, row: Row) -> dict[str, Any]:
    """Everything about an event: what it said, its runs, the recipes that did nothing, its postings."""
    return {
        **_event(row),
        "delivery": row["delivery_id"],
        "cause": row["cause_id"],
        "depth": row["depth"],
        "data": json.loads(row["data"]),
        "runs": [run_of(session, run) for run in session.rows(queries.runs_of_event, event_id=row["id"])],
        "did_nothing": traces.of(session, row["id"]),
        "postings": [dict(posting) for posting in session.rows(queries.postings_of_event, event_id=row["id"])],
    }


def tell_story(story: Mapping[str, Any]) -> None:
    """Show everything about an event to a person."""
    print_facts(
        {name: story[name] for name in ("id", "what", "fact", "key", "member", "state", "note", "occurred_at", "recorded_at")}
    )
    say("\nWhat it said", "bold")
    print_facts(story["data"])
    for run in story["runs"]:
        say("")
        tell_run(run)
    if story["did_nothing"]:
        say("\nRecipes that did nothing", "bold")
        why = story["did_nothing"]
        rows = why.items() if isinstance(why, dict) else why
        table(("recipe", "because"), rows, nothing="")
    say("\nPoints", "bold")
    rows = (
        (when(one["effective_at"]), one["kind"], one["points"], one["recipe"], one["reason"], one["id"])
        for one in story["postings"]
    )
    table(("when", "kind", "points", "recipe", "reason", "transaction"), rows, nothing="None.", numbers=("points",))


@click.command()
@click.argument("run_id", required=False)
@click.option("--recipe", default="", help="Only those of this recipe.")
@click.option("--state", type=click.Choice(states_of_runs.STATES), help="Only those in this state.")
@limit_option
@workspace_option
@json_option
def runs(*, run_id: str | None, recipe: str, state: str | None, limit: int, folder: Path, as_json: bool) -> None:
    """List the newest runs of recipes, or show one with every step."""
    with reading(folder) as session:
        if run_id:
            row = session.row(queries.run_of, id=run_id)
            if row is None:
                raise HubError(f"There is no run {run_id!r}. `hub runs` lists the newest.")
            told = run_of(session, row)
            print_json(told) if as_json else tell_run(told)
            return
        states = _numbers(states_of_runs.STATES, state)
        listed = [run_of(session, row) for row in session.rows(queries.recent_runs, states=states, recipe=recipe, most=limit)]
    if as_json:
        print_json(listed)
        return
    columns = ("started", "run", "recipe", "member", "state", "steps", "note")
    rows = (
        (
            when(one["started_at"]),
            one["id"],
            one["recipe"],
            one["member"],
            state_text(one["state"]),
            len(one["steps"]),
            one["note"],
        )
        for one in listed
    )
    table(columns, rows, nothing="No runs yet.", numbers=("steps",))


def run_of(session: Session, row: Row) -> dict[str, Any]:
    """A run with its steps and calls, as JSON knows it."""
    asked = session.rows(queries.calls_of_run, run_id=row["id"])
    return {
        "id": row["id"],
        "event": row["event_id"],
        "recipe": row["recipe"],
        "version": row["version"],
        "member": row["member_id"],
        "state": states_of_runs.STATES[row["state"]],
        "started_at": row["started_at"],
        "changed_at": row["changed_at"],
        "wakes_at": row["wake_at"],
        "awaits": row["awaits"],
        "note": row["note"],
        "steps": json.loads(row["journal"]),
        "calls": [{**dict(call), "state": calls.STATES[call["state"]]} for call in asked],
    }


def tell_run(run: Mapping[str, Any]) -> None:
    """Show a run with its steps to a person."""
    title = Text.assemble(
        ("Run of ", "bold"), (run["recipe"], "bold"), f" {run['version']}  ", state_text(run["state"]), f"  {run['id']}"
    )
    screen().print(title)
    if run["note"]:
        say(run["note"])
    for step in run["steps"]:
        named = f" as {step['name']}" if step.get("name") else ""
        screen().print(Text.assemble(f"  {step['step'] + 1}. {step['action']}{named}: ", state_text(step["outcome"])))
        for word in ("given", "gave"):
            if values := step.get(word):
                screen().print(Text.assemble((f"     {word}  ", "dim"), _brief(values)), soft_wrap=True)
        if step.get("why"):
            screen().print(Text.assemble(("     why  ", "dim"), step["why"]), soft_wrap=True)
    for call in run["calls"]:
        say(f"  {call['connection']}.{call['name']}: {call['state']}, {call['attempts']} attempts {call['note']}".rstrip())


def print_facts(values: Mapping[str, Any]) -> None:
    """Names and values, one a line."""
    shown = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        screen().print(
            Text.assemble((name.ljust(width + 2), "dim"), when(text) if name.endswith("_at") else text), soft_wrap=True
        )


def when(text: str | None) -> str:
    """A moment of a table, in the local time of the one who looks."""
    if not text:
        return "–"
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state_text(state: str) -> Text:
    """A state in its colour."""
    return Text(state, style=COLOURS.get(state, ""))


def _brief(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if value not in (None, ""))
