"""Plugins: how connectors are found, in the modules of a folder and in packages with an entry point in the group `hub`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from importlib.metadata import entry_points

import pluggy

from hub import hookspecs
from hub.errors import ConfigError, Problem
from hub.sdk.connector import Connector

GROUP = "hub"


def discover(folder_package: str = "connectors", extra: Iterable[object] = ()) -> dict[str, Connector]:
    """All connectors by name: those of the folder, of installed packages, and of `extra` plugins (the core's own).

    folder_package: the importable name of the package whose modules are connectors, one a file. ConfigError names every module
    that cannot be used, and why.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    problems: list[Problem] = []
    for plugin in extra:
        manager.register(plugin)
    for plugin in (*_in_folder(folder_package, problems), *_installed(problems)):
        if not manager.is_registered(plugin):
            manager.register(plugin)
    found: dict[str, Connector] = {}

    def register(connector: Connector) -> None:
        known = found.setdefault(connector.name, connector)
        if known is not connector:
            problems.append(_problem(connector.name, f"two connectors are called `{connector.name}`", "rename one of them"))

    manager.hook.hub_connectors(register=register)
    if problems:
        raise ConfigError(problems)
    return dict(sorted(found.items()))


def _in_folder(package: str, problems: list[Problem]) -> list[Connector]:
    try:
        paths = importlib.import_module(package).__path__
    except ImportError as error:
        problems.append(_problem(package, f"the connectors' folder cannot be imported ({error})", "install the package again"))
        return []
    found = []
    for module in sorted(pkgutil.iter_modules(paths), key=lambda known: known.name):
        if not module.name.startswith("_"):
            found += _in_module(f"{package}.{module.name}", problems)
    return found


def _in_module(name: str, problems: list[Problem]) -> list[Connector]:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  # whatever a stranger's module does while it is imported, it is named and left out
        said = re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")
        problems.append(_problem(name, f"the connector cannot be loaded ({said})", "mend it, or take the file away"))
        return []
    found = [value for value in vars(module).values() if isinstance(value, Connector)]
    if not found:
        problems.append(_problem(name, "there is no Connector in this module", "make one: connector = Connector(…)"))
    return found


def _installed(problems: list[Problem]) -> list[object]:
    plugins: list[object] = []
    for entry in entry_points(group=GROUP):
        try:
            plugins.append(entry.load())
        except Exception as error:  # noqa: BLE001  # as above
            said = f"the plugin `{entry.name}` cannot be loaded ({type(error).__name__}: {error})"
            problems.append(_problem(entry.value, said, "mend or uninstall the package"))
    return plugins


def _problem(where: str, message: str, hint: str) -> Problem:
    return Problem(where, 0, 0, message, hint)
