"""Keys: what the secrets in the database are encrypted with. `hub keys list`, `hub keys rotate`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from hub import config
from hub.bootstrap import Hub
from hub.cli.doing import opened
from hub.cli.kept import kept_by
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import found, workspace_option
from hub.config import Settings
from hub.vault import key_in_use, open_vault, rotation
from hub.vault.vault import VARIABLE


@click.group()
def keys() -> None:
    """The keys of the secrets that are kept in the database."""


@keys.command(name="list")
@workspace_option
@json_option
def list_keys(*, folder: Path, as_json: bool) -> None:
    """List the keys by their ids: where each stands, and how many secrets need it. The keys themselves never show."""
    settings = config.load(folder)
    vault, needed = open_vault(settings), Counter(one.sealed.key_id for one in kept_by(settings))
    here = {key.id: VARIABLE for key in vault.given()}
    here = {**{key.id: str(vault.file.path) for key in vault.in_file()}, **here}
    in_use = _in_use(settings)
    told = [
        {"key_id": id_, "from": here.get(id_, "lost"), "in_use": id_ == in_use, "secrets": needed[id_]}
        for id_ in dict.fromkeys([*here, *needed])
    ]
    if as_json:
        print_json(told)
        return
    rows = ((one["key_id"], one["from"], one["in_use"], one["secrets"]) for one in told)
    table(("key", "from", "in use", "secrets"), rows, nothing="There are no keys yet: the first secret makes one.")
    for one in kept_by(settings):
        if one.sealed.key_id not in here:
            say(f"`{one.name}` of {one.connection} cannot be read: its key {one.sealed.key_id} is not here.", "red")


@keys.command()
@workspace_option
@json_option
def rotate(*, folder: Path, as_json: bool) -> None:
    """Encrypt everything anew, with a new key; the old one is taken away when nothing needs it any more.

    It can be broken off at any moment and given again. Where the keys are in HUB_SECRET_KEY, put the new one before the old one
    (`new,old`) and start the hub again first.
    """
    with opened(folder) as hub, hub.vault.file.alone():
        key_id = rotation.begin(hub.vault, _in_use_by(hub))
        told = hub.do("rotate_keys", {"key_id": key_id})
        dropped = rotation.end(hub.vault, _in_use_by(hub))
    if as_json:
        print_json({**told, "dropped": dropped})
        return
    say(f"{told['secrets']} secrets are encrypted with the key {told['key_id']} now.", "green")
    for place in told["unread"]:
        say(f"{place} could not be read and stays as it is: its key is lost. Set it again.", "red")
    for id_ in (key.id for key in hub.vault.given()[1:]):
        say(f"Nothing needs the key {id_} any more: take it out of {VARIABLE}.")


def _in_use_by(hub: Hub) -> str | None:
    """The id of the key that the database says is in use."""
    with hub.store.read() as session:
        return key_in_use(session)


def _in_use(settings: Settings) -> str | None:
    with found(settings, "hub") as store:
        if store is None or store.missing_steps():
            return None
        with store.read() as session:
            return key_in_use(session)
