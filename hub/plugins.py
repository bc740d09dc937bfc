"""Plugins: how connectors are found, in the modules of a folder and in packages with an entry point in the group `hub`.

What is wrong in the folder stops the start: it is the hub's own. An installed package is a stranger's: when it cannot be used
it is named with its version and left out, and everything else goes on.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
    return dict(Shelf(folder_package, extra, on_broken))


class Shelf(Mapping[str, Connector]):
    """Connectors by name, as `discover` gives them; but a module of the folder is imported when its name is asked for.

    So nobody waits for, or keeps in memory, what no connection uses. Whoever asks for all of them, or for a name that no module
    has, has every module imported.
    """

    def __init__(
        self,
        folder_package: str = "connectors",
        extra: Iterable[object] = (),
        on_broken: Callable[[Broken], None] = say_broken,
    ) -> None:
        self._folder = folder_package
        self._found = {one.name: one for plugin in extra for one in _offered(plugin)}
        self._unread = _modules_of(folder_package)
        self._owners: dict[str, str] = {}
        for entry in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
            package = _named(entry)
            offered, why = _loaded(entry)
            why = why or self._clash(offered)
            if why:
                on_broken(Broken(entry.name, package, log.redact(why)))
                continue
            for connector in offered:
                self._found[connector.name], self._owners[connector.name] = connector, package

    def __getitem__(self, name: str) -> Connector:
        found = self._by_module(name)
        if found is None:
            self._read(self._unread)
        return found or self._found[name]

    def __iter__(self) -> Iterator[str]:
        self._read(self._unread)
        return iter(sorted(self._found))

    def __len__(self) -> int:
        self._read(self._unread)
        return len(self._found)

    def _by_module(self, name: str) -> Connector | None:
        """The connector of this name, if it is known or its module is called so."""
        if name not in self._found and name in self._unread:
            self._read([name])
        return self._found.get(name)

    def _read(self, modules: Collection[str]) -> None:
        problems: list[Problem] = []
        for module in modules:
            there = _in_module(f"{self._folder}.{module}", problems)
            twins = [one.name for one in there if self._found.setdefault(one.name, one) is not one]
            problems += [_problem(name, f"two connectors are called `{name}`", "rename one of them") for name in twins]
        if problems:
            raise ConfigError(problems)
        self._unread = [module for module in self._unread if module not in modules]

    def _clash(self, offered: Collection[Connector]) -> str:
        """Why these cannot be added: a name is taken by another connector. The same object under two entry points is one."""
        for connector in offered:
            if (self._by_module(connector.name) or connector) is not connector:
                owner = self._owners.get(connector.name, "the hub itself")
                return f"there is a connector `{connector.name}` already, of {owner}; it needs a name of its own"
        return ""


def _modules_of(package: str) -> list[str]:
    try:
        paths = importlib.import_module(package).__path__
    except ImportError as error:
        why = f"the connectors' folder cannot be imported ({error})"
        raise ConfigError([_problem(package, why, "install the package again")]) from error
    return sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_"))


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
