"""Workspace: how commands find the admin's folder and look into its database."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub import config
from hub.config import Settings
from hub.errors import HubError
from hub.store import Session, Store, load

if TYPE_CHECKING:
    from hub.store.database import Database

queries = load("hub.cli")

workspace_option = click.option(
    "-w",
    "--workspace",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="The folder that holds hub.yaml; this one, when not given.",
)


@contextmanager
def reading(folder: Path) -> Iterator[Session]:
    """A consistent view of what the workspace has recorded; it works while the hub runs."""
    settings = config.load(folder)
    with found(settings, "hub") as store:
        if store is None:
            raise HubError(f"Nothing has been recorded in {settings.folder} yet. Start the hub with `hub run`.")
        if store.missing_steps():
            where = _database(settings).shown
            raise HubError(f"What is in {where} is of an older version. `hub db migrate` brings it up to date.")
        with store.read() as session:
            yield session


@contextmanager
def found(settings: Settings, schema: str) -> Iterator[Store | None]:
    """The tables of a schema as they are; None when there are none yet."""
    store = _database(settings).find(schema)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _database(settings: Settings) -> Database:
    from hub import bootstrap  # noqa: PLC0415  it takes long to import, and `hub run` comes up without it

    return bootstrap.open_database(settings)


def the_user() -> str:
    """Who sits at the command line, for the record of what people did."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without users
        return "command line"
