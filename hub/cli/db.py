"""Db: the database of a workspace. `hub db migrate`, `hub db size`; `backup` and `restore` stand in a module of their own."""

from __future__ import annotations

from pathlib import Path

import click

from hub import bootstrap, config
from hub.cli import backup
from hub.cli.look import when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import found, workspace_option
from hub.config import Settings
from hub.engine.inbox import queries as inbox_queries
from hub.engine.retention import Limits
from hub.errors import HubError
from hub.store import Store, migrations
from hub.store.database import SCHEMAS


@click.group()
def db() -> None:
    """Look after the database."""


db.add_command(backup.backup)
db.add_command(backup.restore)


@db.command()
@workspace_option
@json_option
def migrate(*, folder: Path, as_json: bool) -> None:
    """Bring the tables up to date. `hub run` does that by itself when it starts."""
    settings = config.load(folder)
    taken = {schema: _missing(settings, schema) for schema in SCHEMAS}
    for schema in SCHEMAS:
        bootstrap.open_database(settings).open(schema).close()
    if as_json:
        print_json(taken)
        return
    rows = [(schema, step) for schema, steps in taken.items() for step in steps]
    table(("tables", "step taken"), rows, nothing="The tables are up to date.")


@db.command()
@workspace_option
@json_option
def size(*, folder: Path, as_json: bool) -> None:
    """Say how much space the database takes, and how far back its raw deliveries go."""
    settings = config.load(folder)
    where = bootstrap.open_database(settings).shown
    limits = Limits.from_node(settings.retention_node)
    sizes, oldest = {}, None
    for schema in SCHEMAS:
        with found(settings, schema) as store:
            if store is not None:
                sizes[store.name] = store.size_bytes()
                oldest = _oldest(store) if schema == "inbox" else oldest
    if not sizes:
        raise HubError(f"There is nothing in {where} yet. `hub run` makes it.")
    if as_json:
        print_json({"bytes": sizes, "oldest_delivery": oldest, "kept": str(limits)})
        return
    rows = ((name, f"{bytes_ / 1_000_000:,.1f} MB") for name, bytes_ in sizes.items())
    table(("tables", "size"), rows, nothing="", numbers=("size",))
    say(f"In {where}.", "dim")
    since = f"The oldest raw delivery is of {when(oldest)}; " if oldest is not None else "There is no raw delivery; "
    say(f"{since}worked ones are kept {limits}.", "dim")


def _oldest(inbox: Store) -> str | None:
    with inbox.read() as session:
        row = session.row(inbox_queries.first_after, seq=0)
    return row["received_at"] if row is not None else None


def _missing(settings: Settings, schema: str) -> list[str]:
    with found(settings, schema) as store:
        return store.missing_steps() if store is not None else [name for name, _ in migrations.steps(schema)]
