"""Db: the database of a workspace. `hub db migrate`, `hub db size`; `backup` and `restore` stand in a module of their own."""

from __future__ import annotations

from pathlib import Path

import click

from hub import bootstrap, config
from hub.cli import backup
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import found, workspace_option
from hub.config import Settings
from hub.errors import HubError
from hub.store import migrations
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
    """Say how much space the database takes."""
    settings = config.load(folder)
    where = bootstrap.open_database(settings).shown
    sizes = {}
    for schema in SCHEMAS:
        with found(settings, schema) as store:
            if store is not None:
                sizes[store.name] = store.size_bytes()
    if not sizes:
        raise HubError(f"There is nothing in {where} yet. `hub run` makes it.")
    if as_json:
        print_json(sizes)
        return
    rows = ((name, f"{bytes_ / 1_000_000:,.1f} MB") for name, bytes_ in sizes.items())
    table(("tables", "size"), rows, nothing="", numbers=("size",))
    say(f"In {where}.", "dim")


def _missing(settings: Settings, schema: str) -> list[str]:
    with found(settings, schema) as store:
        return store.missing_steps() if store is not None else [name for name, _ in migrations.steps(schema)]
