"""Send: speaks to the running hub as a platform would, signed. `hub send`."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import Any

import click
import requests

from hub import bootstrap, config
from hub.cli.letter import Letter, letter_of
from hub.cli.look import story_of, tell_story
from hub.cli.output import complain, json_option, print_json, progress, say
from hub.cli.workspace import queries, reading, workspace_option
from hub.clock import SystemClock, monotonic
from hub.config import Settings
from hub.engine.connecting import open_connections
from hub.engine.events import READY
from hub.errors import HubError
from hub.sdk import Connection, Request
from hub.vault import complete

_POST_SECONDS_MOST = 30
_WORKED_SECONDS_MOST = 5.0
_LOOK_EVERY_SECONDS = 0.1
_TELL_MOST = 1_000


@click.command()
@click.argument("connection")
@click.argument("trigger")
@click.option("--set", "changes", multiple=True, metavar="FIELD=VALUE", help="Another value in the platform's own body.")
@click.option("--times", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="How many deliveries, each new.")
@click.option("--same", is_flag=True, help="Send the sample's own ids: again and again the same fact.")
@click.option("--to", metavar="URL", help="Where the hub listens, when hub.yaml does not say it.")
@workspace_option
@json_option
def send(
    *,
    connection: str,
    trigger: str,
    changes: tuple[str, ...],
    times: int,
    same: bool,
    to: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Send the running hub what a platform would send, signed: `hub send square payment_completed`.

    The delivery is the connector's own sample with new ids and of now, so each is a new sale (or whatever it is); --same sends
    one fact again and again, which earns once.
    """
    settings = config.load(folder)
    account = _connection(settings, connection)
    values = dict(_pair(change) for change in changes)
    base = to.rstrip("/") if to else _local(settings)
    clock = SystemClock(settings.clock_offset)
    told: list[dict[str, Any]] = []
    letter = None
    with requests.Session() as session, progress() as bar:
        for _ in bar.track(range(times), description="Deliveries"):
            letter = letter_of(account, trigger, values, clock.now(), None if same else secrets.token_hex(8))
            told.append(_post(session, base, letter.request))
    failed = [one for one in told if not 200 <= one["status"] < 300]
    if as_json:
        print_json(
            {"sent": len(told), "accepted": len(told) - len(failed), "key": letter.key if letter else "", "failed": failed}
        )
    else:
        _tell(folder, account, letter, told, failed)
    if failed:
        sys.exit(1)


def _connection(settings: Settings, name: str) -> Connection:
    connectors = bootstrap.shelf()
    settings = complete(settings, connectors)
    given = settings.connection(name)
    if given is None:
        named = ", ".join(one.name for one in settings.connections) or "none"
        raise HubError(f"There is no connection {name!r}; there are {named}.")
    if given.missing:
        raise HubError(f"Connection {name} waits for {', '.join(given.missing)}. `hub check` says how to set it.")
    return open_connections(settings, connectors)[name]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not FIELD=VALUE.", param_hint="--set")
    return name, value


def _local(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104  where it listens, not where we call
    return f"http://{host}:{settings.port}"


def _post(session: requests.Session, base: str, request: Request) -> dict[str, Any]:
    """Send it; gives the status and what was answered. HubError when nobody answers."""
    path = request.path[request.path.index("/hooks/") :]
    url = f"{base}{path}?{request.query}" if request.query else f"{base}{path}"
    try:
        answer = session.post(url, data=request.body, headers=dict(request.headers), timeout=_POST_SECONDS_MOST)
    except requests.RequestException as error:
        why = type(error).__name__
        raise HubError(
            f"Nobody answers at {base} ({why}). Start the hub with `hub run`, or say where it is with --to."
        ) from None
    return {"status": answer.status_code, "answer": answer.text[:_TELL_MOST]}


def _tell(
    folder: Path, account: Connection, letter: Letter | None, told: list[dict[str, Any]], failed: list[dict[str, Any]]
) -> None:
    for one in failed[:3]:
        complain(f"the hub answered {one['status']}: {one['answer']}")
    if failed:
        return
    if len(told) > 1 or letter is None or not letter.key:
        say(
            f"{len(told)} {'delivery' if len(told) == 1 else 'deliveries'} accepted. `hub events` shows what came of it.",
            "green",
        )
        return
    say("Accepted.", "green")
    story = _worked(folder, account.name, letter.key)
    if story is None:
        say("It waits for the worker; `hub events` shows what came of it. Is `hub run` or `hub worker` running?", "yellow")
    else:
        tell_story(story)


def _worked(folder: Path, connection: str, key: str) -> dict[str, Any] | None:
    """What came of the delivery, as soon as it has been worked; None when that takes too long."""
    until = monotonic() + _WORKED_SECONDS_MOST
    while monotonic() < until:
        with reading(folder) as session:
            for row in session.rows(queries.events_called, what=key, most=10):
                if row["connection"] == connection and row["state"] != READY:
                    return story_of(session, row)
        time.sleep(_LOOK_EVERY_SECONDS)
    return None
