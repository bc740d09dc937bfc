"""Subscribing: the hub tells a platform its own webhook address. `hub connections subscribe` and `unsubscribe`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import bootstrap, config
from hub.cli.doing import opened
from hub.cli.output import json_option, print_json, say
from hub.cli.workspace import workspace_option
from hub.clock import monotonic
from hub.engine.subscriptions import subscribe as tell
from hub.errors import CallFailed, HubError
from hub.sdk import Client, Connection
from hub.sdk.address import take_address_back
from hub.vault import KeptTokens


@click.command()
@click.argument("name")
@workspace_option
@json_option
def subscribe(*, name: str, folder: Path, as_json: bool) -> None:
    """Register the hub's webhook address at the platform of connection NAME; what it tells once, such as a secret, is kept.

    Said again, it brings up to date what there is. What ends by itself after a while is renewed by the worker.
    """
    with opened(folder) as hub, _called(hub, name) as (connection, client):
        if not hub.settings.is_public:
            raise HubError(
                "hub.yaml names no public_url, so there is no address to which a platform could deliver; set it first."
            )
        told = tell(connection, client, hub.ask_to_keep)
        done = hub.do("subscribed", {"connection": name})
    if as_json:
        print_json({**done, "webhook_url": connection.webhook_url, "kept": sorted(told)})
        return
    say(f"{connection.connector.title} delivers to {connection.webhook_url} from now on.", "green")
    if told:
        say(
            f"It told {', '.join(f'`{one}`' for one in sorted(told))}, which is kept, encrypted. Start the hub again to use it."
        )
    if said := sorted(told.keys() & config.load(folder).said_of(name)):
        say(f"hub.yaml says {', '.join(f'`{one}`' for one in said)} too, and wins: take it out there.", "yellow")


@click.command()
@click.argument("name")
@workspace_option
@json_option
def unsubscribe(*, name: str, folder: Path, as_json: bool) -> None:
    """Take the hub's webhook address back from the platform of connection NAME."""
    with opened(folder) as hub, _called(hub, name) as (connection, client):
        take_address_back(connection, client)
        done = hub.do("unsubscribed", {"connection": name})
    if as_json:
        print_json(done)
        return
    say(f"{connection.connector.title} delivers to {connection.webhook_url} no more.", "green")


@contextmanager
def _called(hub: bootstrap.Hub, name: str) -> Iterator[tuple[Connection, Client]]:
    """The connection, and what calls its platform. HubError when there is none, or the platform says no."""
    connection = hub.connections.get(name)
    if connection is None:
        raise HubError(f"There is no connection {name!r} that can be used; `hub connections` shows what there is.")
    tokens = KeptTokens(hub.store, hub.vault, hub.leases, hub.clock)
    with hub.open_session(connection) as session:
        try:
            yield (
                connection,
                Client(connection, session=session, monotonic=monotonic, sleep=time.sleep, tokens=tokens, repeat="safe"),
            )
        except CallFailed as error:
            raise HubError(str(error)) from error
