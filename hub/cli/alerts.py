"""Alerts: what the owner is told of, and whether messages reach them. `hub alerts`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.doing import ask
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import reading, the_user, workspace_option
from hub.clock import to_text
from hub.engine.alerts.rows import Alert, from_row, queries
from hub.engine.alerts.troubles import KINDS

_MOST = 100


@click.group(invoke_without_command=True)
@workspace_option
@json_option
@click.pass_context
def alerts(ctx: click.Context, *, folder: Path, as_json: bool) -> None:
    """List what the owner is told of: what is the matter now, then what is over.

    The section `owner:` of hub.yaml says who that is; `hub alerts test` sends them a message.
    """
    if ctx.invoked_subcommand is not None:
        return
    with reading(folder) as session:
        listed = [_told(from_row(row)) for row in session.rows(queries.recent_alerts, most=_MOST)]
    if as_json:
        print_json(listed)
        return
    rows = ((when(one["since"]), one["severity"], one["text"], when(one["told_at"]), when(one["over_at"])) for one in listed)
    table(("since", "severity", "what", "told", "over"), rows, nothing="Nothing was the matter since an owner is named.")


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "connection": alert.subject,
        "severity": KINDS[alert.kind].severity,
        "text": alert.text,
        "number": alert.number,
        "since": to_text(alert.opened_at),
        "told_at": to_text(alert.told_at) if alert.told_at else None,
        "over_at": to_text(alert.closed_at) if alert.closed_at else None,
    }


@alerts.command()
@workspace_option
@json_option
def test(*, folder: Path, as_json: bool) -> None:
    """Send the owner a message on every way that hub.yaml names."""
    told = ask(folder, "test_alerts", {"by": the_user()})
    if as_json:
        print_json(told)
        return
    for way in told["sent"]:
        say(f"A message goes to {way}.", "green")
    say("If it does not arrive, `hub held` and `hub connections` say why.")
