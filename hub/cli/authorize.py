"""Authorize: a person lets the hub use an account, by OAuth 2 in a browser. `hub connections authorize`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hub import log
from hub.cli.doing import opened
from hub.cli.output import json_option, print_json, say, screen
from hub.cli.workspace import the_user, workspace_option
from hub.clock import monotonic, to_text
from hub.errors import HubError
from hub.sdk import Client, Connection
from hub.sdk.auth import OAuth2
from hub.sdk.authorization import Authorization
from hub.vault import seal_token
from hub.web.callback import CALLBACK


@click.command()
@click.argument("name")
@workspace_option
@json_option
def authorize(*, name: str, folder: Path, as_json: bool) -> None:
    """Let the hub use the account of connection NAME: open an address, agree, and paste the address to which you are led.

    The platform must know the address that it leads back to, which is shown. The tokens are kept in the database, encrypted.
    """
    with opened(folder) as hub:
        connection = hub.connections.get(name)
        if connection is None:
            raise HubError(f"There is no connection {name!r} that can be used; `hub connections` shows what there is.")
        auth = connection.auth
        if not isinstance(auth, OAuth2) or not auth.asks_a_person(connection):
            raise HubError(f"{connection.connector.title} needs nobody's agreement; its secrets are all that it needs.")
        asked = Authorization(hub.settings.public_url + CALLBACK)
        _tell(connection, auth, asked)
        address = click.prompt("The address to which you were led", err=True)
        code = asked.code_in(address)
        log.redact.add(code)
        session = hub.open_session(connection)
        with session:
            client = Client(connection, session=session, monotonic=monotonic, sleep=time.sleep)
            token = client.exchange(code, asked, hub.clock.now())
        with hub.store.read() as reading:
            sealed = seal_token(hub.vault, reading, name, token)
        expires_at = to_text(token.expires_at) if token.expires_at else None
        command = {"connection": name, "key_id": sealed.key_id, "sealed": sealed.text, "expires_at": expires_at}
        told = hub.do("keep_token", {**command, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"{name} is connected.", "green")
    if token.refresh is None:
        say("The platform gave nothing to renew this access with: connect again when it ends.", "yellow")


def _tell(connection: Connection, auth: OAuth2, asked: Authorization) -> None:
    """On standard error: standard output is the result's."""
    console = screen(error=True)
    console.print(f"{connection.connector.title} must know this address as the one to lead back to:", soft_wrap=True)
    console.print(f"  {asked.redirect_uri}", soft_wrap=True, markup=False)
    console.print("Open this one in a browser, and agree:", soft_wrap=True)
    console.print(f"  {auth.authorize_url(connection, asked)}", soft_wrap=True, markup=False)
