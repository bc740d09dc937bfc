"""Mirror: what platforms show of members' points: how much of it was right at the last comparison. `hub mirror`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hub import config
from hub.cli.checking import look_at
from hub.cli.doing import ask
from hub.cli.look import limit_option, when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import reading, workspace_option
from hub.clock import to_text
from hub.engine.mirrors.raising import HELD_MOST
from hub.engine.mirrors.rows import Comparison, newest_comparison, queries
from hub.errors import HubError
from hub.sdk import Connection
from hub.store import Row, Session


@click.group(invoke_without_command=True)
@workspace_option
@json_option
@click.pass_context
def mirror(ctx: click.Context, *, folder: Path, as_json: bool) -> None:
    """List the platforms whose fields show members' points, and what the last comparison found.

    `mirror:` at a connection in hub.yaml says which fields those are. Platforms are compared each night.
    """
    if ctx.invoked_subcommand is not None:
        return
    mirroring = _mirroring(folder)
    with reading(folder) as session:
        images = {row["connection"]: row for row in session.rows(queries.count_images)}
        listed = [_told(session, one, images.get(one.name)) for one in mirroring.values()]
    if as_json:
        print_json(listed)
        return
    rows = ((*_line(one), _note(one)) for one in listed)
    columns = (
        "connection", "shows", "last compared", "compared", "differing", "repaired", "failing",
        "known", "unknown", "waiting", "held", "note",
    )  # fmt: skip
    table(columns, rows, nothing="No connection mirrors anything; hub.yaml says none.", numbers=columns[3:11])


def _mirroring(folder: Path) -> dict[str, Connection]:
    connections = look_at(config.load(folder)).connections
    return {name: one for name, one in connections.items() if one.mirror}


def _told(session: Session, connection: Connection, images: Row | None) -> dict[str, Any]:
    last = newest_comparison(session, connection.name)
    held = session.row(queries.count_held, connection=connection.name, most=10_000)
    return {
        "connection": connection.name,
        "connector": connection.connector.name,
        "fields": dict(connection.mirror),
        "comparison": _comparison(last) if last is not None else None,
        "known": images["known"] if images is not None else 0,
        "unknown": images["unknown"] if images is not None else 0,
        "waiting": images["waiting"] if images is not None else 0,
        "held": held["number"] if held is not None else 0,
    }


def _comparison(last: Comparison) -> dict[str, Any]:
    ended = to_text(last.finished_at) if last.finished_at else None
    names = ("compared", "differing", "repaired", "unknown", "failing", "note")
    return {"started_at": to_text(last.started_at), "finished_at": ended, **{name: getattr(last, name) for name in names}}


def _line(one: Mapping[str, Any]) -> tuple[Any, ...]:
    last: Mapping[str, Any] = one["comparison"] or {}
    shows = ", ".join(f"{field}: {what}" for what, field in one["fields"].items())
    found = (last.get(name, "") for name in ("compared", "differing", "repaired", "failing"))
    return (one["connection"], shows, when(last.get("started_at")), *found, *(one[name] for name in _STANDING))


_STANDING = ("known", "unknown", "waiting", "held")


def _note(one: Mapping[str, Any]) -> str:
    last: Mapping[str, Any] = one["comparison"] or {}
    if one["held"] >= HELD_MOST:
        return f"It stands still: {one['held']} calls are held. Mend what `hub held` says, then `hub mirror compare`."
    if last and last["finished_at"] is None:
        return "It is being compared now."
    return str(last.get("note") or "")


@mirror.command()
@click.argument("connection")
@workspace_option
@json_option
def compare(*, connection: str, folder: Path, as_json: bool) -> None:
    """Compare what a platform shows with the ledger now, and repair what differs; what was held is tried again."""
    told = ask(folder, "compare_mirror", {"connection": connection})
    print_json(told) if as_json else say(f"{connection} is compared; `hub mirror` shows how far it has come.", "green")


@mirror.command()
@click.argument("connection", required=False)
@limit_option
@workspace_option
@json_option
def drift(*, connection: str | None, limit: int, folder: Path, as_json: bool) -> None:
    """List what comparisons found changed by somebody else, newest first; it is kept for 90 days."""
    mirroring = _mirroring(folder)
    if connection is not None and connection not in mirroring:
        raise HubError(f"{connection!r} mirrors nothing; there are: {', '.join(mirroring) or 'none'}.")
    with reading(folder) as session:
        names = [connection] if connection else list(mirroring)
        rows = [dict(row) for row in session.rows(queries.drift_of, connections=names, most=limit)] if names else []
    if as_json:
        print_json(rows)
        return
    shown = (
        (when(row["found_at"]), row["connection"], row["member_id"], row["field"], row["ours"], row["theirs"],
         when(row["repaired_at"]))
        for row in rows
    )  # fmt: skip
    table(("found", "connection", "member", "field", "ours", "theirs", "repaired"), shown, nothing="Nothing was found changed.")
