"""Recipes: the ready ones that ship with the hub, found and taken. `hub recipes`, `hub recipes add`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hub import bootstrap, config, document, library
from hub.cli.checking import look_at
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import workspace_option
from hub.config import Settings
from hub.errors import ConfigError, HubError
from hub.library import Recipe


@click.group(invoke_without_command=True)
@click.option("--platform", metavar="CONNECTOR", help="Only those that need this platform, such as square.")
@click.option("--trigger", metavar="WORD", help="Only those that wait for this, such as review or birthday.")
@click.option("--markdown", is_flag=True, hidden=True, help="Print the page of the library, recipes/README.md.")
@json_option
@click.pass_context
def recipes(context: click.Context, *, platform: str | None, trigger: str | None, markdown: bool, as_json: bool) -> None:
    """List the recipes that are ready to be taken; `hub recipes add NAME` takes one into the workspace."""
    if context.invoked_subcommand is not None:
        return
    if markdown:
        titles = {name: connector.title for name, connector in bootstrap.discover().items()}
        click.echo(library.page(titles), nl=False)
        return
    found = [one for one in library.singles() if _is_for(one, platform) and _waits_for(one, trigger)]
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    rows = [(one.name, ", ".join(one.whens), one.title, ", ".join(one.needs)) for one in found]
    table(("recipe", "waits for", "what it does", "needs"), rows, nothing=_nothing(platform, trigger))
    if found:
        say("`hub recipes add NAME` copies one into the workspace.")


@recipes.command()
@click.argument("name")
@click.option("--anyway", is_flag=True, help="Copy it even if it cannot run yet; `hub check` says what it lacks.")
@workspace_option
@json_option
def add(*, name: str, anyway: bool, folder: Path, as_json: bool) -> None:
    """Copy a ready recipe into the workspace, and say which connections it needs and whether they are there."""
    recipe = library.find(name)
    if recipe is None:
        hint = document.did_you_mean(name, [one.name for one in library.singles()])
        raise HubError(f"There is no ready recipe {name!r}. {hint or '`hub recipes` lists them.'}")
    before = look_at(config.load(folder))
    settings = before.settings
    path = settings.recipes_folder / recipe.path.name
    if path.exists():
        raise HubError(f"{path} is there already. Rename yours, `recipe:` in it too, or take that one as it is.")
    lacking = [one for one in recipe.needs if not _connections(settings, one)]
    if lacking and not anyway:
        raise HubError(_lacks(recipe, lacking))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(recipe.text, "utf-8")
    wrong = () if anyway else [one for one in look_at(config.load(folder)).problems if one not in before.problems]
    if wrong:
        path.unlink()
        raise ConfigError(wrong)
    needs = {one: _connections(settings, one) for one in recipe.needs}
    if as_json:
        print_json({"path": str(path), "needs": needs})
        return
    say(f"{path}: {recipe.title}.", "green")
    for one, there in needs.items():
        how = f"connected as {', '.join(there)}" if there else "not connected, so `hub check` refuses it until it is"
        say(f"It needs {one}: {how}.")
    say("Edit it as you like, try it with `hub test`, and start the hub again.")


def _is_for(recipe: Recipe, platform: str | None) -> bool:
    return platform is None or platform.lower() in recipe.needs


def _waits_for(recipe: Recipe, trigger: str | None) -> bool:
    word = (trigger or "").lower()
    return word == recipe.folder or any(word in when for when in recipe.whens)


def _nothing(platform: str | None, trigger: str | None) -> str:
    platforms = sorted({one for recipe in library.singles() for one in recipe.needs})
    known = f" Platforms: {', '.join(platforms)}." if platform and platform.lower() not in platforms else ""
    return f"No ready recipe is for {' and '.join(one for one in (platform, trigger) if one)}.{known}"


def _connections(settings: Settings, connector: str) -> list[str]:
    return [one.name for one in settings.connections if one.connector == connector]


def _lacks(recipe: Recipe, lacking: Sequence[str]) -> str:
    how = " and ".join(f"`hub connections setup {one}`" for one in lacking)
    return (
        f"{recipe.name} needs {' and '.join(lacking)}, and hub.yaml names no such connection. Add it ({how} says how), or copy "
        "the recipe all the same with --anyway; `hub check` refuses it until then."
    )


def _as_json(recipe: Recipe) -> dict[str, object]:
    return {
        "name": recipe.name,
        "folder": recipe.folder,
        "title": recipe.title,
        "description": recipe.description,
        "when": recipe.whens,
        "do": recipe.actions,
        "needs": recipe.needs,
    }
