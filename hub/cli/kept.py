"""Kept: settings of connections in the database, encrypted. `hub connections set`, `unset` and `list`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import click

from hub import config, log
from hub.cli.checking import look_at
from hub.cli.doing import ask, opened
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import found, the_user, workspace_option
from hub.config import ConnectionConfig, Settings
from hub.engine.catalogue import BUILT_IN
from hub.errors import HubError
from hub.sdk import Connector
from hub.vault import CONNECTOR, Kept, kept_secrets, place_of
from hub.vault.secrets import queries

_VALUE_CHARACTERS_MOST = 100_000


@click.command(name="set")
@click.argument("name")
@click.argument("setting")
@workspace_option
@json_option
def set_secret(*, name: str, setting: str, folder: Path, as_json: bool) -> None:
    """Keep a setting of connection NAME in the database, encrypted. The value is asked for, or read from standard input.

    What hub.yaml or the environment says wins over what is kept. A connection that hub.yaml does not name is made by setting
    its `connector` first.
    """
    with opened(folder) as hub:
        given = hub.settings.connection(name)
        connectors = {known: one for known, one in hub.connectors.items() if known != BUILT_IN}
        _look_up(name, setting, given, connectors)
        value = _value(f"{setting} of {name}")
        _check(name, setting, value, given, connectors)
        with hub.store.read() as session:
            sealed = hub.vault.seal(session, place_of(name, setting), value)
        command = {"connection": name, "name": setting, "key_id": sealed.key_id, "sealed": sealed.text, "by": the_user()}
        told = hub.do("keep_secret", command)
    in_use = setting not in config.load(folder).said_of(name)
    if as_json:
        print_json({**told, "in_use": in_use})
        return
    say(f"`{setting}` of {name} is kept, encrypted with the key {told['key_id']}.", "green")
    if not in_use:
        say("hub.yaml says it too, and wins: take it out there for this one to be used.", "yellow")
    say("A hub that is running takes it up when it is started again.")


def _look_up(name: str, setting: str, given: ConnectionConfig | None, connectors: dict[str, Connector]) -> None:
    """HubError when there is nothing of that name to set."""
    if setting == CONNECTOR:
        if given is not None:
            raise HubError(f"There is a connection {name} already, with the connector {given.connector}.")
        if not config.is_connection_name(name):
            raise HubError(f"{name!r} cannot be a connection's name: small letters, digits, - and _, a letter first.")
        return
    if given is None:
        raise HubError(
            f"There is no connection {name!r}. Name it in hub.yaml, or make it here: `hub connections set {name} connector`."
        )
    known = [one.name for one in connectors[given.connector].settings]
    if setting not in known:
        close = difflib.get_close_matches(setting, known, 1)
        hint = f"did you mean `{close[0]}`?" if close else f"it knows: {', '.join(known) or 'none'}"
        raise HubError(f"`{setting}` is not a setting of {name}; {hint}")


def _value(what: str) -> str:
    """What the person types unseen, or what standard input brings, without the line break at its end."""
    typed = click.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.read(_VALUE_CHARACTERS_MOST + 1)
    value = str(typed).rstrip("\r\n")
    if not value:
        raise HubError("Nothing was given, so nothing was kept.")
    if len(value) > _VALUE_CHARACTERS_MOST:
        raise HubError(f"That is more than {_VALUE_CHARACTERS_MOST:,} characters; nothing was kept.")
    return value


def _check(name: str, setting: str, value: str, given: ConnectionConfig | None, connectors: dict[str, Connector]) -> None:
    """HubError when the connection cannot have this value; a secret is never shown again."""
    if given is None:
        if value not in connectors:
            raise HubError(f"There is no connector of that name; known: {', '.join(sorted(connectors))}.")
        return
    form = connectors[given.connector].settings
    if any(one.secret for one in form if one.name == setting):
        log.redact.add(value)
    for problem in form.problems({setting: value}):
        if problem.name == setting:
            raise HubError(f"{problem.message}. {problem.hint}".strip())


@click.command()
@click.argument("name")
@click.argument("setting")
@workspace_option
@json_option
def unset(*, name: str, setting: str, folder: Path, as_json: bool) -> None:
    """Keep a setting of connection NAME in the database no longer."""
    told = ask(folder, "drop_secret", {"connection": name, "name": setting, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"`{setting}` of {name} is not kept any more.", "green")


@click.command(name="list")
@workspace_option
@json_option
def list_settings(*, folder: Path, as_json: bool) -> None:
    """List the settings of every connection: where each comes from, when it was set, with which key. Values never show."""
    settings = config.load(folder)
    checked = look_at(settings)
    kept = {(one.connection, one.name): one for one in kept_by(settings)}
    told = [
        _told((one.name, setting.name), settings, checked.settings, kept.pop((one.name, setting.name), None), setting.secret)
        for one in checked.settings.connections
        if one.connector in checked.connectors
        for setting in checked.connectors[one.connector].settings
    ]
    told += [_told(place, settings, checked.settings, one) for place, one in kept.items()]
    if as_json:
        print_json(told)
        return
    rows = (
        (one["connection"], one["setting"], one["secret"], one["from"], one["key_id"], when(one["set_at"]), one["set_by"])
        for one in told
    )
    columns = ("connection", "setting", "secret", "from", "key", "set", "by")
    table(columns, rows, nothing="There are no connections yet.")


def _told(place: tuple[str, str], written: Settings, whole: Settings, kept: Kept | None, secret: bool = True) -> dict[str, Any]:
    """One setting. written: what hub.yaml says; whole: with what the database keeps."""
    connection, setting = place
    there = whole.connection(connection)
    if setting in written.said_of(connection):
        origin = "hub.yaml"
    elif there is not None and setting in there.lacking:
        origin = "lost key" if kept else "not set"
    else:
        origin = "database" if kept else ""
    return {
        "connection": connection,
        "setting": setting,
        "secret": secret,
        "from": origin,
        "key_id": kept.sealed.key_id if kept else None,
        "set_at": kept.set_at if kept else None,
        "set_by": kept.set_by if kept else None,
    }


def kept_by(settings: Settings) -> list[Kept]:
    """What the database keeps, as it is kept."""
    with found(settings, "hub") as store:
        if store is None or store.missing_steps():
            return []
        with store.read() as session:
            return kept_secrets(session)


def expiries(settings: Settings) -> dict[str, str]:
    """Until when each connection's access is good, where the platform says so."""
    with found(settings, "hub") as store:
        if store is None or store.missing_steps():
            return {}
        with store.read() as session:
            return {row["connection"]: row["expires_at"] for row in session.rows(queries.all_tokens) if row["expires_at"]}
