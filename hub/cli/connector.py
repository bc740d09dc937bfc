"""Connector: which there are, and for those who write one. `hub connector list`, `new` and `test`."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

import hub
from hub import bootstrap, document, promises
from hub.cli.output import json_option, print_json, progress, say, screen, table
from hub.engine.catalogue import BUILT_IN
from hub.errors import HubError
from hub.promises import overview
from hub.promises.embedded import open_bench
from hub.sdk import Connector

_CLONE = Path(hub.__file__).parent.parent


@click.group()
def connector() -> None:
    """List the connectors, write one, and see which promises it keeps."""


@connector.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write it; in a clone of the hub its connectors/, elsewhere this folder.",
)
def new(*, name: str, folder: Path | None) -> None:
    """Write NAME.py: a connector that keeps every promise once its gaps are filled in."""
    in_clone = (_CLONE / "pyproject.toml").exists()
    place = folder or (_CLONE / "connectors" if in_clone else Path())
    path = place / f"{name}.py"
    if path.exists():
        raise HubError(f"{path} is there already.")
    try:
        source = promises.scaffold(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    place.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    say(f"Written: {path}", "green")
    say(f"Fill it in, then: hub connector test {name if folder is None and in_clone else path}")
    if not in_clone or folder is not None:
        say("To ship it, make it a package with an entry point in the group `hub`; then the hub finds it once it is installed.")


@connector.command(name="list")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/connectors.md.")
@json_option
def list_connectors(*, as_markdown: bool, as_json: bool) -> None:
    """List every connector with what it hears and does, how it is believed, and what can be asked for."""
    there = _chosen(())
    if as_markdown:
        click.echo(overview.markdown(there), nl=False)
    elif as_json:
        print_json([asdict(overview.Overview.of(one)) for one in there])
    else:
        rows = (overview.Overview.of(one).cells for one in sorted(there, key=lambda one: one.title.casefold()))
        table(overview.COLUMNS, rows, nothing="There are no connectors.")


@connector.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@json_option
def test(*, names: tuple[str, ...], as_json: bool) -> None:
    """Try every promise on the connectors' own samples. Exit code 1 when one is broken.

    NAME is an installed connector, FILE one that is being written; all installed ones, when nothing is named.
    """
    chosen = _chosen(names)
    cases = [case for one in chosen for case in promises.cases(one, open_bench)]
    with progress() as bar:
        tracked = bar.track(cases, description="Promises")
        outcomes = [(case.trial.connector.name, case.outcome()) for case in tracked]
    broken = [outcome for _, outcome in outcomes if not outcome.kept]
    if as_json:
        said = [{"subject": one.subject, "promise": one.promise, "why": one.why} for one in broken]
        print_json({"ok": not broken, "connectors": [one.name for one in chosen], "tried": len(outcomes), "broken": said})
    else:
        _tell(outcomes, broken)
    if broken:
        sys.exit(1)


def _chosen(names: Sequence[str]) -> list[Connector]:
    files = [Path(name) for name in names if name.endswith(".py")]
    broken: dict[str, str] = {}
    found = bootstrap.discover(lambda one: broken.update({one.name: str(one)}))
    installed = {name: one for name, one in found.items() if name != BUILT_IN}
    for name in names:
        if name in broken and name not in installed:
            raise HubError(f"{broken[name]}.")
        if not name.endswith(".py") and name not in installed:
            hint = document.did_you_mean(name, installed)
            raise HubError(f"There is no connector {name!r}; there are {', '.join(installed)}. {hint}".rstrip())
    if not names:
        return list(installed.values())
    return [installed[name] for name in names if name in installed] + [one for file in files for one in _in_file(file)]


def _in_file(path: Path) -> list[Connector]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise HubError(f"There is no file {path}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # its annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise HubError(f"{path} cannot be loaded ({type(error).__name__}: {error}).") from error
    found = [value for value in vars(module).values() if isinstance(value, Connector)]
    if not found:
        raise HubError(f"There is no Connector in {path}; make one: connector = Connector(…).")
    return found


def _tell(outcomes: Sequence[tuple[str, promises.Outcome]], broken: Sequence[promises.Outcome]) -> None:
    tried: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    for name, outcome in outcomes:
        tried[name, outcome.promise] += 1
        kept[name, outcome.promise] += outcome.kept
    rows = ((name, promise, f"{kept[name, promise]} of {tried[name, promise]}") for name, promise in tried)
    table(("connector", "promise", "kept"), rows, nothing="There was nothing to try.", numbers=("kept",))
    for one in broken:
        screen().print(f"[bold red]broken[/] {one.subject}: {one.promise}", soft_wrap=True)
        say(f"    {one.why}")
    if not broken:
        say(f"All {len(outcomes)} promises are kept.", "green")
