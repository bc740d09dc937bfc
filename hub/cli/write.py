"""Write: what an admin needs beside an editor. `hub check`, `hub test`, `hub schema`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.text import Text

from hub import config
from hub.cli.checking import Checked, look_at, twice_awarded
from hub.cli.output import json_option, json_text, print_json, say, screen
from hub.cli.workspace import workspace_option
from hub.errors import ConfigError, Problem
from hub.recipes.schema import json_schema


@click.command()
@workspace_option
@json_option
def check(*, folder: Path, as_json: bool) -> None:
    """Check hub.yaml and every recipe: fields, types, actions, connections. Exit code 1 when anything is wrong."""
    try:
        settings = config.load(folder)
    except ConfigError as error:
        _end(error.problems, as_json=as_json)
    checked = look_at(settings)
    if checked.problems:
        _end(checked.problems, as_json=as_json)
    warnings = _warnings(checked)
    if as_json:
        recipes = [plan.recipe.name for plan in checked.plans]
        print_json({"ok": True, "recipes": recipes, "warnings": warnings, "told": list(checked.told)})
        return
    for warning in warnings:
        screen().print(Text.assemble(("warning: ", "yellow"), warning), soft_wrap=True)
    count = len(checked.plans)
    say(f"{count} recipe{'' if count == 1 else 's'} and {len(checked.settings.connections)} connections are right.", "green")
    for way in checked.told:
        say(f"The owner is told of trouble at {way}.")


def _end(problems: tuple[Problem, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "problems": [_as_json(problem) for problem in problems]})
    else:
        for problem in problems:
            screen().print(_shown(problem), soft_wrap=True)
        say(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} found.", "bold red")
    sys.exit(1)


def _shown(problem: Problem) -> Text:
    first, _, rest = str(problem).partition("\n")
    place, colon, said = first.partition(": error: ")
    return Text.assemble((place, "bold"), (colon, "red"), said, "\n" if rest else "", (rest, "dim"))


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }


def _warnings(checked: Checked) -> list[str]:
    settings = checked.settings
    warnings = [str(broken) for broken in checked.broken]
    warnings += [f"{name} stops: {why}" for name, why in checked.out_of_use.items()]
    for one in settings.connections:
        if one.missing:
            recipes = ", ".join(checked.stopped.get(one.name, ())) or "none"
            how = "set it in the environment or in .env, or keep it with `hub connections set`"
            warnings.append(f"connection {one.name} waits for {', '.join(one.missing)} ({how}); recipes that stop: {recipes}")
    warnings += twice_awarded(checked)
    if not settings.is_public and settings.connections:
        warnings.append("hub.yaml names no public_url: platforms cannot deliver webhooks, the hub asks them by polling")
    return warnings


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@workspace_option
def schema(*, output: Path | None, folder: Path) -> None:
    """Print the JSON Schema of recipes, made from the connectors and connections that are there.

    Editors complete triggers, actions and fields with it: put `# yaml-language-server: $schema=../recipe.schema.json` into the
    first line of a recipe after `hub schema -o recipe.schema.json`.
    """
    checked = look_at(config.load(folder))
    if checked.catalogue is None:
        raise ConfigError(checked.problems)
    if output is None:
        print_json(json_schema(checked.catalogue))
        return
    output.write_text(json_text(json_schema(checked.catalogue)), "utf-8")
    say(f"Written to {output}.", "green")
