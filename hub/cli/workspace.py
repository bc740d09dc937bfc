"""Workspace: how commands find the admin's folder and look into its database."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import config
from hub.errors import HubError
from hub.store import Session, load, migrations
from hub.store.sqlite import SqliteStore

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
    path = settings.data_folder / "hub.db"
    if not path.exists():
        raise HubError(f"Nothing has been recorded in {settings.folder} yet. Start the hub with `hub run`.")
    store = SqliteStore(path, "hub")
    try:
        with store.read() as session:
            taken = {row["name"] for row in session.rows(queries.steps_taken)}
            if any(name not in taken for name, _ in migrations.steps("hub")):
                raise HubError(
                    f"The database in {settings.data_folder} is of an older version. `hub db migrate` brings it up to date."
                )
            yield session
    finally:
        store.close()


def the_user() -> str:
    """Who sits at the command line, for the record of what people did."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without users
        return "command line"
