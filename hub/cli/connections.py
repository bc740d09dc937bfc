"""Connections: the platforms of a workspace, how they are, and how to set them up. `hub connections`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from hub import config
from hub.cli import kept
from hub.cli.authorize import authorize
from hub.cli.checking import Checked, look_at
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, screen, table
from hub.cli.subscribing import subscribe, unsubscribe
from hub.cli.workspace import found, queries, workspace_option
from hub.clock import SystemClock, to_text
from hub.config import ConnectionConfig, Settings
from hub.engine.catalogue import BUILT_IN
from hub.engine.events import queries as engine_queries
from hub.engine.gaps import missed_since
from hub.engine.subscriptions import subscribed_at
from hub.errors import HubError
from hub.sdk import Connector
from hub.sdk.mirror import MIRRORED
from hub.store import Unit

_MISSED_FOR = timedelta(days=30)
_COLOURS = {
    "ok": "green",
    "ready": "green",
    "failing": "yellow",
    "open": "red",
    "needs_reconnecting": "red",
    "not set": "yellow",
    "out of use": "red",
}


@click.group(invoke_without_command=True)
@workspace_option
@json_option
@click.pass_context
def connections(ctx: click.Context, *, folder: Path, as_json: bool) -> None:
    """List the connections and how they are; `hub connections setup NAME` says how to set one up."""
    if ctx.invoked_subcommand is not None:
        return
    checked = look_at(config.load(folder))
    settings = checked.settings
    seen, expires = _seen(settings), kept.expiries(settings)
    listed = [
        {
            "name": one.name,
            "connector": one.connector,
            "state": _state(one, checked, seen.get(one.name, {})),
            "missing": list(one.missing),
            "webhook_url": f"{settings.public_url}/hooks/{one.name}",
            "events": seen.get(one.name, {}).get("events", 0),
            "last_heard_at": seen.get(one.name, {}).get("last_at"),
            "access_expires_at": expires.get(one.name),
            "missed": seen.get(one.name, {}).get("missed", 0),
            "subscribed_at": seen.get(one.name, {}).get("subscribed_at"),
            "stops": _stops(one, checked, seen.get(one.name, {})),
            "last_error": checked.out_of_use.get(one.name) or seen.get(one.name, {}).get("last_error", ""),
        }
        for one in settings.connections
    ]
    if as_json:
        print_json(listed)
        return
    rows = (
        (
            one["name"], one["connector"], Text(one["state"], style=_COLOURS.get(one["state"], "")), one["events"],
            when(one["last_heard_at"]), when(one["access_expires_at"]), one["webhook_url"], _note(one),
        )
        for one in listed
    )  # fmt: skip
    columns = ("connection", "connector", "state", "events", "last heard", "access until", "webhook", "note")
    table(columns, rows, nothing="There are no connections yet.", numbers=("events",))
    there = sorted(name for name in checked.connectors if name != BUILT_IN)
    say(f"Connectors that can be connected: {', '.join(there)}.", "dim")
    for broken in checked.broken:
        say(f"{broken}.", "yellow")


def _note(one: Mapping[str, Any]) -> str:
    """What is the matter, and the recipes that it stops."""
    said = str(one["last_error"] or ", ".join(one["missing"]))
    if one["missed"]:
        said = f"{said} {one['missed']:,} facts of the last 30 days came by asking alone.".strip()
    return f"{said} Recipes that stop: {', '.join(one['stops'])}." if one["stops"] else said


def _stops(one: ConnectionConfig, checked: Checked, seen: Mapping[str, Any]) -> list[str]:
    """The recipes that cannot go on until somebody has connected it again, or has set what it lacks."""
    if one.missing:
        return list(checked.stopped.get(one.name, ()))
    if seen.get("state") != "needs_reconnecting" or checked.catalogue is None:
        return []
    return [plan.recipe.name for plan in checked.plans if one.name in checked.catalogue.connections_of(plan)]


def _state(one: ConnectionConfig, checked: Checked, seen: Mapping[str, Any]) -> str:
    if one.name in checked.out_of_use:
        return "out of use"
    return str(seen.get("state") or ("not set" if one.missing else "ready"))


def _seen(settings: Settings) -> dict[str, dict[str, Any]]:
    """What the database knows of each connection; nothing when there is none yet."""
    with found(settings, "hub") as store:
        if store is None or store.missing_steps():
            return {}
        with store.read() as session:
            heard = {row["connection"]: dict(row) for row in session.rows(queries.heard_by_connection)}
            for row in session.rows(engine_queries.all_health):
                heard.setdefault(row["connection"], {}).update(state=row["state"], last_error=row["last_error"])
            for name, missed in missed_since(session, SystemClock(settings.clock_offset).now() - _MISSED_FOR).items():
                heard.setdefault(name, {})["missed"] = missed.number
            unit = Unit(session)
            for name in (one.name for one in settings.connections):
                if (moment := subscribed_at(unit, name)) is not None:
                    heard.setdefault(name, {})["subscribed_at"] = to_text(moment)
            return heard


@connections.command()
@click.argument("name")
@workspace_option
@json_option
def setup(*, name: str, folder: Path, as_json: bool) -> None:
    """Say how to set a connection up, with the webhook address to paste. NAME: of a connection, or of a connector."""
    checked = look_at(config.load(folder))
    settings = checked.settings
    found = settings.connection(name)
    connector = checked.connectors.get(found.connector if found else name)
    if connector is None or connector.name == BUILT_IN:
        there = ", ".join(sorted(one for one in checked.connectors if one != BUILT_IN))
        raise HubError(f"There is no connection or connector {name!r}; connectors: {there}.")
    webhook_url = f"{settings.public_url}/hooks/{name}"
    text = connector.setup_text.replace("{webhook_url}", webhook_url)
    if as_json:
        print_json({"name": name, "connector": connector.name, "webhook_url": webhook_url, "setup": text})
        return
    screen().print(Text.assemble((connector.title, "bold"), f"  webhook: {webhook_url}"), soft_wrap=True)
    if not settings.is_public:
        say("hub.yaml names no public_url: set it to take webhooks; without it the hub asks by polling.", "yellow")
    say(f"\n{text}\n")
    if connector.subscription is not None:
        say(f"The hub can register the webhook itself: hub connections subscribe {name}")
    _tell_settings(connector, found.missing if found else None)


def _tell_settings(connector: Connector, missing: tuple[str, ...] | None) -> None:
    rows = ((one.name, "yes" if one.required else "no", "yes" if one.secret else "no", one.doc) for one in connector.settings)
    table(("setting", "needed", "secret", "what it is"), rows, nothing="It needs no settings.")
    if connector.mirroring is not None:
        known = ", ".join(f"{name} ({what})" for name, what in MIRRORED.items())
        say(f"Its fields can show members' points, `mirror: {{balance: FIELD}}`: {known}.", "dim")
    if missing is None:
        say("It is not among the connections yet.", "yellow")
    elif missing:
        say(f"Not set yet: {', '.join(missing)} (in the environment, in .env, or with `hub connections set`).", "yellow")
    else:
        say("Everything that it needs is set.", "green")


connections.add_command(kept.set_secret)
connections.add_command(kept.unset)
connections.add_command(kept.list_settings)
connections.add_command(authorize)
connections.add_command(subscribe)
connections.add_command(unsubscribe)
