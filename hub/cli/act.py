"""Act: has the hub do something now. `hub replay`, `hub trigger`."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli import people
from hub.cli.doing import ask
from hub.cli.output import json_option, print_json, say
from hub.cli.workspace import reading, the_user, workspace_option


@click.command()
@click.argument("ids", nargs=-1, required=True)
@workspace_option
@json_option
def replay(*, ids: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Go on with what was held: a run or call (from its failed step), a parked event, an unreadable delivery, a timer.

    `hub held` lists their ids. What is done already is never done again.
    """
    told = [ask(folder, "replay", {"id": one, "by": the_user()}) for one in ids]
    if as_json:
        print_json(told)
        return
    for one in told:
        step = f", from step {one['from_step']}" if "from_step" in one else ""
        say(f"Replayed {one['replayed']}{step}.", "green")


@click.command()
@click.argument("recipe")
@click.option("--member", default="", metavar="WHO", help="For this member: id, e-mail address, phone number or name.")
@click.option("--input", "words", default="", help="What the recipe reads as `event.input`.")
@workspace_option
@json_option
def trigger(*, recipe: str, member: str, words: str, folder: Path, as_json: bool) -> None:
    """Run a recipe that says `when: manual`."""
    member_id = None
    if member:
        with reading(folder) as session:
            member_id = people.one(session, member)["id"]
    told = ask(folder, "trigger", {"recipe": recipe, "member": member_id, "input": words, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"Recipe {recipe} was set off. `hub events {told['event']}` says what came of it.", "green")
