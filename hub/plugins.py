"""Plugins: how connectors are found, in the modules of a folder and in packages with an entry point in the group `hub`.

What is wrong in the folder stops the start: it is the hub's own. An installed package is a stranger's: when it cannot be used
it is named with its version and left out, and everything else goes on.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import pluggy
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hub import __version__, hookspecs, log
from hub.errors import ConfigError, Problem
from hub.sdk.connector import Connector

GROUP = "hub"
_OURS = "loyalty-hub"
_LOG = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """An installed package whose connector cannot be used. name: of its entry point, which is its connector's."""

    name: str
    package: str
    why: str

    def __str__(self) -> str:
        return f"the connector `{self.name}` of {self.package} cannot be used: {self.why}"


def say_broken(broken: Broken) -> None:
    """Where nobody else wants to hear of a broken package, the log says so."""
    _LOG.error("an installed connector cannot be used", connector=broken.name, package=broken.package, reason=broken.why)


def discover(
    folder_package: str = "connectors",
    extra: Iterable[object] = (),
    on_broken: Callable[[Broken], None] = say_broken,
) -> dict[str, Connector]:
    """All connectors by name: those of `extra` plugins (the core's own), of the folder, and of installed packages.

    folder_package: the importable name of the package whose modules are connectors, one a file. ConfigError names every module
    of it that cannot be used, and why. An installed package that cannot be used is told to `on_broken` and left out.
    """
    problems: list[Problem] = []
    found: dict[str, Connector] = {}
    ours = [one for plugin in (*extra, *_in_folder(folder_package, problems)) for one in _offered(plugin)]
    twins = [one.name for one in ours if found.setdefault(one.name, one) is not one]
    problems += [_problem(name, f"two connectors are called `{name}`", "rename one of them") for name in twins]
    if problems:
        raise ConfigError(problems)
    owners = dict.fromkeys(found, "the hub itself")
    for entry in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        package = _named(entry)
        offered, why = _loaded(entry)
        why = why or _clash(offered, found, owners)
        if why:
            on_broken(Broken(entry.name, package, log.redact(why)))
            continue
        for connector in offered:
            found[connector.name], owners[connector.name] = connector, package
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
        problems.append(_problem(name, f"the connector cannot be loaded ({_said(error)})", "mend it, or take the file away"))
        return []
    found = [value for value in vars(module).values() if isinstance(value, Connector)]
    if not found:
        problems.append(_problem(name, "there is no Connector in this module", "make one: connector = Connector(…)"))
    return found


def _loaded(entry: EntryPoint) -> tuple[list[Connector], str]:
    """The connectors of an entry point, or why there are none."""
    wanted = _other_version_wanted(entry)
    if wanted:
        return [], f"it needs {wanted}, and this is {_OURS} {__version__}; install versions that fit one another"
    try:
        return _offered(entry.load()), ""
    except (Exception, SystemExit) as error:  # noqa: BLE001  # as above
        return [], f"{_said(error)} ({entry.value}); mend or uninstall the package"


def _offered(plugin: object) -> list[Connector]:
    """What a plugin offers through the hook. TypeError when it has no hook, or offers something else."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    if not manager.get_hookcallers(plugin):
        raise TypeError(f"{type(plugin).__name__} is neither a Connector nor a plugin with the hook `hub_connectors`")
    offered: list[Connector] = []
    manager.hook.hub_connectors(register=offered.append)
    strange = next((one for one in offered if not isinstance(one, Connector)), None)
    if strange is not None:
        raise TypeError(f"it registers a {type(strange).__name__}, which is no Connector")
    return offered


def _clash(offered: Collection[Connector], found: Mapping[str, Connector], owners: Mapping[str, str]) -> str:
    """Why these cannot be added: a name is taken by another connector. The same object under two entry points is one."""
    for connector in offered:
        if found.get(connector.name, connector) is not connector:
            return f"there is a connector `{connector.name}` already, of {owners[connector.name]}; it needs a name of its own"
    return ""


def _other_version_wanted(entry: EntryPoint) -> str:
    """What the package says that it needs of the hub, where this hub is not that."""
    for text in (entry.dist.requires or []) if entry.dist else []:
        try:
            need = Requirement(text)
        except InvalidRequirement:
            continue
        is_ours = canonicalize_name(need.name) == _OURS and (need.marker is None or need.marker.evaluate({"extra": ""}))
        if is_ours and not need.specifier.contains(__version__, prereleases=True):
            return f"{_OURS} {need.specifier}"
    return ""


def _named(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else f"an unknown package ({entry.value})"


def _said(error: BaseException) -> str:
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")


def _problem(where: str, message: str, hint: str) -> Problem:
    return Problem(where, 0, 0, message, hint)
