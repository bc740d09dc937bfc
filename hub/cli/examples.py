"""Examples: runs the examples that stand in recipes. `hub test`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from hub import config
from hub.cli.checking import Checked, look_at
from hub.cli.output import json_option, print_json, say, screen
from hub.cli.workspace import workspace_option
from hub.engine.examples import Tried, try_examples
from hub.errors import ConfigError, HubError


@click.command()
@click.argument("names", nargs=-1, metavar="[RECIPE]...")
@workspace_option
@json_option
def test(*, names: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Run the examples that stand in recipes, in memory; nothing is sent. Exit code 1 when one comes out otherwise."""
    checked = look_at(config.load(folder))
    if checked.problems or checked.catalogue is None:
        raise ConfigError(checked.problems)
    tried = _tried(checked, names)
    failed = [one for one in tried if one["problems"]]
    if as_json:
        print_json({"ok": not failed, "examples": len(tried), "failed": failed})
    else:
        _tell(checked, tried)
    if failed:
        sys.exit(1)


def _tried(checked: Checked, names: tuple[str, ...]) -> list[dict[str, Any]]:
    assert checked.catalogue is not None and checked.programme is not None
    known = {plan.recipe.name: plan for plan in checked.plans}
    if unknown := [name for name in names if name not in known]:
        raise HubError(f"There is no recipe {unknown[0]!r}; there are {', '.join(known) or 'none'}.")
    return [
        _as_json(one, plan.recipe.path)
        for name, plan in known.items()
        if not names or name in names
        for one in try_examples(plan, checked.catalogue, checked.programme)
    ]


def _as_json(one: Tried, path: str) -> dict[str, Any]:
    return {"recipe": one.recipe, "path": path, "line": one.line, "problems": list(one.problems)}


def _tell(checked: Checked, tried: list[dict[str, Any]]) -> None:
    for one in tried:
        for problem in one["problems"]:
            place = f"{one['path']}:{one['line']}"
            screen().print(Text.assemble((place, "bold"), (": ", ""), problem), soft_wrap=True)
    recipes = {one["recipe"] for one in tried}
    wrong = sum(bool(one["problems"]) for one in tried)
    without = [plan.recipe.name for plan in checked.plans if not plan.recipe.examples]
    if without:
        say(f"Without examples: {', '.join(without)}.", "yellow")
    if wrong:
        say(f"{wrong} of {len(tried)} examples came out otherwise.", "bold red")
    else:
        say(f"{len(tried)} examples of {len(recipes)} recipes came out as expected.", "green")
