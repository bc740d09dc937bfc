"""Db: the database of a workspace. `hub db migrate`, `hub db size`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import config
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import workspace_option
from hub.errors import HubError
from hub.store.sqlite import SqliteStore

SCHEMAS = ("inbox", "hub")
"""The files of the embedded database, each with the folder of migrations of its name."""


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@workspace_option
@json_option
def migrate(*, folder: Path, as_json: bool) -> None:
    """Bring the tables up to date. `hub run` does that by itself when it starts."""
    settings = config.load(folder)
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    taken = {}
    for schema in SCHEMAS:
        with _opened(settings.data_folder, schema) as store:
            taken[schema] = store.migrate()
    if as_json:
        print_json(taken)
        return
    rows = [(f"{schema}.db", step) for schema, steps in taken.items() for step in steps]
    table(("file", "step taken"), rows, nothing="The tables are up to date.")


@db.command()
@workspace_option
@json_option
def size(*, folder: Path, as_json: bool) -> None:
    """Say how much space the files of the database take."""
    settings = config.load(folder)
    there = [schema for schema in SCHEMAS if (settings.data_folder / f"{schema}.db").exists()]
    if not there:
        raise HubError(f"There is no database in {settings.data_folder} yet. `hub run` makes it.")
    sizes = {}
    for schema in there:
        with _opened(settings.data_folder, schema) as store:
            sizes[f"{schema}.db"] = store.size_bytes()
    if as_json:
        print_json(sizes)
        return
    rows = ((name, f"{bytes_ / 1_000_000:,.1f} MB") for name, bytes_ in sizes.items())
    table(("file", "size"), rows, nothing="", numbers=("size",))
    say(f"In {settings.data_folder}; sqlite-utils and Datasette open both.", "dim")


@contextmanager
def _opened(folder: Path, schema: str) -> Iterator[SqliteStore]:
    store = SqliteStore(folder / f"{schema}.db", schema)
    try:
        yield store
    finally:
        store.close()
